//! What the measurements of node faults mean.

use devnet_blueprint::NodeState;

use super::proof::{damaged, emptied, frozen, gone, height_when_ready, new_lines, renewed};
use super::*;
use crate::engine::Vitals;
use crate::health::tests_support::facts_of;
use crate::probe::{NodeFacts, Silence};

fn signs(state: NodeState, life: u32) -> Vitals {
    let is_alive = matches!(state, NodeState::Running | NodeState::Paused);
    Vitals {
        node: "a".into(),
        state,
        started_at_ms: is_alive.then(|| u64::from(life) * 1_000),
        life: is_alive.then(|| u64::from(life)),
        pid: is_alive.then_some(life),
        exit_code: None,
        was_out_of_memory: false,
        memory_bytes: None,
        memory_max_bytes: None,
        cpu_ms: None,
    }
}

fn answer(height: u32) -> Result<NodeFacts, Silence> {
    Ok(facts_of("a", &[], height, 1))
}

fn silence() -> Result<NodeFacts, Silence> {
    Err(Silence("does not answer".into()))
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn gone_needs_a_dead_process_and_a_silent_port() {
    let running = signs(NodeState::Running, 5);
    let exited = signs(NodeState::Exited, 5);
    let found = gone("a", Some(&running), Some(&exited), Some(&silence()));
    assert_eq!(found.objections, Vec::<String>::new());
    assert_eq!(found.said, "a: process 5 is gone, its RPC is silent");
    let found = gone("a", Some(&running), Some(&running), Some(&answer(3)));
    assert_eq!(
        found.objections,
        [
            "a: process 5 still lives",
            "a still answers RPC, at height 3"
        ]
    );
}

#[test]
fn frozen_needs_a_frozen_process_and_a_silent_port() {
    let paused = signs(NodeState::Paused, 5);
    assert!(
        frozen("a", Some(&paused), Some(&silence()))
            .objections
            .is_empty()
    );
    let running = signs(NodeState::Running, 5);
    let found = frozen("a", Some(&running), Some(&silence()));
    assert_eq!(found.objections, ["a is not frozen but running"]);
    assert_eq!(
        frozen("a", Some(&paused), Some(&answer(1)))
            .objections
            .len(),
        1
    );
    assert_eq!(frozen("a", None, Some(&silence())).objections.len(), 1);
}

#[test]
fn renewed_needs_another_process() {
    let (first, second) = (signs(NodeState::Running, 5), signs(NodeState::Running, 6));
    let up = answer(3);
    assert!(
        renewed("a", Some(&first), Some(&second), Some(&up))
            .objections
            .is_empty()
    );
    assert_eq!(
        renewed("a", Some(&first), Some(&first), Some(&up)).objections,
        ["a still runs as the process of before"]
    );
    assert_eq!(
        renewed("a", Some(&first), Some(&second), Some(&silence())).objections,
        ["a does not answer"]
    );
}

#[test]
fn emptied_is_who_began_at_genesis() {
    let objections = |before, ready, first| emptied("a", before, ready, first, first).objections;
    assert!(objections(Some(9), Some(0), Some(9)).is_empty());
    assert!(objections(Some(9), None, Some(2)).is_empty());
    assert!(objections(None, None, Some(4)).is_empty());
    assert_eq!(
        objections(Some(9), Some(9), Some(9)),
        ["a began at height 9, not at genesis"]
    );
    assert_eq!(objections(Some(9), None, Some(9)).len(), 1);
    assert_eq!(objections(Some(9), None, None), ["a did not come back"]);
}

#[test]
fn a_damaged_store_is_refused_in_clear_words_or_survived() {
    let exited = signs(NodeState::Exited, 5);
    let clear = lines(&["starting", "the store x is corrupt: page 3"]);
    let found = damaged("a", Some(&exited), Some(&silence()), &clear);
    assert!(found.objections.is_empty(), "{found:?}");
    assert!(found.said.contains("is corrupt: page 3"));
    let running = signs(NodeState::Running, 5);
    assert!(
        damaged("a", Some(&running), Some(&answer(3)), &[])
            .objections
            .is_empty()
    );
    let panicked = lines(&["index out of bounds"]);
    let found = damaged("a", Some(&exited), Some(&silence()), &panicked);
    assert!(
        found.objections[0].contains("index out of bounds"),
        "{found:?}"
    );
    assert_eq!(
        damaged("a", Some(&running), Some(&silence()), &clear)
            .objections
            .len(),
        1
    );
}

#[test]
fn new_lines_are_told_by_their_place() {
    let new = |before: &[&str], after: &[&str]| new_lines(&lines(before), lines(after));
    assert_eq!(new(&["a", "b"], &["a", "b", "c"]), ["c"]);
    assert_eq!(new(&["a", "b", "c"], &["b", "c", "d"]), ["d"]);
    assert_eq!(new(&["x"], &["x", "x"]), ["x"]);
    assert_eq!(new(&["a", "b"], &["c"]), ["c"], "a new log");
    assert_eq!(new(&[], &["a"]), ["a"]);
    assert_eq!(new(&["a"], &["a"]), Vec::<String>::new());
    assert_eq!(new(&["a"], &[]), Vec::<String>::new());
}

#[test]
fn the_height_of_the_last_start_is_read() {
    let log = lines(&[
        "T INFO driver: ready genesis=g height=4 tip=t",
        "T INFO driver: ready genesis=g height=0 tip=t",
        "T INFO event: peer ready peer=1 height=9",
    ]);
    assert_eq!(height_when_ready(&log), Some(0));
    assert_eq!(height_when_ready(&log[2..]), None);
}

#[test]
fn one_objection_makes_the_whole_ineffective() {
    let well = Finding::well("fine".into());
    let bad = Finding::of("odd".into(), Some("no".into()));
    assert!(matches!(outcome(vec![well.clone()], 1), Outcome::Done(_)));
    let Outcome::Ineffective(evidence) = outcome(vec![well, bad], 7) else {
        panic!("it is ineffective")
    };
    assert_eq!(evidence.summary, "fine; odd");
    assert_eq!(evidence.in_force_at_ms, Some(7));
}
