//! Faults of single nodes, each with its proof, told once for every engine.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minichain_api::rpc::BlockchainInfo;
use minichain_tests::network::{Network, wait_until};
use minichain_tests::programs::program;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(120);

fn up(engine: &'static str) -> Network {
    let network = Network::up(
        engine,
        &["--nodes", "4", "--miners", "2", "--block-time", "1s"],
    );
    network.wait_until_agreed(2, PATIENCE);
    network
}

/// What a call of devnet said, all of it; it must end with this code.
fn said(network: &Network, arguments: &[&str], code: i32) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = network.devnet(arguments);
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
}

/// Killed, frozen, restarted and wiped nodes come back to the chain.
pub fn nodes_are_killed_frozen_and_wiped(engine: &'static str) {
    let network = up(engine);
    has(
        &said(&network, &["kill", "miner-0"], 0),
        &["is gone, its RPC is silent"],
    );
    let dead = network.node("miner-0");
    assert!(dead.rpc.call::<u32>("getblockcount", &json!([])).is_err());
    has(&said(&network, &["start", "miner-0"], 0), &["answers RPC"]);
    has(
        &said(&network, &["pause", "observer-0", "--for", "1s"], 0),
        &["stands still", "did not answer", "answers RPC"],
    );
    has(
        &said(&network, &["restart", "miner-0,miner-1"], 0),
        &["as new process"],
    );
    has(
        &said(&network, &["wipe", "observer-0"], 0),
        &["began at height 0"],
    );
    let height = network.wait_until_agreed(3, PATIENCE);
    network.wait_until_agreed(height + 1, PATIENCE);
}

/// A damaged store is refused in clear words; healing starts the node afresh.
pub fn a_damaged_store_is_refused_and_healed(engine: &'static str) {
    let network = up(engine);
    has(
        &said(&network, &["corrupt", "miner-1"], 0),
        &["refuses its damaged store", "is corrupt"],
    );
    assert_eq!(network.node("miner-1").status["state"], "exited");
    said(&network, &["heal"], 0);
    let height = network.wait_until_agreed(3, PATIENCE);
    network.wait_until_agreed(height + 1, PATIENCE);
}

/// Writes to the end of a file and closes it: a program that is open for
/// writing does not start.
fn append(path: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new().append(true).open(path);
    let mut file = file.expect("a file of ours");
    file.write_all(bytes).expect("a writable disk");
}

/// A network gains, loses and upgrades nodes, and `up` brings back what was
/// asked for.
pub fn nodes_come_go_and_are_upgraded(engine: &'static str) {
    let network = up(engine);
    said(&network, &["add", "observer", "--count", "2"], 0);
    assert_eq!(network.nodes().len(), 6);
    let height = network.wait_until_agreed(3, PATIENCE);
    has(
        &said(&network, &["remove", "observer-1"], 0),
        &["observer-1 and its data are gone"],
    );
    let next = network.state().join("minichain-next");
    fs::copy(program("minichain"), &next).expect("a writable disk");
    append(&next, b"another program by its bytes");
    let next = next.to_string_lossy().into_owned();
    let upgraded = said(&network, &["upgrade", "miner-0", "--binary", &next], 0);
    has(&upgraded, &["as new process"]);
    wait_until(PATIENCE, || {
        let now: u32 = network
            .node("miner-0")
            .rpc
            .call("getblockcount", &json!([]))?;
        if now >= height {
            Ok(())
        } else {
            Err(format!("it kept its data and is at {now}"))
        }
    });
    said(&network, &["up"], 0);
    let names: Vec<String> = network.nodes().into_iter().map(|node| node.name).collect();
    assert_eq!(names, ["bootstrap-0", "miner-0", "miner-1", "observer-0"]);
    network.wait_until_agreed(height + 1, PATIENCE);
}

/// Clocks, hash rates and disks are set wrong by what the chain shows of it, and
/// healing sets them right.
pub fn clocks_hash_rates_and_disks_are_set_wrong_and_right(engine: &'static str) {
    let network = up(engine);
    said(&network, &["skew", "miner", "+6s"], 0);
    // Miners stamp blocks by their own clocks, so the chain runs ahead of ours.
    wait_until(PATIENCE, || match ahead_s(&network)? {
        3.. => Ok(()),
        ahead => Err(format!("the tip is {ahead} s ahead")),
    });
    has(
        &said(&network, &["faults"], 0),
        &["clock off by 6000 ms on miner-0, miner-1"],
    );
    said(&network, &["fill-disk", "observer-0"], 0);
    said(&network, &["hashrate", "miner", "0"], 0);
    let height = height(&network);
    thread::sleep(Duration::from_secs(4));
    assert!(self::height(&network) <= height + 1, "idle miners mine");
    said(&network, &["heal"], 0);
    has(&said(&network, &["faults"], 0), &["No fault is in force"]);
    network.wait_until_agreed(height + 4, PATIENCE);
    wait_until(PATIENCE, || match ahead_s(&network)? {
        ..=1 => Ok(()),
        ahead => Err(format!("the tip is {ahead} s ahead")),
    });
}

fn height(network: &Network) -> u32 {
    let node = network.node("bootstrap-0");
    node.rpc.must("getblockcount", &json!([]))
}

/// How far the tip's time is ahead of this machine's, in seconds.
fn ahead_s(network: &Network) -> Result<i64, String> {
    let node = network.node("bootstrap-0");
    let info: BlockchainInfo = node.rpc.call("getblockchaininfo", &json!([]))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = now.map_err(|error| error.to_string())?.as_secs();
    Ok(i64::from(info.time) - i64::try_from(now_s).map_err(|error| error.to_string())?)
}
