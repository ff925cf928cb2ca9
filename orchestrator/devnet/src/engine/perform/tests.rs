//! Plans performed on a double: order, failure, and the way on.

use std::sync::Mutex;

use devnet_blueprint::{
    DockerInput, EngineInput, EngineKind, NodeState, PlanInput, Topology, diff, plan,
};

use super::*;
use crate::engine::recording::Recording;

fn blueprint(nodes: u32) -> Blueprint {
    let mut topology = Topology::from_counts(nodes, nodes).unwrap();
    topology.name = "alpha".into();
    let docker = DockerInput {
        subnet: "10.9.0.0/24".parse().unwrap(),
        host_ports: (20_000..20_000 + 2 * u16::try_from(nodes).unwrap()).collect(),
        image: "minichain:double".into(),
        images: std::collections::BTreeMap::new(),
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

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Report for Lines {
    fn step(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

async fn bring_to(double: &Recording, blueprint: &Blueprint) -> Result<usize, EngineError> {
    let todo = diff(blueprint, &double.observed(&blueprint.name));
    perform_plan(double, double, blueprint, &todo, &Lines::default()).await
}

fn start(node: &str) -> Action {
    Action::StartNode { node: node.into() }
}

fn refusal() -> EngineError {
    EngineError::new(ErrorKind::Refused, "starting miner-3", "not today").remedy("Wait a day.")
}

#[tokio::test]
async fn a_plan_is_performed_once_and_undone_once() {
    let double = Recording::new(EngineKind::Docker);
    let plan = blueprint(3);
    assert_eq!(bring_to(&double, &plan).await.unwrap(), 11);
    let observed = double.observed("alpha");
    assert!(
        observed
            .nodes
            .iter()
            .all(|node| node.state == NodeState::Running)
    );
    assert_eq!(bring_to(&double, &plan).await.unwrap(), 0);
    let empty = Blueprint::empty("alpha", EngineKind::Docker);
    assert_eq!(bring_to(&double, &empty).await.unwrap(), 8);
    assert!(double.observed("alpha").is_empty());
}

#[tokio::test]
async fn every_action_is_told_in_words() {
    let double = Recording::new(EngineKind::Docker);
    let (plan, lines) = (blueprint(1), Lines::default());
    let todo = diff(&plan, &double.observed("alpha"));
    perform_plan(&double, &double, &plan, &todo, &lines)
        .await
        .unwrap();
    assert_eq!(
        *lines.0.lock().unwrap(),
        [
            "blueprint saved",
            "network 10.9.0.0/24 created",
            "miner-0: data volume created",
            "miner-0: created",
            "miner-0: started",
        ]
    );
}

#[tokio::test]
async fn a_failure_names_the_way_on_and_the_same_call_continues() {
    let double = Recording::new(EngineKind::Docker);
    let plan = blueprint(4);
    double.fail_once(start("miner-3"), refusal());
    let error = bring_to(&double, &plan).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "starting miner-3: not today\nWait a day.\nRun the same command again to continue, or \
         `devnet down --name alpha` to remove what exists."
    );
    assert!(bring_to(&double, &plan).await.unwrap() > 0);
    let observed = double.observed("alpha");
    assert!(
        observed
            .nodes
            .iter()
            .all(|node| node.state == NodeState::Running)
    );
}

#[tokio::test]
async fn after_a_failure_no_later_stage_begins() {
    let double = Recording::new(EngineKind::Docker);
    double.fail_once(Action::CreateNetwork, refusal());
    bring_to(&double, &blueprint(2)).await.unwrap_err();
    let calls = double.calls();
    assert!(
        !calls.iter().any(|call| call.starts_with("CreateNode")),
        "{calls:?}"
    );
}

#[tokio::test]
async fn an_overlap_says_nothing_of_another_run_since_one_follows_by_itself() {
    let double = Recording::new(EngineKind::Docker);
    let overlap = EngineError::new(ErrorKind::SubnetOverlap, "creating network", "overlaps");
    double.fail_once(Action::CreateNetwork, overlap.clone());
    assert_eq!(bring_to(&double, &blueprint(1)).await.unwrap_err(), overlap);
}

#[tokio::test]
async fn taking_away_goes_on_past_what_will_not_go() {
    let double = Recording::new(EngineKind::Docker);
    bring_to(&double, &blueprint(3)).await.unwrap();
    let stubborn = Action::RemoveVolume {
        volume: "devnet-alpha-miner-0".into(),
    };
    double.fail_once(stubborn, refusal());
    let empty = Blueprint::empty("alpha", EngineKind::Docker);
    let error = bring_to(&double, &empty).await.unwrap_err();
    assert!(
        error
            .remedy
            .ends_with("Run the same command again to finish."),
        "{error}"
    );
    let left = double.observed("alpha");
    assert_eq!(
        (left.nodes.len(), left.networks.len(), left.volumes.len()),
        (0, 0, 1)
    );
    assert_eq!(bring_to(&double, &empty).await.unwrap(), 1);
    assert!(double.observed("alpha").is_empty());
}
