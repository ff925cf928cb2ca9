//! What `for:` takes back of a live network, and what it leaves.

use std::fs;
use std::time::Duration;

use libtest_mimic::Trial;
use minichain_tests::docker;
use minichain_tests::programs::program;
use minichain_tests::runs::{Runs, assert_exit};
use serde_json::Value;

/// Two conditions on one link, of which the later ends first; and a node that
/// is added and then gets a wrong clock for a while.
const ONE_OF_TWO: &str = "\
name: one-of-two
topology: { nodes: 3, miners: 1, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 60s
  - latency: { is: 30ms, between: [miner-0, observer-0] }
  - latency: { is: 90ms, between: [miner-0, observer-0] }
    for: 1s
  - add: { group: observer }
  - clock_skew: { on: observer-1, by: 3s }
    for: 1s
  - expect: { height: '>= 1', on: observer-1, within: 30s }
";

/// Another program runs in a node's place for a while.
const UPGRADE: &str = "\
name: upgrade
topology: { nodes: 3, miners: 1, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 60s
  - upgrade: { on: observer-0, to: PROGRAM }
    for: 3s
  - expect:
      - converged: { max_lag: 1 }
        within: 40 blocks
      - restarts: '>= 2'
        on: observer-0
        from: start
";

/// A cut that lasts long enough for somebody else to restart a node within.
const CUT_OFF: &str = "\
name: cut-off
topology: { nodes: 3, miners: 1, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 60s
  - partition: { isolate: observer-0 }
  - title: somebody restarts it
    expect: { restarts: '>= 1', on: observer-0, from: start, within: 90s }
  - wait: 4s
  - expect:
      - no_progress: { during: 4s }
        on: observer-0
  - heal
  - expect:
      - converged: { max_lag: 1 }
        within: 40 blocks
";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(crate::on_engines(
        "undoing::one_fault_is_lifted_and_the_others_stay",
        one_fault_is_lifted_and_the_others_stay,
    ));
    trials.push(crate::fact(
        "undoing::an_upgrade_for_a_while_leads_back_to_the_first_program",
        an_upgrade_for_a_while_leads_back_to_the_first_program,
    ));
    let title = "undoing::a_container_restarted_by_hand_within_a_run_is_cut_again_and_told";
    trials.push(Trial::test(title, move || {
        if crate::is_there("docker", title) {
            a_container_restarted_by_hand_within_a_run_is_cut_again_and_told();
        }
        Ok(())
    }));
    trials
}

fn faults_of(runs: &Runs) -> Vec<Value> {
    let path = runs.bundle().join("report.json");
    let text = fs::read_to_string(path).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    report["faults"].as_array().expect("faults").clone()
}

fn acts_of(runs: &Runs) -> Vec<Value> {
    let path = runs.bundle().join("faults.json");
    let text = fs::read_to_string(path).expect("a timeline");
    serde_json::from_str(&text).expect("JSON")
}

fn one_fault_is_lifted_and_the_others_stay(engine: &'static str) {
    let runs = Runs::on(engine);
    let file = runs.scenario("one-of-two.yaml", ONE_OF_TWO);
    let out = runs.run(&file, &[]);
    assert_exit(&out, 0);
    let faults = faults_of(&runs);
    let ended = |at: usize| faults[at]["ended_at_ms"].as_u64().expect("it ended");
    let [lasting, lifted, added, skewed] = [0, 1, 2, 3];
    assert!(ended(lifted) < ended(lasting), "{faults:#?}");
    assert!(ended(skewed) < ended(added), "{faults:#?}");
    assert_eq!(ended(lasting), ended(added), "by the closing heal");
    // Round trips show the first latency again once the second is lifted.
    let acts = acts_of(&runs);
    let is_lift = |act: &&Value| act["act"].as_str().is_some_and(|x| x.starts_with("lift"));
    let lifts: Vec<&Value> = acts.iter().filter(is_lift).collect();
    assert_eq!(lifts.len(), 2, "{acts:#?}");
    let result = lifts[0]["result"].as_str().expect("a result");
    assert!(result.contains("(60 ms wanted"), "{result}");
    assert!(acts.iter().all(|act| act["outcome"] == "done"), "{acts:#?}");
}

fn a_container_restarted_by_hand_within_a_run_is_cut_again_and_told() {
    let runs = Runs::on("docker");
    let file = runs.scenario("cut-off.yaml", CUT_OFF);
    let name = runs.network.name.clone();
    let mut child = runs.spawn(&file, &["--name", &name]);
    runs.wait_until_said("probes across the cut fail", Duration::from_secs(180));
    let network = format!("label=devnet.name={name}");
    let node = "label=devnet.node=observer-0";
    let id = docker::docker(&["ps", "-q", "--filter", &network, "--filter", node]);
    docker::docker(&["restart", "-t", "1", id.trim()]);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}: {}", runs.said());
    let timeline = fs::read_to_string(runs.bundle().join("faults.txt")).expect("in the bundle");
    for told in [
        "observer-0 was started anew, not by this run",
        "and is in force again",
    ] {
        assert!(timeline.contains(told), "no {told:?} in {timeline}");
    }
}

fn an_upgrade_for_a_while_leads_back_to_the_first_program() {
    let runs = Runs::on("process");
    let other = runs.path("minichain-next");
    fs::create_dir_all(runs.path("")).expect("a writable disk");
    fs::copy(program("minichain"), &other).expect("a writable disk");
    let text = UPGRADE.replace("PROGRAM", &other);
    let file = runs.scenario("upgrade.yaml", &text);
    let out = runs.run(&file, &[]);
    assert_exit(&out, 0);
    let faults = faults_of(&runs);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    let acts = acts_of(&runs);
    let said: Vec<&str> = acts.iter().filter_map(|act| act["act"].as_str()).collect();
    assert!(said[0].starts_with("upgrade to "), "{said:?}");
    assert!(said[1].starts_with("lift upgrade to "), "{said:?}");
    assert!(acts.iter().all(|act| act["outcome"] == "done"), "{acts:#?}");
    let path = runs.bundle().join("blueprint.json");
    let plan = fs::read_to_string(path).expect("a plan");
    assert!(
        !plan.contains("minichain-next"),
        "the first program is back"
    );
}
