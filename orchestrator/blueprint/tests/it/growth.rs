//! Planning a network that exists already.

use std::collections::BTreeSet;

use devnet_blueprint::{Blueprint, EngineInput, PlanError, PlanInput, Topology, plan};
use proptest::prelude::*;

use crate::support::{after, counts, docker, planned, process, yaml};

/// A later call: another time, run, password, subnet and other free ports.
fn later(input: PlanInput) -> PlanInput {
    let engine = match input.engine {
        EngineInput::Docker(mut docker) => {
            docker.subnet = "10.99.0.0/24".parse().unwrap();
            docker.host_ports = (30_000..30_100).collect();
            EngineInput::Docker(docker)
        }
        EngineInput::Process(mut process) => {
            process.block = "127.99.0.0/24".parse().unwrap();
            EngineInput::Process(process)
        }
    };
    PlanInput {
        seed: 1,
        created_at_s: input.created_at_s + 600,
        run_id: "run-2".into(),
        owner: "bob".into(),
        rpc_password: "other".into(),
        engine,
        previous: None,
    }
}

/// Asserts that every node of `before` is in `now` as it was.
fn assert_unmoved(before: &Blueprint, now: &Blueprint) {
    for node in &before.nodes {
        let same = now.node(&node.name).unwrap();
        assert_eq!(
            (same.ip, same.inside, same.host),
            (node.ip, node.inside, node.host)
        );
        assert_eq!(same.identity_seed, node.identity_seed);
        assert_eq!(same.config.genesis, node.config.genesis);
    }
}

#[test]
fn planning_again_changes_nothing() {
    for input in [docker(), process()] {
        let first = planned(&counts(4, 2), &input);
        let second = planned(&counts(4, 2), &after(&first, later(input)));
        assert_eq!(second, first);
    }
}

#[test]
fn a_new_node_moves_no_other_and_restarts_none() {
    for input in [docker(), process()] {
        let text = |miners: u32| {
            yaml(&format!(
                "groups: [{{name: bootstrap}}, {{name: miner, count: {miners}}}, {{name: observer, count: 2}}]"
            ))
        };
        let first = planned(&text(2), &input);
        let second = planned(&text(3), &after(&first, later(input)));
        assert_unmoved(&first, &second);
        for node in &first.nodes {
            assert_eq!(
                second.node(&node.name).unwrap().spec,
                node.spec,
                "{}",
                node.name
            );
        }
        let new = second.node("miner-2").unwrap();
        assert!(
            first
                .nodes
                .iter()
                .all(|node| node.ip != new.ip && node.host.rpc != new.host.rpc)
        );
        assert_eq!(second.run_id, first.run_id);
        assert_eq!(second.rpc, first.rpc);
    }
}

#[test]
fn whoever_is_there_looks_for_as_many_peers_as_before_however_large_the_network_grows() {
    let first = planned(&counts(17, 2), &docker());
    let grown = planned(&counts(20, 2), &after(&first, later(docker())));
    for node in &grown.nodes {
        let before = first.node(&node.name);
        let wanted = if before.is_some() { 16 } else { 8 };
        assert_eq!(node.config.p2p.target_peers, wanted, "{}", node.name);
    }
    assert_eq!(grown.nodes.len() - first.nodes.len(), 3);
}

#[test]
fn whoever_is_there_dials_whom_it_dialled_before_as_long_as_they_are_there() {
    let first = planned(&counts(50, 2), &process());
    let grown = planned(&counts(60, 9), &after(&first, later(process())));
    for node in &first.nodes {
        let same = grown.node(&node.name).unwrap();
        assert_eq!(same.config.p2p.bootstrap, node.config.p2p.bootstrap);
        assert_eq!(same.spec, node.spec, "{}", node.name);
    }
    let there = |blueprint: &Blueprint| -> Vec<String> {
        let nodes = blueprint.nodes.iter();
        nodes.map(|node| node.inside.p2p.to_string()).collect()
    };
    let shrunk = planned(&counts(40, 1), &after(&grown, later(process())));
    let there = there(&shrunk);
    for node in &shrunk.nodes {
        let dialled = &node.config.p2p.bootstrap;
        assert!(dialled.iter().all(|to| there.contains(to)), "{}", node.name);
    }
}

#[test]
fn a_node_that_left_frees_its_place() {
    let first = planned(&counts(3, 3), &docker());
    let second = planned(&counts(2, 2), &after(&first, later(docker())));
    let text = "groups: [{name: miner, count: 2}, {name: watcher}]";
    let third = planned(&yaml(text), &after(&second, later(docker())));
    assert_eq!(
        third.node("watcher-0").unwrap().ip,
        first.node("miner-2").unwrap().ip
    );
    assert_unmoved(&second, &third);
}

#[test]
fn a_wish_for_other_rules_is_refused_with_both() {
    let first = planned(&counts(3, 2), &docker());
    let refused = |change: &str| {
        let text =
            format!("{{groups: [{{name: bootstrap}}, {{name: miner, count: 2}}], {change}}}");
        plan(&yaml(&text), &after(&first, later(docker()))).unwrap_err()
    };
    let other = |what, before: &str, wished: &str| PlanError::OtherNetwork {
        name: "local".into(),
        what,
        before: before.into(),
        wished: wished.into(),
    };
    for (change, error) in [
        ("seed: 43", other("the seed", "42", "43")),
        (
            "engine: {subnet: 10.7.0.0/24}",
            other("the subnet", "172.30.5.0/24", "10.7.0.0/24"),
        ),
        (
            "genesis: {block_time: 10s}",
            other("the block time", "5s", "10s"),
        ),
        (
            "genesis: {difficulty: {rule: fixed}}",
            other("the difficulty rule", "asert (half-life 150s)", "fixed"),
        ),
        (
            "genesis: {initial_hash_rate: 1}",
            other("the initial hash rate", "20000", "1"),
        ),
        (
            "genesis: {limit_factor: 4}",
            other("the limit factor", "2", "4"),
        ),
        (
            "genesis: {reward: {initial: 25}}",
            other("the reward", "50", "25"),
        ),
        (
            "genesis: {reward: {halving_interval: 0}}",
            other("the halving interval", "210000", "0"),
        ),
        (
            "genesis: {coinbase_maturity: 1}",
            other("the coinbase maturity", "100", "1"),
        ),
        (
            "genesis: {block_weight_max: 8000}",
            other("the block weight limit", "4000000", "8000"),
        ),
        (
            "genesis: {address_prefix: x}",
            other("the address prefix", "mini", "x"),
        ),
        (
            "genesis: {allocations: {alice: 1}}",
            other(
                "the allocations",
                "alice=100000 bob=100000 carol=100000 faucet=1000000",
                "alice=1",
            ),
        ),
    ] {
        assert_eq!(refused(change), error, "{change}");
    }
    assert_eq!(
        refused("genesis: {block_time: 10s}").to_string(),
        "the network `local` already exists with the block time 5s, not 10s; \
         run `devnet down --name local` first or choose another `--name`"
    );
}

#[test]
fn another_engine_is_refused() {
    let first = planned(&counts(1, 1), &docker());
    let error = plan(&counts(1, 1), &after(&first, process())).unwrap_err();
    assert_eq!(
        error,
        PlanError::OtherNetwork {
            name: "local".into(),
            what: "the engine",
            before: "docker".into(),
            wished: "process".into(),
        }
    );
}

#[test]
fn a_blueprint_of_another_network_cannot_be_continued() {
    let first = planned(&counts(1, 1), &docker());
    let mut topology = counts(1, 1);
    topology.name = "other".into();
    let error = plan(&topology, &after(&first, docker())).unwrap_err();
    assert!(
        matches!(
            error,
            PlanError::BadInput {
                what: "earlier blueprint",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_empty_blueprint_is_no_earlier_life() {
    let empty = Blueprint::empty("local", devnet_blueprint::EngineKind::Process);
    assert_eq!(
        planned(&counts(3, 2), &after(&empty, docker())),
        planned(&counts(3, 2), &docker())
    );
}

#[test]
fn a_released_subnet_is_replaced_and_ports_and_keys_stay() {
    let first = planned(&counts(3, 2), &docker());
    let mut released = first.clone();
    released.release_subnet();
    let second = planned(&counts(3, 2), &after(&released, later(docker())));
    assert_eq!(
        second.network.as_ref().unwrap().subnet,
        "10.99.0.0/24".parse().unwrap()
    );
    for (before, now) in first.nodes.iter().zip(&second.nodes) {
        assert!(second.subnet.unwrap().contains(now.ip));
        assert_eq!(now.host, before.host);
        assert_eq!(now.identity_seed, before.identity_seed);
    }
    assert_eq!(second.genesis, first.genesis);
}

#[test]
fn a_released_port_is_replaced_and_all_others_stay() {
    let first = planned(&counts(3, 2), &docker());
    let mut released = first.clone();
    released.release_host_port(first.nodes[1].host.metrics.port());
    let second = planned(&counts(3, 2), &after(&released, later(docker())));
    assert_eq!(second.nodes[1].host.metrics.port(), 30_000);
    assert_eq!(second.nodes[1].host.rpc, first.nodes[1].host.rpc);
    assert_eq!(second.nodes[0], first.nodes[0]);
    assert_eq!(second.nodes[2], first.nodes[2]);
}

fn any_counts() -> impl Strategy<Value = (u32, u32)> {
    (1_u32..20).prop_flat_map(|nodes| (Just(nodes), 0..=nodes))
}

proptest! {
    /// Through any history of sizes, whoever stays stays where they are, and
    /// no two ever share a place.
    #[test]
    fn nobody_moves_in_any_history(history in prop::collection::vec(any_counts(), 1..8)) {
        let mut before: Option<Blueprint> = None;
        for (nodes, miners) in history {
            let topology = Topology::from_counts(nodes, miners).unwrap();
            let previous = before.clone().map(Box::new);
            // The same ports are offered each time, those in use among them.
            let now = plan(&topology, &PlanInput { previous, ..docker() }).unwrap();
            let addresses: BTreeSet<_> = now.nodes.iter().map(|node| node.ip).collect();
            prop_assert_eq!(addresses.len(), nodes as usize);
            let ports: BTreeSet<_> =
                now.nodes.iter().flat_map(|node| [node.host.rpc, node.host.metrics]).collect();
            prop_assert_eq!(ports.len(), 2 * nodes as usize);
            for node in before.iter().flat_map(|before| &before.nodes) {
                if let Some(same) = now.node(&node.name) {
                    prop_assert_eq!((same.ip, same.host), (node.ip, node.host));
                }
            }
            before = Some(now);
        }
    }
}
