//! Nodes that start, leave and come one by one.

use std::collections::BTreeSet;

use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::{MILLI, Micros, SECOND};
use minichain_sim::random::Stream;
use minichain_sim::setup::{NodeSetup, Peering};
use minichain_sim::world::{Condition, Loss, World};

use crate::support::{RATE, assert_safe, has_one_tip, height, params, seconds, setup, world};

#[test]
fn nodes_start_within_the_jitter_and_the_same_for_a_seed() {
    let starts = |seed: u64, jitter: Micros| {
        let mut setup = setup(seed, 20, 5);
        setup.start_jitter = jitter;
        let mut world = world(setup);
        world.run_until(seconds(30));
        assert!((0..20).all(|place| world.condition(place) == Condition::Up));
        (0..20)
            .map(|place| world.started_at(place))
            .collect::<Vec<_>>()
    };
    assert_eq!(starts(1, 0), [0; 20]);
    let drawn = starts(1, 10 * SECOND);
    assert!(drawn.iter().all(|at| *at <= 10 * SECOND), "{drawn:?}");
    assert!(drawn.iter().max() > Some(&(8 * SECOND)), "{drawn:?}");
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(starts(1, 10 * SECOND), drawn);
    assert_ne!(starts(2, 10 * SECOND), drawn);
}

/// Every ten seconds somebody leaves for good, crashes or stops, and somebody
/// else comes.
#[test]
fn a_network_lives_while_its_nodes_come_and_go() {
    let mut setup = setup(51, 12, 4);
    setup.params = params(5, 4 * RATE);
    setup.peering = Peering::Random { outbound: 4 };
    setup.start_jitter = 5 * SECOND;
    setup.links.paths = Paths::Everywhere(Latency::Constant(20 * MILLI));
    let mut world = world(setup);
    let mut chance = Stream::new(51, "churn", &[]);
    for round in 1..60 {
        world.run_until(seconds(10 * round));
        churn(&mut world, &mut chance);
    }
    for place in 0..world.len() {
        world.start(place);
    }
    let end = world.now() + seconds(200);
    assert!(!world.run_while(end, |world| !has_one_tip(world)));
    assert!(height(&world, 0) > 60);
    let gone = (0..world.len()).filter(|place| world.condition(*place) == Condition::Removed);
    assert!(gone.count() > 10 && world.len() > 30);
    assert_safe(&mut world);
}

/// The miners, who come first, only fall over; of the others some go for good.
fn churn(world: &mut World, chance: &mut Stream) {
    let pick = usize::try_from(chance.below(world.len() as u64)).expect("a node");
    match (chance.below(3), pick) {
        (0, 4..) => world.remove(pick),
        (1, _) => world.stop(pick, Loss::Nothing),
        _ => world.stop(pick, Loss::Uncommitted),
    }
    let other = usize::try_from(chance.below(world.len() as u64)).expect("a node");
    world.start(other);
    if chance.below(2) == 0 {
        world.add(NodeSetup::default());
    }
}
