//! Faults against doubles: an engine in memory that filters packets, and nodes
//! that speak the admin RPC and condition what they send.

mod nodes;
mod shapes;
mod sides;

use std::time::Duration;

use clap::Parser as _;
use devnet_scenario::fault::Heal;
use devnet_scenario::world::Outcome;
use futures::FutureExt as _;
use tokio::sync::{Mutex, MutexGuard};

use self::nodes::Nodes;
use super::super::tests::Stage;
use super::super::{
    Cli, Verb, bandwidth, faults as faults_verb, heal, isolate, latency, loss, node, partition,
    skew,
};
use super::*;
use crate::faults::Intent;
use crate::words::cut_of;

/// All labs plan a network of one name at the addresses that are free just then,
/// and would be answered by each other's nodes.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A network of three that is up, with nodes that answer.
struct Lab {
    stage: Stage,
    nodes: Nodes,
    live: Live,
    _alone: MutexGuard<'static, ()>,
}

impl Lab {
    async fn up(engine: &str) -> Self {
        Self::up_with(&["--nodes", "3", "--engine", engine]).await
    }

    async fn up_with(options: &[&str]) -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        let stage = Stage::new();
        let options = [&["--name", "alpha"], options].concat();
        stage.up(&options).await.expect("all is well");
        let live = Live::attach(&stage.world, "alpha").await.expect("it is up");
        let nodes = Nodes::serve(&live.layout().blueprint).await;
        Self {
            stage,
            nodes,
            live,
            _alone: alone,
        }
    }

    async fn run(&self, line: &str) -> Result<Exit, Failure> {
        let words = ["devnet"]
            .into_iter()
            .chain(line.split(' '))
            .chain(["--name", "alpha"]);
        let cli = Cli::try_parse_from(words).expect("sound arguments");
        let world = &self.stage.world;
        match cli.verb {
            Verb::Partition(args) => partition::run(world, args).await,
            Verb::Isolate(args) => isolate::run(world, args).await,
            Verb::Latency(args) => latency::run(world, args).await,
            Verb::Loss(args) => loss::run(world, args).await,
            Verb::Bandwidth(args) => bandwidth::run(world, args).await,
            Verb::Node(verb) => node::run(world, verb).await,
            Verb::Skew(args) => skew::run(world, args).await,
            Verb::Heal(args) => heal::run(world, args).await,
            Verb::Faults(args) => faults_verb::run(world, args).await,
            other => panic!("parsed {other:?}"),
        }
    }

    /// Whether the nodes hold nothing.
    async fn is_free(&self) -> bool {
        let found = faults::in_force(&self.stage.world, &self.live).await;
        found.expect("they answer").links.is_empty()
    }

    fn intent(&self) -> Intent {
        Intent::load(&self.stage.world.states.network("alpha")).expect("readable")
    }
}

#[tokio::test]
async fn a_partition_bites_is_shown_and_healed_on_both_engines() {
    for engine in ["docker", "process"] {
        let lab = Lab::up(engine).await;
        assert_eq!(lab.run("partition miner-0").await, Ok(Exit::Success));
        let found = faults::in_force(&lab.stage.world, &lab.live)
            .await
            .expect("they answer");
        assert_eq!(found.links.len(), 4, "{engine}");
        assert_eq!(found.differences, Vec::<String>::new(), "{engine}");
        assert_eq!(lab.run("heal --cuts").await, Ok(Exit::Success));
        let found = faults::in_force(&lab.stage.world, &lab.live)
            .await
            .expect("they answer");
        assert!(found.is_nothing(), "{engine}: {found:?}");
    }
}

#[tokio::test]
async fn filters_that_let_everything_through_are_found_out() {
    let lab = Lab::up("docker").await;
    lab.stage.docker.ineffective_filters("alpha", true);
    assert_eq!(lab.run("partition --halves").await, Ok(Exit::Invalid));
    assert_eq!(lab.run("isolate miner-0 --for 1h").await, Ok(Exit::Invalid));
    assert_eq!(lab.run("loss 50%").await, Ok(Exit::Invalid));
    // Nobody holds a fault of a call that is over.
    assert!(
        lab.intent()
            .faults()
            .iter()
            .all(|active| active.until_ms.is_none())
    );
}

#[tokio::test]
async fn conditioners_that_only_say_so_are_found_out() {
    let lab = Lab::up("process").await;
    lab.nodes.pretend(true);
    assert_eq!(lab.run("partition --halves").await, Ok(Exit::Invalid));
    assert_eq!(lab.run("heal --cuts").await, Ok(Exit::Success));
    let line = "latency miner-0 --delay 40ms";
    assert_eq!(lab.run(line).await, Ok(Exit::Invalid));
    lab.nodes.pretend(false);
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
}

#[tokio::test]
async fn a_filter_lost_by_a_restart_is_told_and_put_in_force_again() {
    let lab = Lab::up("docker").await;
    assert_eq!(lab.run("isolate miner-0").await, Ok(Exit::Success));
    lab.stage.docker.lose_filter("alpha", "miner-0");
    let found = faults::in_force(&lab.stage.world, &lab.live)
        .await
        .expect("they answer");
    assert_eq!(found.differences.len(), 2, "{:?}", found.differences);
    assert_eq!(lab.run("faults").await, Ok(Exit::Failed));
    assert_eq!(lab.run("faults --reapply").await, Ok(Exit::Success));
}

#[tokio::test]
async fn a_fault_of_a_killed_call_is_healed_by_the_next() {
    let lab = Lab::up("docker").await;
    let fault = cut_of(
        devnet_scenario::fault::CutShape::isolate(&["miner-0".to_owned()]),
        &lab.live.layout(),
    );
    let fault = fault.expect("a sound shape");
    let hour = Some(Duration::from_secs(3_600));
    let inflicted = faults::inflict_for(&lab.stage.world, &lab.live, &fault, hour).await;
    let inflicted = inflicted.expect("all is well");
    assert!(matches!(inflicted.outcome, Outcome::Done(_)));
    // Whoever was to take it out is gone; nobody else knows of it.
    let outcome = faults::heal(&lab.stage.world, &lab.live, &Heal::Cuts).await;
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    let found = faults::in_force(&lab.stage.world, &lab.live)
        .await
        .expect("they answer");
    assert!(found.links.is_empty());
    let id = inflicted.id.expect("it lasts");
    let again = faults::revert(&lab.stage.world, &lab.live, id).await;
    assert_eq!(again, Ok(None), "another call has done so");
}

#[tokio::test]
async fn what_an_earlier_call_has_left_is_told_and_flushed() {
    let lab = Lab::up("docker").await;
    let none = faults::flush(&lab.stage.world, &lab.live).await;
    assert_eq!(none, Ok(Vec::new()));
    assert_eq!(lab.run("isolate miner-0").await, Ok(Exit::Success));
    let left = faults::flush(&lab.stage.world, &lab.live).await;
    let left = left.expect("all is well");
    assert!(left.iter().any(|line| line.contains("miner-0")), "{left:?}");
    assert!(lab.intent().is_empty());
    assert!(lab.is_free().await);
}

#[tokio::test]
async fn filters_that_no_file_knows_of_are_flushed_all_the_same() {
    let lab = Lab::up("docker").await;
    assert_eq!(lab.run("partition --halves").await, Ok(Exit::Success));
    let folder = lab.stage.world.states.network("alpha");
    std::fs::remove_file(folder.path().join("faults.json")).expect("it was written");
    assert!(lab.intent().is_empty());
    assert!(!lab.is_free().await, "the filters hold");
    let left = faults::flush(&lab.stage.world, &lab.live).await;
    assert_ne!(left.expect("all is well"), Vec::<String>::new());
    assert!(lab.is_free().await);
}

#[tokio::test]
async fn ctrl_c_takes_a_fault_out_at_once() {
    let lab = Lab::up("process").await;
    let words = [
        "devnet", "isolate", "miner-0", "--for", "1h", "--name", "alpha",
    ];
    let Ok(Cli {
        verb: Verb::Isolate(args),
    }) = Cli::try_parse_from(words)
    else {
        panic!("sound arguments");
    };
    let at_once = Interrupts::new(|| std::future::ready(()).boxed());
    let exit = run(&lab.stage.world, &args.fault, Some(at_once), |layout| {
        let nodes = select::all_nodes(layout, &args.nodes)?;
        cut_of(devnet_scenario::fault::CutShape::isolate(&nodes), layout)
    });
    assert_eq!(exit.await, Ok(Exit::Failed));
    let found = faults::in_force(&lab.stage.world, &lab.live)
        .await
        .expect("they answer");
    assert!(found.is_nothing(), "{found:?}");
}

#[tokio::test]
async fn a_fault_whose_time_is_over_is_taken_out() {
    let lab = Lab::up("docker").await;
    assert_eq!(
        lab.run("isolate miner-0 --for 10ms").await,
        Ok(Exit::Success)
    );
    assert!(lab.intent().is_empty());
}

#[tokio::test]
async fn names_and_shapes_that_cannot_be_meant_are_refused_untouched() {
    let lab = Lab::up("docker").await;
    let before = lab.stage.done().len();
    for line in [
        "partition miner-7",
        "partition miner-0,miner-1 miner-1",
        "partition bootstrap,miner",
        "partition --link miner-0:miner-0",
        "partition --one-way miner-0",
        "partition",
        "isolate mienr-0",
        "latency miner-0:miner-0 --delay 5ms",
        "loss miner-0 5",
        "heal miner-9",
        "skew 5s",
        "skew miner-0 5",
    ] {
        let failure = lab.run(line).await.expect_err(line);
        assert_eq!(failure.exit(), Exit::BadInput, "{line}: {failure}");
    }
    let failure = lab.run("isolate mienr-0").await.expect_err("misspelt");
    assert!(
        failure.to_string().contains("Did you mean `miner-0`?"),
        "{failure}"
    );
    assert_eq!(lab.stage.done().len(), before);
    assert!(lab.intent().is_empty());
}

#[tokio::test]
async fn a_damaged_file_of_faults_blocks_neither_heal_nor_down() {
    let lab = Lab::up("docker").await;
    assert_eq!(lab.run("isolate miner-0").await, Ok(Exit::Success));
    let path = lab
        .stage
        .world
        .states
        .network("alpha")
        .path()
        .join("faults.json");
    std::fs::write(&path, "{").expect("a writable disk");
    let failure = lab.run("isolate miner-1").await.expect_err("unreadable");
    assert!(failure.to_string().contains("devnet heal"), "{failure}");
    let outcome = faults::heal(&lab.stage.world, &lab.live, &Heal::All).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    let found = faults::in_force(&lab.stage.world, &lab.live)
        .await
        .expect("written anew");
    assert!(found.links.is_empty());
    std::fs::write(&path, "{").expect("a writable disk");
    lab.stage
        .down(&["--name", "alpha"])
        .await
        .expect("nothing is in the way");
    assert!(lab.stage.is_empty("alpha"));
}

#[tokio::test]
async fn a_network_that_another_call_changes_is_left_alone() {
    let lab = Lab::up("docker").await;
    let _held = lab
        .stage
        .world
        .states
        .network("alpha")
        .lock()
        .expect("nobody holds it");
    let failure = lab.run("partition --halves").await.expect_err("it is held");
    assert!(
        failure.message().contains("another devnet call"),
        "{failure}"
    );
    assert!(lab.intent().is_empty());
}

#[tokio::test]
async fn whoever_looks_on_hears_who_has_the_network_and_is_waited_for() {
    let lab = Lab::up("docker").await;
    let world = &lab.stage.world;
    let held = world.states.network("alpha").lock().expect("free");
    let told = std::cell::RefCell::new(Vec::new());
    let order = crate::top::state::Order::Heal;
    let acting = crate::top::act::perform(world, &lab.live, order, |who| {
        told.borrow_mut().push(who);
    });
    let other = async {
        while told.borrow().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(held);
    };
    let (outcome, ()) = futures::join!(acting, other);
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let told = told.into_inner();
    let pid = std::process::id().to_string();
    let who = told[0].as_ref().expect("another call has it");
    assert!(who.contains("heal waits") && who.contains(&pid), "{who}");
    assert_eq!(told.last(), Some(&None), "the wait is over");
}

#[tokio::test]
async fn a_network_that_is_held_for_long_is_given_up_with_who_has_it() {
    let stage = Stage::new();
    let _held = stage.world.states.network("alpha").lock().expect("free");
    let limit = Duration::from_millis(300);
    let failure = order::lock(&stage.world, "alpha", limit, |_| ()).await;
    let failure = failure.expect_err("it is held");
    let pid = std::process::id().to_string();
    assert!(failure.message().contains(&pid), "{failure}");
}
