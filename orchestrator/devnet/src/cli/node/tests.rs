//! Verbs of node faults against doubles.

use devnet_blueprint::{Blueprint, NodeState};

use super::super::tests::Stage;
use crate::engine::{LogLine, LogSource};
use crate::exit::Exit;
use crate::faults::Intent;

const DONE: Result<Exit, crate::exit::Failure> = Ok(Exit::Success);

async fn up(arguments: &[&str]) -> Stage {
    let stage = Stage::new();
    let all = [
        &["--name", "alpha", "--nodes", "4", "--miners", "2"],
        arguments,
    ]
    .concat();
    assert_eq!(stage.up(&all).await, DONE);
    stage
}

fn state(stage: &Stage, node: &str) -> Option<NodeState> {
    stage.docker.state_of(node)
}

fn plan(stage: &Stage) -> Blueprint {
    let plan = stage.world.states.load("alpha").expect("readable");
    plan.expect("a network that is up")
}

fn intended(stage: &Stage) -> usize {
    let folder = stage.world.states.network("alpha");
    Intent::load(&folder).expect("readable").faults().len()
}

fn ready_at(node: &str, height: u32) -> LogLine {
    LogLine {
        node: node.into(),
        time_ms: 0,
        source: LogSource::Stdout,
        text: format!("2026-01-01T00:00:00Z  INFO driver: ready network=alpha height={height}"),
    }
}

const ON: [&str; 2] = ["--name", "alpha"];

async fn cast(stage: &Stage, verb: &str, nodes: &[&str]) -> Result<Exit, crate::exit::Failure> {
    stage.node(verb, &[nodes, &ON].concat()).await
}

#[tokio::test]
async fn a_killed_node_stays_down_until_it_is_started() {
    let stage = up(&[]).await;
    assert_eq!(cast(&stage, "kill", &["miner-0"]).await, DONE);
    assert_eq!(state(&stage, "miner-0"), Some(NodeState::Exited));
    assert_eq!(state(&stage, "miner-1"), Some(NodeState::Running));
    assert_eq!(cast(&stage, "kill", &["miner-0"]).await, DONE, "again");
    assert_eq!(intended(&stage), 1);
    assert_eq!(cast(&stage, "start", &["miner-0"]).await, DONE);
    assert_eq!(state(&stage, "miner-0"), Some(NodeState::Running));
    assert_eq!(intended(&stage), 0);
}

#[tokio::test]
async fn a_node_that_lives_through_its_kill_is_invalid() {
    let stage = up(&[]).await;
    stage.docker.make_stubborn("miner-0");
    for verb in ["kill", "stop", "pause", "restart"] {
        let outcome = cast(&stage, verb, &["miner-0"]).await;
        assert_eq!(outcome, Ok(Exit::Invalid), "{verb}");
    }
    assert_eq!(
        cast(&stage, "kill", &["miner-1", "miner-0"]).await,
        Ok(Exit::Invalid)
    );
}

#[tokio::test]
async fn a_dead_process_whose_rpc_answers_is_invalid() {
    let mut stage = up(&[]).await;
    // Nodes that answer whatever became of their processes.
    stage.world.prober = std::sync::Arc::new(super::super::tests::FakeNodes::default());
    assert_eq!(cast(&stage, "kill", &["miner-0"]).await, Ok(Exit::Invalid));
}

#[tokio::test(start_paused = true)]
async fn a_fault_ends_with_its_time() {
    for (verb, during) in [
        ("kill", NodeState::Exited),
        ("stop", NodeState::Exited),
        ("pause", NodeState::Paused),
    ] {
        let stage = up(&[]).await;
        let fault = cast(&stage, verb, &["miner-0", "--for", "30s"]);
        let look = async {
            tokio::time::sleep(std::time::Duration::from_secs(10)).await;
            assert_eq!(state(&stage, "miner-0"), Some(during), "{verb}");
            // Others may work meanwhile.
            drop(
                stage
                    .world
                    .states
                    .network("alpha")
                    .lock()
                    .expect("not held"),
            );
        };
        let (outcome, ()) = tokio::join!(fault, look);
        assert_eq!(outcome, DONE, "{verb}");
        assert_eq!(state(&stage, "miner-0"), Some(NodeState::Running), "{verb}");
        assert_eq!(intended(&stage), 0, "{verb}");
    }
}

#[tokio::test]
async fn start_also_thaws() {
    let stage = up(&[]).await;
    assert_eq!(cast(&stage, "pause", &["miner"]).await, DONE, "a group");
    assert_eq!(state(&stage, "miner-1"), Some(NodeState::Paused));
    assert_eq!(cast(&stage, "start", &["miner-0,miner-1"]).await, DONE);
    assert_eq!(state(&stage, "miner-1"), Some(NodeState::Running));
    assert_eq!(cast(&stage, "unpause", &["miner-1"]).await, DONE, "again");
}

#[tokio::test]
async fn what_does_not_run_cannot_be_frozen() {
    let stage = up(&[]).await;
    assert_eq!(cast(&stage, "kill", &["miner-0"]).await, DONE);
    let failure = cast(&stage, "pause", &["miner-0"]).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::BadInput);
    assert!(
        failure.to_string().contains("devnet start miner-0"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_misspelt_node_is_told_and_nothing_touched() {
    let stage = up(&[]).await;
    let before = stage.done();
    for verb in ["kill", "start", "wipe", "remove"] {
        let failure = cast(&stage, verb, &["minr-0"]).await.unwrap_err();
        assert_eq!(failure.exit(), Exit::BadInput, "{verb}");
        assert!(failure.to_string().contains("`miner-0`"), "{failure}");
    }
    assert_eq!(stage.done(), before);
}

#[tokio::test]
async fn a_wiped_node_must_be_seen_at_genesis() {
    let stage = up(&[]).await;
    stage.docker.log(vec![ready_at("observer-0", 7)]);
    // Nothing new is logged, and its first answer is as high as before.
    assert_eq!(
        cast(&stage, "wipe", &["observer-0"]).await,
        Ok(Exit::Invalid)
    );
    let calls = stage.docker.calls();
    let acts: Vec<&str> = calls
        .iter()
        .filter(|call| call.ends_with(" observer-0"))
        .map(String::as_str)
        .collect();
    assert_eq!(
        acts,
        ["stop observer-0", "wipe observer-0", "start observer-0"]
    );
}

#[tokio::test]
async fn added_nodes_are_planned_made_and_taken_back() {
    let stage = up(&[]).await;
    let before = plan(&stage);
    assert_eq!(cast(&stage, "kill", &["miner-0"]).await, DONE);
    assert_eq!(
        cast(&stage, "add", &["observer", "--count", "2"]).await,
        DONE
    );
    for node in ["observer-1", "observer-2"] {
        assert_eq!(state(&stage, node), Some(NodeState::Running));
    }
    assert_eq!(
        state(&stage, "miner-0"),
        Some(NodeState::Exited),
        "left alone"
    );
    assert_eq!(plan(&stage).nodes.len(), 6);
    // Up brings back the network that was asked for.
    assert_eq!(stage.up(&["--name", "alpha"]).await, DONE);
    assert_eq!(plan(&stage), before);
    assert_eq!(state(&stage, "observer-1"), None);
    assert_eq!(intended(&stage), 0);
}

#[tokio::test(start_paused = true)]
async fn changes_of_the_plan_end_with_their_time() {
    for arguments in [
        &["add", "miner"][..],
        &["remove", "miner-0"],
        &["upgrade", "miner-0", "--image", "minichain:next"],
    ] {
        let stage = up(&[]).await;
        let before = plan(&stage);
        let all = [&arguments[1..], &["--for", "5s"]].concat();
        assert_eq!(
            cast(&stage, arguments[0], &all).await,
            DONE,
            "{arguments:?}"
        );
        assert_eq!(plan(&stage), before, "{arguments:?}");
        let original = stage
            .world
            .states
            .network("alpha")
            .path()
            .join("original.json");
        assert!(!original.exists(), "{arguments:?}");
        stage.down(&ON).await.expect("all is well");
        assert!(stage.is_empty("alpha"));
    }
}

#[tokio::test]
async fn an_upgraded_node_runs_the_new_image_and_no_other_does() {
    let stage = up(&[]).await;
    let upgrade = ["miner-1", "--image", "minichain:next"];
    assert_eq!(cast(&stage, "upgrade", &upgrade).await, DONE);
    let image = |node: &str| match &plan(&stage).node(node).expect("planned").runtime {
        devnet_blueprint::Runtime::Container(container) => container.image.clone(),
        devnet_blueprint::Runtime::Process(_) => panic!("planned as a container"),
    };
    assert_eq!(image("miner-1"), "minichain:next");
    assert_eq!(image("miner-0"), "minichain:double");
    assert_eq!(cast(&stage, "upgrade", &upgrade).await, DONE, "again");
}

#[tokio::test]
async fn the_last_node_is_not_removed() {
    let stage = Stage::new();
    let one = ["--name", "alpha", "--nodes", "1", "--miners", "1"];
    assert_eq!(stage.up(&one).await, DONE);
    let failure = cast(&stage, "remove", &["miner-0"]).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::BadInput);
    assert!(failure.to_string().contains("devnet down"), "{failure}");
}

#[tokio::test]
async fn a_network_that_somebody_works_on_is_left_alone() {
    let stage = up(&[]).await;
    let _held = stage.world.states.network("alpha").lock().expect("free");
    let failure = cast(&stage, "kill", &["miner-0"]).await.unwrap_err();
    assert!(
        failure.message().contains("another devnet call"),
        "{failure}"
    );
    assert_eq!(state(&stage, "miner-0"), Some(NodeState::Running));
}
