//! The stories on plain processes.

use std::fs;
use std::process::Command;

use minichain_tests::network::Network;

use crate::story;

const ENGINE: &str = "process";

#[test]
fn three_nodes_agree_at_height_5() {
    story::three_nodes_agree_at_height_5(ENGINE);
}

#[test]
fn transfer_is_mined_and_seen_by_every_node() {
    story::transfer_is_mined_and_seen_by_every_node(ENGINE);
}

#[test]
fn killed_node_catches_up() {
    story::killed_node_catches_up(ENGINE, |network, node| {
        let pid = network.node(node).status["pid"].as_u64().expect("a process has a pid");
        let status = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        assert!(status.expect("kill runs").success());
    });
}

#[test]
fn up_twice_changes_nothing() {
    story::up_twice_changes_nothing(ENGINE);
}

#[test]
fn two_networks_run_side_by_side() {
    story::two_networks_run_side_by_side(ENGINE);
}

#[test]
fn down_leaves_no_process_and_no_folder() {
    let network = Network::up(ENGINE, &["--nodes", "2", "--miners", "1", "--block-time", "1s"]);
    let pids: Vec<u64> =
        network.nodes().iter().filter_map(|node| node.status["pid"].as_u64()).collect();
    assert_eq!(pids.len(), 2);
    network.must(&["down"]);
    for pid in pids {
        assert!(!is_node(pid), "process {pid} still runs");
    }
    assert!(!network.state().join(&network.name).exists(), "the network's folder is still there");
}

/// Whether `pid` is a node; another program may have got the number since.
fn is_node(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("minichain"))
}
