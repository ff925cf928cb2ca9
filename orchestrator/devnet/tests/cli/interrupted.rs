//! Ends that come too early: Ctrl-C, and the signal nobody can catch.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Devnet, Outcome, signal};

/// A network that never becomes healthy, so that `up` is always at work.
fn begin(devnet: &Devnet) -> Child {
    let text = "groups:\n  - { name: miner, count: 3, env: { FAKE_NODE: silent } }\n";
    let file = devnet.write("t.yaml", text);
    let mut command =
        devnet.command(&["up", "-f", file.to_str().expect("UTF-8"), "--timeout", "1h"]);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("devnet runs")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pid(child: &Child) -> i32 {
    i32::try_from(child.id()).expect("process ids fit")
}

#[test]
fn ctrl_c_takes_back_what_was_made() {
    for signal_sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let devnet = Devnet::new();
        let child = begin(&devnet);
        wait_until("nodes run", || devnet.nodes().len() == 3);
        signal(pid(&child), signal_sent);
        let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("nothing is left"),
            "{}",
            outcome.stderr
        );
        assert!(devnet.nodes().is_empty() && !devnet.folder().exists());
    }
}

#[test]
fn ctrl_c_leaves_a_network_that_was_there_before() {
    let devnet = Devnet::new();
    let file = devnet.write("t.yaml", "groups:\n  - { name: miner, count: 2 }\n");
    let file = file.to_str().expect("UTF-8");
    devnet.ok(&["up", "-f", file]);
    let mut command = devnet.command(&["up", "--timeout", "1h", "--wait-blocks", "4000000"]);
    let child = command.stderr(Stdio::piped()).spawn().expect("devnet runs");
    // Handlers stand before the lock is taken, and it is held while up works.
    let lock = devnet
        .state()
        .join(".locks")
        .join(format!("{}.lock", devnet.name));
    wait_until("up works", || lock.exists());
    std::thread::sleep(Duration::from_millis(200));
    signal(pid(&child), Signal::INT);
    let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("stays as it is"),
        "{}",
        outcome.stderr
    );
    assert_eq!(devnet.nodes().len(), 2);
}

#[test]
fn after_kill_9_at_any_moment_down_leaves_nothing() {
    for delay_ms in [0, 5, 10, 15, 20, 30, 40, 60, 90, 150] {
        let devnet = Devnet::new();
        let mut child = begin(&devnet);
        std::thread::sleep(Duration::from_millis(delay_ms));
        signal(pid(&child), Signal::KILL);
        child.wait().expect("it was killed");
        devnet.ok(&["down"]);
        assert_eq!(
            devnet.nodes(),
            Vec::<i32>::new(),
            "killed after {delay_ms} ms"
        );
        assert!(!devnet.folder().exists(), "killed after {delay_ms} ms");
        let listed = devnet.json(&["ls", "--json"]);
        assert_eq!(
            listed.as_array().map(Vec::len),
            Some(0),
            "killed after {delay_ms} ms"
        );
    }
}

#[test]
fn after_kill_9_up_goes_on() {
    let devnet = Devnet::new();
    let mut command = devnet.command(&["up", "--wait-blocks", "4000000", "--timeout", "1h"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("devnet runs");
    wait_until("a node runs", || !devnet.nodes().is_empty());
    signal(pid(&child), Signal::KILL);
    child.wait().expect("it was killed");
    devnet.ok(&["up"]);
    assert_eq!(devnet.nodes().len(), 3);
}

#[test]
fn a_second_up_of_one_name_is_told_to_wait() {
    let devnet = Devnet::new();
    let mut child = begin(&devnet);
    wait_until("nodes run", || devnet.nodes().len() == 3);
    for verb in ["up", "down"] {
        let outcome = devnet.run(&[verb]);
        assert_eq!(outcome.code, 3, "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("another devnet call (process"),
            "{}",
            outcome.stderr
        );
    }
    signal(pid(&child), Signal::KILL);
    child.wait().expect("it was killed");
}
