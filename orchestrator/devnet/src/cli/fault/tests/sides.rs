//! Each side's progress and the fork point, from nodes that have chains.

use devnet_scenario::parting::Parting;

use super::*;

impl Lab {
    async fn progress(&self) -> Option<Parting> {
        self.progress_of(&Heal::All).await
    }

    async fn progress_of(&self, heal: &Heal) -> Option<Parting> {
        let progress = faults::progress::current(&self.stage.world, &self.live, heal).await;
        progress.expect("a readable intent")
    }

    fn mine(&self, side: &[&str], name: &str, count: usize) {
        for node in side {
            self.nodes.mine(node, name, count);
        }
    }

    fn follow(&self, side: &[&str], other: &str) {
        for node in side {
            self.nodes.follow(node, other);
        }
    }
}

const EVERYONE: [&str; 3] = ["bootstrap-0", "miner-0", "miner-1"];

#[tokio::test]
async fn sides_part_where_their_chains_do() {
    let lab = Lab::up("docker").await;
    lab.mine(&EVERYONE, "common", 41);
    assert_eq!(lab.progress().await, None, "nothing is in force");
    assert_eq!(lab.run("isolate miner-1").await, Ok(Exit::Success));
    let at_once = lab.progress().await.expect("a cut is in force");
    assert_eq!(at_once.to_string(), "side A +0, side B +0, no fork");
    lab.mine(&["miner-1"], "alone", 3);
    let ahead = lab.progress().await.expect("a cut is in force");
    assert_eq!(
        ahead.to_string(),
        "side A +3, side B +0, not forked, last common block at height 41 (common-41)"
    );
    lab.mine(&["bootstrap-0", "miner-0"], "others", 7);
    let forked = lab.progress().await.expect("a cut is in force");
    assert_eq!(
        forked.to_string(),
        "side A +3, side B +7, forked at height 41 (common-41)"
    );
    assert_eq!(lab.run("faults").await, Ok(Exit::Success));
    assert_eq!(lab.run("heal").await, Ok(Exit::Success));
    assert_eq!(lab.progress().await, None, "it is healed");
}

#[tokio::test]
async fn a_young_fork_is_found_far_above_the_tips_before_it() {
    let lab = Lab::up("process").await;
    lab.mine(&EVERYONE, "common", 1_000);
    // A race that was under way when the cut came.
    lab.mine(&["miner-1"], "alone", 1);
    lab.mine(&["bootstrap-0", "miner-0"], "others", 1);
    assert_eq!(lab.run("isolate miner-1").await, Ok(Exit::Success));
    let raced = lab.progress().await.expect("a cut is in force");
    assert_eq!(
        raced.to_string(),
        "side A +0, side B +0, forked at height 1000 (common-1000)"
    );
}

#[tokio::test]
async fn after_healing_the_branch_that_all_follow_has_won() {
    let lab = Lab::up("docker").await;
    lab.mine(&EVERYONE, "common", 10);
    assert_eq!(lab.run("isolate miner-1").await, Ok(Exit::Success));
    lab.mine(&["miner-1"], "alone", 2);
    lab.mine(&["bootstrap-0", "miner-0"], "others", 5);
    let progress = lab.progress().await.expect("a cut is in force");
    let layout = lab.live.layout();
    let early = faults::progress::aftermath(&layout, &progress).await;
    let early = early.expect("there was a fork");
    assert_eq!(early.ahead.as_deref(), Some("B"));
    assert_eq!((early.winner, early.asked), (None, 3));
    lab.follow(&["miner-1"], "miner-0");
    let late = faults::progress::aftermath(&layout, &progress).await;
    assert_eq!(late.and_then(|late| late.winner).as_deref(), Some("B"));
}

#[tokio::test]
async fn waiting_for_a_winner_ends_with_one_or_in_time() {
    let lab = Lab::up("docker").await;
    for (line, exit) in [
        ("heal --wait 1ms", Exit::Failed),
        ("heal --wait 1m", Exit::Success),
    ] {
        assert_eq!(lab.run("isolate miner-1").await, Ok(Exit::Success));
        lab.mine(&["miner-1"], "alone", 2);
        lab.mine(&["bootstrap-0", "miner-0"], "others", 1);
        let healing = lab.run(line);
        let following = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if exit == Exit::Success {
                lab.follow(&["bootstrap-0", "miner-0"], "miner-1");
            }
        };
        assert_eq!(futures::join!(healing, following).0, Ok(exit), "{line}");
        lab.follow(&EVERYONE, "miner-1");
    }
}

#[tokio::test]
async fn a_condition_tells_how_far_the_whole_network_came() {
    let lab = Lab::up("process").await;
    lab.mine(&EVERYONE, "common", 5);
    let line = "latency miner-0 --delay 40ms";
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
    lab.mine(&EVERYONE, "slow", 2);
    let progress = lab.progress().await.expect("links are slow");
    assert_eq!(progress.to_string(), "all nodes +2, no fork");
}

#[tokio::test]
async fn each_kind_of_healing_tells_the_sides_of_what_it_takes_out() {
    let lab = Lab::up("process").await;
    lab.mine(&EVERYONE, "common", 5);
    assert_eq!(lab.run("isolate miner-1").await, Ok(Exit::Success));
    let line = "latency miner-0 --delay 40ms";
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
    let mut sides = Vec::new();
    for heal in [
        Heal::Conditions,
        Heal::Cuts,
        Heal::All,
        Heal::Nodes(vec!["miner-0".into()]),
    ] {
        let told = lab.progress_of(&heal).await;
        sides.push(told.map(|parting| parting.sides.len()));
    }
    assert_eq!(sides, [Some(1), Some(2), Some(2), None]);
}
