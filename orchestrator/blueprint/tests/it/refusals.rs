//! What is refused before anything is touched, and in which words.

use devnet_blueprint::quantity::BlockTime;
use devnet_blueprint::topology::{Flaw, NODES_MAX, Peers, check_name};
use devnet_blueprint::{EngineInput, PlanError, Problems, Topology, plan};
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::support::{counts, docker, process, yaml};

/// Paths and messages of all problems of a topology.
fn problems(text: &str) -> String {
    yaml(text)
        .check()
        .expect_err("the topology has problems")
        .to_string()
}

fn flaw(outcome: Result<Topology, Problems>) -> (String, Flaw) {
    let problem = outcome.unwrap_err().0.remove(0);
    (problem.path, problem.flaw)
}

#[test]
fn counts_that_make_no_network_are_refused() {
    assert_eq!(
        flaw(Topology::from_counts(0, 0)),
        ("--nodes".into(), Flaw::NoNodes)
    );
    assert_eq!(
        flaw(Topology::from_counts(0, 3)),
        ("--nodes".into(), Flaw::NoNodes)
    );
    assert_eq!(
        flaw(Topology::from_counts(2, 3)),
        (
            "--miners".into(),
            Flaw::MoreMinersThanNodes {
                nodes: 2,
                miners: 3
            }
        )
    );
    assert_eq!(
        flaw(Topology::from_counts(1_024, 1)),
        ("--nodes".into(), Flaw::TooManyNodes { nodes: 1_024 })
    );
    counts(NODES_MAX, NODES_MAX).check().unwrap();
    counts(1, 0).check().unwrap();
}

#[test]
fn names_that_engines_cannot_carry_are_refused() {
    for name in ["a", "my-net-2", &"x".repeat(40)] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    for name in [
        "",
        "2nd",
        "-a",
        "My-Net",
        "a_b",
        "a.b",
        "a b",
        "ä",
        "a/b",
        &"x".repeat(41),
    ] {
        assert_eq!(check_name(name), Err(Flaw::Name(name.into())), "{name}");
    }
}

#[test]
fn every_problem_is_found_at_once_and_located() {
    assert_snapshot!(problems(
        r"
        name: Bad_Name
        groups:
        - {name: miner, count: 0, hash_rate: 0}
        - {name: miner, count: 2, memory: 16MiB}
        - {name: seer, hash_rate: 10, image: a, binary: b}
        - {name: 9lives, log_filter: '', env: {2X: a, MINICHAIN_CONFIG: b}}
        nodes:
          minr-1: {hash_rate: 5}
          miner-1: {hash_rate: 1e12}
        engine: {image: ' ', binary: /b}
        "
    ));
}

#[test]
fn rules_of_the_chain_have_ranges() {
    assert_snapshot!(problems(
        r"
        groups: [{name: miner}]
        genesis:
          initial_hash_rate: .nan
          limit_factor: 0.5
          future_limit_s: 5
          coinbase_maturity: 0
          block_weight_max: 5000
          address_prefix: Mini1
          difficulty: {rule: lwma, window: 1}
          allocations: {Alice: 0, bob: 20000000, carol: 20000000}
        "
    ));
}

#[test]
fn a_half_life_below_ten_future_limits_is_refused() {
    assert_snapshot!(problems(
        r"
        groups: [{name: miner}]
        genesis: {difficulty: {rule: asert, half_life_s: 100}}
        "
    ), @"genesis.difficulty.half_life_s: a half-life of 100 s is too short: with a future limit of 15 s it must be at least 150 s");
}

#[test]
fn more_work_than_a_genesis_file_can_say_is_refused() {
    let mut topology = yaml("groups: [{name: miner, count: 100, hash_rate: 100000000}]");
    topology.check().unwrap();
    topology.genesis.block_time = Some(BlockTime::from_seconds(3_600).unwrap());
    let problem = topology.check().unwrap_err().0.remove(0);
    assert_eq!(problem.path, "genesis.block_time");
    assert_eq!(
        problem.flaw,
        Flaw::TooMuchWork {
            hashes: "3.6e13".into()
        }
    );
}

#[test]
fn edges_that_make_no_network_are_refused() {
    assert_snapshot!(problems(
        r"
        groups: [{name: miner, count: 2}, {name: observer, count: 3}]
        peers:
          edges:
          - [miner-0, miner-1]
          - [miner-1, miner-0]
          - [miner-1, miner-1]
          - [obsrver-0, miner-9]
          - [observer-1, observer-2]
        "
    ));
}

#[test]
fn a_network_in_two_parts_needs_consent() {
    let mut topology = yaml(
        r"
        groups: [{name: miner, count: 4}]
        peers: {edges: [[miner-0, miner-1], [miner-2, miner-3]]}
        ",
    );
    let flaw = topology.check().unwrap_err().0.remove(0).flaw;
    let (reached, unreached) = ("miner-0".into(), "miner-2".into());
    assert_eq!(flaw, Flaw::Disconnected { reached, unreached });
    topology.allow_disconnected = true;
    topology.check().unwrap();
}

#[test]
fn a_wished_subnet_that_is_too_small_is_refused_with_one_that_fits() {
    let mut topology = counts(300, 1);
    topology.engine.subnet = Some("10.0.0.0/24".parse().unwrap());
    let flaw = topology.check().unwrap_err().0.remove(0).flaw;
    assert_eq!(
        flaw,
        Flaw::SubnetTooSmall {
            nodes: 300,
            capacity: 245,
            fitting: 23
        }
    );
}

#[test]
fn the_planner_checks_the_topology_itself() {
    let error = plan(&Topology::default(), &docker()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "groups: a network needs at least one node"
    );
}

#[test]
fn a_full_subnet_is_refused() {
    let mut input = docker();
    let EngineInput::Docker(engine) = &mut input.engine else {
        unreachable!()
    };
    engine.subnet = "10.0.0.0/28".parse().unwrap();
    let error = plan(&counts(6, 1), &input).unwrap_err();
    let subnet = "10.0.0.0/28".parse().unwrap();
    assert_eq!(
        error,
        PlanError::SubnetFull {
            subnet,
            nodes: 6,
            capacity: 5
        }
    );
}

#[test]
fn host_ports_that_do_not_suffice_are_refused() {
    let refused = |ports: Vec<u16>| {
        let mut input = docker();
        let EngineInput::Docker(engine) = &mut input.engine else {
            unreachable!()
        };
        engine.host_ports = ports;
        plan(&counts(3, 2), &input).unwrap_err()
    };
    assert_eq!(
        refused((1..=5).collect()),
        PlanError::TooFewHostPorts {
            needed: 6,
            given: 5
        }
    );
    assert_eq!(
        refused(vec![1, 2, 3, 4, 5, 0]),
        PlanError::BadHostPort { port: 0 }
    );
    assert_eq!(
        refused(vec![1, 2, 3, 4, 5, 6, 2]),
        PlanError::BadHostPort { port: 2 }
    );
}

#[test]
fn addresses_of_the_wrong_kind_are_refused() {
    let mut input = docker();
    let EngineInput::Docker(engine) = &mut input.engine else {
        unreachable!()
    };
    engine.subnet = "8.8.8.0/24".parse().unwrap();
    let error = plan(&counts(1, 1), &input).unwrap_err();
    assert_eq!(
        error,
        PlanError::NotPrivate {
            subnet: "8.8.8.0/24".parse().unwrap()
        }
    );

    let mut input = process();
    let EngineInput::Process(engine) = &mut input.engine else {
        unreachable!()
    };
    engine.block = "10.0.0.0/24".parse().unwrap();
    let error = plan(&counts(1, 1), &input).unwrap_err();
    assert_eq!(
        error,
        PlanError::NotLoopback {
            block: "10.0.0.0/24".parse().unwrap()
        }
    );
}

#[test]
fn malformed_input_is_refused_without_telling_the_password() {
    let mut input = docker();
    input.run_id = "run 1".into();
    let error = plan(&counts(1, 1), &input).unwrap_err().to_string();
    assert_eq!(
        error,
        "the run id `run 1` cannot be used: 1 to 64 letters, digits or `-`"
    );

    let mut input = docker();
    input.rpc_password = "secret\n".into();
    let error = plan(&counts(1, 1), &input).unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");

    let mut input = process();
    let EngineInput::Process(engine) = &mut input.engine else {
        unreachable!()
    };
    engine.binary = "target/minichain".into();
    let error = plan(&counts(1, 1), &input).unwrap_err().to_string();
    let expected = "the binary `target/minichain` cannot be used: its path has to be absolute";
    assert_eq!(error, expected);
}

#[test]
fn programs_the_engine_cannot_run_are_refused() {
    let topology = yaml("groups: [{name: miner, image: 'other:1'}]");
    let error = plan(&topology, &process()).unwrap_err();
    let (node, image) = ("miner-0".into(), "other:1".into());
    assert_eq!(error, PlanError::ImageWithoutContainers { node, image });

    let topology = yaml("groups: [{name: miner, binary: /opt/old}]");
    let error = plan(&topology, &docker()).unwrap_err();
    let (node, binary) = ("miner-0".into(), "/opt/old".into());
    assert_eq!(error, PlanError::NoImage { node, binary });
}

#[test]
fn a_configuration_too_long_for_an_environment_variable_is_refused() {
    let mut topology = counts(1, 1);
    let accounts = (0..2_000).map(|n| (format!("account-{n}"), "1".parse().unwrap()));
    topology.genesis.allocations = Some(accounts.collect());
    topology.check().unwrap();
    let error = plan(&topology, &docker()).unwrap_err();
    assert!(
        matches!(
            error,
            PlanError::ConfigTooLong {
                bytes_max: 122_880,
                ..
            }
        ),
        "{error}"
    );
    plan(&topology, &process()).unwrap();
}

proptest! {
    /// Whatever counts and names: a refusal or a plan with exactly these nodes.
    #[test]
    fn counts_are_refused_or_planned_in_full(nodes in 0_u32..40, miners in 0_u32..40) {
        match Topology::from_counts(nodes, miners) {
            Err(_) => prop_assert!(nodes == 0 || miners > nodes),
            Ok(topology) => {
                prop_assert_eq!(topology.check(), Ok(()));
                let blueprint = plan(&topology, &process()).unwrap();
                prop_assert_eq!(blueprint.nodes.len(), nodes as usize);
                prop_assert_eq!(blueprint.miners().count(), miners as usize);
                let entries = blueprint.nodes.iter().filter(|node| node.is_entry).count();
                prop_assert_eq!(entries, 1);
            }
        }
    }

    /// A check never panics, however wild the edges.
    #[test]
    fn edges_are_refused_or_join_all(
        pairs in prop::collection::vec((0_u32..6, 0_u32..6), 0..12),
    ) {
        let mut topology = counts(5, 5);
        let name = |n: u32| format!("miner-{n}");
        let edges: Vec<_> = pairs.iter().map(|(a, b)| (name(*a), name(*b))).collect();
        topology.peers = Peers::Edges(edges);
        // The dumbest model of being joined: spread until nothing changes.
        let mut joined = [true, false, false, false, false, false];
        for _ in 0..6 {
            for (a, b) in &pairs {
                let either = joined[*a as usize] || joined[*b as usize];
                joined[*a as usize] = either;
                joined[*b as usize] = either;
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        let is_sound = pairs.iter().all(|(a, b)| {
            a != b && *a < 5 && *b < 5 && seen.insert((a.min(b), a.max(b)))
        });
        let is_whole = joined[..5].iter().all(|is_joined| *is_joined);
        prop_assert_eq!(topology.check().is_ok(), is_sound && is_whole);
    }
}
