//! A node that the kernel ends for want of memory.

use std::time::Duration;

use minichain_tests::docker;
use minichain_tests::memory::{STARVED_MIB, crowd_out, limit, starve};
use minichain_tests::namespace::can_be_root;
use minichain_tests::network::Network;
use minichain_tests::runs::Runs;
use minichain_tests::tools::tool;
use serde_json::json;

/// What a node may hold by default.
const ENOUGH_MIB: u64 = 256;
const PATIENCE: Duration = Duration::from_secs(120);

const CALM: &str = "\
name: calm
topology: { nodes: 3, miners: 1, block_time: 1s }
steps:
  - wait: { height: 2 }
    timeout: 60s
  - title: Nothing is meant to happen
    wait: 15s
  - expect: { converged: { max_lag: 2 }, within: 15s }
";

/// The height at which the node said it was ready, each time it started.
fn heights_at_start(network: &Network, node: &str) -> Vec<u32> {
    let log = network.must(&["logs", node]);
    let ready = log.lines().filter(|line| line.contains("driver: ready "));
    let heights = ready.map(|line| {
        let (_, rest) = line.split_once("height=").expect("it tells its height");
        let digits = rest.split_whitespace().next().expect("a number");
        digits.parse().expect("a number")
    });
    heights.collect()
}

#[test]
fn node_out_of_memory_is_told_as_such_and_comes_back_with_its_chain() {
    if !docker::available("node_out_of_memory_is_told_as_such_and_comes_back_with_its_chain") {
        return;
    }
    let network = Network::up(
        "docker",
        &["--nodes", "2", "--miners", "1", "--block-time", "1s"],
    );
    let height = network.wait_until_agreed(3, PATIENCE);
    starve(&network.node("miner-0"));
    let told = network.begin(&["status"]).ended(PATIENCE);
    assert_eq!(told.code, Some(1), "{}", told.said);
    let why = format!("miner-0 ended: out of memory, limit {STARVED_MIB} MiB; raise it");
    for words in [why.as_str(), "devnet up --memory", "brings back"] {
        assert!(told.said.contains(words), "{words}: {}", told.said);
    }
    let node = network.node("miner-0");
    assert_eq!(node.status["state"], "exited");
    let problem = node.status["problem"].as_str().expect("a problem");
    assert!(problem.contains("out of memory"), "{problem}");

    limit(&node, ENOUGH_MIB);
    network.must(&["up"]);
    let heights = heights_at_start(&network, "miner-0");
    assert_eq!(heights.len(), 2, "it was started again: {heights:?}");
    assert!(heights[1] >= height, "{heights:?}, and it had {height}");
    let height = network.wait_until_agreed(height + 1, PATIENCE);

    network.must(&["up", "--memory", "128MiB"]);
    let id = network.node("miner-0").status["id"].clone();
    let id = id.as_str().expect("a container's id");
    let found = docker::docker(&["inspect", "--format", "{{.HostConfig.Memory}}", id]);
    assert_eq!(found.trim(), (128 << 20).to_string());
    let heights = heights_at_start(&network, "miner-0");
    assert!(heights.last() >= Some(&height), "{heights:?}, had {height}");
    network.wait_until_agreed(height + 1, PATIENCE);
    let twice = network.must(&["up", "--json"]);
    let twice: serde_json::Value = serde_json::from_str(&twice).expect("JSON");
    assert_eq!(twice["actions"], json!(0), "the limit is kept in mind");
}

#[test]
fn run_that_loses_a_node_for_want_of_memory_fails_and_says_why() {
    let test = "run_that_loses_a_node_for_want_of_memory_fails_and_says_why";
    let has_python = || tool("python3", "python3", test).is_some();
    if !docker::available(test) || !can_be_root(test) || !has_python() {
        return;
    }
    let runs = Runs::on("docker");
    let file = runs.scenario("calm.yaml", CALM);
    let mut run = runs.spawn(&file, &[]);
    runs.wait_until_said("1 wait for height 2", PATIENCE);
    let names = runs.left();
    assert_eq!(names.len(), 1, "{names:?}");
    let network = format!("label=devnet.name={}", names[0]);
    let filters = [
        "--filter",
        network.as_str(),
        "--filter",
        "label=devnet.node=observer-0",
    ];
    let id = docker::docker(&[&["ps", "-q"], filters.as_slice()].concat());
    crowd_out(id.trim());
    let status = run.wait().expect("it ends");
    let said = runs.said();
    assert_eq!(status.code(), Some(1), "{said}");
    let why = format!(
        "not by this run: its process is exited (out of memory, limit {ENOUGH_MIB} MiB; raise it"
    );
    for words in ["FAIL calm", "observer-0 ended at", &why] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(docker::left_behind(&names[0]), Vec::<String>::new());
}

#[test]
fn limit_of_memory_is_refused_where_nothing_would_keep_it() {
    let network = Network::new("process");
    let told = network
        .begin(&["up", "--nodes", "1", "--memory", "128MiB"])
        .ended(PATIENCE);
    assert_eq!(told.code, Some(2), "{}", told.said);
    for words in ["`--memory` limits containers", "--engine docker"] {
        assert!(told.said.contains(words), "{words}: {}", told.said);
    }
}
