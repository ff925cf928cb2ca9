use std::collections::BTreeSet;

use super::*;
use crate::fault::{Cut, CutShape};
use crate::links::Condition;
use crate::world::BlockFact;

fn roster() -> Vec<NodeName> {
    (0..4).map(|index| format!("n{index}")).collect()
}

fn halves() -> Fault {
    let all = roster();
    Fault::Cut(Cut::new(CutShape::halves(&all), &all).unwrap())
}

fn mark(tip: &str, height: u32, work: u64) -> TipMark {
    TipMark {
        tip: tip.into(),
        height,
        work: format!("{work:064x}"),
    }
}

fn tips(of: &[(&str, TipMark)]) -> Tips {
    let marks = of.iter().map(|(node, mark)| ((*node).into(), mark.clone()));
    marks.collect()
}

/// All nodes at height 41; then n0 and n1 at `a`, n2 and n3 at `b`.
fn parted(a: &TipMark, b: &TipMark) -> Parting {
    let common = mark("c41", 41, 41);
    let before: Tips = roster()
        .into_iter()
        .map(|node| (node, common.clone()))
        .collect();
    let now = tips(&[
        ("n0", a.clone()),
        ("n1", common),
        ("n2", b.clone()),
        ("n3", b.clone()),
    ]);
    Parting::new(&halves(), &roster(), &before, &now).unwrap()
}

#[test]
fn each_side_tells_what_its_heaviest_node_gained() {
    let mut parting = parted(&mark("a48", 48, 48), &mark("b44", 44, 44));
    assert!(parting.differs());
    parting.part_at(41, "c41");
    assert_eq!(
        parting.to_string(),
        "side A +7, side B +3, forked at height 41 (c41)"
    );
    let alone: Vec<_> = parting.sides.iter().map(|side| side.alone).collect();
    assert_eq!(alone, [Some(7), Some(3)]);
}

#[test]
fn a_side_that_is_only_ahead_makes_no_fork() {
    let mut parting = parted(&mark("a48", 48, 48), &mark("c41", 41, 41));
    parting.part_at(41, "c41");
    assert_eq!(
        parting.to_string(),
        "side A +7, side B +0, not forked, last common block at height 41 (c41)"
    );
    assert_eq!(parting.aftermath(BTreeMap::new(), 4), None);
}

#[test]
fn sides_with_one_tip_do_not_part() {
    let parting = parted(&mark("c42", 42, 42), &mark("c42", 42, 42));
    assert!(!parting.differs());
    assert_eq!(parting.to_string(), "side A +1, side B +1, no fork");
}

#[test]
fn a_silent_side_gains_nothing_that_is_known() {
    let common = mark("c41", 41, 41);
    let before = tips(&[("n0", common.clone()), ("n2", common.clone())]);
    let now = tips(&[("n0", common)]);
    let parting = Parting::new(&halves(), &roster(), &before, &now).unwrap();
    assert!(!parting.differs());
    assert_eq!(parting.to_string(), "side A +0, side B silent, no fork");
}

#[test]
fn a_bridge_stands_between_the_sides() {
    let all = roster();
    let shape = CutShape::Bridge {
        sides: vec![vec!["n0".into()], vec!["n2".into(), "n3".into()]],
        bridge: vec!["n1".into()],
    };
    let fault = Fault::Cut(Cut::new(shape, &all).unwrap());
    let parting = Parting::new(&fault, &all, &Tips::new(), &Tips::new()).unwrap();
    assert_eq!(parting.between, ["n1"]);
    assert_eq!(parting.sides.len(), 2);
}

#[test]
fn a_condition_leaves_one_side_and_a_node_fault_none() {
    let all = roster();
    let slow = Fault::Condition {
        links: BTreeSet::new(),
        with: Condition::default(),
    };
    let parting = Parting::new(&slow, &all, &Tips::new(), &Tips::new()).unwrap();
    assert_eq!(parting.to_string(), "all nodes silent, no fork");
    let kill = Fault::Node {
        nodes: vec!["n0".into()],
        what: crate::fault::NodeFault::Kill,
    };
    assert_eq!(Parting::new(&kill, &all, &Tips::new(), &Tips::new()), None);
}

#[test]
fn the_branch_that_all_follow_has_won_and_until_then_work_tells() {
    let mut parting = parted(&mark("a44", 44, 60), &mark("b48", 48, 48));
    parting.part_at(41, "c41");
    let follow = |a: &[&str], b: &[&str]| {
        let names = |nodes: &[&str]| nodes.iter().map(|node| (*node).to_owned()).collect();
        BTreeMap::from([("A".to_owned(), names(a)), ("B".to_owned(), names(b))])
    };
    let early = parting
        .aftermath(follow(&["n0", "n1"], &["n2", "n3"]), 4)
        .unwrap();
    assert_eq!(
        (early.ahead.as_deref(), early.winner.as_deref()),
        (Some("A"), None)
    );
    assert_eq!(
        early.spell(&parting),
        "Side A's branch has most work and should win; 2 of 4 nodes follow it so far."
    );
    let late = parting
        .aftermath(follow(&["n0", "n1", "n2", "n3"], &[]), 4)
        .unwrap();
    assert_eq!(
        late.spell(&parting),
        "Side A's branch won: all 4 nodes that answer follow it; blocks given up: 7 of side B."
    );
    let silent = parting.aftermath(follow(&[], &[]), 0).unwrap();
    assert_eq!(silent.winner, None, "nobody answers, nobody has won");
}

#[test]
fn equal_work_is_no_lead() {
    let mut parting = parted(&mark("a42", 42, 42), &mark("b42", 42, 42));
    parting.part_at(41, "c41");
    let tie = parting.aftermath(BTreeMap::new(), 4).unwrap();
    assert_eq!(tie.ahead, None);
    assert!(
        tie.spell(&parting).contains("same work"),
        "{}",
        tie.spell(&parting)
    );
}

#[test]
fn a_tree_tells_the_same_fork_as_questions_do() {
    let mut tree = Tree::default();
    let mut grow = |parent: Option<&str>, hash: &str, height: u32, work: u64| {
        let fact = BlockFact {
            hash: hash.into(),
            parent: parent.map(str::to_owned),
            height,
            work: format!("{work:064x}"),
            miner: None,
            time_ms: 0,
            transactions: 1,
        };
        tree.insert(&fact, 0).unwrap();
    };
    grow(None, "c0", 0, 1);
    grow(Some("c0"), "c1", 1, 2);
    grow(Some("c1"), "a2", 2, 3);
    grow(Some("c1"), "b2", 2, 4);
    let (a, b) = (mark("a2", 2, 3), mark("b2", 2, 4));
    let before = tips(&[("n0", mark("c1", 1, 2)), ("n2", mark("c1", 1, 2))]);
    let now = tips(&[("n0", a), ("n2", b)]);
    let parting = Parting::in_tree(&halves(), &roster(), (&before, &now), &tree).unwrap();
    assert_eq!(
        parting.to_string(),
        "side A +1, side B +1, forked at height 1 (c1)"
    );
}

#[test]
fn the_fork_is_found_wherever_it_is_with_few_questions() {
    for height in [0_u32, 1, 2, 7, 100, 4_000] {
        for fork in (0..=height).filter(|fork| height < 101 || fork % 97 == 0) {
            let mut descent = Descent::from(height);
            let mut asked = 0;
            while let Some(at) = descent.ask() {
                assert!(at <= height, "{at} is above {height}");
                descent.heard(at, at <= fork);
                asked += 1;
            }
            assert_eq!(descent.found(), Some(fork), "up to {height}");
            assert!(asked <= 26, "{asked} questions for {fork} of {height}");
        }
    }
}

#[test]
fn chains_without_a_common_block_have_no_fork() {
    let mut descent = Descent::from(5);
    while let Some(at) = descent.ask() {
        descent.heard(at, false);
    }
    assert_eq!(descent.found(), None);
}

#[test]
fn the_highest_height_is_no_trap() {
    let mut descent = Descent::from(u32::MAX);
    while let Some(at) = descent.ask() {
        descent.heard(at, at <= 12);
    }
    assert_eq!(descent.found(), Some(12));
}

#[test]
fn a_condition_under_which_nodes_part_has_a_fork_point_and_no_winner() {
    let all = roster();
    let slow = Fault::Condition {
        links: BTreeSet::new(),
        with: Condition::default(),
    };
    let common = mark("c41", 41, 41);
    let before: Tips = all
        .iter()
        .map(|node| (node.clone(), common.clone()))
        .collect();
    let now = |n3: &TipMark| {
        tips(&[
            ("n0", mark("a43", 43, 43)),
            ("n1", mark("a43", 43, 43)),
            ("n2", common.clone()),
            ("n3", n3.clone()),
        ])
    };
    let mut behind = Parting::new(&slow, &all, &before, &now(&common)).unwrap();
    assert!(behind.differs());
    behind.part_at(41, "c41");
    assert_eq!(
        behind.to_string(),
        "all nodes +2, not forked, last common block at height 41 (c41)"
    );
    let mut parted = Parting::new(&slow, &all, &before, &now(&mark("b42", 42, 42))).unwrap();
    parted.part_at(41, "c41");
    assert_eq!(
        parted.to_string(),
        "all nodes +2, forked at height 41 (c41)"
    );
    assert_eq!(parted.aftermath(BTreeMap::new(), 4), None);
}
