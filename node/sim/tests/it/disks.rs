//! What is done to disks, and that networks get over it.

use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::world::{Condition, Damage, Loss, World};

use crate::support::{assert_safe, has_one_tip, height, seconds, setup, world};

fn four(seed: u64) -> World {
    let mut setup = setup(seed, 4, 2);
    setup.links.paths = Paths::Everywhere(Latency::Constant(20 * MILLI));
    let mut world = world(setup);
    world.run_until(seconds(100));
    world
}

/// Waits until all agree on a tip again, and safety held all along.
fn assert_heals(world: &mut World) {
    world.run_until(world.now() + seconds(20));
    let end = world.now() + seconds(120);
    let has_parts = world.run_while(end, |world| !has_one_tip(world));
    assert!(!has_parts, "no agreement in time");
    assert!(height(world, 2) > 0);
    assert_safe(world);
}

#[test]
fn a_full_disk_ends_its_node_at_the_next_commit_and_nothing_of_that_stays() {
    for seed in 0..8 {
        let mut world = four(seed);
        let before = height(&world, 0);
        world.fill_disk(0);
        let end = world.now() + seconds(300);
        assert!(
            !world.run_while(end, |world| world.condition(0) == Condition::Up),
            "seed {seed}: it goes on without room"
        );
        assert_eq!(world.disk_of(0).commits, 0);
        world.run_until(world.now() + seconds(60));
        world.start(0);
        world.run_until(world.now());
        assert_eq!(height(&world, 0), before, "seed {seed}");
        assert_heals(&mut world);
    }
}

#[test]
fn a_program_that_ends_well_stores_nothing_on_a_full_disk_either() {
    let mut world = four(11);
    world.fill_disk(2);
    let before = world.disk_of(2);
    world.stop(2, Loss::Nothing);
    assert_eq!(world.disk_of(2), before);
    world.free_disk(2);
    world.start(2);
    assert_heals(&mut world);
}

#[test]
fn a_torn_disk_is_refused_until_it_is_wiped_or_what_it_lost_is_not_missed() {
    let (mut refused, mut survived) = (0, 0);
    for seed in 0..30 {
        let mut world = four(seed);
        world.tear_disk(2);
        assert!(world.disk_of(2).is_torn, "seed {seed}");
        world.start(2);
        world.run_until(world.now());
        match world.condition(2) {
            Condition::Down => {
                refused += 1;
                world.start(2);
                world.run_until(world.now());
                assert_eq!(world.condition(2), Condition::Down, "seed {seed}");
                world.wipe(2);
                world.start(2);
            }
            _ => survived += 1,
        }
        assert_heals(&mut world);
        assert!(!world.disk_of(2).is_torn, "seed {seed}");
    }
    assert!(refused > 0, "{survived} of 30 survived");
}

/// A node that has just begun anew: nothing of it is durable yet.
fn begun_anew(seed: u64) -> World {
    let mut world = four(seed);
    world.wipe(2);
    world.start(2);
    world.run_until(world.now());
    world
}

#[test]
fn a_first_write_that_is_torn_leaves_a_store_that_is_refused() {
    for seed in 0..10 {
        let mut world = begun_anew(seed);
        world.tear_disk(2);
        assert!(world.disk_of(2).is_torn, "seed {seed}: nothing was damaged");
        world.start(2);
        world.run_until(world.now());
        // There is the genesis block alone, and nothing of it can be missed.
        assert_eq!(world.condition(2), Condition::Down, "seed {seed}");
        world.wipe(2);
        world.start(2);
        assert_heals(&mut world);
    }
}

#[test]
fn no_write_reaches_a_full_or_an_absent_disk_so_none_is_torn() {
    let mut world = begun_anew(1);
    world.fill_disk(2);
    world.tear_disk(2);
    assert!(!world.disk_of(2).is_torn);
    let mut world = begun_anew(1);
    world.wipe(2);
    world.tear_disk(2);
    assert!(!world.disk_of(2).is_torn);
    assert_eq!(world.damage(), Damage::default());
}

#[test]
fn damage_is_counted_where_something_was_lost_and_nowhere_else() {
    let mut world = four(5);
    for _ in 0..3 {
        world.stop(2, Loss::Nothing);
        world.start(2);
        world.run_until(world.now());
    }
    assert_eq!(world.damage(), Damage::default());
    let mut world = begun_anew(5);
    world.stop(2, Loss::Uncommitted);
    let mut counted = Damage {
        losses: 1,
        ..Damage::default()
    };
    assert_eq!(world.damage(), counted);
    world.start(2);
    world.run_until(world.now());
    world.tear_disk(2);
    counted.torn = 1;
    assert_eq!(world.damage(), counted);
    world.start(2);
    world.run_until(world.now());
    counted.refused = 1;
    assert_eq!(world.damage(), counted);
    world.wipe(2);
    world.start(2);
    world.run_until(world.now());
    world.fill_disk(2);
    let end = world.now() + seconds(300);
    world.run_while(end, |world| world.condition(2) == Condition::Up);
    counted.full = 1;
    assert_eq!(world.damage(), counted);
}
