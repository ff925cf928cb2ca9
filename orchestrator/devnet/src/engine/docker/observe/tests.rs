//! Labels of an engine's answers become what the planner understands.

use super::*;
use bollard::models::{Ipam, IpamConfig};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn container(name: &str, node: &str, state: ContainerSummaryStateEnum) -> ContainerSummary {
    ContainerSummary {
        id: Some(format!("id-{node}")),
        state: Some(state),
        labels: Some(labels(&[
            (label::NAME, name),
            (label::NODE, node),
            (label::RUN, "run-1"),
            (label::CREATED, "1700000000"),
            (label::OWNER, "ann@host"),
        ])),
        ..ContainerSummary::default()
    }
}

#[test]
fn a_summary_counts_nodes_and_takes_the_newest_run() {
    let newer = labels(&[
        (label::NAME, "a"),
        (label::RUN, "run-2"),
        (label::CREATED, "1700000009"),
        (label::OWNER, "bob@host"),
    ]);
    let found = Found {
        containers: vec![
            container("a", "miner-0", ContainerSummaryStateEnum::RUNNING),
            container("a", "miner-1", ContainerSummaryStateEnum::EXITED),
            container("b", "miner-0", ContainerSummaryStateEnum::RUNNING),
        ],
        networks: vec![Network {
            labels: Some(newer),
            ..Network::default()
        }],
        volumes: Vec::new(),
    };
    let summaries = summarise(&found);
    let line = |summary: &NetworkSummary| {
        format!(
            "{} {} {} {} {}/{}",
            summary.name,
            summary.run_id,
            summary.created_at_s,
            summary.owner,
            summary.running,
            summary.nodes
        )
    };
    let lines: Vec<String> = summaries.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "a run-2 1700000009 bob@host 1/2",
            "b run-1 1700000000 ann@host 1/1"
        ]
    );
}

#[test]
fn damaged_labels_are_shown_not_refused() {
    let broken = labels(&[(label::NAME, "a"), (label::CREATED, "yesterday")]);
    let mut found = container("a", "", ContainerSummaryStateEnum::DEAD);
    found.labels = Some(broken);
    let summaries = summarise(&Found {
        containers: vec![found],
        networks: Vec::new(),
        volumes: Vec::new(),
    });
    assert_eq!(
        (
            summaries[0].created_at_s,
            summaries[0].nodes,
            summaries[0].running
        ),
        (0, 1, 0)
    );
}

#[test]
fn a_container_being_removed_counts_as_dead() {
    for state in [None, Some(ContainerSummaryStateEnum::REMOVING)] {
        assert_eq!(node_state(state), NodeState::Dead);
    }
}

#[test]
fn every_subnet_of_a_network_counts_as_used() {
    let config = |subnet: &str| IpamConfig {
        subnet: Some(subnet.into()),
        ..IpamConfig::default()
    };
    let network = Network {
        name: Some("web".into()),
        ipam: Some(Ipam {
            config: Some(vec![
                config("172.20.0.0/16"),
                config("fd00::/64"),
                config("10.9.0.0/24"),
            ]),
            ..Ipam::default()
        }),
        ..Network::default()
    };
    let used: Vec<String> = subnets_of(&network)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        used,
        [
            "172.20.0.0/16 (network web of the engine)",
            "10.9.0.0/24 (network web of the engine)"
        ]
    );
}

#[test]
fn credentials_are_read_from_the_environment() {
    let env = |text: &str| vec!["PATH=/".to_owned(), format!("{CONFIG_ENV}={text}")];
    let found = access(&env("rpc:\n  user: devnet\n  password: secret\n"));
    assert_eq!(
        found,
        Some(RpcAccess {
            user: "devnet".into(),
            password: "secret".into()
        })
    );
    assert_eq!(access(&env("rpc: {}\n")), None);
    assert_eq!(access(&env(": not yaml : [")), None);
    assert_eq!(access(&[]), None);
}
