//! The figures of faults in BENCHMARKS.md, measured on this machine by the
//! programs a user runs: `cargo bench -p minichain-tests --bench faults --
//! [FIGURE…]`.
//!
//! Figures: `partition`, `convergence`; none named: both. Needs Docker.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::env;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use minichain_api::rpc::BlockchainInfo;
use minichain_tests::figures::{format, row, seconds};
use minichain_tests::network::{Network, Node, wait_until};
use serde_json::json;

const ROUNDS: usize = 7;
const CONVERGENCES: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);
/// How often tips are looked at while convergence is timed.
const LOOK: Duration = Duration::from_millis(25);

fn main() {
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let runs = |figure: &str| wanted.is_empty() || wanted.iter().any(|word| word == figure);
    println!("| figure | value | how |\n|---|---|---|");
    if runs("partition") {
        partition(6, 4, "bootstrap-0,miner-0,miner-1");
        partition(
            20,
            4,
            "bootstrap-0,miner-0,miner-1,observer-0,observer-1,observer-2,observer-3,observer-4,observer-5,observer-6",
        );
    }
    if runs("convergence") {
        convergence();
    }
}

/// `devnet partition` and `devnet heal`, from the command to the proven matrix,
/// while the host goes on calling every node.
fn partition(nodes: usize, miners: usize, side: &str) {
    let (count, mining) = (nodes.to_string(), miners.to_string());
    let network = Network::up("docker", &["--nodes", &count, "--miners", &mining]);
    let host = HostCalls::default();
    let all = network.nodes();
    let (mut cut_s, mut heal_s) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        for node in &all {
            scope.spawn(|| host.keep_calling(node));
        }
        for _ in 0..ROUNDS {
            cut_s.push(seconds(|| drop(network.must(&["partition", side]))));
            heal_s.push(seconds(|| drop(network.must(&["heal"]))));
        }
        host.end.store(true, Ordering::Relaxed);
    });
    let how = format!("median of {ROUNDS}, command to proven matrix, Docker");
    row(
        &format!("`devnet partition`, {nodes} nodes"),
        &format(&cut_s, "s"),
        &how,
    );
    row(
        &format!("`devnet heal`, {nodes} nodes"),
        &format(&heal_s, "s"),
        &how,
    );
    let (failed, calls) = (
        host.failed.load(Ordering::Relaxed),
        host.calls.load(Ordering::Relaxed),
    );
    row(
        &format!("RPC from the host meanwhile, {nodes} nodes"),
        &format!("{failed} of {calls} calls failed"),
        "every node called without pause",
    );
}

/// Calls from the host to the nodes while they are cut from each other.
#[derive(Default)]
struct HostCalls {
    end: AtomicBool,
    calls: AtomicU64,
    failed: AtomicU64,
}

impl HostCalls {
    fn keep_calling(&self, node: &Node) {
        while !self.end.load(Ordering::Relaxed) {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if node.rpc.call::<u32>("getblockcount", &json!([])).is_err() {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(LOOK);
        }
    }
}

/// Six nodes at one second, cut in two until both sides have their own blocks,
/// then healed: time from the heal command's begin until all six have one tip
/// above both sides' heights.
fn convergence() {
    let network = Network::up(
        "docker",
        &["--nodes", "6", "--miners", "4", "--block-time", "1s"],
    );
    let mut intervals = Vec::new();
    for _ in 0..CONVERGENCES {
        network.must(&["partition", "bootstrap-0,miner-0,miner-1"]);
        let start = tips(&network.nodes()).expect("every node answers");
        let floor = start.iter().map(|tip| tip.blocks).max().unwrap_or_default() + 5;
        let nodes = network.nodes();
        wait_until(PATIENCE, || match tips(&nodes)? {
            tips if tips.iter().all(|tip| tip.blocks >= floor) => Ok(()),
            tips => Err(format!("lowest of {}", tips.len())),
        });
        let before = tips(&nodes).expect("every node answers");
        let height = before
            .iter()
            .map(|tip| tip.blocks)
            .max()
            .unwrap_or_default();
        let started = Instant::now();
        network.must(&["heal"]);
        loop {
            let now = tips(&nodes).expect("every node answers");
            let agreed = now
                .iter()
                .all(|tip| tip.bestblockhash == now[0].bestblockhash);
            if agreed && now[0].blocks > height {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "no convergence");
            thread::sleep(LOOK);
        }
        intervals.push(started.elapsed().as_secs_f64());
    }
    row(
        "heal to one tip above both sides, 6 nodes, 1 s blocks",
        &format(&intervals, "block intervals"),
        &format!("median of {CONVERGENCES}, Docker"),
    );
}

fn tips(nodes: &[Node]) -> Result<Vec<BlockchainInfo>, String> {
    nodes
        .iter()
        .map(|node| node.rpc.call("getblockchaininfo", &json!([])))
        .collect()
}
