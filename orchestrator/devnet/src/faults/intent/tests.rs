//! Taking faults in and out, and files that are damaged.

use std::fs;

use devnet_scenario::fault::{Cut, CutShape};

use super::*;
use crate::state::StateFolder;

const SPAN: Span = Span {
    since_ms: 1_000,
    until_ms: None,
};

fn roster() -> Vec<NodeName> {
    ["a", "b", "c"].map(str::to_owned).to_vec()
}

fn isolate(node: &str) -> Fault {
    let shape = CutShape::isolate(&[node.to_owned()]);
    Fault::Cut(Cut::new(shape, &roster()).expect("three nodes"))
}

fn latency(from: &str, to: &str) -> Fault {
    Fault::Condition {
        links: BTreeSet::from([Link::new(from, to)]),
        with: Condition {
            latency_ms: Some(50.0),
            ..Condition::default()
        },
    }
}

fn of_nodes(nodes: &[&str], what: NodeFault) -> Fault {
    Fault::Node {
        nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
        what,
    }
}

fn folder() -> (tempfile::TempDir, NetworkFolder) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = StateFolder::at(root.path()).network("alpha");
    folder.write_wish(&"a wish").expect("a writable disk");
    (root, folder)
}

#[test]
fn a_cut_replaces_the_cut_before_and_no_condition() {
    let mut intent = Intent::default();
    intent.take(&isolate("a"), SPAN);
    intent.take(&latency("a", "b"), SPAN);
    let id = intent.take(&isolate("c"), SPAN);
    let ids: Vec<u32> = intent.faults().iter().map(|active| active.id).collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!(id, Some(3));
    assert_eq!(intent.take(&Fault::Cut(Cut::none()), SPAN), None);
    assert_eq!(intent.faults().len(), 1);
}

#[test]
fn a_reverted_condition_uncovers_the_one_before() {
    let mut intent = Intent::default();
    intent.take(&latency("a", "b"), SPAN);
    let more = Fault::Condition {
        links: BTreeSet::from([Link::new("a", "b")]),
        with: Condition {
            latency_ms: Some(90.0),
            ..Condition::default()
        },
    };
    let id = intent.take(&more, SPAN).expect("it lasts");
    let of = |intent: &Intent| {
        let states = intent.table(BTreeMap::new(), &roster()).states();
        states[&Link::new("a", "b")].condition.latency_ms
    };
    assert_eq!(of(&intent), Some(90.0));
    intent.remove(id);
    assert_eq!(of(&intent), Some(50.0));
    assert_eq!(intent.remove(id), None);
}

#[test]
fn starting_a_node_ends_its_death_and_keeps_its_clock() {
    let mut intent = Intent::default();
    intent.take(&of_nodes(&["a", "b"], NodeFault::Kill), SPAN);
    intent.take(
        &of_nodes(&["a"], NodeFault::ClockSkew { offset_ms: 5 }),
        SPAN,
    );
    intent.take(&of_nodes(&["a"], NodeFault::Start), SPAN);
    let of_a: Vec<&NodeFault> = intent.of_node("a").collect();
    assert_eq!(of_a, [&NodeFault::ClockSkew { offset_ms: 5 }]);
    assert_eq!(intent.of_node("b").count(), 1);
    intent.take(&of_nodes(&["b"], NodeFault::Remove), SPAN);
    let of_b: Vec<&NodeFault> = intent.of_node("b").collect();
    assert_eq!(of_b, [&NodeFault::Remove], "it covers whatever was before");
}

#[test]
fn a_wiped_node_has_no_damaged_store() {
    let mut intent = Intent::default();
    intent.take(&of_nodes(&["a", "b"], NodeFault::CorruptStore), SPAN);
    intent.take(&of_nodes(&["a"], NodeFault::Wipe), SPAN);
    assert_eq!(intent.damaged(&Heal::All), ["b"]);
    assert_eq!(
        intent.damaged(&Heal::Nodes(vec!["a".into()])),
        Vec::<String>::new()
    );
    assert_eq!(intent.damaged(&Heal::Cuts), Vec::<String>::new());
}

#[test]
fn bringing_a_network_up_ends_what_kept_nodes_down_and_no_cut() {
    let mut intent = Intent::default();
    intent.take(&isolate("a"), SPAN);
    for what in [NodeFault::Kill, NodeFault::Remove] {
        intent.take(&of_nodes(&["b"], what), SPAN);
    }
    intent.take(
        &of_nodes(&["a"], NodeFault::ClockSkew { offset_ms: 5 }),
        SPAN,
    );
    intent.came_up();
    assert_eq!(intent.faults().len(), 2);
    assert_eq!(intent.of_node("b").count(), 0);
}

#[test]
fn healing_takes_out_what_it_names() {
    let full = || {
        let mut intent = Intent::default();
        intent.take(&isolate("a"), SPAN);
        intent.take(&latency("a", "b"), SPAN);
        intent.take(&of_nodes(&["a", "b"], NodeFault::FillDisk), SPAN);
        intent
    };
    let left = |heal: &Heal| {
        let mut intent = full();
        intent.heal(heal);
        intent
            .faults()
            .iter()
            .map(|active| active.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(left(&Heal::All), Vec::<u32>::new());
    assert_eq!(left(&Heal::Cuts), [2, 3]);
    assert_eq!(left(&Heal::Conditions), [1, 3]);
    assert_eq!(left(&Heal::Nodes(vec!["a".into()])), [1, 2, 3]);
    assert_eq!(left(&Heal::Nodes(vec!["a".into(), "b".into()])), [1, 2]);
}

#[test]
fn links_of_nodes_that_are_gone_are_left_out() {
    let mut intent = Intent::default();
    intent.take(&isolate("a"), SPAN);
    let two = ["a", "b"].map(str::to_owned);
    let states = intent.table(BTreeMap::new(), &two).states();
    assert_eq!(states.len(), 2);
}

#[test]
fn an_intent_is_kept_between_calls() {
    let (_root, folder) = folder();
    let mut intent = Intent::load(&folder).expect("no file is no fault");
    assert!(intent.is_empty());
    intent.take(&isolate("a"), SPAN);
    intent.learn(&BTreeMap::from([("a".to_owned(), "id-a".to_owned())]));
    intent.save(&folder).expect("a writable disk");
    let read = Intent::load(&folder).expect("just written");
    assert_eq!(read, intent);
    assert_eq!(read.peer_id("a"), Some("id-a"));
}

#[test]
fn a_damaged_file_is_refused_with_the_way_out_and_forgotten_by_healing() {
    let (_root, folder) = folder();
    let mut intent = Intent::default();
    intent.take(&isolate("a"), SPAN);
    intent.save(&folder).expect("a writable disk");
    let path = folder.path().join("faults.json");
    let whole = fs::read_to_string(&path).expect("just written");
    let cases = [
        String::new(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("\"format\": 1", "\"format\": 9"),
        whole.replace("\"next_id\"", "\"nextid\""),
        "[".repeat(100_000),
        "\u{0}".repeat(100),
    ];
    for damaged in cases {
        fs::write(&path, &damaged).expect("a writable disk");
        let failure = Intent::load(&folder).expect_err("it is damaged");
        let text = failure.to_string();
        assert!(text.contains("faults.json"), "{text}");
        assert!(text.contains("devnet heal --name alpha"), "{text}");
        let forgotten = Intent::load_or_forget(&folder).expect("it can be opened");
        assert!(forgotten.is_empty());
    }
}

#[test]
fn a_network_whose_folder_is_gone_gets_none_again() {
    let (_root, folder) = folder();
    folder.remove().expect("own folder");
    let mut intent = Intent::default();
    intent.take(&isolate("a"), SPAN);
    intent.save(&folder).expect("nothing to write");
    assert!(!folder.exists());
}
