//! What a plan says, to the last byte.

use std::collections::{BTreeMap, BTreeSet};

use devnet_blueprint::topology::Peers;
use devnet_blueprint::{Blueprint, EngineInput, NodePlan, Role, Runtime, label};
use insta::assert_snapshot;
use minichain_api::config::{CONFIG_ENV, NodeConfig};
use minichain_api::genesis::{DifficultyRule, Owner};

use crate::support::{counts, docker, planned, process, yaml};

fn names(blueprint: &Blueprint) -> Vec<&str> {
    blueprint
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect()
}

fn dialled(node: &NodePlan) -> &[String] {
    &node.config.p2p.bootstrap
}

#[test]
fn three_nodes_of_which_two_mine_in_containers() {
    let blueprint = planned(&counts(3, 2), &docker());
    assert_snapshot!(serde_json::to_string_pretty(&blueprint).unwrap());
}

#[test]
fn two_nodes_of_which_one_mines_as_processes() {
    let blueprint = planned(&counts(2, 1), &process());
    assert_snapshot!(serde_json::to_string_pretty(&blueprint).unwrap());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for input in [docker(), process()] {
        let bytes = |blueprint: &Blueprint| serde_json::to_string(blueprint).unwrap();
        let once = planned(&counts(6, 3), &input);
        let again = planned(&counts(6, 3), &input);
        assert_eq!(bytes(&once), bytes(&again));
        assert_eq!(once.digest(), again.digest());
        let read: Blueprint = serde_json::from_str(&bytes(&once)).unwrap();
        assert_eq!(read, once);
        assert_eq!(read.digest(), once.digest());
    }
}

#[test]
fn the_first_node_that_does_not_mine_is_the_entry() {
    let blueprint = planned(&counts(5, 2), &docker());
    assert_eq!(
        names(&blueprint),
        [
            "bootstrap-0",
            "miner-0",
            "miner-1",
            "observer-0",
            "observer-1"
        ]
    );
    let entries: Vec<bool> = blueprint.nodes.iter().map(|node| node.is_entry).collect();
    assert_eq!(entries, [true, false, false, false, false]);

    let blueprint = planned(
        &yaml("groups: [{name: miner, count: 2}, {name: watcher}]"),
        &docker(),
    );
    assert!(blueprint.node("watcher-0").unwrap().is_entry);
}

#[test]
fn where_all_mine_the_first_miner_is_the_entry() {
    let blueprint = planned(&counts(3, 3), &docker());
    assert_eq!(names(&blueprint), ["miner-0", "miner-1", "miner-2"]);
    assert!(blueprint.nodes[0].is_entry);
    assert_eq!(blueprint.nodes[0].role, Role::Miner);
    assert!(dialled(&blueprint.nodes[0]).is_empty());
    assert_eq!(dialled(&blueprint.nodes[2]), ["172.30.5.10:9000"]);
}

#[test]
fn of_many_bootstraps_each_dials_those_before_it() {
    let text = "groups: [{name: bootstrap, count: 5}, {name: miner}]";
    let blueprint = planned(&yaml(text), &docker());
    let dials: Vec<usize> = blueprint
        .nodes
        .iter()
        .map(|node| dialled(node).len())
        .collect();
    assert_eq!(dials, [0, 1, 2, 3, 3, 3]);
    assert!(blueprint.nodes.iter().all(|node| node.config.p2p.discovery));
}

#[test]
fn in_a_large_network_nobody_is_dialled_by_all_and_every_way_leads_to_the_bootstrap_node() {
    let blueprint = planned(&counts(200, 20), &process());
    let address = |node: &NodePlan| node.inside.p2p.to_string();
    let places = blueprint.nodes.iter().map(address).zip(0..);
    let places: BTreeMap<String, usize> = places.collect();
    let mut dialled_by = vec![0; blueprint.nodes.len()];
    for (at, node) in blueprint.nodes.iter().enumerate() {
        for to in dialled(node) {
            assert!(places[to] < at, "{} dials who stands behind it", node.name);
            dialled_by[places[to]] += 1;
        }
        assert!(dialled(node).len() == 2 || at < 32, "{}", node.name);
    }
    assert_eq!(blueprint.nodes[0].name, "bootstrap-0");
    assert!(dialled(&blueprint.nodes[0]).is_empty());
    assert!(
        blueprint.nodes[1..]
            .iter()
            .all(|node| !dialled(node).is_empty())
    );
    assert_eq!(dialled_by[0], 31);
    assert!(
        dialled_by[1..].iter().all(|count| *count <= 5),
        "{dialled_by:?}"
    );
}

#[test]
fn explicit_edges_are_dialled_from_their_first_end_without_discovery() {
    let mut topology = counts(3, 3);
    let edge = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    topology.peers = Peers::Edges(vec![edge("miner-0", "miner-2"), edge("miner-1", "miner-2")]);
    let blueprint = planned(&topology, &docker());
    assert_eq!(dialled(&blueprint.nodes[0]), ["172.30.5.12:9000"]);
    assert_eq!(dialled(&blueprint.nodes[1]), ["172.30.5.12:9000"]);
    assert!(dialled(&blueprint.nodes[2]).is_empty());
    assert!(
        blueprint
            .nodes
            .iter()
            .all(|node| !node.config.p2p.discovery)
    );
}

#[test]
fn a_hub_accepts_as_many_connections_as_it_has_neighbours() {
    let mut topology = counts(200, 200);
    let edges = (1..200).map(|n| (format!("miner-{n}"), "miner-0".to_owned()));
    topology.peers = Peers::Edges(edges.collect());
    let blueprint = planned(&topology, &process());
    assert_eq!(blueprint.nodes[0].config.p2p.max_peers, 512);
    assert_eq!(blueprint.nodes[1].config.p2p.max_peers, 64);
}

#[test]
fn every_node_of_a_mesh_has_room_for_a_call_from_each_of_the_others() {
    for count in [1, 2, 18, 36, 37, 48, 49, 96, 97, 100, 200, 245] {
        for node in planned(&counts(count, 1), &process()).nodes {
            // A quarter of a node's places is for those that it dials itself.
            let places = node.config.p2p.max_peers;
            let inbound = places - places / 4;
            assert!(inbound >= count - 1, "{count} nodes, {}", node.name);
        }
    }
}

#[test]
fn nodes_of_a_large_network_look_for_fewer_peers() {
    let looked_for = |nodes: u32| {
        let blueprint = planned(&counts(nodes, 2), &docker());
        let nodes = blueprint.nodes.iter();
        let targets: BTreeSet<u32> = nodes.map(|node| node.config.p2p.target_peers).collect();
        targets.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(looked_for(17), [16]);
    assert_eq!(looked_for(18), [8]);
}

#[test]
fn the_genesis_expects_all_miners_together() {
    let text = r"
        groups: [{name: miner, count: 3, hash_rate: 2000}, {name: observer}]
        nodes: {miner-2: {hash_rate: 500}}
    ";
    let blueprint = planned(&yaml(text), &docker());
    assert_eq!(
        blueprint.genesis.as_ref().unwrap().initial_hash_rate,
        4_500.0
    );
    let rates: Vec<f64> = blueprint
        .miners()
        .map(|node| node.config.mining.hash_rate)
        .collect();
    assert_eq!(rates, [2_000.0, 2_000.0, 500.0]);
    assert!(
        blueprint
            .nodes
            .iter()
            .all(|node| node.config.genesis == blueprint.genesis)
    );
}

#[test]
fn a_network_without_miners_expects_one_default_miner() {
    let blueprint = planned(&counts(2, 0), &docker());
    assert_eq!(blueprint.genesis.unwrap().initial_hash_rate, 10_000.0);
}

#[test]
fn the_half_life_is_never_below_ten_future_limits() {
    let genesis = |block_time: &str| {
        let text = format!("{{groups: [{{name: miner}}], genesis: {{block_time: {block_time}}}}}");
        planned(&yaml(&text), &docker()).genesis.unwrap()
    };
    for (block_time, future_limit_s, half_life_s) in [
        ("1s", 10, 100),
        ("3s", 10, 100),
        ("5s", 15, 150),
        ("10m", 1_800, 18_000),
    ] {
        let genesis = genesis(block_time);
        assert_eq!(genesis.future_limit_s, Some(future_limit_s), "{block_time}");
        let expected = DifficultyRule::Asert {
            half_life_s: Some(half_life_s),
        };
        assert_eq!(genesis.difficulty, expected, "{block_time}");
    }
}

#[test]
fn accounts_share_a_published_seed_that_follows_from_the_seed() {
    let owner = |seed: u64, name: &str| {
        let mut topology = counts(1, 1);
        (topology.seed, topology.name) = (Some(seed), name.into());
        let allocations = planned(&topology, &docker()).genesis.unwrap().allocations;
        assert_eq!(allocations.len(), 4);
        assert!(
            allocations
                .iter()
                .all(|account| account.owner == allocations[0].owner)
        );
        match allocations[0].owner.clone() {
            Owner::PublicSeed(seed) => seed,
            Owner::Address(address) => unreachable!("a seed was planned, not {address}"),
        }
    };
    assert_eq!(owner(1, "a"), owner(1, "a"));
    assert_ne!(owner(1, "a"), owner(2, "a"));
    assert_ne!(owner(1, "a"), owner(1, "b"));
}

#[test]
fn identities_differ_by_node_network_and_seed_and_nothing_else() {
    let identities = |nodes: u32, seed: u64, name: &str| -> BTreeSet<String> {
        let mut topology = counts(nodes, nodes);
        (topology.seed, topology.name) = (Some(seed), name.into());
        planned(&topology, &docker())
            .nodes
            .into_iter()
            .map(|node| node.identity_seed)
            .collect()
    };
    let base = identities(8, 1, "a");
    assert_eq!(base.len(), 8);
    assert!(identities(9, 1, "a").is_superset(&base));
    assert!(identities(8, 2, "a").is_disjoint(&base));
    assert!(identities(8, 1, "b").is_disjoint(&base));
}

#[test]
fn no_two_nodes_share_a_name_address_port_or_volume() {
    let text = "groups: [{name: bootstrap}, {name: miner, count: 9}, {name: spare, count: 10}]";
    for input in [docker(), process()] {
        let blueprint = planned(&yaml(text), &input);
        let distinct = |facts: Vec<String>| {
            let set: BTreeSet<&String> = facts.iter().collect();
            assert_eq!(set.len(), facts.len(), "{facts:?}");
        };
        let of = |fact: fn(&NodePlan) -> String| blueprint.nodes.iter().map(fact).collect();
        distinct(of(|node| node.name.clone()));
        distinct(of(|node| node.ip.to_string()));
        distinct(of(|node| node.container_name().to_owned()));
        distinct(of(|node| node.volume.name.clone()));
        distinct(of(|node| node.spec.clone()));
        let host = blueprint
            .nodes
            .iter()
            .flat_map(|node| [node.host.rpc, node.host.metrics]);
        distinct(host.map(|endpoint| endpoint.to_string()).collect());
    }
}

#[test]
fn a_container_is_handed_exactly_its_configuration() {
    let text = "groups: [{name: miner, env: {EXTRA: '1'}, memory: 128MiB}]";
    let blueprint = planned(&yaml(text), &docker());
    let node = &blueprint.nodes[0];
    let Runtime::Container(container) = &node.runtime else {
        unreachable!()
    };
    let config: NodeConfig = serde_yaml::from_str(&container.env[CONFIG_ENV]).unwrap();
    assert_eq!(config, node.config);
    assert_eq!(container.env["EXTRA"], "1");
    assert_eq!(container.memory_max_bytes, 128 << 20);
    assert_eq!(container.cap_drop, ["ALL"]);
    assert_eq!(container.cap_add, ["NET_ADMIN"]);
    assert!(container.read_only_root);
}

#[test]
fn a_process_is_handed_exactly_its_configuration() {
    let blueprint = planned(&counts(1, 1), &process());
    let node = &blueprint.nodes[0];
    let Runtime::Process(process) = &node.runtime else {
        unreachable!()
    };
    let config: NodeConfig = serde_yaml::from_str(&process.files[0].text).unwrap();
    assert_eq!(config, node.config);
    assert_eq!(
        process.command.last().unwrap(),
        process.files[0].path.to_str().unwrap()
    );
    let inside = [&process.files[0].path, &process.log_file, &process.pid_file];
    assert!(inside.iter().all(|path| path.starts_with(&process.folder)));
    assert_eq!(node.volume.folder.as_ref(), Some(&node.config.data_dir));
}

#[test]
fn labels_carry_the_run_and_the_digest_of_the_plan() {
    let blueprint = planned(&counts(2, 1), &docker());
    for node in &blueprint.nodes {
        assert_eq!(node.labels[label::NAME], "local");
        assert_eq!(node.labels[label::RUN], "run-1");
        assert_eq!(node.labels[label::SPEC], node.spec);
        assert_eq!(node.labels[label::NODE], node.name);
        assert_eq!(node.labels[label::RPC], node.host.rpc.to_string());
        assert_eq!(node.volume.labels[label::RUN], "run-1");
        let secret = |value: &String| value.contains("correct-horse");
        assert!(!node.labels.values().any(secret));
    }
}

#[test]
fn any_change_of_a_nodes_plan_changes_its_digest_and_no_others() {
    let base = planned(&counts(3, 2), &docker());
    let changed = |text: &str| {
        let text = format!(
            "{{groups: [{{name: bootstrap}}, {{name: miner, count: 2}}], nodes: {{miner-0: {text}}}}}"
        );
        let other = planned(&yaml(&text), &docker());
        let pairs = base.nodes.iter().zip(other.nodes);
        pairs
            .filter(|(a, b)| a.spec != b.spec)
            .map(|(a, _)| a.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(changed("{}"), [""; 0]);
    for text in [
        "{memory: 512MiB}",
        "{image: 'x:1'}",
        "{env: {A: b}}",
        "{log_filter: debug}",
    ] {
        assert_eq!(changed(text), ["miner-0"], "{text}");
    }
    // A rate is part of the genesis, which all nodes share.
    assert_eq!(changed("{hash_rate: 1}").len(), 3);
}

#[test]
fn each_binary_runs_from_its_own_image() {
    let mut input = docker();
    let EngineInput::Docker(engine) = &mut input.engine else {
        unreachable!()
    };
    engine
        .images
        .insert("/opt/old".into(), "minichain:old".into());
    let topology = yaml("groups: [{name: miner}, {name: aged, binary: /opt/old}]");
    assert_eq!(topology.binaries(), BTreeSet::from(["/opt/old".to_owned()]));
    let images: Vec<String> = planned(&topology, &input)
        .nodes
        .into_iter()
        .map(|node| match node.runtime {
            Runtime::Container(container) => container.image,
            Runtime::Process(_) => unreachable!(),
        })
        .collect();
    assert_eq!(images, ["minichain:0123abcd", "minichain:old"]);
}

#[test]
fn a_name_too_long_for_the_wire_is_shortened_without_confusion() {
    let network = |name: &str| {
        let mut topology = counts(1, 1);
        topology.name = name.into();
        planned(&topology, &docker()).genesis.unwrap().network
    };
    let long = "a".repeat(39);
    assert_eq!(network(&"a".repeat(32)), "a".repeat(32));
    assert_eq!(network(&format!("{long}b")).len(), 32);
    assert_ne!(network(&format!("{long}b")), network(&format!("{long}c")));
}

#[test]
fn a_blueprint_of_another_format_is_refused() {
    let text = serde_json::to_string(&planned(&counts(1, 1), &docker())).unwrap();
    let text = text.replacen("\"format\":1", "\"format\":2", 1);
    let error = serde_json::from_str::<Blueprint>(&text)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("format 2 is of another devnet version"),
        "{error}"
    );
}
