//! Packet filters in containers: they bite, they are proven, they spare the
//! host, and they go.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateContainerOptionsBuilder, RestartContainerOptions,
    StartContainerOptions, StopContainerOptions,
};
use devnet::engine::docker::DockerEngine;
use devnet::engine::fault::{FilterRules, Packets, ProbeResult};
use devnet::engine::{Engine as _, EngineError, ErrorKind, FilterAnswer, FilterOrder};
use devnet_blueprint::{Blueprint, NodePlan};
use futures::StreamExt as _;

use crate::support::{Bench, Linking, greeting, with_docker};

const PROBE_TIMEOUT: Duration = Duration::from_millis(400);

/// A network of stand-ins that all answer.
async fn network(bench: &Bench, nodes: u32) -> Blueprint {
    let image = bench.image().await;
    let blueprint = bench.blueprint(nodes, 1, &image).await;
    bench.perform(&blueprint).await.unwrap();
    for node in &blueprint.nodes {
        greeting(node.host.rpc).await;
    }
    blueprint
}

fn ips(blueprint: &Blueprint) -> Vec<Ipv4Addr> {
    blueprint.nodes.iter().map(|node| node.ip).collect()
}

/// An order with a probe to each of the others.
fn order(blueprint: &Blueprint, at: usize, rules: Option<FilterRules>) -> FilterOrder {
    let own = &blueprint.nodes[at];
    let others = blueprint.nodes.iter().filter(|node| node.ip != own.ip);
    FilterOrder {
        node: own.name.clone(),
        rules,
        probes: others
            .map(|node| SocketAddrV4::new(node.ip, 9001))
            .collect(),
        probe_timeout: PROBE_TIMEOUT,
    }
}

/// Drops what these send, in full; counts what the others send too.
fn cut_from(blueprint: &Blueprint, at: usize, senders: &[Ipv4Addr]) -> FilterRules {
    let own = blueprint.nodes[at].ip;
    FilterRules {
        drops: senders.iter().map(|sender| (*sender, 1.0)).collect(),
        counted: ips(blueprint).into_iter().filter(|ip| *ip != own).collect(),
    }
}

async fn filter(
    engine: &DockerEngine,
    blueprint: &Blueprint,
    orders: &[FilterOrder],
) -> Vec<Result<FilterAnswer, EngineError>> {
    engine
        .filter(blueprint, orders)
        .expect("containers have namespaces")
        .await
        .unwrap()
}

async fn all_well(
    engine: &DockerEngine,
    blueprint: &Blueprint,
    orders: &[FilterOrder],
) -> Vec<FilterAnswer> {
    let answers = filter(engine, blueprint, orders).await;
    answers.into_iter().map(Result::unwrap).collect()
}

async fn read(engine: &DockerEngine, blueprint: &Blueprint, at: usize) -> FilterAnswer {
    let order = FilterOrder {
        probes: Vec::new(),
        ..order(blueprint, at, None)
    };
    all_well(engine, blueprint, &[order]).await.remove(0)
}

fn connected(probe: &ProbeResult) -> bool {
    matches!(probe, ProbeResult::Connected { .. })
}

/// Calls each node's RPC from the host without a pause, in a thread of its own.
struct Caller {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(u64, u64)>,
}

impl Caller {
    fn start(blueprint: &Blueprint) -> Self {
        let addresses: Vec<_> = blueprint.nodes.iter().map(|node| node.host.rpc).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        let thread = std::thread::spawn(move || {
            let (mut calls, mut failures) = (0, 0);
            while !until.load(Ordering::Relaxed) {
                for address in &addresses {
                    calls += 1;
                    failures += u64::from(!answers(*address));
                }
            }
            (calls, failures)
        });
        Self { stop, thread }
    }

    fn assert_no_failure(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (calls, failures) = self.thread.join().unwrap();
        assert!(calls > 10, "only {calls} calls");
        assert_eq!(failures, 0, "of {calls} calls from the host");
    }
}

fn answers(address: SocketAddrV4) -> bool {
    let limit = Duration::from_secs(3);
    let Ok(mut stream) = TcpStream::connect_timeout(&address.into(), limit) else {
        return false;
    };
    let mut text = String::new();
    stream.set_read_timeout(Some(limit)).unwrap();
    stream.read_to_string(&mut text).is_ok() && text.ends_with("9001\n")
}

/// What a program in a node's container prints.
async fn inside(engine: &DockerEngine, node: &NodePlan, words: &[&str]) -> String {
    let mut output = start_inside(engine, node, words).await;
    let mut text = String::new();
    while let Some(part) = output.next().await {
        text.push_str(&part);
    }
    text
}

async fn start_inside(
    engine: &DockerEngine,
    node: &NodePlan,
    words: &[&str],
) -> impl futures::Stream<Item = String> + Send + Unpin + use<> {
    let options = CreateExecOptions {
        cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        user: Some("0".into()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let client = engine.client();
    let created = client.create_exec(node.container_name(), options).await;
    let started = client.start_exec(&created.unwrap().id, None).await.unwrap();
    let StartExecResults::Attached { output, .. } = started else {
        panic!("attached")
    };
    output.map(|part| part.unwrap().to_string())
}

/// A session between two nodes; tells how many bytes came back so far.
async fn session(engine: &DockerEngine, from: &NodePlan, to: &NodePlan) -> Arc<AtomicU64> {
    let words = ["/minichain", "talk", &to.ip.to_string()];
    let mut output = start_inside(engine, from, &words).await;
    let back = Arc::new(AtomicU64::new(0));
    let told = back.clone();
    tokio::spawn(async move {
        while let Some(text) = output.next().await {
            if let Some(number) = text.lines().last().and_then(|line| line.parse().ok()) {
                told.store(number, Ordering::Relaxed);
            }
        }
    });
    grows(&back).await;
    back
}

async fn grows(back: &AtomicU64) {
    let before = back.load(Ordering::Relaxed);
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if back.load(Ordering::Relaxed) > before + 5 {
            return;
        }
    }
    panic!("the session is silent");
}

#[test]
fn a_cut_silences_new_and_living_sessions_but_not_the_host() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "cut");
        let blueprint = network(&bench, 3).await;
        let ips = ips(&blueprint);
        let back = session(&engine, &blueprint.nodes[0], &blueprint.nodes[1]).await;
        let caller = Caller::start(&blueprint);

        // The first node on one side, the others on the other.
        let cut = [
            order(&blueprint, 0, Some(cut_from(&blueprint, 0, &ips[1..]))),
            order(&blueprint, 1, Some(cut_from(&blueprint, 1, &ips[..1]))),
            order(&blueprint, 2, Some(cut_from(&blueprint, 2, &ips[..1]))),
        ];
        let answers = all_well(&engine, &blueprint, &cut).await;
        for (answer, order) in answers.iter().zip(&cut) {
            assert_eq!(answer.node, order.node);
            assert_eq!(answer.rules, order.rules, "as read back");
        }
        assert_eq!(answers[0].probes, [ProbeResult::TimedOut; 2]);
        assert_eq!(answers[1].probes[0], ProbeResult::TimedOut);
        assert!(connected(&answers[1].probes[1]) && connected(&answers[2].probes[1]));
        assert!(answers[0].packets[&ips[1]].dropped > 0, "{answers:?}");
        assert!(answers[1].packets[&ips[2]].passed > 0, "{answers:?}");
        assert_eq!(answers[1].packets[&ips[2]].dropped, 0);

        let silent = back.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(back.load(Ordering::Relaxed), silent, "not a byte came back");

        let heal: Vec<_> = (0..3)
            .map(|at| order(&blueprint, at, Some(FilterRules::default())))
            .collect();
        let answers = all_well(&engine, &blueprint, &heal).await;
        for answer in &answers {
            assert!(answer.probes.iter().all(connected), "{answer:?}");
            assert_eq!(answer.rules, None, "our table is gone");
            assert_eq!(answer.packets, BTreeMap::new());
        }
        // The very same session goes on.
        grows(&back).await;
        caller.assert_no_failure();
    });
}

#[test]
fn a_one_way_cut_shows_its_direction_in_the_packet_counters() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "oneway");
        let blueprint = network(&bench, 2).await;
        let ips = ips(&blueprint);
        let orders = [
            order(&blueprint, 0, Some(cut_from(&blueprint, 0, &ips[1..]))),
            order(&blueprint, 1, Some(cut_from(&blueprint, 1, &[]))),
        ];
        let answers = all_well(&engine, &blueprint, &orders).await;
        let (hears_nothing, hears_all) = (&answers[0], &answers[1]);
        assert!(!connected(&hears_nothing.probes[0]) && !connected(&hears_all.probes[0]));
        let from_second = hears_nothing.packets[&ips[1]];
        let from_first = hears_all.packets[&ips[0]];
        assert!(
            from_second.dropped > 0 && from_second.passed == 0,
            "{answers:?}"
        );
        assert!(
            from_first.passed > 0 && from_first.dropped == 0,
            "{answers:?}"
        );
    });
}

#[test]
fn a_loss_of_half_the_packets_shows_in_the_counters() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "loss");
        let blueprint = network(&bench, 2).await;
        let ips = ips(&blueprint);
        let rules = FilterRules {
            drops: BTreeMap::from([(ips[1], 0.5)]),
            counted: vec![ips[1]],
        };
        let mut losing = order(&blueprint, 0, Some(rules.clone()));
        losing.probes.clear();
        let mut sending = order(&blueprint, 1, None);
        // Few enough for the stand-in's queue, many enough for a share.
        sending.probes = vec![SocketAddrV4::new(ips[0], 9); 400];
        let answers = all_well(&engine, &blueprint, &[losing, sending]).await;
        assert_eq!(answers[0].rules, Some(rules));
        let Packets { passed, dropped } = answers[0].packets[&ips[1]];
        let all = passed + dropped;
        assert!(all >= 400, "{all} packets");
        // Six standard deviations to either side.
        assert!(
            (all * 35..all * 65).contains(&(dropped * 100)),
            "{dropped} of {all}"
        );
        let refused = |probe: &&ProbeResult| matches!(probe, ProbeResult::Refused { .. });
        let through = answers[1].probes.iter().filter(refused).count() as u64;
        assert!(through > 0 && through <= passed, "{through} of {passed}");
    });
}

#[test]
fn applying_twice_is_applying_once_and_spares_the_tables_of_others() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "tables");
        let blueprint = network(&bench, 2).await;
        let ips = ips(&blueprint);
        let node = &blueprint.nodes[0];
        let made = inside(&engine, node, &["/minichain", "foreign"]).await;
        assert_eq!(made.trim(), "made");
        let tables = || inside(&engine, node, &["/minichain", "tables"]);
        // The engine may keep tables of its own in there.
        let before = tables().await;
        assert!(before.contains("theirs\n"), "{before}");
        let cut = order(&blueprint, 0, Some(cut_from(&blueprint, 0, &ips[1..])));
        for _ in 0..2 {
            let answer = all_well(&engine, &blueprint, std::slice::from_ref(&cut)).await;
            assert_eq!(answer[0].rules, cut.rules);
            assert_eq!(tables().await, format!("{before}devnet\n"));
        }
        // Reading changes nothing and other rules replace all.
        assert_eq!(read(&engine, &blueprint, 0).await.rules, cut.rules);
        let counting = cut_from(&blueprint, 0, &[]);
        let other = order(&blueprint, 0, Some(counting.clone()));
        let answers = all_well(&engine, &blueprint, &[other]).await;
        assert_eq!(answers[0].rules, Some(counting));
        assert!(connected(&answers[0].probes[0]));
        let heal = order(&blueprint, 0, Some(FilterRules::default()));
        for _ in 0..2 {
            let answers = all_well(&engine, &blueprint, std::slice::from_ref(&heal)).await;
            assert_eq!(answers[0].rules, None);
            assert_eq!(tables().await, before);
        }
    });
}

#[test]
fn a_restart_loses_the_rules_and_a_read_tells() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "lost");
        let blueprint = network(&bench, 2).await;
        let ips = ips(&blueprint);
        let cut = order(&blueprint, 0, Some(cut_from(&blueprint, 0, &ips[1..])));
        all_well(&engine, &blueprint, std::slice::from_ref(&cut)).await;
        let name = blueprint.nodes[0].container_name();
        let restart = engine
            .client()
            .restart_container(name, None::<RestartContainerOptions>);
        restart.await.unwrap();
        assert_eq!(read(&engine, &blueprint, 0).await.rules, None);
        let answers = all_well(&engine, &blueprint, std::slice::from_ref(&cut)).await;
        assert_eq!(answers[0].rules, cut.rules);
        assert_eq!(answers[0].probes, [ProbeResult::TimedOut]);
    });
}

#[test]
fn nodes_that_cannot_be_filtered_do_not_hold_up_the_others() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "stopped");
        let blueprint = network(&bench, 4).await;
        let client = engine.client();
        let name = |at: usize| blueprint.nodes[at].container_name();
        let stop = client.stop_container(name(1), None::<StopContainerOptions>);
        stop.await.unwrap();
        // The frozen one has a helper waiting, which must not do later what it
        // is told now.
        read(&engine, &blueprint, 2).await;
        client.pause_container(name(2)).await.unwrap();
        let mut orders: Vec<_> = (0..4)
            .map(|at| order(&blueprint, at, Some(cut_from(&blueprint, at, &[]))))
            .collect();
        orders[3].node = "nobody-7".into();
        let answers = filter(&engine, &blueprint, &orders).await;
        assert!(answers[0].is_ok(), "{answers:?}");
        let words = |at: usize| {
            let error = answers[at].as_ref().unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
            error.to_string()
        };
        assert!(words(1).contains("devnet start"), "{}", words(1));
        assert!(words(2).contains("devnet unpause"), "{}", words(2));
        assert!(words(3).contains("nobody-7"), "{}", words(3));
        // What was refused is not done later.
        client.unpause_container(name(2)).await.unwrap();
        assert_eq!(read(&engine, &blueprint, 2).await.rules, None);
    });
}

#[test]
fn rules_against_the_host_are_refused() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "host");
        let blueprint = network(&bench, 1).await;
        let gateway = blueprint.network.as_ref().unwrap().gateway;
        let against = order(&blueprint, 0, Some(cut_from(&blueprint, 0, &[gateway])));
        let answers = filter(&engine, &blueprint, &[against]).await;
        let error = answers[0].as_ref().unwrap_err();
        assert!(error.detail.contains("host"), "{error}");
        assert_eq!(read(&engine, &blueprint, 0).await.rules, None);
    });
}

#[test]
fn an_image_without_helper_says_how_to_get_one() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "bare");
        let image = bare_image(&bench).await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        bench.perform(&blueprint).await.unwrap();
        let answers = filter(&engine, &blueprint, &[order(&blueprint, 0, None)]).await;
        let error = answers[0].as_ref().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Program, "{error}");
        assert!(error.remedy.contains("-p devnet-netfault"), "{error}");
    });
}

/// An image of somebody else's making, with nothing but a node in it.
async fn bare_image(bench: &Bench) -> String {
    let binary = bench.stand_in(Linking::Static);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_path_with_name(binary, "minichain").unwrap();
    let dockerfile = b"FROM scratch\nCOPY minichain /\nENTRYPOINT [\"/minichain\"]\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    archive
        .append_data(&mut header, "Dockerfile", dockerfile.as_slice())
        .unwrap();
    let body = bollard::body_full(archive.into_inner().unwrap().into());
    let image = format!("minichain:{}", bench.name);
    let options = BuildImageOptionsBuilder::default()
        .t(&image)
        .rm(true)
        .build();
    let mut building = bench.engine.client().build_image(options, None, Some(body));
    while let Some(step) = building.next().await {
        step.unwrap();
    }
    bench.will_remove(&image);
    image
}

#[test]
fn a_container_with_other_locks_is_told_by_name() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "locks");
        let image = bench.image().await;
        let blueprint = bench.blueprint(2, 1, &image).await;
        let (admin, privileges) = (&blueprint.nodes[0], &blueprint.nodes[1]);
        let bare = HostConfig {
            cap_drop: Some(vec!["ALL".into()]),
            ..HostConfig::default()
        };
        let strict = HostConfig {
            cap_add: Some(vec!["NET_ADMIN".into()]),
            security_opt: Some(vec!["no-new-privileges".into()]),
            ..bare.clone()
        };
        foreign_container(&engine, admin, &image, bare).await;
        foreign_container(&engine, privileges, &image, strict).await;
        let orders = [0, 1].map(|at| order(&blueprint, at, Some(cut_from(&blueprint, at, &[]))));
        let answers = filter(&engine, &blueprint, &orders).await;
        let remedy = |at: usize| &answers[at].as_ref().unwrap_err().remedy;
        assert!(remedy(0).contains("NET_ADMIN"), "{answers:?}");
        // Newer engines let root have its capabilities all the same.
        if answers[1].is_err() {
            assert!(remedy(1).contains("no-new-privileges"), "{answers:?}");
        }
    });
}

/// A running container in the place of a node's; found and removed by its
/// labels.
async fn foreign_container(engine: &DockerEngine, node: &NodePlan, image: &str, host: HostConfig) {
    let options = CreateContainerOptionsBuilder::default()
        .name(node.container_name())
        .build();
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["run".into()]),
        user: Some("65532:65532".into()),
        labels: Some(node.labels.clone().into_iter().collect()),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    let client = engine.client();
    client.create_container(Some(options), body).await.unwrap();
    let start = client.start_container(node.container_name(), None::<StartContainerOptions>);
    start.await.unwrap();
}
