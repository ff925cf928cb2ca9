//! The double filters as a kernel would.

use std::net::SocketAddrV4;
use std::time::Duration;

use devnet_blueprint::{DockerInput, EngineInput, EngineKind, PlanInput, Topology, diff, plan};

use super::*;
use crate::engine::recording::Recording;
use crate::engine::{Engine as _, Silent, perform_plan};

fn blueprint() -> Blueprint {
    let mut topology = Topology::from_counts(3, 3).unwrap();
    topology.name = "alpha".into();
    let docker = DockerInput {
        subnet: "10.9.0.0/24".parse().unwrap(),
        host_ports: (20_000..20_006).collect(),
        image: "minichain:double".into(),
        images: BTreeMap::new(),
    };
    let input = PlanInput {
        seed: 7,
        created_at_s: 1_800_000_000,
        run_id: "r1".into(),
        owner: "tester".into(),
        rpc_password: "secret".into(),
        engine: EngineInput::Docker(docker),
        previous: None,
    };
    plan(&topology, &input).unwrap()
}

async fn up() -> (Recording, Blueprint) {
    let double = Recording::new(EngineKind::Docker);
    let blueprint = blueprint();
    let todo = diff(&blueprint, &double.observed("alpha"));
    perform_plan(&double, &double, &blueprint, &todo, &Silent)
        .await
        .unwrap();
    (double, blueprint)
}

fn order(blueprint: &Blueprint, at: usize, rules: Option<FilterRules>) -> FilterOrder {
    let own = &blueprint.nodes[at];
    let others = blueprint.nodes.iter().filter(|node| node.ip != own.ip);
    FilterOrder {
        node: own.name.clone(),
        rules,
        probes: others
            .map(|node| SocketAddrV4::new(node.ip, 9000))
            .collect(),
        probe_timeout: Duration::from_millis(300),
    }
}

fn dropping(ip: Ipv4Addr, share: f64) -> FilterRules {
    FilterRules {
        drops: BTreeMap::from([(ip, share)]),
        counted: vec![ip],
    }
}

async fn filter(
    double: &Recording,
    blueprint: &Blueprint,
    orders: &[FilterOrder],
) -> Vec<Result<FilterAnswer, EngineError>> {
    double.filter(blueprint, orders).unwrap().await.unwrap()
}

const CONNECTED: ProbeResult = ProbeResult::Connected { rtt_us: RTT_US };

#[tokio::test]
async fn a_one_way_cut_stops_probes_both_ways_and_counts_one_way() {
    let (double, plan) = up().await;
    let (first, second) = (plan.nodes[0].ip, plan.nodes[1].ip);
    let counting = FilterRules {
        counted: vec![first],
        ..FilterRules::default()
    };
    let orders = [
        order(&plan, 0, Some(dropping(second, 1.0))),
        order(&plan, 1, Some(counting)),
    ];
    let answers = filter(&double, &plan, &orders).await;
    let (deaf, hearing) = (answers[0].as_ref().unwrap(), answers[1].as_ref().unwrap());
    assert_eq!(deaf.rules, orders[0].rules);
    assert_eq!(deaf.probes, [ProbeResult::TimedOut, CONNECTED]);
    assert_eq!(hearing.probes, [ProbeResult::TimedOut, CONNECTED]);
    let only = |passed, dropped| Packets { passed, dropped };
    assert_eq!(deaf.packets[&second], only(0, 2));
    assert_eq!(hearing.packets[&first], only(1, 0));
}

#[tokio::test]
async fn a_loss_drops_its_share() {
    let (double, plan) = up().await;
    let second = plan.nodes[1].ip;
    let mut losing = order(&plan, 0, Some(dropping(second, 0.25)));
    losing.probes.clear();
    let mut sending = order(&plan, 1, None);
    sending.probes = vec![SocketAddrV4::new(plan.nodes[0].ip, 9000); 400];
    let answers = filter(&double, &plan, &[losing, sending]).await;
    let packets = answers[0].as_ref().unwrap().packets[&second];
    assert_eq!((packets.passed, packets.dropped), (300, 100));
    let probes = &answers[1].as_ref().unwrap().probes;
    let lost = |probe: &&ProbeResult| **probe == ProbeResult::TimedOut;
    assert_eq!(probes.iter().filter(lost).count(), 100);
}

#[tokio::test]
async fn ineffective_rules_read_back_and_do_not_bite() {
    let (double, plan) = up().await;
    double.ineffective_filters("alpha", true);
    let rules = dropping(plan.nodes[1].ip, 1.0);
    let orders = [order(&plan, 0, Some(rules.clone()))];
    let answers = filter(&double, &plan, &orders).await;
    let answer = answers[0].as_ref().unwrap();
    assert_eq!(answer.rules, Some(rules));
    assert_eq!(answer.probes, [CONNECTED, CONNECTED]);
}

#[tokio::test]
async fn rules_stay_until_they_are_replaced_or_lost() {
    let (double, plan) = up().await;
    let rules = dropping(plan.nodes[1].ip, 1.0);
    let set = [order(&plan, 0, Some(rules.clone()))];
    let read = [order(&plan, 0, None)];
    let heal = [order(&plan, 0, Some(FilterRules::default()))];
    let rules_after = async |orders: &[FilterOrder]| {
        let answers = filter(&double, &plan, orders).await;
        answers[0].as_ref().unwrap().rules.clone()
    };
    assert_eq!(rules_after(&read).await, None);
    assert_eq!(rules_after(&set).await, Some(rules.clone()));
    assert_eq!(rules_after(&read).await, Some(rules.clone()));
    assert_eq!(rules_after(&heal).await, None);
    assert_eq!(rules_after(&set).await, Some(rules));
    double.lose_filter("alpha", "miner-0");
    assert_eq!(rules_after(&read).await, None);
}

#[tokio::test]
async fn a_node_that_does_not_run_is_refused_and_not_reached() {
    let (double, plan) = up().await;
    double.disturb("alpha", |observed| {
        observed.nodes[1].state = NodeState::Exited;
    });
    let orders = [order(&plan, 0, None), order(&plan, 1, None)];
    let answers = filter(&double, &plan, &orders).await;
    let first = answers[0].as_ref().unwrap();
    assert_eq!(first.probes, [ProbeResult::TimedOut, CONNECTED]);
    assert_eq!(answers[1].as_ref().unwrap_err().kind, ErrorKind::NotFound);
    let processes = Recording::new(EngineKind::Process);
    assert!(processes.filter(&plan, &orders).is_none());
}
