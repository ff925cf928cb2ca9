//! Nodes of large networks know each other for good, so that the host's kernel
//! needs no room for them.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use devnet::engine::fault::ProbeResult;
use devnet::engine::{Engine as _, FilterOrder, NodeAct};
use devnet_blueprint::{Action, Blueprint, Subnet, diff};
use devnet_netfault::{hardware_address, written};

use crate::support::{Bench, greeting, with_docker};

/// The fewest nodes that are told.
const LARGE: u32 = 25;
/// Flags in the kernel's table of an entry that is complete and stays.
const PERMANENT: &str = "0x6";

/// A subnet with room for them that nobody uses.
async fn wide_subnet(bench: &Bench) -> Subnet {
    let used = bench.engine.used_subnets().await.unwrap();
    let begin = std::process::id().wrapping_mul(613);
    (0..1024_u32)
        .map(|at| u32::from(Ipv4Addr::new(10, 232, 0, 0)) + begin.wrapping_add(at) % 1024 * 64)
        .map(|base| Subnet::new(Ipv4Addr::from(base), 26).unwrap())
        .find(|subnet| !used.iter().any(|used| used.overlaps(*subnet)))
        .expect("1024 subnets are not all taken")
}

/// Makes the first `count` nodes of the plan and leaves the others out.
async fn begin(bench: &Bench, blueprint: &Blueprint, count: usize) {
    let chosen = &blueprint.nodes[..count];
    let is_chosen = |node: &str| chosen.iter().any(|one| one.name == node);
    for action in diff(blueprint, &bench.observe().await).actions() {
        let is_wanted = match action {
            Action::CreateNetwork => true,
            Action::CreateVolume { node }
            | Action::CreateNode { node }
            | Action::StartNode { node } => is_chosen(node),
            _ => false,
        };
        if is_wanted {
            bench.engine.perform(blueprint, action).await.unwrap();
        }
    }
    for node in chosen {
        greeting(node.host.rpc).await;
    }
}

/// Hardware address and flags of each neighbour that a node's kernel knows.
async fn known(bench: &Bench, node: &str) -> BTreeMap<Ipv4Addr, (String, String)> {
    let vitals = bench.engine.vitals(&bench.name).await.unwrap();
    let vitals = vitals.iter().find(|vitals| vitals.node == node).unwrap();
    let path = format!("/proc/{}/net/arp", vitals.pid.unwrap());
    let text = fs::read_to_string(path).unwrap();
    let entry = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ip = fields[0].parse().unwrap();
        (ip, (fields[3].to_owned(), fields[2].to_owned()))
    };
    text.lines().skip(1).map(entry).collect()
}

fn assert_all_known(
    blueprint: &Blueprint,
    own: usize,
    known: &BTreeMap<Ipv4Addr, (String, String)>,
) {
    for (at, other) in blueprint.nodes.iter().enumerate() {
        let wanted = (written(hardware_address(other.ip)), PERMANENT.to_owned());
        let found = known.get(&other.ip);
        assert_eq!(found, (at != own).then_some(&wanted), "{}", other.name);
    }
}

#[test]
fn nodes_of_a_large_network_know_each_other_for_good() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "neighbours");
        let image = bench.image().await;
        let subnet = wide_subnet(&bench).await;
        let blueprint = bench.blueprint_in(LARGE, 1, &image, subnet);
        begin(&bench, &blueprint, 2).await;
        let [first, second] = [&blueprint.nodes[0], &blueprint.nodes[1]];
        for (at, node) in [first, second].into_iter().enumerate() {
            assert_all_known(&blueprint, at, &known(&bench, &node.name).await);
        }
        // A wrong address would lead nowhere.
        let order = FilterOrder {
            node: first.name.clone(),
            rules: None,
            probes: vec![SocketAddrV4::new(second.ip, 9001)],
            probe_timeout: Duration::from_secs(5),
        };
        let answers = engine.filter(&blueprint, &[order]).unwrap().await.unwrap();
        let probes = &answers[0].as_ref().unwrap().probes;
        assert!(
            matches!(probes[..], [ProbeResult::Connected { .. }]),
            "{probes:?}"
        );

        // A process that starts again has a network of its own again.
        for act in [NodeAct::Kill, NodeAct::Start] {
            engine.act(&blueprint, &second.name, &act).await.unwrap();
        }
        greeting(second.host.rpc).await;
        assert_all_known(&blueprint, 1, &known(&bench, &second.name).await);
    });
}

#[test]
fn small_networks_are_left_to_find_each_other() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "few");
        let image = bench.image().await;
        let blueprint = bench.blueprint(2, 1, &image).await;
        begin(&bench, &blueprint, 2).await;
        let known = known(&bench, &blueprint.nodes[0].name).await;
        assert!(
            known.values().all(|(_, flags)| flags != PERMANENT),
            "{known:?}"
        );
    });
}
