//! From wishes to orders.

use devnet_scenario::fault::{CutShape, Fault, Heal, Link, NodeFault};
use devnet_scenario::model::{Selector, Verb};
use devnet_scenario::resolve::{self, Dice, Unresolved};
use devnet_scenario::world::{Act, ActId};
use rand_core::SeedableRng as _;

use crate::support::{read, roster};

fn act(step: &str, seed: u64) -> Act {
    let verb = read(step).scenario.steps.remove(0).verb;
    let mut dice = Dice::seed_from_u64(seed);
    resolve::act(&verb, &roster(), &mut dice).unwrap().unwrap()
}

fn nodes_of(act: Act) -> Vec<String> {
    match act {
        Act::Inflict(Fault::Node { nodes, .. }) => nodes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_all_and_names_become_nodes_each_once() {
    assert_eq!(nodes_of(act("- kill: miner", 0)), ["miner-0", "miner-1"]);
    assert_eq!(nodes_of(act("- kill: all", 0)).len(), 4);
    let twice = act("- kill: [miner-1, miner, miner-0]", 0);
    assert_eq!(nodes_of(twice), ["miner-1", "miner-0"]);
    assert_eq!(nodes_of(act("- kill: { zone: us }", 0)), ["observer-0"]);
}

#[test]
fn a_seed_draws_the_same_nodes_again() {
    let drawn = |seed| nodes_of(act("- kill: { random: 2 }", seed));
    assert_eq!(drawn(7), drawn(7));
    assert!((0..50).all(|seed| drawn(seed).len() == 2));
    let different: std::collections::BTreeSet<_> = (0..50).map(drawn).collect();
    assert_eq!(different.len(), 6, "every pair of four comes up");
}

#[test]
fn the_rest_is_what_no_group_names_or_draws() {
    for seed in 0..20 {
        let Act::Inflict(Fault::Cut(cut)) = act("- partition: [{ random: 2 }, rest]", seed) else {
            panic!()
        };
        let sides = cut.sides();
        assert_eq!((sides[0].len(), sides[1].len()), (2, 2));
        assert!(sides[0].iter().all(|node| !sides[1].contains(node)));
    }
}

#[test]
fn two_draws_side_by_side_share_no_node() {
    for seed in 0..20 {
        let act = act("- partition: [{ random: 2 }, { random: 2 }]", seed);
        let Act::Inflict(Fault::Cut(cut)) = act else {
            panic!()
        };
        let Cut { groups } = Cut::of(&cut.shape);
        assert_eq!(groups.concat().len(), 4);
    }
}

struct Cut {
    groups: Vec<Vec<String>>,
}

impl Cut {
    fn of(shape: &CutShape) -> Self {
        match shape {
            CutShape::Groups(groups) => Self {
                groups: groups.clone(),
            },
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn conditions_fall_on_the_links_meant() {
    let links = |step: &str| match act(step, 0) {
        Act::Inflict(Fault::Condition { links, .. }) => links,
        other => panic!("{other:?}"),
    };
    assert_eq!(links("- latency: 5ms").len(), 12);
    assert_eq!(links("- latency: { is: 5ms, on: miner-0 }").len(), 6);
    assert_eq!(
        links("- latency: { is: 5ms, between: [miner, observer-0] }").len(),
        4
    );
    let one_way = links("- latency: { is: 5ms, from: miner-0, to: miner-1 }");
    assert_eq!(
        one_way.into_iter().collect::<Vec<_>>(),
        [Link::new("miner-0", "miner-1")]
    );
    assert_eq!(links("- latency: { is: 5ms, zones: [eu, us] }").len(), 6);
    assert_eq!(links("- latency: { is: 5ms, zones: [eu, eu] }").len(), 6);
}

#[test]
fn fresh_nodes_are_named_after_the_last_of_their_group() {
    let added = act("- add: { group: miner, count: 2 }", 0);
    assert_eq!(nodes_of(added), ["miner-2", "miner-3"]);
}

#[test]
fn what_lasts_is_taken_back_by_its_opposite() {
    let undone = |step: &str| resolve::undo(ActId(7), &act(step, 0));
    let starts = |act: Option<Act>| {
        matches!(
            act,
            Some(Act::Inflict(Fault::Node {
                what: NodeFault::Start,
                ..
            }))
        )
    };
    assert!(starts(undone("- kill: miner-0")));
    assert!(starts(undone("- stop: miner-0")));
    assert_eq!(undone("- partition: halves"), Some(Act::Heal(Heal::Cuts)));
    for step in [
        "- loss: 5%",
        "- clock_skew: { on: miner-0, by: 5s }",
        "- hash_rate: { on: miner-0, to: 5 }",
        "- fill_disk: miner-0",
        "- add: { group: miner }",
    ] {
        let Act::Inflict(fault) = act(step, 0) else {
            panic!("{step}")
        };
        let act = ActId(7);
        assert_eq!(undone(step), Some(Act::Lift { act, fault }), "{step}");
    }
    assert_eq!(undone("- restart: miner-0"), None);
}

#[test]
fn choices_follow_their_weights() {
    let step =
        "- repeat: { count: 1, choose: [{ weight: 9, steps: [heal] }, { steps: [{ wait: 1s }] }] }";
    let Verb::Repeat(wish) = read(step).scenario.steps.remove(0).verb else {
        panic!()
    };
    let mut dice = Dice::seed_from_u64(1);
    let first = (0..1_000)
        .filter(|_| resolve::choose(&wish.choose, &mut dice).is_some_and(|c| c.weight == 9))
        .count();
    assert!((850..=950).contains(&first), "{first}");
    assert_eq!(resolve::choose(&[], &mut dice), None);
}

#[test]
fn rest_alone_means_nobody() {
    let rest = Selector(vec![devnet_scenario::model::Pick::Rest]);
    assert_eq!(resolve::pool(&rest, &roster()), Err(Unresolved::Rest));
}
