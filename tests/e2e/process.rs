//! The stories on plain processes.

use std::process::Command;

use minichain_tests::network::{Network, pid};

use crate::{nodes, payments, story};

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
fn accounts_and_wallets_pay_each_other() {
    payments::accounts_and_wallets_pay_each_other(ENGINE);
}

#[test]
fn bad_payments_of_accounts_are_refused() {
    payments::bad_payments_of_accounts_are_refused(ENGINE);
}

#[test]
fn killed_node_catches_up() {
    story::killed_node_catches_up(ENGINE, |network, node| {
        let pid = pid(&network.node(node)).expect("the node runs");
        let status = Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    });
}

#[test]
fn nodes_are_killed_frozen_and_wiped() {
    nodes::nodes_are_killed_frozen_and_wiped(ENGINE);
}

#[test]
fn a_damaged_store_is_refused_and_healed() {
    nodes::a_damaged_store_is_refused_and_healed(ENGINE);
}

#[test]
fn nodes_come_go_and_are_upgraded() {
    nodes::nodes_come_go_and_are_upgraded(ENGINE);
}

#[test]
fn clocks_hash_rates_and_disks_are_set_wrong_and_right() {
    nodes::clocks_hash_rates_and_disks_are_set_wrong_and_right(ENGINE);
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
    let network = Network::up(
        ENGINE,
        &["--nodes", "2", "--miners", "1", "--block-time", "1s"],
    );
    let nodes = network.nodes();
    assert!(nodes.iter().all(|node| pid(node).is_some()));
    network.must(&["down"]);
    for node in nodes {
        assert_eq!(pid(&node), None, "{} still runs", node.name);
    }
    assert!(
        !network.state().join(&network.name).exists(),
        "the network's folder is still there"
    );
}
