//! What is done to networks, and that they get over it.

use minichain_sim::link::{Condition as LinkCondition, Latency, Paths};
use minichain_sim::queue::{MILLI, SECOND};
use minichain_sim::setup::{NodeSetup, Peering, Setup};
use minichain_sim::world::{Condition, Cuts, Loss, World};

use crate::support::{
    RATE, assert_safe, has_one_tip, height, nodes, params, seconds, setup, world,
};

fn with_latency(seed: u64, count: usize, miners: usize) -> World {
    let mut setup = setup(seed, count, miners);
    setup.links.paths = Paths::Everywhere(Latency::Constant(20 * MILLI));
    world(setup)
}

/// Two miners, so far apart that something is always on its way.
fn far_apart(seed: u64) -> World {
    let mut setup = setup(seed, 2, 2);
    setup.links.paths = Paths::Everywhere(Latency::Constant(5 * SECOND));
    world(setup)
}

fn halves() -> Cuts {
    Cuts {
        sides: [(0, 1), (1, 1), (2, 1)].into(),
        ..Cuts::default()
    }
}

fn first_alone() -> Cuts {
    Cuts {
        sides: [(0, 1)].into(),
        ..Cuts::default()
    }
}

/// Waits until all agree on a tip, and safety held all along.
fn assert_heals(world: &mut World) {
    let end = world.now() + seconds(120);
    assert!(
        !world.run_while(end, |world| !has_one_tip(world)),
        "no agreement in time"
    );
    assert_safe(world);
}

#[test]
fn halves_part_and_become_one_again() {
    let mut world = with_latency(1, 6, 6);
    world.run_until(seconds(100));
    let before = height(&world, 0).max(height(&world, 5));
    world.set_cuts(halves());
    assert_eq!(world.probe(0, 3, 64), None);
    assert_eq!(world.probe(0, 1, 64), Some(40 * MILLI));
    world.run_until(seconds(300));
    assert!(height(&world, 0) > before && height(&world, 5) > before);
    assert!(!has_one_tip(&world));
    assert!(
        !world.peers_of(0).contains(&3),
        "silence closes connections"
    );
    world.set_cuts(Cuts::default());
    assert_heals(&mut world);
}

#[test]
fn a_short_cut_holds_messages_back_and_closes_nothing() {
    let mut world = with_latency(2, 6, 6);
    world.run_until(seconds(100));
    let peers = world.peers_of(0);
    world.set_cuts(halves());
    world.run_until(seconds(103));
    world.set_cuts(Cuts::default());
    world.run_until(seconds(130));
    assert_eq!(world.peers_of(0), peers);
    assert_heals(&mut world);
}

#[test]
fn who_dials_learns_after_a_short_cut_that_the_other_program_was_another_meanwhile() {
    let mut setup = setup(2, 2, 2);
    setup.links.paths = Paths::Everywhere(Latency::Constant(20 * MILLI));
    setup.peering = Peering::Edges(vec![(0, 1)]);
    let mut world = world(setup);
    world.run_until(seconds(100));
    world.set_cuts(Cuts {
        sides: [(1, 1)].into(),
        ..Cuts::default()
    });
    world.stop(1, Loss::Nothing);
    world.start(1);
    world.run_until(seconds(101));
    world.set_cuts(Cuts::default());
    world.run_until(seconds(110));
    assert_eq!(world.peers_of(0), [1].into());
    assert_eq!(world.peers_of(1), [0].into());
    assert_heals(&mut world);
}

#[test]
fn a_crash_loses_only_what_was_not_durable() {
    let mut world = with_latency(3, 4, 2);
    world.run_until(seconds(200));
    let before = height(&world, 3);
    world.stop(3, Loss::Uncommitted);
    assert_eq!(world.condition(3), Condition::Down);
    world.run_until(seconds(260));
    assert!(!world.peers_of(0).contains(&3));
    world.start(3);
    world.run_until(world.now());
    // A tip that was told to others is durable.
    assert!(
        height(&world, 3) >= before,
        "{} < {before}",
        height(&world, 3)
    );
    assert_heals(&mut world);
    assert_eq!(world.starts(3), 2);
}

/// Stops a node in the midst of catching up, when what it has fetched need not be
/// durable at once; how high it stood, and how high it stands after it started.
fn stopped_while_catching_up(loss: Loss) -> (u32, u32) {
    let mut world = with_latency(25, 4, 2);
    world.run_until(seconds(1_000));
    world.wipe(3);
    world.start(3);
    let end = world.now() + seconds(30);
    let is_low = |world: &World| world.node(3).is_none() || height(world, 3) < 20;
    assert!(!world.run_while(end, is_low));
    let stood = height(&world, 3);
    world.stop(3, loss);
    world.start(3);
    world.run_until(world.now());
    let stands = height(&world, 3);
    world.run_until(world.now() + 20 * SECOND);
    assert_heals(&mut world);
    (stood, stands)
}

#[test]
fn a_crash_takes_what_was_not_written_and_a_stop_does_not() {
    let (stood, stands) = stopped_while_catching_up(Loss::Uncommitted);
    assert!(stands < stood, "{stands} of {stood}");
    let (stood, stands) = stopped_while_catching_up(Loss::Nothing);
    assert_eq!(stands, stood);
}

#[test]
fn a_wiped_node_fetches_everything_again() {
    let mut world = with_latency(4, 4, 2);
    world.run_until(seconds(300));
    world.wipe(2);
    world.start(2);
    world.run_until(world.now());
    assert_eq!(height(&world, 2), 0);
    world.run_until(world.now() + 20 * SECOND);
    assert_heals(&mut world);
    assert!(height(&world, 2) > 40);
}

#[test]
fn a_frozen_node_is_left_and_comes_back() {
    let mut world = with_latency(5, 5, 3);
    world.run_until(seconds(100));
    world.pause(4);
    let frozen = height(&world, 4);
    world.run_until(seconds(200));
    assert_eq!(height(&world, 4), frozen);
    assert!(!world.peers_of(0).contains(&4));
    world.resume(4);
    assert_heals(&mut world);
    assert!(height(&world, 4) > frozen);
}

#[test]
fn nodes_come_and_go() {
    let mut world = with_latency(6, 4, 3);
    world.run_until(seconds(100));
    let place = world.add(NodeSetup {
        name: "late".into(),
        ..NodeSetup::default()
    });
    world.run_until(seconds(110));
    assert!(height(&world, place) > 0);
    world.remove(1);
    world.run_until(seconds(200));
    assert_eq!(world.condition(1), Condition::Removed);
    assert!(!world.peers_of(0).contains(&1));
    assert_heals(&mut world);
}

#[test]
fn faults_of_links_are_seen_by_probes() {
    let mut world = with_latency(7, 3, 1);
    world.run_until(seconds(10));
    let slow = LinkCondition {
        delay: 100 * MILLI,
        ..LinkCondition::default()
    };
    world.set_condition(0, 1, slow);
    assert_eq!(world.probe(0, 1, 64), Some(140 * MILLI));
    assert_eq!(world.probe(1, 0, 64), Some(140 * MILLI));
    assert_eq!(world.probe(0, 2, 64), Some(40 * MILLI));
    world.set_condition(0, 1, LinkCondition::default());
    assert_eq!(world.probe(0, 1, 64), Some(40 * MILLI));
    let lossy = LinkCondition {
        loss: 0.3,
        ..LinkCondition::default()
    };
    world.set_condition(0, 2, lossy);
    let lost = (0..1_000).filter(|_| !world.probe_packet(0, 2)).count();
    assert!((250..350).contains(&lost), "{lost} of 1,000 lost");
    let thin = LinkCondition {
        rate: Some(100_000),
        ..LinkCondition::default()
    };
    world.set_condition(1, 2, thin);
    assert_eq!(world.probe_way(1, 2, 50_000), 520 * MILLI);
}

#[test]
fn a_clock_far_ahead_makes_blocks_that_nobody_takes() {
    let mut setup = setup(8, 4, 2);
    setup.nodes[0].skew_ms = 3_600_000;
    let mut world = world(setup);
    world.run_until(seconds(600));
    let ahead = world.node(0).expect("it runs").state().tip().hash;
    let others = world.node(1).expect("it runs").state().tip().hash;
    assert_ne!(ahead, others);
    assert!(height(&world, 1) > 40);
    assert_safe(&mut world);
}

#[test]
fn a_miner_that_is_left_out_moves_no_other_miners_luck() {
    let finds = |rate: u64| {
        let mut setup = setup(9, 4, 2);
        setup.params.difficulty = minichain_chain::difficulty::Rule::Fixed;
        setup.nodes[1].hash_rate = rate;
        let mut world = world(setup);
        world.record();
        world.run_until(seconds(500));
        let told = world.take_told().into_iter();
        let mined = told.filter(|told| {
            let is_mined = matches!(
                told.event,
                minichain_protocol::event::Event::BlockMined { .. }
            );
            is_mined && told.place == 0
        });
        mined.map(|told| told.at).collect::<Vec<_>>()
    };
    let alone = finds(0);
    assert!(alone.len() > 20);
    assert_eq!(finds(crate::support::RATE), alone);
}

/// Without any patience the check must find what a healed partition brings.
#[test]
fn an_orphan_that_is_not_settled_in_time_is_found() {
    let found = |patience| {
        let mut setup = setup(21, 6, 6);
        setup.links.paths = Paths::Everywhere(Latency::Constant(200 * MILLI));
        let mut world = world(setup);
        world.checks_mut().set_orphan_patience(patience);
        for round in 0..10 {
            world.set_cuts(halves());
            world.run_until(seconds(100 * round + 60));
            world.set_cuts(Cuts::default());
            world.run_until(seconds(100 * round + 100));
        }
        let rules = world.violations().iter().map(|one| one.rule);
        rules.collect::<Vec<_>>()
    };
    let hasty = found(1);
    assert!(
        hasty.contains(&minichain_sim::check::Rule::Orphan),
        "{hasty:?}"
    );
    assert_eq!(found(seconds(120)), []);
}

/// Where blocks come faster than they travel, peers leave a branch before they
/// are asked for what led to it.
#[test]
fn a_branch_that_lost_before_anybody_told_of_it_is_no_orphan() {
    let (mut orphans, mut unknown) = (0, 0);
    for seed in 0..2 {
        let rules = params(1, 12 * RATE);
        let mut setup = Setup::new(seed, rules, nodes(24, 12));
        setup.links.paths = Paths::Everywhere(Latency::Uniform {
            min: 50 * MILLI,
            max: 2_000 * MILLI,
        });
        let mut world = world(setup);
        world.record();
        world.run_until(seconds(500));
        assert_eq!(world.violations(), [], "seed {seed}");
        for told in world.take_told() {
            if let minichain_protocol::event::Event::OrphanReceived { missing, .. } = told.event {
                orphans += 1;
                let node = world.node(told.place).expect("it runs");
                unknown += usize::from(!node.state().tree().contains(&missing));
            }
        }
    }
    assert!(unknown > 0, "none of {orphans} branches was left unknown");
}

/// Only node 0 dials; frozen while it waits to dial again, it must not forget.
#[test]
fn a_frozen_node_still_dials_whom_it_has_lost() {
    let mut setup = setup(22, 2, 2);
    setup.peering = Peering::Edges(vec![(0, 1)]);
    let mut world = world(setup);
    world.run_until(seconds(20));
    let links = [(0, 1), (1, 0)].into();
    world.set_cuts(Cuts {
        links,
        ..Cuts::default()
    });
    world.run_until(seconds(60));
    assert!(world.peers_of(0).is_empty());
    world.pause(0);
    world.run_until(seconds(120));
    world.set_cuts(Cuts::default());
    world.resume(0);
    world.run_until(seconds(140));
    assert!(world.peers_of(0).contains(&1));
    assert_heals(&mut world);
}

#[test]
fn a_cut_counts_what_it_holds_back_and_lets_nothing_through() {
    let mut world = with_latency(23, 6, 6);
    world.run_until(seconds(100));
    world.set_cuts(halves());
    world.run_until(seconds(160));
    let crossings = world.crossings();
    assert!(crossings.held > 20, "{crossings:?}");
    assert_eq!(crossings.crossed, 0);
    world.set_cuts(Cuts::default());
    assert_eq!(world.crossings().held, 0, "counted anew");
    assert_heals(&mut world);
}

/// Both ends die and come back while blocks are on their way between them; what
/// then arrives by their old connection was sent before the cut.
#[test]
fn what_arrives_by_a_connection_given_up_has_not_crossed_the_cut() {
    let mut world = far_apart(27);
    for round in 1..=20 {
        world.run_until(seconds(round * 200));
        for place in [0, 1] {
            world.stop(place, Loss::Nothing);
            world.start(place);
        }
        world.set_cuts(first_alone());
        world.run_until(seconds(round * 200 + 20));
        assert_eq!(world.crossings().crossed, 0, "round {round}");
        world.set_cuts(Cuts::default());
    }
}

/// A node restarts, and is frozen while what was sent to it before still comes
/// by the connection that it has given up.
#[test]
fn what_had_reached_a_frozen_node_before_the_cut_has_not_crossed_it() {
    let mut world = far_apart(28);
    for round in 1..=20 {
        let begin = seconds(round * 200);
        world.run_until(begin);
        world.stop(1, Loss::Nothing);
        world.start(1);
        world.run_until(begin + MILLI);
        world.pause(1);
        world.run_until(begin + seconds(8));
        world.set_cuts(first_alone());
        world.run_until(begin + seconds(10));
        world.resume(1);
        world.run_until(begin + seconds(20));
        assert_eq!(world.crossings().crossed, 0, "round {round}");
        world.set_cuts(Cuts::default());
    }
}

/// What waited for a cut to end and was lost with its connection keeps no
/// message in memory.
#[test]
fn lost_messages_are_forgotten() {
    let mut world = with_latency(24, 6, 6);
    for round in 0..20 {
        world.set_cuts(halves());
        world.run_until(seconds(round * 60 + 40));
        world.set_cuts(Cuts::default());
        world.run_until(seconds(round * 60 + 60));
    }
    // A message counts for two minutes; there is a block every five seconds.
    assert!(world.messages_kept() < 80, "{}", world.messages_kept());
    assert_heals(&mut world);
}
