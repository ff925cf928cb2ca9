//! Topologies as files say them.

use devnet_blueprint::topology::{Peers, Role, Settings};
use devnet_blueprint::{EngineKind, Topology};
use minichain_api::genesis::DifficultyRule;

use crate::support::{counts, yaml};

const EVERYTHING: &str = r"
name: lab
groups:
- name: seed
  role: bootstrap
- name: miners
  count: 3
  hash_rate: 20000
  memory: 128MiB
  env: {RUST_BACKTRACE: '1', A: group}
- name: watcher
  count: 2
  log_filter: debug
nodes:
  miners-1: {hash_rate: 5000, env: {A: own}}
  watcher-1: {image: 'minichain:old'}
peers: mesh
genesis:
  block_time: 1s
  difficulty: {rule: lwma, window: 30}
  coinbase_maturity: 10
  reward: {initial: 12.5, halving_interval: 100}
  allocations: {alice: 1000, bob: 0.5}
seed: 7
engine: {kind: docker, subnet: 10.20.0.0/22}
";

fn refusal(text: &str) -> String {
    serde_yaml::from_str::<Topology>(text)
        .expect_err("it is malformed")
        .to_string()
}

#[test]
fn a_file_says_everything() {
    let topology = yaml(EVERYTHING);
    topology.check().unwrap();
    assert_eq!(topology.name, "lab");
    assert_eq!(topology.node_count(), 6);
    assert_eq!(topology.peers, Peers::Mesh);
    assert_eq!(topology.seed, Some(7));
    assert_eq!(topology.engine.kind, Some(EngineKind::Docker));
    let genesis = &topology.genesis;
    assert_eq!(
        genesis.difficulty,
        Some(DifficultyRule::Lwma { window: 30 })
    );
    assert_eq!(
        genesis.allocations.as_ref().unwrap()["bob"].to_string(),
        "0.5"
    );
    let reward = genesis.reward.as_ref().unwrap();
    assert_eq!(reward.initial.unwrap().to_string(), "12.5");
    assert_eq!(topology.initial_hash_rate(), 45_000.0);
}

#[test]
fn a_nodes_own_settings_win_over_its_groups() {
    let members = yaml(EVERYTHING).members();
    let member = |name: &str| members.iter().find(|member| member.name == name).unwrap();
    let own = &member("miners-1").settings;
    assert_eq!(own.hash_rate, Some(5_000.0));
    assert_eq!(own.env["A"], "own");
    assert_eq!(own.env["RUST_BACKTRACE"], "1");
    assert_eq!(own.memory.unwrap().bytes, 128 << 20);
    assert_eq!(member("miners-0").settings.env["A"], "group");
    assert_eq!(
        member("watcher-1").settings.image.as_deref(),
        Some("minichain:old")
    );
    assert_eq!(
        member("watcher-0").settings,
        Settings {
            log_filter: Some("debug".into()),
            ..Settings::default()
        }
    );
}

#[test]
fn a_nodes_own_binary_replaces_its_groups_image() {
    let members = yaml(
        r"
        groups: [{name: miner, count: 2, image: 'a:1'}]
        nodes: {miner-1: {binary: /opt/b}}
        ",
    )
    .members();
    assert_eq!(members[1].settings.image, None);
    assert_eq!(members[1].settings.binary.as_deref(), Some("/opt/b"));
    assert_eq!(members[0].settings.image.as_deref(), Some("a:1"));
}

#[test]
fn roles_follow_from_well_known_group_names() {
    let roles: Vec<Role> =
        yaml("groups: [{name: bootstrap}, {name: miners}, {name: miner}, {name: other}]")
            .members()
            .iter()
            .map(|member| member.role)
            .collect();
    assert_eq!(
        roles,
        [Role::Bootstrap, Role::Miner, Role::Miner, Role::Observer]
    );
}

#[test]
fn a_topology_survives_being_written_and_read() {
    for topology in [
        yaml(EVERYTHING),
        counts(5, 2),
        yaml("peers: {edges: [[a-0, b-0]]}"),
    ] {
        let text = serde_yaml::to_string(&topology).unwrap();
        assert_eq!(yaml(&text), topology, "{text}");
        let json = serde_json::to_string(&topology).unwrap();
        assert_eq!(serde_json::from_str::<Topology>(&json).unwrap(), topology);
    }
}

#[test]
fn unknown_keys_and_words_are_refused_with_those_there_are() {
    for (text, expected) in [
        ("groups: [{name: a, cuont: 2}]", "cuont"),
        ("nodez: {}", "nodez"),
        ("genesis: {blocktime: 5s}", "blocktime"),
        ("nodes: {a-0: {role: miner}}", "role"),
        ("groups: [{name: a, role: minner}]", "minner"),
        ("peers: star", "star"),
        ("peers: {edges: [[a-0]]}", "2"),
        ("genesis: {difficulty: {rule: fixed, window: 3}}", "window"),
        ("engine: {kind: podman}", "podman"),
        ("groups: [{count: 2}]", "name"),
    ] {
        let error = refusal(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn quantities_are_refused_where_they_stand() {
    let error = refusal("name: a\ngenesis:\n  block_time: 500ms\n");
    assert!(error.contains("headers carry whole seconds"), "{error}");
    assert!(error.contains("line 3"), "{error}");
    for (text, expected) in [
        ("genesis: {block_time: 1.5}", "whole seconds"),
        ("genesis: {allocations: {alice: -5}}", "not an amount"),
        ("genesis: {allocations: {alice: 22000000}}", "more than"),
        ("groups: [{name: a, memory: big}]", "not a size"),
        ("engine: {subnet: 10.0.0.1/24}", "did you mean 10.0.0.0/24"),
        ("groups: [{name: a, count: -1}]", "-1"),
        ("groups: [{name: a, count: 4294967296}]", "4294967296"),
    ] {
        let error = refusal(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn wild_counts_are_refused_without_listing_their_nodes() {
    let topology = yaml("groups: [{name: a, count: 4294967295}, {name: b, count: 4294967295}]");
    let problems = topology.check().unwrap_err().to_string();
    assert!(
        problems.contains("4294967295 nodes are more than the 1023"),
        "{problems}"
    );
}
