//! Arrivals that are settled when they are sent change nobody's history.

use std::collections::BTreeSet;

use minichain_sim::link::{Condition as LinkCondition, Latency, Paths};
use minichain_sim::queue::{MILLI, SECOND};
use minichain_sim::random::Stream;
use minichain_sim::setup::Peering;
use minichain_sim::world::{Cuts, Loss, World};

use crate::support::{assert_safe, seconds, setup, world};

const NODES: usize = 14;

/// One thing that is done to a network.
fn harm(world: &mut World, chance: &mut Stream) {
    let mut place = || usize::try_from(chance.below(NODES as u64)).expect("a small number");
    let (one, other) = (place(), place());
    match chance.below(12) {
        0 => world.pause(one),
        1 | 2 => world.resume(one),
        3 => world.stop(one, Loss::Uncommitted),
        4 | 5 => world.start(one),
        6 => {
            let sides = (0..NODES).map(|at| (at, u32::from(at < 6)));
            let cuts = Cuts {
                sides: sides.collect(),
                ..Cuts::default()
            };
            world.set_cuts(cuts);
        }
        7 | 8 => world.set_cuts(Cuts::default()),
        9 if one != other => {
            let condition = LinkCondition {
                delay: 70 * MILLI,
                loss: 0.2,
                ..LinkCondition::default()
            };
            world.set_condition(one, other, condition);
        }
        10 if one != other => {
            let links = BTreeSet::from([(one, other)]);
            let sides = std::collections::BTreeMap::new();
            world.set_cuts(Cuts { links, sides });
        }
        _ => {}
    }
}

/// A network that is harmed again and again, mostly while blocks are under way.
fn storm(seed: u64, settles: bool) -> World {
    let mut setup = setup(seed, NODES, 6);
    setup.params.spacing_s = 5;
    setup.peering = Peering::Random { outbound: 3 };
    setup.links.paths = Paths::Everywhere(Latency::Uniform {
        min: 50 * MILLI,
        max: 900 * MILLI,
    });
    let mut world = world(setup);
    if !settles {
        world.settle_nothing();
    }
    world.record();
    let mut chance = Stream::new(seed, "storm", &[]);
    for _ in 0..400 {
        let until = world.now() + 10 * MILLI + chance.below(2 * SECOND);
        world.run_until(until);
        harm(&mut world, &mut chance);
    }
    world.set_cuts(Cuts::default());
    for place in 0..NODES {
        world.resume(place);
        world.start(place);
    }
    world.run_until(world.now() + seconds(60));
    assert_safe(&mut world);
    world
}

#[test]
fn a_harmed_network_has_the_same_history_whatever_is_settled() {
    for seed in 0..6 {
        let (mut settled, mut plain) = (storm(seed, true), storm(seed, false));
        // Looks at the mesh are left.
        let copies = settled
            .settled_events()
            .saturating_sub(plain.settled_events());
        assert!(copies > 200, "{copies} copies");
        let (told, expected) = (settled.take_told(), plain.take_told());
        let pairs = told.iter().zip(&expected);
        for (told, expected) in pairs {
            let history = |one: &minichain_sim::world::Told| (one.at, one.place, one.event.clone());
            assert_eq!(history(told), history(expected), "seed {seed}");
        }
        assert_eq!(told.len(), expected.len());
    }
}
