//! What people read.

use devnet_blueprint::render::{done, dry_run, explain};
use devnet_blueprint::{Action, Blueprint, EngineKind, Observed, Plan, Removal, diff};
use insta::assert_snapshot;

use crate::support::{counts, docker, planned, process, yaml};

fn dry(blueprint: &Blueprint) -> String {
    let text = dry_run(blueprint, &diff(blueprint, &Observed::default()));
    assert!(
        !text.contains("correct-horse"),
        "the password is shown:\n{text}"
    );
    assert!(
        text.lines().all(|line| line.trim_end() == line),
        "spaces at a line's end:\n{text}"
    );
    text
}

#[test]
fn a_dry_run_of_three_containers() {
    assert_snapshot!(dry(&planned(&counts(3, 2), &docker())));
}

#[test]
fn a_dry_run_of_processes_that_differ() {
    let text = r"
        name: lab
        groups:
        - {name: miner, count: 2, hash_rate: 500.5}
        - {name: old, binary: /opt/minichain-0.1}
        peers: {edges: [[miner-0, miner-1], [old-0, miner-0], [old-0, miner-1]]}
        genesis: {block_time: 1s, difficulty: {rule: fixed}, allocations: {}, reward: {halving_interval: 0}}
    ";
    assert_snapshot!(dry(&planned(&yaml(text), &process())));
}

#[test]
fn a_dry_run_of_many_is_shortened() {
    let text = dry(&planned(&counts(30, 10), &docker()));
    assert!(text.contains("and 18 more"), "{text}");
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("observer-"))
            .count(),
        19
    );
}

#[test]
fn a_dry_run_of_what_exists_says_so() {
    let blueprint = planned(&counts(1, 1), &docker());
    let text = dry_run(&blueprint, &Plan::default());
    assert!(
        text.ends_with("\nNothing to do: all of this exists and runs.\n"),
        "{text}"
    );
}

#[test]
fn a_dry_run_of_down_shows_what_would_go() {
    let blueprint = Blueprint::empty("local", EngineKind::Docker);
    let observed = Observed {
        state: Some(String::new()),
        ..Observed::default()
    };
    assert_snapshot!(dry_run(&blueprint, &diff(&blueprint, &observed)));
}

#[test]
fn every_action_has_a_line_before_and_after() {
    let node = || "miner-0".to_owned();
    let mut actions = vec![
        Action::SaveState,
        Action::RemoveState,
        Action::CreateNetwork,
        Action::RemoveNetwork {
            id: "0123456789abcdef".repeat(4),
        },
        Action::CreateVolume { node: node() },
        Action::RemoveVolume {
            volume: "devnet-local-miner-0".into(),
        },
        Action::CreateNode { node: node() },
        Action::StartNode { node: node() },
        Action::UnpauseNode { node: node() },
    ];
    for reason in [
        Removal::Unwanted,
        Removal::Drifted,
        Removal::Dead,
        Removal::Duplicate,
        Removal::Rehoused,
    ] {
        actions.push(Action::RemoveNode {
            id: "1".into(),
            node: node(),
            reason,
        });
    }
    let lines: Vec<String> = actions
        .iter()
        .map(|action| format!("{} / {}", explain(action), done(action)))
        .collect();
    assert_snapshot!(lines.join("\n"));
}
