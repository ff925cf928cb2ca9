//! The node under attack, its honest neighbour, and what the attack costs it.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Node, PATIENCE, wait_for};

/// A network whose blocks take about 20 hashes each, and may be large.
pub const GENESIS: &str = "
genesis:
  network: hostile
  time_s: 1767225600
  spacing_s: 1
  difficulty: {rule: fixed}
  initial_hash_rate: 20
  coinbase_maturity: 3
  block_weight_max: 4000000
  allocations:
  - account: alice
    amount: \"1000\"
    owner: {public_seed: \"0101010101010101010101010101010101010101010101010101010101010101\"}
";
/// Nobody is looked for: the test decides who is connected.
const ALONE: &str = "p2p: {port: 0, discovery: false}\n";
/// How long somebody kept away knocks in vain before it is believed.
const KNOCKS: Duration = Duration::from_secs(2);
/// What a debug build gains in an honest life of a minute, by caches and by the
/// allocator; no attack is measured more finely.
pub const NOISE_MB: u64 = 24;

/// The node under attack.
pub struct Victim {
    pub node: Node,
    pid: u32,
    peak_at_start: u64,
    dir: TempDir,
}

/// Starts `minichain` by a shell that first tells its process id.
fn start(dir: &TempDir, config: &str) -> (Node, u32) {
    let pid_file = dir.path().join("pid");
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("echo $$ > \"$0\" && exec \"$1\"")
        .arg(&pid_file)
        .arg(env!("CARGO_BIN_EXE_minichain"))
        .env("NO_COLOR", "1");
    let data_dir = dir.path().join("data");
    let node = Node::start_command(command, &data_dir, &format!("{GENESIS}{config}"));
    let pid = fs::read_to_string(pid_file).expect("it was written first");
    (node, pid.trim().parse().expect("a process id"))
}

/// Peak of resident memory, in bytes.
fn peak_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.expect("a peak").trim().parse().expect("a number");
    kib << 10
}

impl Victim {
    /// A node on its own, that already knows these blocks.
    pub fn with_blocks(config: &str, blocks: &[Block]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let config = if config.is_empty() { ALONE } else { config };
        let (node, pid) = start(&dir, config);
        for block in blocks {
            let taken = node.call("submitblock", json!([hex::encode(&encode(block))]));
            assert_eq!(taken, Value::Null);
        }
        let peak_at_start = peak_bytes(pid);
        Self {
            node,
            pid,
            peak_at_start,
            dir,
        }
    }

    pub fn start() -> Self {
        Self::with_blocks("", &[])
    }

    /// Where it listens for peers.
    pub fn address(&self) -> SocketAddr {
        address(&self.node)
    }

    pub fn genesis(&self) -> String {
        let hash = self.node.call("getblockhash", json!([0]));
        hash.as_str().expect("a hash").to_owned()
    }

    /// Peak of its memory since it was ready, in MB, rounded up.
    pub fn growth_mb(&self) -> u64 {
        let growth = peak_bytes(self.pid).saturating_sub(self.peak_at_start);
        growth.div_ceil(1_000_000)
    }

    /// Everybody connected.
    pub fn peers(&self) -> Vec<Value> {
        let peers = self.node.call("getpeerinfo", json!([]));
        peers.as_array().expect("a list").clone()
    }

    /// Whether the peer with this id is connected.
    pub fn has(&self, peer_id: &str) -> bool {
        self.peers().iter().any(|peer| peer["peerid"] == peer_id)
    }

    /// The log's word for why peers were sent away, oldest first.
    pub fn partings(&self) -> Vec<Value> {
        let lines = self.node.log_lines().into_iter();
        lines
            .filter(|line| line["message"] == "peer sent away")
            .collect()
    }

    /// Waits until somebody was sent away for this reason.
    pub fn wait_for_parting(&self, reason: &str) -> Value {
        wait_for(&format!("a peer sent away as {reason}"), || {
            let mut partings = self.partings().into_iter();
            partings.find(|line| line["reason"] == reason)
        })
    }

    /// Offenders were sent away for this reason, and knock in vain.
    pub fn has_sent_away(&self, peer_ids: &[&str], reason: &str) {
        self.wait_for_parting(reason);
        let is_any_there = || peer_ids.iter().any(|peer_id| self.has(peer_id));
        wait_for("the offenders to be gone", || {
            (!is_any_there()).then_some(())
        });
        let end = Instant::now() + KNOCKS;
        while Instant::now() < end {
            assert!(!is_any_there(), "one of {peer_ids:?} is back");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// It grew by no more than this; prints what it was.
    pub fn stayed_within(&self, max_mb: u64, attack: &str, sent: &str, dropped: &str) {
        let growth_mb = self.growth_mb();
        eprintln!("MEASURED | {attack} | {sent} | {growth_mb} MB | {dropped} |");
        assert!(growth_mb <= max_mb, "{attack}: {growth_mb} MB");
    }

    /// Where its data is.
    pub fn store_bytes(&self) -> u64 {
        let files = fs::read_dir(self.dir.path().join("data")).expect("a folder");
        let sizes = files.filter_map(|file| file.ok()?.metadata().ok());
        sizes.map(|file| file.len()).sum()
    }
}

/// `ip:port` where a node listens for peers.
fn address(node: &Node) -> SocketAddr {
    let info = node.call("getnetworkinfo", json!([]));
    let own = &info["localaddresses"][0];
    let ip = own["address"].as_str().expect("an address");
    format!("{ip}:{}", own["port"])
        .parse()
        .expect("a socket address")
}

/// A node that does no wrong and makes blocks when told.
pub struct Neighbour {
    node: Node,
    _dir: TempDir,
}

impl Neighbour {
    /// Connects to the victim, by another way where one is given.
    pub fn of(victim: &Victim) -> Self {
        Self::by(victim.address())
    }

    pub fn by(way: SocketAddr) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let config = format!("p2p: {{port: 0, discovery: false, bootstrap: [\"{way}\"]}}\n");
        let (node, _) = start(&dir, &config);
        Self { node, _dir: dir }
    }

    /// Makes a block on the victim's tip, which the victim must then take.
    pub fn converges_with(&self, victim: &Victim) {
        let height = victim.node.height();
        self.node.wait_for_height(height);
        let own = self.node.call("getnewaddress", json!([]));
        self.node.call("generatetoaddress", json!([1, own]));
        victim.node.wait_for_height(height + 1);
    }
}

/// Runs `act` again and again until `holds`; whether that was within the time
/// anything may take here.
pub fn repeat_until(mut act: impl FnMut(), holds: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        act();
        if holds() {
            return true;
        }
    }
    false
}
