//! The stories on the real Docker engine.

use minichain_tests::docker;
use minichain_tests::network::Network;
use serde_json::json;

use crate::{nodes, payments, story};

const ENGINE: &str = "docker";

#[test]
fn three_nodes_agree_at_height_5() {
    if docker::available("three_nodes_agree_at_height_5") {
        story::three_nodes_agree_at_height_5(ENGINE);
    }
}

#[test]
fn transfer_is_mined_and_seen_by_every_node() {
    if docker::available("transfer_is_mined_and_seen_by_every_node") {
        story::transfer_is_mined_and_seen_by_every_node(ENGINE);
    }
}

#[test]
fn accounts_and_wallets_pay_each_other() {
    if docker::available("accounts_and_wallets_pay_each_other") {
        payments::accounts_and_wallets_pay_each_other(ENGINE);
    }
}

#[test]
fn killed_node_catches_up() {
    if docker::available("killed_node_catches_up") {
        story::killed_node_catches_up(ENGINE, |network, node| {
            docker::docker(&["kill", &container(network, node)]);
        });
    }
}

#[test]
fn nodes_are_killed_frozen_and_wiped() {
    if docker::available("nodes_are_killed_frozen_and_wiped") {
        nodes::nodes_are_killed_frozen_and_wiped(ENGINE);
    }
}

#[test]
fn a_damaged_store_is_refused_and_healed() {
    if docker::available("a_damaged_store_is_refused_and_healed") {
        nodes::a_damaged_store_is_refused_and_healed(ENGINE);
    }
}

#[test]
fn nodes_come_go_and_are_upgraded() {
    if docker::available("nodes_come_go_and_are_upgraded") {
        nodes::nodes_come_go_and_are_upgraded(ENGINE);
    }
}

#[test]
fn clocks_hash_rates_and_disks_are_set_wrong_and_right() {
    if docker::available("clocks_hash_rates_and_disks_are_set_wrong_and_right") {
        nodes::clocks_hash_rates_and_disks_are_set_wrong_and_right(ENGINE);
    }
}

#[test]
fn up_twice_changes_nothing() {
    if docker::available("up_twice_changes_nothing") {
        story::up_twice_changes_nothing(ENGINE);
    }
}

#[test]
fn two_networks_run_side_by_side() {
    if docker::available("two_networks_run_side_by_side") {
        story::two_networks_run_side_by_side(ENGINE);
    }
}

#[test]
fn down_leaves_no_container_network_or_volume() {
    if !docker::available("down_leaves_no_container_network_or_volume") {
        return;
    }
    let network = Network::up(ENGINE, &["--nodes", "3", "--miners", "2"]);
    assert_eq!(
        docker::left_behind(&network.name).len(),
        3 + 1 + 3,
        "containers, network, volumes"
    );
    network.must(&["down"]);
    assert_eq!(docker::left_behind(&network.name), Vec::<String>::new());
}

#[test]
fn restarted_container_keeps_its_ports_and_its_chain() {
    if !docker::available("restarted_container_keeps_its_ports_and_its_chain") {
        return;
    }
    let network = Network::up(
        ENGINE,
        &["--nodes", "2", "--miners", "1", "--block-time", "1s"],
    );
    let height = network.wait_until_agreed(2, std::time::Duration::from_secs(60));
    let before = network.node("miner-0");
    docker::docker(&["restart", &container(&network, "miner-0")]);
    let after = network.node("miner-0");
    assert_eq!(before.status["rpc_url"], after.status["rpc_url"]);
    minichain_tests::network::wait_until(std::time::Duration::from_secs(30), || {
        let now: u32 = before.rpc.call("getblockcount", &json!([]))?;
        if now >= height {
            Ok(())
        } else {
            Err(format!("back at height {now}"))
        }
    });
}

#[test]
fn containers_are_locked_down() {
    if !docker::available("containers_are_locked_down") {
        return;
    }
    let network = Network::up(ENGINE, &["--nodes", "1", "--miners", "1"]);
    let id = container(&network, "miner-0");
    let look = |format: &str| {
        docker::docker(&["inspect", "-f", format, &id])
            .trim()
            .to_owned()
    };
    assert_eq!(look("{{.Config.User}}"), "65532:65532");
    assert_eq!(look("{{.HostConfig.ReadonlyRootfs}}"), "true");
    assert!(["[ALL]", "[CAP_ALL]"].contains(&look("{{.HostConfig.CapDrop}}").as_str()));
    assert!(["[NET_ADMIN]", "[CAP_NET_ADMIN]"].contains(&look("{{.HostConfig.CapAdd}}").as_str()));
    assert_ne!(look("{{.HostConfig.Memory}}"), "0");
    assert_ne!(
        look("{{index .HostConfig.LogConfig.Config \"max-size\"}}"),
        "<no value>"
    );
    let ports = look("{{json .HostConfig.PortBindings}}");
    assert!(
        ports.contains("127.0.0.1") && !ports.contains("0.0.0.0"),
        "{ports}"
    );
}

/// The id of the container of a node.
fn container(network: &Network, node: &str) -> String {
    let name = format!("label=devnet.name={}", network.name);
    let node_label = format!("label=devnet.node={node}");
    let ids = docker::docker(&["ps", "-aq", "--filter", &name, "--filter", &node_label]);
    let mut ids = ids.lines();
    let id = ids
        .next()
        .unwrap_or_else(|| panic!("no container of {node}"))
        .to_owned();
    assert_eq!(ids.next(), None, "{node} has two containers");
    id
}
