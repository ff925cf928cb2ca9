//! Whole nodes as processes: the walk of three terminals, restarts, and
//! neighbours that do not belong together.

#![expect(clippy::panic, reason = "a test fails by panicking")]

#[path = "walk/process.rs"]
mod process;

use std::fs;
use std::time::Duration;

use process::{Node, free_port, until};

/// Fast blocks, so that a test need not wait.
const GENESIS: &str = "\
network: walk
time_s: 1767225600
spacing_s: 1
initial_hash_rate: 20000.0
coinbase_maturity: 5
";

/// ```text
/// a (mines) ◄── b ◄── c (mines)      then also a ── c
/// ```
#[test]
fn three_terminals_converge_on_one_chain() {
    let dir = tempfile::tempdir().expect("temp dir");
    let a = Node::start(dir.path(), free_port(), &["--mine"]);
    let b = Node::start(dir.path(), free_port(), &["--bootstrap", &a.p2p()]);
    let c = Node::start(
        dir.path(),
        free_port(),
        &["--bootstrap", &b.p2p(), "--mine"],
    );
    let nodes = [&a, &b, &c];
    until("everyone knows the two others", &nodes, || {
        nodes.iter().all(|n| n.peers() == Some(2))
    });
    until("everyone has the same third block", &nodes, || {
        agree_at(&nodes, 3)
    });
    for node in [a, b, c] {
        assert_eq!(node.terminate(), Some(0));
    }
}

/// ```text
/// a (mines) ◄── b      b is killed, comes back, and finds a without being told
/// ```
#[test]
fn a_node_comes_back_with_its_chain_and_its_neighbours() {
    let dir = tempfile::tempdir().expect("temp dir");
    let genesis = genesis_file(dir.path(), GENESIS);
    let a = Node::start(dir.path(), free_port(), &["--mine", "--genesis", &genesis]);
    let port = free_port();
    let b = Node::start(
        dir.path(),
        port,
        &["--bootstrap", &a.p2p(), "--genesis", &genesis],
    );
    let nodes = [&a, &b];
    until("b follows a", &nodes, || agree_at(&nodes, 3));
    let before = b.height().expect("a height");
    assert_eq!(b.terminate(), Some(0));

    // In order: height and neighbours were written down.
    let b = Node::start(dir.path(), port, &["--genesis", &genesis]);
    let nodes = [&a, &b];
    until("b answers", &nodes, || b.height().is_some());
    assert!(
        b.height() >= Some(before),
        "{:?} after {before}",
        b.height()
    );
    let goal = a.height().expect("a height") + 3;
    until("b follows a again", &nodes, || agree_at(&nodes, goal));

    // Killed: nothing was written at the end, yet nothing is lost.
    b.kill();
    let b = Node::start(
        dir.path(),
        port,
        &["--bootstrap", &a.p2p(), "--genesis", &genesis],
    );
    let nodes = [&a, &b];
    let goal = a.height().expect("a height") + 3;
    until("b follows a after the kill", &nodes, || {
        agree_at(&nodes, goal)
    });
}

/// ```text
/// a (mines) ── b ── c ── a      b is frozen until both others have given it up
/// ```
#[test]
fn a_frozen_node_is_given_up_and_catches_up_when_it_thaws() {
    let dir = tempfile::tempdir().expect("temp dir");
    let genesis = genesis_file(dir.path(), GENESIS);
    let a = Node::start(dir.path(), free_port(), &["--mine", "--genesis", &genesis]);
    let b = Node::start(
        dir.path(),
        free_port(),
        &["--bootstrap", &a.p2p(), "--genesis", &genesis],
    );
    let c = Node::start(
        dir.path(),
        free_port(),
        &["--bootstrap", &b.p2p(), "--genesis", &genesis],
    );
    let nodes = [&a, &b, &c];
    until("everyone knows the two others", &nodes, || {
        nodes.iter().all(|n| n.peers() == Some(2))
    });
    until("all follow a", &nodes, || agree_at(&nodes, 2));
    b.freeze();
    until("b is given up", &nodes, || {
        a.peers() == Some(1) && c.peers() == Some(1)
    });
    b.thaw();
    let goal = a.height().expect("a height") + 3;
    until("b is back and follows", &nodes, || {
        nodes.iter().all(|node| node.peers() == Some(2)) && agree_at(&nodes, goal)
    });
    let before = b.blocks_heard().expect("a count");
    until("b hears gossip again", &nodes, || {
        b.blocks_heard() > Some(before + 2)
    });
}

#[test]
fn another_genesis_file_means_goodbye_with_both_hashes_in_the_log() {
    let dir = tempfile::tempdir().expect("temp dir");
    let ours = genesis_file(dir.path(), GENESIS);
    let theirs = GENESIS.replace("coinbase_maturity: 5", "coinbase_maturity: 6");
    let theirs = genesis_file(dir.path(), &theirs);
    let a = Node::start(dir.path(), free_port(), &["--genesis", &ours]);
    let b = Node::start(
        dir.path(),
        free_port(),
        &["--genesis", &theirs, "--bootstrap", &a.p2p()],
    );
    let nodes = [&a, &b];
    until("both answer", &nodes, || {
        nodes.iter().all(|node| node.height().is_some())
    });
    let hashes = nodes.map(|node| {
        node.call("getblockhash", "[0]")
            .expect("a hash")
            .to_string()
    });
    let hashes = hashes.map(|hash| hash.trim_matches('"').to_owned());
    assert_ne!(hashes[0], hashes[1]);
    let tells = |node: &Node| {
        let log = node.log();
        let told = |line: &str| hashes.iter().all(|hash| line.contains(hash.as_str()));
        log.lines().any(told)
    };
    until("both logs tell both hashes", &nodes, || {
        nodes.iter().all(|node| tells(node))
    });
    until("they parted", &nodes, || {
        nodes.iter().all(|node| node.peers() == Some(0))
    });
}

#[test]
fn another_network_is_named_in_the_log_and_left_alone() {
    let dir = tempfile::tempdir().expect("temp dir");
    let ours = genesis_file(dir.path(), GENESIS);
    let theirs = genesis_file(
        dir.path(),
        &GENESIS.replace("network: walk", "network: run"),
    );
    let a = Node::start(dir.path(), free_port(), &["--genesis", &ours]);
    let b = Node::start(
        dir.path(),
        free_port(),
        &["--genesis", &theirs, "--bootstrap", &a.p2p()],
    );
    let nodes = [&a, &b];
    until("b's log names both networks", &nodes, || {
        let log = b.log();
        log.lines()
            .any(|line| line.contains("/minichain/walk/") && line.contains("/minichain/run/"))
    });
    until("they parted", &nodes, || {
        nodes.iter().all(|node| node.peers() == Some(0))
    });
}

#[test]
fn an_occupied_port_ends_the_node_with_code_3_and_says_what_to_do() {
    let dir = tempfile::tempdir().expect("temp dir");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = holder.local_addr().expect("address").port();
    let node = Node::start(dir.path(), port, &[]);
    let (code, log) = node.ended(Duration::from_secs(60));
    assert_eq!(code, Some(3), "{log}");
    assert!(
        log.contains(&format!("127.0.0.1:{port}")) && log.contains("--port"),
        "{log}"
    );
}

/// Whether all have the same block at `height`.
fn agree_at(nodes: &[&Node], height: u64) -> bool {
    let hash = |node: &&Node| node.call("getblockhash", &format!("[{height}]"));
    let hashes: Vec<_> = nodes.iter().map(hash).collect();
    hashes[0].is_some() && hashes.iter().all(|hash| *hash == hashes[0])
}

fn genesis_file(dir: &std::path::Path, text: &str) -> String {
    let file = dir.join(format!(
        "genesis-{}.yaml",
        fs::read_dir(dir).expect("folder").count()
    ));
    fs::write(&file, text).expect("write");
    file.to_str().expect("a plain path").to_owned()
}
