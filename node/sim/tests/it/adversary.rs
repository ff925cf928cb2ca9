//! Miners that hold their blocks back.

use std::collections::BTreeSet;

use minichain_chain::difficulty::Rule;
use minichain_protocol::event::Event;
use minichain_sim::adversary::Strategy;
use minichain_sim::link::{Latency, Paths};
use minichain_sim::queue::MILLI;
use minichain_sim::setup::Setup;
use minichain_sim::world::World;

use crate::support::{RATE, assert_safe, has_one_tip, height, seconds, setup, world};

/// Node 0 is the adversary and has so many times the power of each other.
fn against(seed: u64, power: u64, others: usize) -> Setup {
    let mut setup = setup(seed, others + 1, others + 1);
    setup.nodes[0].hash_rate = power * RATE;
    // Height alone decides, as in the papers.
    setup.params.difficulty = Rule::Fixed;
    setup.links.paths = Paths::Everywhere(Latency::Constant(20 * MILLI));
    setup
}

fn selfish(setup: Setup) -> World {
    let mut world = world(setup);
    world.corrupt(0, Strategy::Selfish { allies: None });
    world
}

#[test]
fn what_a_selfish_miner_holds_back_nobody_else_has() {
    let mut world = selfish(against(1, 20, 2));
    let mut longest = 0;
    for second in 1..2_000 {
        world.run_until(seconds(second));
        let lead = height(&world, 0).saturating_sub(height(&world, 1));
        longest = longest.max(lead);
    }
    // With ten times the power of all others its lead has no bound.
    assert!(longest > 100, "{longest}");
    let [own, others] = [0, 1].map(|place| world.node(place).expect("it runs").state());
    assert!(!others.tree().contains(&own.tip().hash));
    assert_safe(&mut world);
}

#[test]
fn a_weak_selfish_miner_stays_with_the_others() {
    let mut world = selfish(against(2, 1, 5));
    world.run_until(seconds(3_000));
    let tally = world.tally(0).expect("it cheats");
    // Everybody hears of a block before of the one that matches it.
    assert!(tally.followed == 0 && tally.passed > 0, "{tally:?}");
    assert_eq!(world.tally(1), None);
    let ended = world.now() + seconds(120);
    assert!(has_one_tip(&world) || !world.run_while(ended, |world| !has_one_tip(world)));
    assert_safe(&mut world);
}

#[test]
fn a_match_reaches_allies_alone() {
    let mut world = world(against(3, 2, 4));
    let allies = Some(BTreeSet::new());
    world.corrupt(0, Strategy::Selfish { allies });
    world.run_until(seconds(3_000));
    // Nobody ever sees the block that competes, so nobody builds on it.
    let tally = world.tally(0).expect("it cheats");
    assert_eq!(tally.followed, 0);
    assert!(tally.passed > 0);
    assert_safe(&mut world);
}

#[test]
fn a_double_spender_takes_confirmed_blocks_back_and_keeps_at_it() {
    let mut world = world(against(4, 3, 4));
    let (confirmations, behind_max) = (2, 20);
    world.corrupt(
        0,
        Strategy::DoubleSpend {
            confirmations,
            behind_max,
        },
    );
    world.record();
    world.run_until(seconds(5_000));
    let is_deep = |event: &Event| matches!(event, Event::TipChanged { disconnected, .. } if disconnected.len() >= 2);
    let told = world.take_told();
    let reversed = told
        .iter()
        .filter(|told| told.place == 1 && is_deep(&told.event));
    let tally = world.tally(0).expect("it cheats");
    assert!(tally.successes > 5, "{tally:?}");
    assert_eq!(reversed.count() as u64, tally.successes);
    assert_safe(&mut world);
}

#[test]
fn a_cheated_world_is_one_history_too() {
    let digest = || {
        let mut world = selfish(against(5, 2, 4));
        world.run_until(seconds(500));
        world.digest()
    };
    assert_eq!(digest(), digest());
}
