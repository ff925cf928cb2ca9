//! Fault injection by RPC, on whole nodes.

use std::path::Path;
use std::time::Duration;

use minichain_api::admin::method;
use minichain_api::rpc::code;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{EASY_GENESIS, Node, minichain, wait_for};

const ADMIN: &str = "rpc: {port: 0, admin: true}\n";
const MINING: &str = "mining: {enabled: true, hash_rate: 60}\n";
const PROBE_MS: u64 = 3_000;

fn start(data_dir: &Path, more: &str) -> Node {
    Node::start(data_dir, &format!("{ADMIN}{more}"))
}

/// Starts a node that dials `to` and nobody else.
fn start_beside(data_dir: &Path, to: &Node, more: &str) -> Node {
    let edge = p2p_address(to);
    let p2p = format!("p2p: {{port: 0, discovery: false, bootstrap: [\"{edge}\"]}}\n");
    start(data_dir, &format!("{p2p}{more}"))
}

fn p2p_address(node: &Node) -> String {
    let info = node.call("getnetworkinfo", json!([]));
    let address = info["multiaddrs"][0].as_str().expect("an address");
    let parts: Vec<_> = address.split('/').collect();
    format!("{}:{}", parts[2], parts[4])
}

fn peer_id(node: &Node) -> String {
    let info = node.call(method::GET_ADMIN_INFO, json!([]));
    info["peerid"].as_str().expect("a peer id").to_owned()
}

fn condition(node: &Node, to: &Node, mut link: Value) {
    link["peerid"] = peer_id(to).into();
    let set = node.call(method::SET_CONDITIONS, json!([{"links": [link.clone()]}]));
    let info = node.call(method::GET_ADMIN_INFO, json!([]));
    assert_eq!(info["conditions"], set, "what is answered is in force");
    for (key, value) in link.as_object().expect("an object") {
        assert_eq!(&set["links"][0][key], value, "{key}");
    }
}

fn heal(nodes: &[&Node]) {
    for node in nodes {
        let set = node.call(method::SET_CONDITIONS, json!([{"links": []}]));
        assert_eq!(set, json!({"links": []}));
    }
}

fn probe(node: &Node, to: &Node) -> Value {
    let target = json!({"peerid": peer_id(to), "address": p2p_address(to)});
    let request = json!({"targets": [target], "timeout_ms": PROBE_MS});
    node.call(method::PROBE_PEERS, json!([request]))[0].clone()
}

fn tip(node: &Node) -> Value {
    node.call("getbestblockhash", json!([]))
}

fn wait_for_same_tip(a: &Node, b: &Node) {
    wait_for("the same tip", || (tip(a) == tip(b)).then_some(()));
}

#[test]
fn two_hundred_milliseconds_of_round_trip_show_in_a_probe_and_blocks_still_arrive() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let a = start(dirs[0].path(), MINING);
    let b = start_beside(dirs[1].path(), &a, "");
    b.wait_for_height(1);
    condition(&a, &b, json!({"latency_ms": 100.0}));
    condition(&b, &a, json!({"latency_ms": 100.0, "jitter_ms": 0.5}));
    // A busy machine may add to one probe, not to all.
    wait_for("a round trip of little more", || {
        let answer = probe(&a, &b);
        assert_eq!(answer["reachable"], true, "{answer}");
        let rtt_ms = answer["rtt_ms"].as_f64().expect("a number");
        assert!(rtt_ms >= 195.0, "{answer}");
        (rtt_ms < 395.0).then_some(())
    });
    b.wait_for_height(a.height() + 3);
    a.stop();
    b.stop();
}

#[test]
fn cut_parts_the_tips_and_healing_joins_them() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let a = start(dirs[0].path(), MINING);
    let b = start_beside(
        dirs[1].path(),
        &a,
        "mining: {enabled: true, hash_rate: 20}\n",
    );
    b.wait_for_height(2);
    condition(&a, &b, json!({"cut": true}));
    condition(&b, &a, json!({"cut": true}));
    let answer = probe(&a, &b);
    assert_eq!(answer["reachable"], false, "{answer}");
    assert!(
        answer["rtt_ms"].is_null() && answer["why"].is_string(),
        "{answer}"
    );
    for node in [&a, &b] {
        wait_for("the peer to be lost", || {
            (node.call("getpeerinfo", json!([])) == json!([])).then_some(())
        });
    }
    let apart = a.height().max(b.height()) + 2;
    a.wait_for_height(apart);
    b.wait_for_height(apart);
    let at = |node: &Node| node.call("getblockhash", json!([apart]));
    assert_ne!(at(&a), at(&b));
    heal(&[&a, &b]);
    wait_for_same_tip(&a, &b);
    wait_for("one chain", || (at(&a) == at(&b)).then_some(()));
    assert_eq!(probe(&a, &b)["reachable"], true);
    a.stop();
    b.stop();
}

#[test]
fn one_way_cut_keeps_blocks_from_passing_that_way() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let a = start(dirs[0].path(), MINING);
    let b = start_beside(dirs[1].path(), &a, "");
    b.wait_for_height(1);
    condition(&a, &b, json!({"cut": true}));
    // What was on its way arrives; then nothing does.
    let stuck = (0..20).find_map(|_| {
        let before = b.height();
        std::thread::sleep(Duration::from_secs(1));
        (b.height() == before).then_some(before)
    });
    let stuck = stuck.expect("b stands still");
    a.wait_for_height(stuck + 5);
    assert_eq!(b.height(), stuck);
    heal(&[&a]);
    b.wait_for_height(stuck + 5);
    a.stop();
    b.stop();
}

#[test]
fn lossy_and_slow_links_still_carry_the_chain() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let a = start(dirs[0].path(), "mining: {enabled: true, hash_rate: 20}\n");
    let b = start_beside(dirs[1].path(), &a, "");
    b.wait_for_height(1);
    condition(&a, &b, json!({"loss": 0.1, "rate_bytes_s": 20_000}));
    b.wait_for_height(a.height() + 3);
    a.stop();
    b.stop();
}

#[test]
fn without_admin_the_methods_do_not_exist() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let help = node.call("help", json!([]));
    for name in method::ALL {
        let (error, _) = node.try_call(name, json!([])).expect_err("unknown");
        assert_eq!(error, i64::from(code::METHOD_NOT_FOUND), "{name}");
        assert!(!help.as_str().expect("a text").contains(name), "{name}");
    }
    node.stop();
}

/// Conditions of one link to `peer`, with these fields.
fn one_link(peer: &str, fields: Value) -> Value {
    let mut link = json!({"peerid": peer});
    for (key, value) in fields.as_object().expect("an object") {
        link[key] = value.clone();
    }
    json!([{"links": [link]}])
}

fn probes(targets: Value, timeout_ms: u64) -> Value {
    json!([{"targets": targets, "timeout_ms": timeout_ms}])
}

/// Calls that make no sense.
fn bad_calls(id: &str) -> Vec<(&'static str, Value)> {
    let link = |fields| (method::SET_CONDITIONS, one_link(id, fields));
    let many: Vec<_> = (0..1_025).map(|_| json!({"peerid": id})).collect();
    vec![
        link(json!({"latency_ms": -1})),
        link(json!({"latency_ms": 60_001})),
        link(json!({"latency_ms": null})),
        link(json!({"loss": 1.5})),
        link(json!({"rate_bytes_s": 0})),
        link(json!({"rate_bytes_s": -5})),
        link(json!({"speed": 5})),
        link(json!({"peerid": "me"})),
        (method::SET_CONDITIONS, json!([{"links": many.clone()}])),
        (method::SET_CONDITIONS, json!([5])),
        (method::PROBE_PEERS, probes(json!([]), 0)),
        (method::PROBE_PEERS, probes(json!([]), 10_001)),
        (method::PROBE_PEERS, probes(json!(many), 1)),
        (
            method::PROBE_PEERS,
            probes(json!([{"peerid": id, "address": "x"}]), 1),
        ),
        (method::SET_CLOCK_OFFSET, json!([i64::MIN])),
        (method::SET_CLOCK_OFFSET, json!([1.5])),
        (method::SET_HASH_RATE, json!([-1])),
        (method::SET_HASH_RATE, json!([1e300])),
        (method::SET_DISK_QUOTA, json!([-1])),
        (method::SET_DISK_QUOTA, json!(["much"])),
    ]
}

#[test]
fn senseless_arguments_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), "");
    let before = node.call(method::GET_ADMIN_INFO, json!([]));
    assert_eq!(before["hashrate"], Value::Null);
    assert_eq!(before["disk"]["quota_bytes"], Value::Null);
    assert!(before["disk"]["used_bytes"].as_u64().expect("a number") > 0);
    for (name, params) in bad_calls(&peer_id(&node)) {
        let (error, why) = node
            .try_call(name, params.clone())
            .expect_err(&format!("{name} {params} is refused"));
        let expected = i64::from(code::INVALID_PARAMETER);
        assert_eq!(error, expected, "{name} {params}: {why}");
    }
    let (_, why) = node
        .try_call(method::SET_HASH_RATE, json!([5]))
        .expect_err("no miner");
    assert!(why.contains("mining.enabled"), "{why}");
    let none = node.call(method::PROBE_PEERS, probes(json!([]), 1));
    assert_eq!(none, json!([]));
    let after = node.call(method::GET_ADMIN_INFO, json!([]));
    assert_eq!(after["conditions"], before["conditions"]);
    assert_eq!(after["clock_offset_ms"], 0);
    node.stop();
}

fn tip_time(node: &Node) -> i64 {
    let info = node.call("getblockchaininfo", json!([]));
    info["time"].as_i64().expect("a number")
}

fn now_s() -> i64 {
    let now = std::time::SystemTime::now();
    let since = now
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of days")
}

#[test]
fn clock_offset_moves_the_time_of_mined_blocks_both_ways() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), MINING);
    node.wait_for_height(1);
    assert_eq!(
        node.call(method::SET_CLOCK_OFFSET, json!([600_000])),
        600_000
    );
    wait_for("a block of the future", || {
        (tip_time(&node) >= now_s() + 500).then_some(())
    });
    // Ten years back: blocks go on one second after the median.
    let offset = -10_i64 * 365 * 86_400 * 1_000;
    assert_eq!(node.call(method::SET_CLOCK_OFFSET, json!([offset])), offset);
    let info = node.call(method::GET_ADMIN_INFO, json!([]));
    assert_eq!(info["clock_offset_ms"], offset);
    let (_, page) = node.page("/metrics");
    assert!(
        page.contains("minichain_clock_offset_seconds -315360000"),
        "{page}"
    );
    assert_eq!(node.call(method::SET_CLOCK_OFFSET, json!([0])), 0);
    node.stop();
}

#[test]
fn hash_rate_can_be_changed_and_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), MINING);
    node.wait_for_height(1);
    let hashes = |node: &Node| node.call("getmininginfo", json!([]))["hashes"].clone();
    assert_eq!(node.call(method::SET_HASH_RATE, json!([0])), 0.0);
    wait_for("the search to stand still", || {
        let before = hashes(&node);
        std::thread::sleep(Duration::from_millis(700));
        (hashes(&node) == before).then_some(())
    });
    assert_eq!(node.call(method::SET_HASH_RATE, json!([500])), 500.0);
    node.wait_for_height(node.height() + 5);
    assert_eq!(node.call("getmininginfo", json!([]))["hashrate"], 500.0);
    let (_, page) = node.page("/metrics");
    assert!(
        page.contains("minichain_miner_hash_rate_limit 500"),
        "{page}"
    );
    node.stop();
}

#[test]
fn full_disk_ends_the_node_clearly_and_a_restart_goes_on_from_the_last_commit() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), MINING);
    let height = node.wait_for_height(3);
    let disk = node.call(method::SET_DISK_QUOTA, json!([1_000]));
    assert_eq!(disk["quota_bytes"], 1_000);
    assert!(
        disk["used_bytes"].as_u64().expect("a number") > 1_000,
        "{disk}"
    );
    let (status, log) = node.wait_for_end();
    assert_eq!(status.code(), Some(3), "{log}");
    assert!(
        log.contains("disk full") && log.contains("nothing committed is lost"),
        "{log}"
    );
    let again = start(dir.path(), MINING);
    assert!(again.height() >= height, "{} < {height}", again.height());
    assert_eq!(
        again.call(method::GET_ADMIN_INFO, json!([]))["disk"]["quota_bytes"],
        Value::Null
    );
    again.wait_for_height(height + 3);
    again.stop();
}

#[test]
fn quota_with_room_and_no_quota_let_the_node_go_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), MINING);
    node.call(method::SET_DISK_QUOTA, json!([1_u64 << 40]));
    node.wait_for_height(node.height() + 3);
    let disk = node.call(method::SET_DISK_QUOTA, json!([]));
    assert_eq!(disk["quota_bytes"], Value::Null);
    node.wait_for_height(node.height() + 3);
    node.stop();
}

#[test]
fn garbage_in_the_middle_of_the_store_is_told_without_a_panic() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = start(dir.path(), MINING);
    node.wait_for_height(5);
    node.signal(Signal::KILL);
    node.wait_for_end();
    let file = dir.path().join("chain.redb");
    let mut bytes = std::fs::read(&file).expect("a store");
    let (begin, end) = (bytes.len() / 4, bytes.len() * 3 / 4);
    for (place, byte) in bytes[begin..end].iter_mut().enumerate() {
        *byte = u8::try_from(place * 31 % 251).expect("small");
    }
    // What a node has written may all lie at the front.
    for byte in &mut bytes[4_096..begin] {
        *byte ^= 0xa5;
    }
    std::fs::write(&file, bytes).expect("room");
    let config = format!(
        "{EASY_GENESIS}{ADMIN}data_dir: {}\np2p: {{port: 0}}\nmetrics: {{port: 0}}\n",
        dir.path().display()
    );
    let output = minichain(&[])
        .env("MINICHAIN_CONFIG", config)
        .output()
        .expect("starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(
        message.contains("corrupt") && message.contains("remove "),
        "{message}"
    );
    assert!(!message.contains("panicked"), "{message}");
}
