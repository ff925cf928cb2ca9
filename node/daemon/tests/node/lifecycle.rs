//! Start, end, and start again.

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Node, minichain, wait_for};

#[test]
fn signals_end_the_node_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let dir = tempfile::tempdir().expect("a folder");
        let node = Node::start_miner(dir.path());
        let cookie = node.data_dir.join(".cookie");
        assert!(cookie.exists());
        node.signal(signal);
        let (status, log) = node.wait_for_end();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("\"ended\""), "{log}");
        assert!(!cookie.exists(), "the cookie must go with the node");
    }
}

#[test]
fn stop_answers_and_ends_the_node() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    assert_eq!(node.call("stop", json!([])), "minichain stopping");
    let (status, log) = node.wait_for_end();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn restart_continues_from_the_store() {
    let dir = tempfile::tempdir().expect("a folder");
    let miner = Node::start_miner(dir.path());
    let height = miner.wait_for_height(4);
    let block = miner.call("getblockhash", json!([4]));
    let address = miner.call("getmininginfo", json!([]))["address"].clone();
    miner.stop();

    let observer = Node::start(dir.path(), "");
    assert!(observer.height() >= height);
    assert_eq!(observer.call("getblockhash", json!([4])), block);
    assert_eq!(observer.call("getmininginfo", json!([]))["mining"], false);
    let height = observer.height();
    observer.stop();

    let miner = Node::start_miner(dir.path());
    miner.wait_for_height(height + 2);
    assert_eq!(
        miner.call("getmininginfo", json!([]))["address"],
        address,
        "the key file is kept"
    );
    miner.stop();
}

#[test]
fn killed_node_keeps_what_it_had_told_others() {
    let dir = tempfile::tempdir().expect("a folder");
    for round in 1..=3 {
        let node = Node::start_miner(dir.path());
        let height = node.wait_for_height(3 * round);
        let tip = node.call("getblockhash", json!([height]));
        node.signal(Signal::KILL);
        let (status, _) = node.wait_for_end();
        assert_eq!(status.code(), None);
        let node = Node::start(dir.path(), "");
        assert!(node.height() >= height);
        assert_eq!(node.call("getblockhash", json!([height])), tip);
        let info = node.call("gettxoutsetinfo", json!([]));
        // One coin for each block besides those of the genesis block.
        assert_eq!(info["height"], node.height());
        assert_eq!(
            info["total_sats"],
            100_000_000_000_u64 + 5_000_000_000 * node.height()
        );
        node.stop();
    }
}

#[test]
fn log_lines_are_json_or_text_with_utc_milliseconds() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let line = &node.log_lines()[0];
    let time = line["timestamp"].as_str().expect("a time");
    assert!(
        time.len() == 24 && time.ends_with('Z') && time.as_bytes()[19] == b'.',
        "{time}"
    );
    node.stop();

    let dir = tempfile::tempdir().expect("a folder");
    let data_dir = dir.path().join("data");
    let mut child = minichain(&[
        "--port",
        "0",
        "--data-dir",
        data_dir.to_str().expect("UTF-8"),
    ])
    .stderr(std::process::Stdio::piped())
    .spawn()
    .expect("starts");
    wait_for("the cookie", || {
        data_dir.join(".cookie").exists().then_some(())
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).expect("it is there");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut text)
        .expect("text");
    assert_eq!(child.wait().expect("a child").code(), Some(0), "{text}");
    assert!(
        text.lines()
            .all(|line| line.as_bytes().get(23) == Some(&b'Z')),
        "{text}"
    );
    assert!(
        text.contains("network=minichain-local") && !text.contains('\u{1b}'),
        "{text}"
    );
}
