//! `up` against doubles.

use std::sync::atomic::{AtomicUsize, Ordering};

use devnet_blueprint::{Action, NodeState};

mod killed;

use super::super::tests::Stage;
use futures::FutureExt as _;

use super::*;
use crate::engine::{EngineError, ErrorKind, UsedSubnet};

/// Interrupts at once, the first `count` times.
fn interrupt(count: usize) -> Interrupts {
    let given = AtomicUsize::new(0);
    Interrupts::new(move || {
        let is_due = given.fetch_add(1, Ordering::Relaxed) < count;
        async move {
            if !is_due {
                std::future::pending::<()>().await;
            }
            // Lets the work begin first.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        .boxed()
    })
}

fn kill(stage: &Stage, network: &str, node: &str) {
    stage.docker.disturb(network, |observed| {
        for found in observed.nodes.iter_mut().filter(|found| found.node == node) {
            found.state = NodeState::Exited;
        }
    });
}

#[tokio::test]
async fn up_again_changes_nothing() {
    let stage = Stage::new();
    assert_eq!(stage.up(&["--name", "alpha"]).await, Ok(Exit::Success));
    let before = stage.done();
    assert_eq!(stage.up(&["--name", "alpha"]).await, Ok(Exit::Success));
    assert_eq!(
        stage
            .up(&["--name", "alpha", "--nodes", "3", "--miners", "2"])
            .await,
        Ok(Exit::Success)
    );
    assert_eq!(stage.done(), before);
}

#[tokio::test]
async fn a_dead_node_is_brought_back_and_nothing_else_touched() {
    let stage = Stage::new();
    stage
        .up(&["--name", "alpha", "--nodes", "4"])
        .await
        .expect("all is well");
    let before = stage.done().len();
    kill(&stage, "alpha", "miner-1");
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    assert_eq!(stage.done()[before..], ["StartNode { node: \"miner-1\" }"]);
}

#[tokio::test]
async fn up_without_counts_keeps_those_of_before() {
    let stage = Stage::new();
    stage
        .up(&["--name", "alpha", "--nodes", "5", "--miners", "1"])
        .await
        .expect("all is well");
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    assert_eq!(stage.docker.observed("alpha").nodes.len(), 5);
}

#[tokio::test]
async fn an_interrupt_takes_back_what_was_made() {
    let stage = Stage::new();
    stage
        .nodes
        .silent
        .lock()
        .expect("nobody panicked")
        .push("miner-0".into());
    let failure = stage.up_until(&["--name", "alpha"], interrupt(1)).await;
    let failure = failure.expect_err("it was interrupted");
    assert_eq!(failure.exit(), Exit::Failed);
    assert!(failure.message().contains("nothing is left"), "{failure}");
    assert!(stage.is_empty("alpha"));
}

#[tokio::test]
async fn a_second_interrupt_leaves_it_and_says_how_to_go_on() {
    let stage = Stage::new();
    stage
        .nodes
        .silent
        .lock()
        .expect("nobody panicked")
        .push("miner-0".into());
    let failure = stage.up_until(&["--name", "alpha"], interrupt(2)).await;
    let failure = failure.expect_err("it was interrupted");
    assert!(
        failure.to_string().contains("devnet down --name alpha"),
        "{failure}"
    );
}

#[tokio::test]
async fn an_interrupt_does_not_take_down_what_was_there_before() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage
        .nodes
        .silent
        .lock()
        .expect("nobody panicked")
        .push("miner-0".into());
    let failure = stage.up_until(&["--name", "alpha"], interrupt(1)).await;
    let failure = failure.expect_err("it was interrupted");
    assert!(failure.message().contains("stays as it is"), "{failure}");
    assert_eq!(stage.docker.observed("alpha").nodes.len(), 3);
}

#[tokio::test]
async fn without_docker_processes_serve_unless_docker_was_asked_for() {
    let stage = Stage::new();
    stage.lose_docker();
    stage
        .up(&["--name", "alpha"])
        .await
        .expect("processes serve");
    assert_eq!(stage.process.observed("alpha").nodes.len(), 3);
    let failure = stage.up(&["--name", "beta", "--engine", "docker"]).await;
    assert_eq!(failure.expect_err("no engine").exit(), Exit::WorldBroke);
}

#[tokio::test]
async fn a_network_stays_on_its_engine() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    let failure = stage.up(&["--name", "alpha", "--engine", "process"]).await;
    let failure = failure.expect_err("it runs on Docker");
    assert_eq!(failure.exit(), Exit::BadInput);
    assert!(
        failure
            .message()
            .contains("runs on the docker engine already"),
        "{failure}"
    );
}

#[tokio::test]
async fn an_overlapping_subnet_is_replaced_by_another() {
    let stage = Stage::new();
    let overlap = EngineError::new(ErrorKind::SubnetOverlap, "creating the network", "overlaps");
    stage.docker.fail_once(Action::CreateNetwork, overlap);
    stage
        .up(&["--name", "alpha"])
        .await
        .expect("another subnet serves");
    assert_eq!(stage.docker.observed("alpha").nodes.len(), 3);
    assert_eq!(stage.docker.observed("alpha").networks.len(), 1);
}

#[tokio::test]
async fn an_occupied_port_is_replaced_by_another() {
    let stage = Stage::new();
    let occupied = EngineError::new(ErrorKind::PortOccupied, "starting", "port is taken");
    stage.docker.fail_once(
        Action::StartNode {
            node: "miner-0".into(),
        },
        occupied,
    );
    stage
        .up(&["--name", "alpha"])
        .await
        .expect("another port serves");
    let running = stage.docker.observed("alpha").nodes;
    assert!(running.iter().all(|node| node.state == NodeState::Running));
}

#[tokio::test]
async fn another_failure_of_the_engine_names_the_action_and_up_again_goes_on() {
    let stage = Stage::new();
    let full = EngineError::new(ErrorKind::DiskFull, "creating miner-1", "no space left");
    stage.docker.fail_once(
        Action::CreateNode {
            node: "miner-1".into(),
        },
        full,
    );
    let failure = stage
        .up(&["--name", "alpha"])
        .await
        .expect_err("the disk is full");
    assert_eq!(failure.exit(), Exit::WorldBroke);
    assert!(
        failure
            .message()
            .contains("creating miner-1: no space left"),
        "{failure}"
    );
    stage
        .up(&["--name", "alpha"])
        .await
        .expect("there is room now");
    assert_eq!(stage.docker.observed("alpha").nodes.len(), 3);
}

#[tokio::test]
async fn nodes_of_somebody_else_are_neither_used_nor_removed() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage
        .world
        .states
        .network("alpha")
        .remove()
        .expect("own folder");
    let before = stage.done();
    let failure = stage
        .up(&["--name", "alpha"])
        .await
        .expect_err("whose are they?");
    assert!(
        failure.to_string().contains("another network `alpha`"),
        "{failure}"
    );
    assert_eq!(stage.done(), before);
}

#[tokio::test]
async fn a_node_that_stays_silent_is_named_at_the_time_out() {
    let stage = Stage::new();
    stage
        .nodes
        .silent
        .lock()
        .expect("nobody panicked")
        .push("miner-1".into());
    let failure = stage.up(&["--name", "alpha", "--timeout", "50ms"]).await;
    let failure = failure.expect_err("one is silent");
    assert_eq!(failure.exit(), Exit::Failed);
    assert!(
        failure.message().contains("miner-1 does not answer"),
        "{failure}"
    );
    assert!(
        failure
            .to_string()
            .contains("devnet logs --name alpha miner-1"),
        "{failure}"
    );
    assert_eq!(
        stage.docker.observed("alpha").nodes.len(),
        3,
        "it is left for a look"
    );
}

#[tokio::test]
async fn a_node_that_ended_is_not_waited_for() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage
        .nodes
        .silent
        .lock()
        .expect("nobody panicked")
        .push("miner-1".into());
    let killer = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        kill(&stage, "alpha", "miner-1");
        std::future::pending::<()>().await;
    };
    let arguments = ["--name", "alpha", "--timeout", "1h"];
    let failure = tokio::select! {
        failure = stage.up(&arguments) => failure.expect_err("one has ended"),
        () = killer => panic!("it never ends"),
    };
    assert!(failure.message().contains("miner-1 ended"), "{failure}");
}

#[tokio::test]
async fn a_height_that_is_never_reached_is_named() {
    let stage = Stage::new();
    let arguments = ["--name", "alpha", "--wait-blocks", "8", "--timeout", "50ms"];
    let failure = stage
        .up(&arguments)
        .await
        .expect_err("the doubles stay at 7");
    assert!(
        failure.message().contains("is at height 7, not yet at 8"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_dry_run_touches_nothing() {
    let stage = Stage::new();
    stage
        .up(&["--name", "alpha", "--dry-run"])
        .await
        .expect("a sound plan");
    stage
        .up(&["--name", "alpha", "--monitoring", "--dry-run"])
        .await
        .expect("a sound plan");
    assert!(stage.is_empty("alpha") && stage.done().is_empty());
}

#[tokio::test]
async fn a_subnet_of_the_file_that_overlaps_is_refused_before_anything_is_made() {
    let stage = Stage::new();
    let used = UsedSubnet::parse("10.9.0.0/16", "route via eth0").expect("a subnet");
    stage.docker.occupy(vec![used]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("t.yaml");
    let text = "name: alpha\ngroups: [{ name: miner }]\nengine: { subnet: 10.9.8.0/24 }\n";
    std::fs::write(&file, text).expect("a writable disk");
    let failure = stage.up(&["-f", file.to_str().expect("UTF-8")]).await;
    let failure = failure.expect_err("it overlaps");
    assert!(
        failure.message().contains("10.9.0.0/16 (route via eth0)"),
        "{failure}"
    );
    assert!(stage.is_empty("alpha") && stage.done().is_empty());
}

#[tokio::test]
async fn another_block_time_of_an_existing_network_is_refused() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    let before = stage.done();
    let failure = stage.up(&["--name", "alpha", "--block-time", "1s"]).await;
    let failure = failure.expect_err("the chain has its rules");
    assert_eq!(failure.exit(), Exit::BadInput);
    assert_eq!(stage.done(), before);
}

#[tokio::test]
async fn two_networks_stand_side_by_side() {
    let stage = Stage::new();
    stage.up(&["--name", "alpha"]).await.expect("all is well");
    stage.up(&["--name", "beta"]).await.expect("all is well");
    let load = |name: &str| {
        stage
            .world
            .states
            .load(name)
            .expect("readable")
            .expect("it is there")
    };
    let (alpha, beta) = (load("alpha"), load("beta"));
    assert!(
        !alpha
            .subnet
            .expect("a subnet")
            .overlaps(beta.subnet.expect("a subnet"))
    );
    let ports = |blueprint: &devnet_blueprint::Blueprint| {
        let nodes = blueprint.nodes.iter();
        nodes
            .flat_map(|node| [node.host.rpc, node.host.metrics])
            .collect::<Vec<_>>()
    };
    assert!(
        ports(&alpha)
            .iter()
            .all(|port| !ports(&beta).contains(port))
    );
}
