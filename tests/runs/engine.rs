//! The engine is restarted, killed or frozen in the midst of a call: the call
//! ends by itself with words that help, and a later one puts things right.
//!
//! Each test has a Docker daemon of its own. `DEVNET_KILLS` is the number of
//! moments for each verb and signal (1), `DEVNET_KILL_SEED` what they follow
//! from; a failure tells both.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use minichain_tests::call::Ended;
use minichain_tests::dockerd::Dockerd;
use minichain_tests::network::Network;
use minichain_tests::runs::{Runs, shipped};

use crate::killed::{moment_ms, moments};

/// Longer than any call may take, bounds of its own included.
const PATIENCE: Duration = Duration::from_secs(240);
const UP: &[&str] = &["up", "--nodes", "3", "--miners", "2", "--block-time", "1s"];

const PARTED: &str = "\
name: parted
topology: { nodes: 3, miners: 2, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 60s
  - partition: { isolate: miner-1 }
  - wait: 300s
finally:
  - heal
";

const CALM: &str = "\
name: calm
topology: { nodes: 3, miners: 2, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 60s
  - wait: 25s
  - expect:
      - converged: { max_lag: 2 }
        within: 30s
      - progress: { blocks: 2 }
        within: 30s
";

/// A test by its name and the signal that ends the engine.
type Disturbed = fn(&str, &'static str);
/// A test by its name.
type Other = fn(&str);

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let disturbed: [(&str, Disturbed); 3] = [
        ("up", an_up_is_finished_by_the_next),
        ("down", a_down_is_finished_by_the_next),
        ("run", a_run_leaves_nothing),
    ];
    for signal in ["TERM", "KILL"] {
        for (verb, test) in disturbed {
            let name = format!("engine::{signal}_in_the_midst_of_{verb}_is_got_over");
            trials.push(Trial::test(name.clone(), move || {
                test(&name, signal);
                Ok(())
            }));
        }
        let name = format!("engine::{signal}_within_a_partition_breaks_the_run_and_fails_nothing");
        trials.push(Trial::test(name.clone(), move || {
            a_run_whose_nodes_end_is_broken(&name, signal);
            Ok(())
        }));
    }
    let others: [(&str, Other); 3] = [
        (
            "engine::one_that_stays_away_ends_a_run_that_tells_how_to_clear_up",
            one_that_stays_away_ends_a_run,
        ),
        (
            "engine::one_that_keeps_its_containers_is_restarted_and_the_run_goes_on",
            one_that_keeps_its_containers,
        ),
        (
            "engine::one_that_hangs_is_told_and_everything_goes_on_once_it_answers",
            one_that_hangs_is_told,
        ),
    ];
    for (name, test) in others {
        trials.push(Trial::test(name, move || {
            test(name);
            Ok(())
        }));
    }
    trials
}

/// Ended in order, or with a code that the README names and advice.
#[track_caller]
fn assert_told(ended: &Ended) {
    let Ended { code, said } = ended;
    match code {
        Some(0) => {}
        Some(1 | 3) => assert!(said.contains("next: "), "no advice:\n{said}"),
        _ => panic!("exit code {code:?}:\n{said}"),
    }
}

/// Nothing on the engine, and nothing in the state folder.
#[track_caller]
fn assert_clean(engine: &Dockerd, network: &Network) {
    assert_eq!(engine.holds(), Vec::<String>::new());
    assert!(!network.state().join(&network.name).exists());
}

/// The engine ends and comes back, in the midst of a call of `devnet`.
fn disturbed(engine: &Dockerd, network: &Network, call: &[&str], at_ms: u64, signal: &str) {
    let call = network.begin(call);
    thread::sleep(Duration::from_millis(at_ms));
    engine.end(signal);
    engine.revive();
    assert_told(&call.ended(PATIENCE));
}

/// Moments within a call that takes so long undisturbed.
fn drawn(took: Duration) -> impl Iterator<Item = u64> {
    let took_ms = u64::try_from(took.as_millis()).expect("it does not take ages");
    let (seed, count) = moments(1);
    (0..count).map(move |round| {
        let at_ms = moment_ms(seed, round, count, took_ms);
        eprintln!("DEVNET_KILL_SEED={seed} DEVNET_KILLS={count}: {at_ms} ms of {took_ms}");
        at_ms
    })
}

fn an_up_is_finished_by_the_next(test: &str, signal: &'static str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let network = Network::at(engine.clone());
    let began = Instant::now();
    network.must(UP);
    let took = began.elapsed();
    network.must(&["down"]);
    for at_ms in drawn(took) {
        disturbed(&engine, &network, UP, at_ms, signal);
        network.must(UP);
        network.wait_until_well(PATIENCE);
        disturbed(&engine, &network, UP, 0, signal);
        network.must(&["down"]);
        assert_clean(&engine, &network);
    }
}

fn a_down_is_finished_by_the_next(test: &str, signal: &'static str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let network = Network::at(engine.clone());
    network.must(UP);
    let began = Instant::now();
    network.must(&["down"]);
    for at_ms in drawn(began.elapsed()) {
        network.must(UP);
        disturbed(&engine, &network, &["down"], at_ms, signal);
        network.must(&["down"]);
        assert_clean(&engine, &network);
    }
}

fn a_run_leaves_nothing(test: &str, signal: &'static str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let runs = Runs::at(engine.clone());
    let (file, name) = (shipped("two-way-partition.yaml"), &runs.network.name);
    for at_ms in drawn(Duration::from_secs(14)) {
        let call = runs.begin(&file, &["--name", name]);
        thread::sleep(Duration::from_millis(at_ms));
        engine.end(signal);
        engine.revive();
        let ended = call.ended(PATIENCE);
        // Where it had come to its verdict already, nothing was disturbed.
        let is_over = ended.said.contains("PASS two-way-partition");
        match ended.code {
            Some(0) => assert!(is_over, "{}", ended.said),
            code => assert_eq!(code, Some(3), "{}", ended.said),
        }
        runs.network.must(&["down"]);
        assert_clean(&engine, &runs.network);
    }
}

fn a_run_whose_nodes_end_is_broken(test: &str, signal: &'static str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let runs = Runs::at(engine.clone());
    let file = runs.scenario("parted.yaml", PARTED);
    let call = runs.begin(&file, &["--name", &runs.network.name]);
    call.wait_until_said("✓ 2 ", PATIENCE);
    engine.end(signal);
    engine.revive();
    let ended = call.ended(PATIENCE);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    for part in ["BROKEN parted", "it went away at", "and ended with it: "] {
        assert!(ended.said.contains(part), "no {part}:\n{}", ended.said);
    }
    let junit = std::fs::read_to_string(runs.path("out.xml")).expect("JUnit XML");
    assert!(
        junit.contains("<error") && !junit.contains("<failure"),
        "{junit}"
    );
    // The run itself has taken down what came back with the engine.
    assert_clean(&engine, &runs.network);
}

fn one_that_stays_away_ends_a_run(test: &str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let runs = Runs::at(engine.clone());
    let name = &runs.network.name;
    let file = runs.scenario("parted.yaml", PARTED);
    let call = runs.begin(&file, &["--name", name]);
    call.wait_until_said("✓ 2 ", PATIENCE);
    engine.end("KILL");
    let ended = call.ended(PATIENCE);
    assert_eq!(ended.code, Some(3), "{}", ended.said);
    let advice = format!("`devnet down --name {name}`");
    for part in ["BROKEN parted", advice.as_str()] {
        assert!(ended.said.contains(part), "no {part}:\n{}", ended.said);
    }
    for verb in [&["status"][..], &["down"], UP] {
        let told = runs.network.begin(verb).ended(PATIENCE);
        assert_eq!(told.code, Some(3), "{verb:?}: {}", told.said);
        assert_told(&told);
    }
    engine.revive();
    runs.network.must(&["down"]);
    assert_clean(&engine, &runs.network);
}

fn one_that_keeps_its_containers(test: &str) {
    let Some(engine) = Dockerd::start(test, r#"{"live-restore": true}"#).map(Arc::new) else {
        return;
    };
    let runs = Runs::at(engine.clone());
    let file = runs.scenario("calm.yaml", CALM);
    let call = runs.begin(&file, &["--name", &runs.network.name]);
    call.wait_until_said("✓ 1 ", PATIENCE);
    engine.end("TERM");
    engine.revive();
    let ended = call.ended(PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_clean(&engine, &runs.network);
}

fn one_that_hangs_is_told(test: &str) {
    let Some(engine) = Dockerd::start(test, "{}").map(Arc::new) else {
        return;
    };
    let network = Network::at(engine.clone());
    let is_told = |ended: &Ended| {
        assert_eq!(ended.code, Some(3), "{}", ended.said);
        assert!(ended.said.contains("no answer within"), "{}", ended.said);
        assert!(ended.said.contains("docker info"), "{}", ended.said);
    };
    let call = network.begin(UP);
    call.wait_until_said("✓ plan", PATIENCE);
    engine.signal("STOP");
    let ended = call.ended(PATIENCE);
    // It may have done all it was asked for before it froze.
    if ended.code != Some(0) {
        is_told(&ended);
    }
    for verb in [&["status"][..], &["down"], UP] {
        is_told(&network.begin(verb).ended(PATIENCE));
    }
    engine.signal("CONT");
    network.must(UP);
    network.wait_until_well(PATIENCE);
    network.must(&["down"]);
    assert_clean(&engine, &network);
}
