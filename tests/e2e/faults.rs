//! Faults of a real network, by the verbs a user types: on the Docker engine
//! and on plain processes.

use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use minichain_api::rpc::BlockchainInfo;
use minichain_tests::docker;
use minichain_tests::network::{Network, Node, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);
const NODES: [&str; 6] = ["--nodes", "4", "--miners", "2", "--block-time", "1s"];

#[test]
fn a_partition_in_containers_parts_the_chain_and_healing_joins_it() {
    if docker::available("a_partition_in_containers_parts_the_chain_and_healing_joins_it") {
        a_partition_parts_the_chain_and_healing_joins_it("docker");
    }
}

#[test]
fn a_partition_of_processes_parts_the_chain_and_healing_joins_it() {
    a_partition_parts_the_chain_and_healing_joins_it("process");
}

#[test]
fn latency_and_loss_show_in_containers() {
    if docker::available("latency_and_loss_show_in_containers") {
        latency_and_loss_show("docker", "packets lost");
    }
}

#[test]
fn latency_and_loss_show_in_processes() {
    latency_and_loss_show("process", "came a retransmission late");
}

#[test]
fn a_killed_partition_in_containers_is_healed_by_the_next_call() {
    if docker::available("a_killed_partition_in_containers_is_healed_by_the_next_call") {
        a_killed_partition_is_healed_by_the_next_call("docker");
    }
}

#[test]
fn a_killed_partition_of_processes_is_healed_by_the_next_call() {
    a_killed_partition_is_healed_by_the_next_call("process");
}

#[test]
fn a_container_restarted_by_hand_is_told_of_and_filtered_again() {
    if !docker::available("a_container_restarted_by_hand_is_told_of_and_filtered_again") {
        return;
    }
    let network = Network::up("docker", &NODES);
    done(&network, &["isolate", "miner-0", "--json"]);
    let name = format!("label=devnet.name={}", network.name);
    let node = "label=devnet.node=miner-0";
    let id = docker::docker(&["ps", "-q", "--filter", &name, "--filter", node]);
    docker::docker(&["restart", "-t", "1", id.trim()]);
    let told = wait_until(PATIENCE, || {
        let out = network.devnet(&["faults", "--json"]);
        let told: Value = serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())?;
        let missing = told["differences"].as_array().map_or(0, Vec::len);
        match (out.status.code(), missing) {
            (Some(1), 3) => Ok(told),
            _ => Err(format!("{:?}: {told}", out.status)),
        }
    });
    let first = told["differences"][0].as_str().expect("a sentence");
    assert!(first.contains("should be cut and is free"), "{first}");
    network.must(&["faults", "--reapply"]);
    // Started by devnet it never is without.
    network.must(&["restart", "miner-0"]);
    network.must(&["faults"]);
}

/// Two sides mine on, each for itself; the host reaches all of them throughout.
///
/// ```text
///            ┌── bootstrap-0, miner-0:  a1 ── a2 ── …
/// … ── fork ─┤                                          heal ──► one chain
///            └── miner-1, observer-0:   b1 ── b2 ── …
/// ```
fn a_partition_parts_the_chain_and_healing_joins_it(engine: &'static str) {
    let network = Network::up(engine, &NODES);
    network.wait_until_agreed(1, PATIENCE);
    let watch = Watch::begin(network.nodes());
    let evidence = done(&network, &["partition", "bootstrap-0,miner-0", "--json"]);
    assert_eq!(
        evidence["summary"],
        "8 of 8 probes across the cut fail, 4 of 4 others pass"
    );
    assert_eq!(evidence["probes"].as_array().map_or(0, Vec::len), 12);
    let (one, other) = (network.node("miner-0"), network.node("miner-1"));
    let follower = network.node("observer-0");
    let fork = tip(&one).blocks.max(tip(&other).blocks);
    wait_until(PATIENCE, || {
        let height = fork + 2;
        let hash = |node: &Node| node.rpc.call::<String>("getblockhash", &json!([height]));
        match (hash(&one)?, hash(&other)?, hash(&follower)?) {
            (a, b, c) if a != b && b == c => Ok(()),
            (a, b, c) => Err(format!("at height {height}: {a} {b} {c}")),
        }
    });
    network.must(&["faults"]);
    done(&network, &["heal", "--json"]);
    network.wait_until_agreed(fork + 2, PATIENCE);
    assert_eq!(watch.end(), 0, "calls of the host that failed");
    let found: Value = serde_json::from_str(&network.must(&["faults", "--json"])).expect("JSON");
    assert_eq!(found["links"], json!([]));
    assert_eq!(found["intended"], json!([]));
}

fn latency_and_loss_show(engine: &'static str, shown: &str) {
    let network = Network::up(engine, &NODES);
    let line = ["latency", "miner-0:miner-1", "--delay", "60ms", "--json"];
    let evidence = done(&network, &line);
    let slow: Vec<f64> = evidence["probes"]
        .as_array()
        .expect("probes")
        .iter()
        .filter(|probe| probe["expected"]["open"]["rtt_ms"] == 120.0)
        .filter_map(|probe| probe["measured"]["open"]["rtt_ms"].as_f64())
        .collect();
    assert!(matches!(slow[..], [rtt_ms] if rtt_ms >= 108.0), "{slow:?}");
    let evidence = done(&network, &["loss", "miner-0:miner-1", "30%", "--json"]);
    let summary = evidence["summary"].as_str().expect("a line");
    assert!(summary.contains(shown), "{summary}");
    done(&network, &["heal", "--conditions", "--json"]);
    network.must(&["faults"]);
}

fn a_killed_partition_is_healed_by_the_next_call(engine: &'static str) {
    let network = Network::up(engine, &NODES);
    let mut holding = network
        .command()
        .args(["partition", "--halves", "--for", "1h"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("devnet runs");
    let cut = |links: usize| {
        wait_until(PATIENCE, || {
            let out = network.devnet(&["faults", "--json"]);
            let found: Value = serde_json::from_slice(&out.stdout).map_err(|e| e.to_string())?;
            let count = found["links"].as_array().map_or(0, Vec::len);
            if count == links {
                Ok(())
            } else {
                Err(format!("{count} links are cut"))
            }
        });
    };
    cut(8);
    holding.kill().expect("it runs");
    holding.wait().expect("it ends");
    cut(8);
    // The lock of the killed call is free again, whenever it was killed.
    done(&network, &["heal", "--json"]);
    cut(0);
    let status = network.devnet(&["status"]);
    let said = String::from_utf8_lossy(&status.stdout);
    assert!(!said.contains("Faults:"), "{said}");
}

/// The evidence of a verb that must succeed.
fn done(network: &Network, line: &[&str]) -> Value {
    let out: Output = network.devnet(line);
    let told: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|error| {
        let stderr = String::from_utf8_lossy(&out.stderr);
        panic!("{line:?}: {error}\n{stderr}")
    });
    assert_eq!(told["outcome"], "done", "{line:?}: {told}");
    assert_eq!(out.status.code(), Some(0), "{line:?}");
    told["evidence"].clone()
}

fn tip(node: &Node) -> BlockchainInfo {
    node.rpc.must("getblockchaininfo", &json!([]))
}

/// Asks every node again and again, and counts calls that fail.
struct Watch {
    is_over: Arc<AtomicBool>,
    task: thread::JoinHandle<u32>,
}

impl Watch {
    fn begin(nodes: Vec<Node>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let task = thread::spawn(move || {
            let mut failed = 0;
            while !ends.load(Ordering::Relaxed) {
                for node in &nodes {
                    let answer = node.rpc.call::<u32>("getblockcount", &json!([]));
                    failed += u32::from(answer.is_err());
                }
                thread::sleep(Duration::from_millis(50));
            }
            failed
        });
        Self { is_over, task }
    }

    fn end(self) -> u32 {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.join().expect("the watch does not panic")
    }
}
