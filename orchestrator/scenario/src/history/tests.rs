//! What a history makes of looks.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::Moment;
use super::*;
use crate::fault::{Cut, CutShape, Heal, Link};
use crate::links::Condition;
use crate::world::{ActId, BlockFact, Evidence};

fn block(hash: &str, parent: Option<&str>, height: u32, miner: &str) -> BlockFact {
    BlockFact {
        hash: hash.into(),
        parent: parent.map(str::to_owned),
        height,
        work: format!("{:064x}", height + 1),
        miner: Some(miner.into()),
        time_ms: u64::from(height) * 1_000,
        transactions: 1,
    }
}

fn up(tip: &str, height: u32) -> NodeView {
    NodeView::Up(Box::new(NodeFacts {
        tip: tip.into(),
        height,
        work: format!("{:064x}", height + 1),
        peers: Vec::new(),
        mempool: 0,
        coins: None,
        restarts: 0,
        memory_bytes: None,
        metrics: None,
    }))
}

fn look(history: &mut History, at_ms: u64, nodes: &[(&str, &str, u32)], blocks: &[BlockFact]) {
    history.saw(&Snapshot {
        at_ms,
        nodes: nodes
            .iter()
            .map(|(node, tip, height)| ((*node).to_owned(), up(tip, *height)))
            .collect(),
        blocks: blocks.to_vec(),
        ..Snapshot::default()
    });
}

// g ─ a1 ─┬─ a2 ─ a3
//         └─ b2 ─ b3 ─ b4
fn forked() -> History {
    let mut history = History::default();
    let shared = [block("g", None, 0, "-"), block("a1", Some("g"), 1, "n0")];
    look(
        &mut history,
        100,
        &[("n0", "a1", 1), ("n1", "a1", 1)],
        &shared,
    );
    let a = [
        block("a2", Some("a1"), 2, "n0"),
        block("a3", Some("a2"), 3, "n0"),
    ];
    look(&mut history, 200, &[("n0", "a3", 3), ("n1", "a1", 1)], &a);
    let b = [
        block("b2", Some("a1"), 2, "n1"),
        block("b3", Some("b2"), 3, "n1"),
        block("b4", Some("b3"), 4, "n2"),
    ];
    let tips = [
        ("n0", "a3", 3),
        ("n1", "b4", 4),
        ("n2", "b2", 2),
        ("n3", "a1", 1),
    ];
    look(&mut history, 300, &tips, &b);
    history
}

fn names() -> Vec<String> {
    ["n0", "n1", "n2", "n3"].map(str::to_owned).to_vec()
}

#[test]
fn a_fork_tells_branches_miners_and_when_they_parted() {
    let history = forked();
    let two = &names()[..3];
    let fork = history.fork(two).unwrap();
    assert_eq!((fork.ancestor.as_str(), fork.height), ("a1", 1));
    assert_eq!(fork.parted_at_ms, Some(300));
    assert_eq!(fork.branches.len(), 2);
    let (first, second) = (&fork.branches[0], &fork.branches[1]);
    assert_eq!((first.tip.as_str(), first.blocks), ("b4", 3));
    assert_eq!(first.nodes, ["n1", "n2"]);
    assert_eq!(
        first.mined_by,
        MinedBy::from([("n1".into(), 2), ("n2".into(), 1)])
    );
    assert_eq!(second.nodes, ["n0"]);
    assert_eq!(history.fork_count(&names()), 2);
    assert_eq!(history.best(&names()).unwrap().fact.hash, "b4");
}

#[test]
fn a_node_behind_the_fork_belongs_to_no_branch() {
    let fork = forked().fork(&names()).unwrap();
    let mut on_branches = fork.branches.iter().flat_map(|branch| &branch.nodes);
    assert!(!on_branches.any(|node| node == "n3"));
}

#[test]
fn a_reorganisation_is_as_deep_as_the_blocks_it_leaves() {
    let mut history = forked();
    look(&mut history, 400, &[("n0", "b4", 4), ("n1", "b4", 4)], &[]);
    assert_eq!(history.nodes["n0"].reorg_depth_since(0), 2);
    assert_eq!(history.nodes["n0"].reorg_depth_since(401), 0);
    assert_eq!(history.nodes["n1"].reorg_depth_since(0), 0);
}

#[test]
fn a_node_that_lost_its_data_made_no_reorganisation() {
    let mut history = forked();
    look(&mut history, 400, &[("n0", "g", 0)], &[]);
    look(&mut history, 500, &[("n0", "b4", 4)], &[]);
    assert_eq!(history.nodes["n0"].reorg_depth_since(0), 0);
    assert!(history.nodes["n1"].view().is_none());
    assert_eq!(history.present().collect::<Vec<_>>(), ["n0"]);
}

#[test]
fn what_does_not_fit_together_is_told_once() {
    let mut history = forked();
    for at_ms in [400, 500] {
        look(
            &mut history,
            at_ms,
            &[],
            &[block("x", Some("nobody"), 9, "n0")],
        );
    }
    assert_eq!(history.problems().len(), 1);
    assert!(history.problems()[0].contains("nobody"));
}

fn cut(first: &str) -> Fault {
    let shape = CutShape::isolate(&[first.to_owned()]);
    Fault::Cut(Cut::new(shape, &names()).unwrap())
}

fn node_fault(node: &str, what: NodeFault) -> Fault {
    let nodes = vec![node.to_owned()];
    Fault::Node { nodes, what }
}

fn inflict(log: &mut FaultLog, number: u32, fault: &Fault, now_ms: u64) {
    let tips = BTreeMap::new();
    log.ordered(
        ActId(number),
        "1",
        fault,
        Moment {
            now_ms,
            tips: &tips,
        },
    );
    let evidence = Evidence {
        in_force_at_ms: Some(now_ms + 5),
        ..Evidence::default()
    };
    log.came_in_force(ActId(number), &evidence, now_ms + 10);
}

#[test]
fn a_new_cut_ends_the_one_before_and_a_heal_ends_it_too() {
    let mut log = FaultLog::default();
    inflict(&mut log, 1, &cut("n0"), 100);
    assert_eq!(log.last_end_ms(), None);
    inflict(&mut log, 2, &cut("n1"), 200);
    assert_eq!(log.entries()[0].ended_at_ms, Some(205));
    assert_eq!(log.in_force().count(), 1);
    assert_eq!(log.in_force_at(150).next().unwrap().act, ActId(1));
    log.healed(&Heal::Conditions, 250, &BTreeMap::new());
    assert_eq!(log.in_force().count(), 1);
    log.healed(&Heal::Cuts, 300, &BTreeMap::new());
    assert_eq!(log.last_end_ms(), Some(300));
    assert_eq!(log.last_cut().unwrap().0.act, ActId(2));
}

#[test]
fn a_kill_lasts_until_the_node_is_started_and_a_restart_is_over_at_once() {
    let mut log = FaultLog::default();
    inflict(&mut log, 1, &node_fault("n0", NodeFault::Kill), 100);
    assert!(log.entries()[0].holds_down("n0"));
    assert!(!log.entries()[0].holds_down("n1"));
    inflict(&mut log, 2, &node_fault("n1", NodeFault::Start), 150);
    assert_eq!(log.in_force().count(), 1);
    inflict(&mut log, 3, &node_fault("n0", NodeFault::Start), 200);
    assert_eq!(log.in_force().count(), 0);
    inflict(&mut log, 4, &node_fault("n0", NodeFault::Restart), 300);
    assert_eq!(log.in_force().count(), 0);
    assert_eq!(log.last_end_ms(), Some(305));
}

#[test]
fn healing_nodes_ends_only_what_was_done_to_them() {
    let mut log = FaultLog::default();
    let both = Fault::Node {
        nodes: vec!["n0".into(), "n1".into()],
        what: NodeFault::ClockSkew { offset_ms: 50 },
    };
    inflict(&mut log, 1, &both, 100);
    let links = BTreeSet::from([Link::new("n0", "n1")]);
    let with = Condition::default();
    inflict(&mut log, 2, &Fault::Condition { links, with }, 110);
    log.healed(&Heal::Nodes(vec!["n0".into()]), 200, &BTreeMap::new());
    assert_eq!(log.in_force().count(), 2);
    log.healed(&Heal::Nodes(vec!["n1".into()]), 300, &BTreeMap::new());
    assert_eq!(log.in_force().count(), 1);
    log.healed(&Heal::All, 400, &BTreeMap::new());
    assert_eq!(log.in_force().count(), 0);
}

#[test]
fn what_is_done_at_once_stays_in_force_and_blocks_are_fresh_after_it() {
    let add = NodeFault::Add {
        group: "miner".into(),
    };
    let upgrade = NodeFault::Upgrade {
        program: "./other".into(),
    };
    let undone_by = [
        (add, NodeFault::Remove),
        (upgrade, NodeFault::Remove),
        (NodeFault::CorruptStore, NodeFault::Wipe),
    ];
    for (what, newer) in undone_by {
        let mut log = FaultLog::default();
        inflict(&mut log, 1, &node_fault("n0", what), 100);
        assert_eq!(log.in_force().count(), 1);
        assert_eq!(log.last_end_ms(), Some(105));
        inflict(&mut log, 2, &node_fault("n0", newer), 200);
        assert_eq!(log.entries()[0].ended_at_ms, Some(205));
    }
    let mut log = FaultLog::default();
    inflict(&mut log, 1, &node_fault("n0", NodeFault::Remove), 100);
    log.healed(&Heal::Nodes(vec!["n0".into()]), 300, &BTreeMap::new());
    assert_eq!(log.in_force().count(), 0);
}

#[test]
fn lifting_ends_one_fault_and_no_other() {
    let mut log = FaultLog::default();
    for (number, offset_ms) in [(1, 50), (2, 60)] {
        let node = format!("n{number}");
        inflict(
            &mut log,
            number,
            &node_fault(&node, NodeFault::ClockSkew { offset_ms }),
            100,
        );
    }
    log.lifted(ActId(1), 300, &BTreeMap::new());
    assert_eq!(log.entries()[0].ended_at_ms, Some(300));
    assert_eq!(log.in_force().count(), 1);
    log.lifted(ActId(1), 400, &BTreeMap::new());
    assert_eq!(log.last_end_ms(), Some(300), "it ends once");
}

#[test]
fn fresh_blocks_count_from_the_first_look_after_the_last_heal() {
    let mut history = forked();
    assert_eq!(history.fresh_after_ms(), Some(100));
    inflict(&mut history.faults, 1, &cut("n0"), 310);
    history.faults.healed(&Heal::All, 350, &BTreeMap::new());
    assert_eq!(history.fresh_after_ms(), None);
    look(&mut history, 400, &[], &[]);
    look(&mut history, 500, &[], &[]);
    assert_eq!(history.fresh_after_ms(), Some(400));
}
