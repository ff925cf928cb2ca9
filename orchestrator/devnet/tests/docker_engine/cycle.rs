//! The life of a network: up, up again, repaired, read, down.

use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{HostConfig, NetworkCreateRequest};
use bollard::query_parameters::KillContainerOptions;
use devnet::engine::docker::{DockerEngine, Product};
use devnet::engine::{Engine as _, LogSource, LogWish};
use devnet_blueprint::{Blueprint, NodePlan, NodeState, Runtime};
use futures::StreamExt as _;

use crate::support::{Bench, greeting, with_docker};

#[test]
fn a_network_comes_up_once_and_goes_without_trace() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "cycle");
        let image = bench.image().await;
        let blueprint = bench.blueprint(3, 2, &image).await;
        // State, network, and for each node a volume, a container, a start.
        assert_eq!(bench.perform(&blueprint).await.unwrap(), 11);
        let observed = bench.observe().await;
        assert_eq!((observed.networks.len(), observed.volumes.len()), (1, 3));
        assert!(
            observed
                .nodes
                .iter()
                .all(|node| node.state == NodeState::Running)
        );
        assert_eq!(bench.perform(&blueprint).await.unwrap(), 0);
        for node in &blueprint.nodes {
            assert_eq!(greeting(node.host.rpc).await, format!("{} 9001", node.name));
            assert_eq!(
                greeting(node.host.metrics).await,
                format!("{} 9002", node.name)
            );
            check_container(&engine, node).await;
        }
        check_listing(&bench, &blueprint).await;
        check_logs(&bench, &blueprint).await;
        check_faults_will_be_possible(&engine, &blueprint.nodes[0]).await;
        // State, network, three containers, three volumes.
        assert_eq!(bench.down().await.unwrap(), 8);
        assert!(bench.observe().await.is_empty());
        assert_eq!(bench.down().await.unwrap(), 0);
    });
}

/// What a container's configuration says; what it means is told by its log.
async fn check_container(engine: &DockerEngine, node: &NodePlan) {
    let Runtime::Container(plan) = &node.runtime else {
        panic!("planned as a container")
    };
    let found = engine
        .client()
        .inspect_container(&plan.name, None)
        .await
        .unwrap();
    let host: HostConfig = found.host_config.unwrap();
    assert_eq!(host.readonly_rootfs, Some(true));
    // Podman's answer spells "all" out and leaves log options away; what is left
    // of the capabilities is read from the node's log below.
    if engine.about().product == Product::Docker {
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        let log = host.log_config.unwrap();
        assert_eq!(log.typ.as_deref(), Some("json-file"));
        assert_eq!(log.config.unwrap()["max-file"], "3");
    }
    assert_eq!(host.memory, Some(plan.memory_max_bytes.try_into().unwrap()));
    assert_eq!(host.security_opt.unwrap_or_default(), Vec::<String>::new());
    assert_eq!(host.restart_policy.unwrap().name.unwrap().to_string(), "no");
    let config = found.config.unwrap();
    assert!(matches!(
        config.stop_signal.as_deref(),
        Some("SIGTERM" | "15")
    ));
    let labels = config.labels.unwrap();
    for (label, value) in &node.labels {
        assert_eq!(labels.get(label), Some(value), "{label}");
    }
    let networks = found.network_settings.unwrap().networks.unwrap();
    let addresses: Vec<_> = networks
        .values()
        .filter_map(|end| end.ip_address.clone())
        .collect();
    assert_eq!(addresses, [node.ip.to_string()]);
}

async fn check_listing(bench: &Bench, blueprint: &Blueprint) {
    let list = bench.engine.list().await.unwrap();
    let own = list
        .iter()
        .find(|summary| summary.name == bench.name)
        .unwrap();
    assert_eq!((own.nodes, own.running), (3, 3));
    assert_eq!(
        (&own.run_id, own.created_at_s),
        (&blueprint.run_id, 1_700_000_000)
    );
    let endpoints = bench.engine.endpoints(&bench.name).await.unwrap();
    assert_eq!(endpoints.len(), 3);
    for endpoint in endpoints {
        let node = blueprint.node(&endpoint.node).unwrap();
        assert_eq!(endpoint.rpc, node.host.rpc.to_string());
        assert_eq!(endpoint.metrics, node.host.metrics.to_string());
        assert_eq!(endpoint.ip, node.ip.to_string());
        assert_eq!(endpoint.access.as_ref(), Some(&blueprint.rpc));
    }
    let used = bench.engine.used_subnets().await.unwrap();
    let subnet = blueprint.network.as_ref().unwrap().subnet;
    assert!(used.iter().any(|used| used.overlaps(subnet)), "{used:?}");
}

async fn check_logs(bench: &Bench, blueprint: &Blueprint) {
    let wish = LogWish {
        nodes: vec!["miner-0".into()],
        ..LogWish::default()
    };
    let stream = bench.engine.logs(&bench.name, &wish).await.unwrap();
    let lines: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert!(
        lines
            .iter()
            .all(|line| line.node == "miner-0" && line.time_ms > 1_700_000_000_000)
    );
    let has = |text: &str| lines.iter().any(|line| line.text.contains(text));
    assert!(
        has(&format!("stand-in {} on miner-0", bench.name)),
        "{lines:?}"
    );
    assert!(
        has("user 65532:65532") && has("config {") || has("config name"),
        "{lines:?}"
    );
    assert!(
        has("write /data/proof: ok") && has("write /tmp/proof: ok"),
        "{lines:?}"
    );
    assert!(has("write /proof: Read-only file system"), "{lines:?}");
    // NET_ADMIN is the twelfth capability, and the only one.
    assert!(
        has("CapBnd:\t0000000000001000") && has("NoNewPrivs:\t0"),
        "{lines:?}"
    );
    let error = lines
        .iter()
        .find(|line| line.text == "this is standard error")
        .unwrap();
    assert_eq!(error.source, LogSource::Stderr);
    let last = LogWish {
        tail: Some(1),
        ..LogWish::default()
    };
    let stream = bench.engine.logs(&bench.name, &last).await.unwrap();
    assert_eq!(stream.count().await, blueprint.nodes.len());
    let later = LogWish {
        since_ms: Some(u64::MAX / 2),
        ..LogWish::default()
    };
    let stream = bench.engine.logs(&bench.name, &later).await.unwrap();
    assert_eq!(stream.count().await, 0);
}

/// A program run as root in the node's container can change its network, and
/// the node itself cannot.
async fn check_faults_will_be_possible(engine: &DockerEngine, node: &NodePlan) {
    let mtu = |user: &'static str| async move {
        let options = CreateExecOptions {
            cmd: Some(vec!["/minichain".to_owned(), "mtu".into(), "1400".into()]),
            user: Some(user.into()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let client = engine.client();
        let exec = client
            .create_exec(node.container_name(), options)
            .await
            .unwrap();
        let started = client.start_exec(&exec.id, None).await.unwrap();
        let StartExecResults::Attached { mut output, .. } = started else {
            panic!("attached")
        };
        let mut text = String::new();
        while let Some(part) = output.next().await {
            text.push_str(&part.unwrap().to_string());
        }
        text.trim().to_owned()
    };
    assert_eq!(mtu("0:0").await, "mtu set");
    // Podman hands the capability to every user of the container.
    if engine.about().product == Product::Docker {
        assert_eq!(mtu("65532:65532").await, "mtu: Operation not permitted");
    }
}

#[test]
fn a_dead_node_is_brought_back_at_its_old_address() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "dead");
        let image = bench.image().await;
        let blueprint = bench.blueprint(2, 1, &image).await;
        bench.perform(&blueprint).await.unwrap();
        let node = blueprint.node("miner-0").unwrap();
        greeting(node.host.rpc).await;
        let name = node.container_name();
        engine
            .client()
            .kill_container(name, None::<KillContainerOptions>)
            .await
            .unwrap();
        let state = async || bench.observe().await.node("miner-0").map(|node| node.state);
        while state().await == Some(NodeState::Running) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(bench.perform(&blueprint).await.unwrap(), 1);
        assert_eq!(greeting(node.host.rpc).await, "miner-0 9001");
        engine.client().pause_container(name).await.unwrap();
        assert_eq!(state().await, Some(NodeState::Paused));
        assert_eq!(bench.perform(&blueprint).await.unwrap(), 1);
        assert_eq!(greeting(node.host.rpc).await, "miner-0 9001");
    });
}

#[test]
fn actions_done_twice_change_nothing() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "twice");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        let before = bench.observe().await;
        let up = devnet_blueprint::diff(&blueprint, &before);
        for _ in 0..2 {
            for action in up.actions() {
                engine.perform(&blueprint, action).await.unwrap();
            }
        }
        let observed = engine.observe(&bench.name).await.unwrap();
        assert_eq!((observed.networks.len(), observed.nodes.len()), (1, 1));
        let empty = Blueprint::empty(&bench.name, devnet_blueprint::EngineKind::Docker);
        let down = devnet_blueprint::diff(&empty, &observed);
        for _ in 0..2 {
            for action in down.actions() {
                engine.perform(&empty, action).await.unwrap();
            }
        }
        assert!(engine.observe(&bench.name).await.unwrap().is_empty());
    });
}

#[test]
fn two_networks_run_side_by_side() {
    with_docker(|engine| async move {
        let (left, right) = (Bench::new(&engine, "left"), Bench::new(&engine, "right"));
        let image = left.image().await;
        let one = left.blueprint(1, 1, &image).await;
        left.perform(&one).await.unwrap();
        let other = right.blueprint(1, 1, &image).await;
        right.perform(&other).await.unwrap();
        assert_eq!(greeting(one.nodes[0].host.rpc).await, "miner-0 9001");
        right.down().await.unwrap();
        assert_eq!(greeting(one.nodes[0].host.rpc).await, "miner-0 9001");
        assert_eq!(left.perform(&one).await.unwrap(), 0);
    });
}

#[test]
fn two_networks_of_one_name_are_told_apart_and_both_removed() {
    with_docker(|engine| async move {
        if !allows_twins(&engine) {
            return;
        }
        let bench = Bench::new(&engine, "same");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        bench.perform(&blueprint).await.unwrap();
        let twin = twin_of(&blueprint);
        engine.client().create_network(twin).await.unwrap();
        let observed = bench.observe().await;
        assert_eq!(observed.networks.len(), 2);
        assert_ne!(observed.networks[0].id, observed.networks[1].id);
        bench.down().await.unwrap();
        assert!(bench.observe().await.is_empty());
    });
}

#[test]
fn a_node_starts_though_its_network_has_got_a_twin() {
    with_docker(|engine| async move {
        if !allows_twins(&engine) {
            return;
        }
        let bench = Bench::new(&engine, "twin");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        let up = devnet_blueprint::diff(&blueprint, &bench.observe().await);
        let actions: Vec<_> = up.actions().collect();
        let (start, before) = actions.split_last().unwrap();
        for action in before {
            engine.perform(&blueprint, action).await.unwrap();
        }
        let own = bench.observe().await.networks[0].id.clone();
        let twin = twin_of(&blueprint);
        engine.client().create_network(twin).await.unwrap();
        engine.perform(&blueprint, start).await.unwrap();
        let networks = bench.observe().await.networks;
        let ids: Vec<_> = networks.into_iter().map(|network| network.id).collect();
        assert_eq!(ids, [own], "the one that the node is in");
        assert_eq!(greeting(blueprint.nodes[0].host.rpc).await, "miner-0 9001");
    });
}

/// Whether there can be two networks of one name; says so where not.
fn allows_twins(engine: &DockerEngine) -> bool {
    let allows = engine.about().product != Product::Podman;
    if !allows {
        eprintln!("\nSKIPPED: Podman allows no two networks of one name.\n");
    }
    allows
}

/// Another network with the name and the labels of the blueprint's.
fn twin_of(blueprint: &Blueprint) -> NetworkCreateRequest {
    let plan = blueprint.network.as_ref().unwrap();
    NetworkCreateRequest {
        name: plan.name.clone(),
        labels: Some(plan.labels.clone().into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}
