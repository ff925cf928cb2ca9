//! The figures in BENCHMARKS.md, measured on this machine by the programs a user
//! runs: `cargo bench -p minichain-tests --bench figures -- [FIGURE…]`.
//!
//! Figures: `bring-up`, `idle`, `interval`, `metrics`; none named: all. Needs Docker and,
//! for the comparison, Docker Compose.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::env;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use minichain_tests::docker::docker;
use minichain_tests::figures::{Containers, format, node_image, row, seconds};
use minichain_tests::network::{Network, pid};
use serde_json::{Value, json};

const ROUNDS: usize = 7;

fn main() {
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let runs = |figure: &str| wanted.is_empty() || wanted.iter().any(|word| word == figure);
    println!("| figure | value | how |\n|---|---|---|");
    if runs("bring-up") {
        bring_up();
    }
    if runs("idle") {
        idle();
    }
    if runs("interval") {
        interval();
    }
    if runs("metrics") {
        metrics();
    }
}

/// `devnet up` until healthy and `down`, against docker-compose with the same
/// image, ports and limits but no health check, in alternation.
fn bring_up() {
    let image = node_image();
    let others = Containers {
        image: &image,
        count: 3,
    };
    let (mut up_s, mut down_s, mut compose_up_s, mut compose_down_s) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let network = Network::new("docker");
        up_s.push(seconds(|| {
            network.must(&["up", "--nodes", "3", "--miners", "2"]);
        }));
        down_s.push(seconds(|| {
            network.must(&["down"]);
        }));
        let (up, down) = others.by_compose();
        compose_up_s.push(up);
        compose_down_s.push(down);
    }
    let over: Vec<f64> = up_s
        .iter()
        .zip(&compose_up_s)
        .map(|(ours, theirs)| ours - theirs)
        .collect();
    let how = format!("median of {ROUNDS}, alternating");
    row(
        "`devnet up --nodes 3 --miners 2` to healthy",
        &format(&up_s, "s"),
        &how,
    );
    row(
        "`docker-compose up -d` of the same three",
        &format(&compose_up_s, "s"),
        &how,
    );
    row(
        "`up` over compose",
        &format(&over, "s"),
        "median of the differences",
    );
    row("`devnet down`", &format(&down_s, "s"), &how);
    row(
        "`docker-compose down -v`",
        &format(&compose_down_s, "s"),
        &how,
    );
    let bytes = docker(&["image", "inspect", "-f", "{{.Size}}", &image]);
    let bytes: f64 = bytes.trim().parse().expect("an image has a size");
    row(
        "size of the image",
        &format!("{:.1} MB", bytes / 1e6),
        "`docker image inspect`",
    );
}

/// Memory and CPU of the default network, settled.
fn idle() {
    let network = Network::up("process", &["--nodes", "3", "--miners", "2"]);
    let pids: Vec<u32> = network.nodes().iter().filter_map(pid).collect();
    thread::sleep(Duration::from_secs(20));
    let share = |_| {
        let before: f64 = pids.iter().map(|pid| cpu_seconds(*pid)).sum();
        let started = Instant::now();
        thread::sleep(Duration::from_secs(20));
        let used = pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>() - before;
        100.0 * used / started.elapsed().as_secs_f64()
    };
    let shares: Vec<f64> = (0..ROUNDS).map(share).collect();
    let how = format!("median of {ROUNDS} windows of 20 s");
    row(
        "CPU of the default 3-node network",
        &format(&shares, "% of one core"),
        &how,
    );
    let memory: Vec<f64> = pids.iter().map(|pid| rss_mib(*pid)).collect();
    row(
        "memory of a node",
        &format(&memory, "MiB"),
        "`VmRSS` of the three after 160 s",
    );
}

/// Mean block interval over 200 blocks at one second, two miners, in several
/// networks side by side.
fn interval() {
    let mean_s = || {
        let network = Network::up(
            "process",
            &["--nodes", "3", "--miners", "2", "--block-time", "1s"],
        );
        network.wait_until_agreed(211, Duration::from_secs(900));
        let rpc = &network.nodes()[0].rpc;
        let time_at = |height: u32| -> f64 {
            let hash: String = rpc.must("getblockhash", &json!([height]));
            let header: Value = rpc.must("getblockheader", &json!([hash]));
            header["time"].as_f64().expect("a header has a time")
        };
        (time_at(210) - time_at(10)) / 200.0
    };
    let means: Vec<f64> = thread::scope(|scope| {
        let runs: Vec<_> = (0..ROUNDS).map(|_| scope.spawn(mean_s)).collect();
        runs.into_iter()
            .map(|run| run.join().expect("the network ran"))
            .collect()
    });
    let how = format!("blocks 10 to 210; median of {ROUNDS} networks");
    row(
        "mean block interval at `--block-time 1s`",
        &format(&means, "s"),
        &how,
    );
}

/// What it costs to watch a network of six.
fn metrics() {
    let arguments = ["--nodes", "6", "--miners", "3", "--block-time", "2s"];
    let network = Network::up("process", &arguments);
    let mut exporter = network
        .command()
        .args(["exporter", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .spawn()
        .expect("devnet runs");
    network.wait_until_agreed(20, Duration::from_secs(300));
    let page = network.nodes()[0].status["metrics_url"].clone();
    let page = page.as_str().expect("a node serves metrics");
    let look = || {
        let mut answer = ureq::get(page).call().expect("the node answers");
        answer.body_mut().read_to_string().expect("text")
    };
    let times_ms: Vec<f64> = (0..101).map(|_| 1e3 * seconds(|| drop(look()))).collect();
    let how = "median of 101 at height 20, each on a new connection";
    row("`/metrics` of a node", &format(&times_ms, "ms"), how);
    let text = look();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    row(
        "series of a node",
        &series.to_string(),
        "lines of that page",
    );
    let share = |_| {
        let (before, started) = (cpu_seconds(exporter.id()), Instant::now());
        thread::sleep(Duration::from_secs(20));
        100.0 * (cpu_seconds(exporter.id()) - before) / started.elapsed().as_secs_f64()
    };
    let shares: Vec<f64> = (0..ROUNDS).map(share).collect();
    row(
        "CPU of `devnet exporter`, 6 nodes at `--block-time 2s`",
        &format(&shares, "% of one core"),
        &format!("median of {ROUNDS} windows of 20 s"),
    );
    // It ends by itself with the network.
    network.must(&["down"]);
    exporter.wait().expect("it ends");
}

fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the node runs");
    let after_name = stat.rsplit(')').next().expect("a stat line has a name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11..13]
        .iter()
        .map(|f| f.parse::<f64>().expect("ticks"))
        .sum();
    ticks / 100.0
}

fn rss_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the node runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("a VmRSS line");
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kib / 1024.0
}
