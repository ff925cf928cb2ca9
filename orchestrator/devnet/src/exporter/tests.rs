//! What is in force becomes numbers.

use std::collections::BTreeSet;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Cut, CutShape, Heal};
use devnet_scenario::links::Condition;
use devnet_scenario::parting::Tips;

use super::*;
use crate::faults::intent::Span;

fn roster() -> Vec<NodeName> {
    ["a", "b", "c", "d"].map(str::to_owned).to_vec()
}

fn active(fault: Fault) -> Active {
    Active {
        id: 1,
        fault,
        since_ms: 0,
        until_ms: None,
        owner: 0,
        before: Tips::default(),
    }
}

fn cut(shape: CutShape) -> Active {
    active(Fault::Cut(Cut::new(shape, &roster()).expect("it cuts")))
}

fn shown(faults: &[Active]) -> String {
    let metrics = Metrics::new(1.0, EngineKind::Process).expect("declarations are valid");
    show_faults(&metrics, faults, &roster());
    metrics.text().expect("it encodes")
}

#[test]
fn a_partition_shows_its_groups_and_links() {
    let halves = CutShape::halves(&roster());
    let text = shown(&[cut(halves)]);
    for line in [
        "devnet_partition_groups 2",
        "devnet_links_cut 8",
        "devnet_fault_active{kind=\"cut\"} 1",
        "devnet_fault_active{kind=\"loss\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn who_is_joined_by_a_bridge_is_one_group() {
    let bridge = CutShape::Bridge {
        sides: vec![vec!["a".into()], vec!["b".into(), "c".into()]],
        bridge: vec!["d".into()],
    };
    assert!(shown(&[cut(bridge)]).contains("devnet_partition_groups 1\n"));
    let one_way = CutShape::OneWay {
        from: vec!["a".into()],
        to: ["b", "c", "d"].map(str::to_owned).to_vec(),
    };
    assert!(shown(&[cut(one_way)]).contains("devnet_partition_groups 2\n"));
}

#[test]
fn nothing_in_force_is_one_group_without_faults() {
    let text = shown(&[]);
    assert!(text.contains("devnet_partition_groups 1\n"), "{text}");
    assert!(text.contains("devnet_links_cut 0\n"), "{text}");
}

#[test]
fn a_condition_counts_for_all_it_makes_worse() {
    let links = BTreeSet::from([Link::new("a", "b")]);
    let with = Condition {
        latency_ms: Some(50.0),
        loss: Some(0.1),
        ..Condition::default()
    };
    let text = shown(&[active(Fault::Condition { links, with })]);
    for kind in ["latency", "loss"] {
        let line = format!("devnet_fault_active{{kind=\"{kind}\"}} 1");
        assert!(text.contains(&line), "{text}");
    }
    assert!(text.contains("devnet_partition_groups 1\n"), "{text}");
}

#[test]
fn only_a_fault_in_force_excuses_a_node_from_agreeing() {
    let fault = |what: NodeFault| Fault::Node {
        nodes: vec!["c".into()],
        what,
    };
    let span = Span {
        since_ms: 0,
        until_ms: None,
    };
    for what in [NodeFault::Kill, NodeFault::Stop, NodeFault::Pause] {
        let mut intent = Intent::default();
        intent.take(&fault(what.clone()), span);
        assert!(is_meant_down(&intent, "c"), "{what:?}");
        assert!(!is_meant_down(&intent, "d"), "{what:?}");
        intent.heal(&Heal::All);
        assert!(!is_meant_down(&intent, "c"), "{what:?} was healed");
    }
    let mut intent = Intent::default();
    intent.take(&fault(NodeFault::FillDisk), span);
    assert!(
        !is_meant_down(&intent, "c"),
        "a full disk keeps nobody silent"
    );
}
