//! Networks that nothing happens to.

use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::setup::{Peering, SetupError};
use minichain_sim::world::World;

use crate::support::{assert_safe, has_one_tip, height, params, seconds, setup, world};

#[test]
fn nodes_mine_one_chain_at_the_wanted_pace() {
    let mut world = world(setup(1, 6, 4));
    world.run_until(seconds(5_000));
    let blocks = height(&world, 5);
    assert!(
        (850..1_150).contains(&blocks),
        "{blocks} blocks in 1,000 intervals"
    );
    assert!(world.run_while(seconds(60), has_one_tip) || has_one_tip(&world));
    assert_safe(&mut world);
}

#[test]
fn one_seed_is_one_history_and_another_seed_is_another() {
    let run = |seed| {
        let mut world = world(setup(seed, 8, 3));
        world.run_until(seconds(600));
        (world.digest(), world.events())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_sparse_network_with_latency_agrees() {
    let mut setup = setup(3, 60, 20);
    setup.peering = Peering::Random { outbound: 4 };
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 10 * MILLI,
        max: 100 * MILLI,
    });
    let mut world = world(setup);
    world.run_until(seconds(1_000));
    let ended = world.now() + seconds(120);
    assert!(!world.run_while(ended, |world| !has_one_tip(world)));
    assert!(height(&world, 59) > 140);
    assert_safe(&mut world);
}

#[test]
fn bad_setups_are_refused() {
    let mut real = setup(1, 2, 1);
    real.params.proof = minichain_chain::params::Proof::Hash;
    assert_eq!(World::new(real).err(), Some(SetupError::RealWork));
    let mut odd = setup(1, 2, 1);
    odd.peering = Peering::Edges(vec![(0, 2)]);
    let (from, to, nodes) = (0, 2, 2);
    let error = World::new(odd).err();
    assert_eq!(error, Some(SetupError::Edge { from, to, nodes }));
    let mut wrong = setup(1, 2, 1);
    wrong.params = params(0, 1);
    assert!(matches!(
        World::new(wrong).err(),
        Some(SetupError::Params(_))
    ));
}

/// Numbers of messages are used again after some minutes; what a node got long
/// ago under the same number must not keep a new block from it.
#[test]
fn every_block_comes_by_gossip_however_long_the_world_has_run() {
    let mut setup = setup(4, 30, 10);
    setup.params = params(600, 10 * crate::support::RATE);
    setup.peering = Peering::Random { outbound: 4 };
    setup.timing.status_poll_ms = 10_000_000_000;
    setup.links.paths = Paths::Everywhere(Latency::Constant(50 * MILLI));
    let mut world = world(setup);
    world.record();
    world.run_until(seconds(60_000));
    let told = world.take_told();
    let headers = |told: &minichain_sim::world::Told| {
        matches!(
            told.event,
            minichain_protocol::event::Event::HeadersAdvanced { .. }
        )
    };
    assert_eq!(told.iter().filter(|told| headers(told)).count(), 0);
    assert!(height(&world, 29) > 70);
    assert_safe(&mut world);
}
