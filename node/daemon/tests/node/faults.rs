//! A world that is not as it should be.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::support::{EASY_GENESIS, Node, minichain, run, shown};

/// Runs a node that must refuse to start; exit code and message.
fn refused(data_dir: &Path, config: &str) -> (Option<i32>, String) {
    let config = format!("data_dir: {}\n{config}", data_dir.display());
    let output = minichain(&[])
        .env("MINICHAIN_CONFIG", config)
        .output()
        .expect("starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

const ANY_PORTS: &str = "p2p: {port: 0}\nrpc: {port: 0}\nmetrics: {port: 0}\n";

#[test]
fn occupied_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    for which in ["p2p", "rpc", "metrics"] {
        let dir = tempfile::tempdir().expect("a folder");
        let config = ANY_PORTS.replace(
            &format!("{which}: {{port: 0}}"),
            &format!("{which}: {{port: {port}}}"),
        );
        let (code, message) = refused(dir.path(), &config);
        assert_eq!(code, Some(3), "{which}: {message}");
        assert!(message.contains(&port.to_string()), "{which}: {message}");
        assert!(message.contains("port"), "{which}: {message}");
    }
}

#[test]
fn folder_of_a_running_node_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (code, message) = refused(dir.path(), &format!("{EASY_GENESIS}{ANY_PORTS}"));
    assert_eq!(code, Some(3), "{message}");
    assert!(
        message.contains("in use by another node") && message.contains("--data-dir"),
        "{message}"
    );
    assert_eq!(node.height(), 0, "the first node goes on");
    node.stop();
}

#[test]
fn corrupt_store_is_refused_and_its_removal_helps() {
    let dir = tempfile::tempdir().expect("a folder");
    let miner = Node::start_miner(dir.path());
    miner.wait_for_height(3);
    miner.stop();
    let file = dir.path().join("chain.redb");
    let whole = std::fs::read(&file).expect("a store");
    let mut flipped = whole.clone();
    for place in (0..flipped.len()).step_by(97) {
        flipped[place] ^= 0x55;
    }
    for broken in [&b"no store at all"[..], &whole[..whole.len() / 3], &flipped] {
        std::fs::write(&file, broken).expect("room");
        let (code, message) = refused(dir.path(), &format!("{EASY_GENESIS}{ANY_PORTS}"));
        assert_eq!(code, Some(3), "{message}");
        assert!(message.contains("corrupt"), "{message}");
        assert!(
            message.contains(&format!("remove {}", file.display())),
            "{message}"
        );
        assert!(message.contains("fetched again from peers"), "{message}");
    }
    std::fs::remove_file(&file).expect("there");
    let node = Node::start(dir.path(), "");
    assert_eq!(node.height(), 0);
    node.stop();
}

#[test]
fn folder_of_another_network_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    Node::start(dir.path(), "").stop();
    let (code, message) = refused(dir.path(), ANY_PORTS);
    assert_eq!(code, Some(2), "{message}");
    let ours = String::from_utf8(run(&["genesis", "hash"]).stdout).expect("UTF-8");
    for word in [
        ours.trim_end(),
        "minichain-local",
        "--data-dir",
        "--genesis",
    ] {
        assert!(message.contains(word), "{word}: {message}");
    }
    Node::start(dir.path(), "").stop();
}

#[test]
fn folder_that_cannot_be_made_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").expect("room");
    let (code, message) = refused(&file.join("data"), ANY_PORTS);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("--data-dir"), "{message}");
}

#[test]
fn damaged_miner_key_is_refused_and_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let key = dir.path().join("miner.key");
    std::fs::write(&key, "not a key\n").expect("room");
    let config = format!("{ANY_PORTS}mining: {{enabled: true}}\n");
    let (code, message) = refused(dir.path(), &config);
    assert_eq!(code, Some(3), "{message}");
    assert!(
        message.contains("miner.key") && message.contains("restore"),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(&key).expect("there"), "not a key\n");
}

#[test]
fn full_disk_ends_the_node_with_a_clear_message() {
    // A limit on file sizes stands in for the full disk: the system refuses
    // the write in the same way, without filling anything.
    let dir = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_minichain");
    let config = format!(
        "{EASY_GENESIS}{ANY_PORTS}data_dir: {}\nmining: {{enabled: true, hash_rate: 60}}\n",
        dir.path().display()
    );
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\""])
        .arg(program)
        .env("MINICHAIN_CONFIG", config)
        .output()
        .expect("a shell");
    let message = shown(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("free some"), "{message}");
    Node::start(dir.path(), "").stop();
}
