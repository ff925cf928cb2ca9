//! A data folder that is not this node's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::{EASY_GENESIS, Node, minichain, shown};

fn seeded(name: &str, digit: char) -> String {
    let seed = digit.to_string().repeat(64);
    format!(
        "name: {name}\np2p: {{port: 0, discovery: false, identity_seed: \"{seed}\"}}\n\
         mining: {{enabled: true, hash_rate: 60}}\n"
    )
}

/// Every file of the folder but the store, whose bytes change when it is opened.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("a folder");
    let read = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).expect("a file"))
    });
    read.filter(|(name, _)| name != "chain.redb").collect()
}

/// Runs a node that must refuse the folder and end by itself.
fn refused(dir: &Path, config: &str) -> String {
    let config = format!(
        "{config}data_dir: {}\nrpc: {{port: 0}}\nmetrics: {{port: 0}}\n",
        dir.display()
    );
    let output: Output = minichain(&[])
        .env("MINICHAIN_CONFIG", config)
        .stdout(Stdio::null())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn folders_of_two_nodes_that_were_exchanged_are_refused_and_lose_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let [alpha, beta, aside] = ["alpha", "beta", "aside"].map(|name| root.path().join(name));
    let nodes = [(&alpha, seeded("alpha", '1')), (&beta, seeded("beta", '2'))];
    let heights = nodes.clone().map(|(dir, config)| {
        let node = Node::start(dir, &config);
        let height = node.wait_for_height(3);
        node.stop();
        height
    });
    let swap = || {
        fs::rename(&alpha, &aside).expect("a move");
        fs::rename(&beta, &alpha).expect("a move");
        fs::rename(&aside, &beta).expect("a move");
    };
    swap();
    for ((dir, config), (own, other)) in nodes.iter().zip([("alpha", "beta"), ("beta", "alpha")]) {
        let before = files(dir);
        let told = refused(dir, &format!("{EASY_GENESIS}{config}"));
        for words in [format!("belongs to node {other}"), format!("this is {own}")] {
            assert!(told.contains(&words), "{words}: {told}");
        }
        assert_eq!(files(dir), before);
    }
    swap();
    for ((dir, config), height) in nodes.iter().zip(heights) {
        let node = Node::start(dir, config);
        assert!(node.height() >= height);
        node.stop();
    }
}

#[test]
fn folder_of_another_network_is_refused_first_and_loses_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::start(root.path(), &seeded("alpha", '1'));
    let height = node.wait_for_height(3);
    node.stop();
    let before = files(root.path());
    let other = EASY_GENESIS.replace("network: easy", "network: other");
    let told = refused(root.path(), &format!("{other}{}", seeded("beta", '2')));
    for words in ["another network", "other", "own folder back", "--genesis"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(files(root.path()), before);
    let node = Node::start(root.path(), &seeded("alpha", '1'));
    assert!(node.height() >= height);
    node.stop();
}

#[test]
fn node_without_configured_identity_takes_its_own_along_with_its_folder() {
    let root = tempfile::tempdir().expect("a folder");
    let [here, there] = ["here", "there"].map(|name| root.path().join(name));
    let identity = |dir: &Path| {
        let node = Node::start(dir, "");
        let info = node.call("getnetworkinfo", serde_json::json!([]));
        node.stop();
        info["peerid"].clone()
    };
    let first = identity(&here);
    fs::rename(&here, &there).expect("a move");
    assert_eq!(identity(&there), first);
}
