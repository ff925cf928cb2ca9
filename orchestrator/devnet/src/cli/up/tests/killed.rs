//! The program is killed at every action of a plan, before it or right after it
//! took effect; whoever comes next finds the way.

use devnet_blueprint::{NodeState, Observed};

use super::*;

const COUNTS: [&str; 6] = ["--name", "alpha", "--nodes", "4", "--miners", "2"];
const NAME: [&str; 2] = ["--name", "alpha"];

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Call {
    Up,
    Down,
}

/// A network in which that call was killed after so many actions; `None` if it
/// has no more.
async fn killed(call: Call, actions: usize, is_last_done: bool) -> Option<Stage> {
    let stage = Stage::new();
    if matches!(call, Call::Down) {
        stage.up(&COUNTS).await.expect("all is well");
    }
    stage.docker.die_after(actions, is_last_done);
    let calling = async {
        match call {
            Call::Up => stage.up(&COUNTS).await,
            Call::Down => stage.down(&NAME).await,
        }
    };
    let was_killed = tokio::select! {
        outcome = calling => {
            assert_eq!(outcome, Ok(Exit::Success), "{call:?} has {actions} actions");
            false
        }
        () = stage.docker.death() => true,
    };
    stage.docker.revive();
    was_killed.then_some(stage)
}

/// Kills that call at every action, in both ways; returns how many there are.
async fn at_every_action(call: Call, check: impl AsyncFn(Stage, &str)) -> usize {
    let mut actions = 0;
    loop {
        for is_last_done in [false, true] {
            let Some(stage) = killed(call, actions, is_last_done).await else {
                return actions;
            };
            let place = format!("{call:?} killed after {actions} actions, {is_last_done}");
            check(stage, &place).await;
        }
        actions += 1;
    }
}

fn is_whole(observed: &Observed) -> bool {
    let nodes = &observed.nodes;
    let is_running = nodes.iter().all(|node| node.state == NodeState::Running);
    nodes.len() == 4 && is_running && observed.networks.len() == 1 && observed.volumes.len() == 4
}

async fn up_makes_it_whole(stage: Stage, place: &str) {
    assert_eq!(stage.up(&COUNTS).await, Ok(Exit::Success), "{place}");
    assert!(is_whole(&stage.docker.observed("alpha")), "{place}");
    let done = stage.done();
    assert_eq!(stage.up(&NAME).await, Ok(Exit::Success), "{place}");
    assert_eq!(stage.done(), done, "{place}: it was whole");
}

async fn down_leaves_nothing(stage: Stage, place: &str) {
    assert_eq!(stage.down(&NAME).await, Ok(Exit::Success), "{place}");
    assert!(stage.is_empty("alpha"), "{place}");
    assert!(stage.docker.observed("alpha").is_empty(), "{place}");
}

/// A network, and for each node a volume, its creation and its start.
const ACTIONS_OF_UP: usize = 13;
/// Nodes, volumes and the network.
const ACTIONS_OF_DOWN: usize = 9;

#[tokio::test]
async fn after_up_was_killed_anywhere_up_goes_on() {
    let actions = at_every_action(Call::Up, up_makes_it_whole).await;
    assert_eq!(actions, ACTIONS_OF_UP);
}

#[tokio::test]
async fn after_up_was_killed_anywhere_down_leaves_nothing() {
    let actions = at_every_action(Call::Up, down_leaves_nothing).await;
    assert_eq!(actions, ACTIONS_OF_UP);
}

#[tokio::test]
async fn after_down_was_killed_anywhere_down_leaves_nothing() {
    let actions = at_every_action(Call::Down, down_leaves_nothing).await;
    assert_eq!(actions, ACTIONS_OF_DOWN);
}

#[tokio::test]
async fn after_down_was_killed_anywhere_up_makes_it_whole_again() {
    let actions = at_every_action(Call::Down, up_makes_it_whole).await;
    assert_eq!(actions, ACTIONS_OF_DOWN);
}
