//! Faults of single nodes, on processes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Devnet, Outcome, fake_node, signal};

fn up() -> Devnet {
    let devnet = Devnet::new();
    devnet.ok(&["up", "--nodes", "4", "--miners", "2"]);
    devnet
}

#[test]
fn a_killed_node_is_proven_dead_and_comes_back() {
    let devnet = up();
    let outcome = devnet.ok(&["kill", "miner-0"]);
    assert!(
        outcome.stderr.contains("is gone, its RPC is silent"),
        "{}",
        outcome.stderr
    );
    assert_eq!(devnet.nodes().len(), 3);
    devnet.ok(&["kill", "miner-0"]);
    let data = devnet.json(&["start", "miner-0", "--json"]);
    assert_eq!(data["outcome"], "done", "{data}");
    assert_eq!(devnet.nodes().len(), 4);
    devnet.ok(&["status"]);
}

#[test]
fn a_stop_ends_with_its_time() {
    let devnet = up();
    let before = devnet.nodes();
    devnet.ok(&["stop", "miner-0,miner-1", "--for", "200ms"]);
    let after = devnet.nodes();
    assert_eq!(after.len(), 4);
    assert_eq!(after.iter().filter(|pid| before.contains(pid)).count(), 2);
}

/// Kills a node for an hour, in a program that was started like this.
fn kill_for_an_hour(devnet: &Devnet, prefix: &str) -> Child {
    let arguments = ["kill", "miner-0", "--for", "1h"];
    let plain = devnet.command(&arguments);
    let mut command = devnet.command(&[]);
    if !prefix.is_empty() {
        let mut shell = Command::new("sh");
        let environment = plain.get_envs();
        shell.envs(environment.filter_map(|(key, value)| Some((key, value?))));
        shell.args(["-c", &format!("{prefix}; exec \"$@\""), "sh"]);
        shell.arg(plain.get_program()).args(arguments);
        command = shell;
    } else {
        command.args(arguments);
    }
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("devnet runs");
    let deadline = Instant::now() + Duration::from_secs(60);
    while devnet.nodes().len() != 3 {
        assert!(Instant::now() < deadline, "it is never killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn send(child: &Child, sent: Signal) {
    signal(i32::try_from(child.id()).expect("process ids fit"), sent);
}

#[test]
fn ctrl_c_and_a_closed_terminal_undo_a_fault_at_once() {
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let devnet = up();
        let child = kill_for_an_hour(&devnet, "");
        send(&child, sent);
        let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
        assert_eq!(outcome.code, 1, "{sent:?}: {}", outcome.stderr);
        assert_eq!(devnet.nodes().len(), 4, "{sent:?}");
    }
}

#[test]
fn a_closed_terminal_ends_nothing_that_shall_outlive_it() {
    let devnet = up();
    let mut child = kill_for_an_hour(&devnet, "trap '' HUP");
    send(&child, Signal::HUP);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(child.try_wait().expect("it is a child"), None);
    assert_eq!(devnet.nodes().len(), 3);
    send(&child, Signal::INT);
    let outcome = Outcome::from(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert_eq!(devnet.nodes().len(), 4);
}

#[test]
fn a_frozen_node_does_not_answer_until_it_is_thawed() {
    let devnet = up();
    let outcome = devnet.ok(&["pause", "observer-0"]);
    assert!(
        outcome.stderr.contains("stands still") && outcome.stderr.contains("did not answer"),
        "{}",
        outcome.stderr
    );
    assert_eq!(devnet.nodes().len(), 4, "its process stays");
    assert!(devnet.run(&["status"]).stdout.contains("paused"));
    devnet.ok(&["unpause", "observer-0"]);
    devnet.ok(&["status"]);
}

#[test]
fn a_restarted_node_is_another_process() {
    let devnet = up();
    let before = devnet.nodes();
    let outcome = devnet.ok(&["restart", "observer"]);
    assert!(
        outcome.stderr.contains("as new process"),
        "{}",
        outcome.stderr
    );
    let kept = devnet
        .nodes()
        .iter()
        .filter(|pid| before.contains(pid))
        .count();
    assert_eq!(kept, 3);
}

#[test]
fn a_wiped_node_begins_at_genesis() {
    let devnet = up();
    let outcome = devnet.ok(&["wipe", "observer-0"]);
    assert!(
        outcome.stderr.contains("began at height 0"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_damaged_store_is_refused_and_healing_wipes_it() {
    let devnet = up();
    let outcome = devnet.ok(&["corrupt", "miner-0", "--for", "100ms"]);
    assert!(
        outcome.stderr.contains("refuses its damaged store"),
        "{}",
        outcome.stderr
    );
    assert_eq!(devnet.nodes().len(), 4);
    devnet.ok(&["status"]);
    devnet.ok(&["corrupt", "miner-1"]);
    assert_eq!(devnet.nodes().len(), 3);
    devnet.ok(&["wipe", "miner-1"]);
    devnet.ok(&["status"]);
}

#[test]
fn nodes_come_go_and_change_and_up_restores_what_was_asked_for() {
    let devnet = up();
    let before = devnet.nodes();
    devnet.ok(&["add", "observer", "--count", "2"]);
    assert_eq!(devnet.nodes().len(), 6);
    devnet.ok(&["status"]);
    devnet.ok(&["remove", "miner-0"]);
    assert_eq!(devnet.nodes().len(), 5);
    let next = devnet.write("next", "");
    std::fs::copy(fake_node(), &next).expect("a writable disk");
    let next = next.to_str().expect("UTF-8").to_owned();
    let outcome = devnet.ok(&["upgrade", "miner-1", "--binary", &next]);
    assert!(
        outcome.stderr.contains("as new process"),
        "{}",
        outcome.stderr
    );
    let runs_next = |pid: &i32| {
        std::fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|exe| exe.as_os_str() == next.as_str())
    };
    assert_eq!(
        devnet.nodes().iter().filter(|pid| runs_next(pid)).count(),
        1
    );
    devnet.ok(&["up"]);
    assert_eq!(devnet.nodes().len(), 4);
    assert!(!devnet.nodes().iter().any(runs_next));
    let kept = devnet
        .nodes()
        .iter()
        .filter(|pid| before.contains(pid))
        .count();
    assert_eq!(kept, 2, "those that nothing was done to");
    devnet.ok(&["down"]);
    assert!(devnet.nodes().is_empty() && !devnet.folder().exists());
}

#[test]
fn a_program_that_does_not_run_is_invalid_and_taken_back() {
    let devnet = up();
    let outcome = devnet.run(&[
        "upgrade",
        "miner-0",
        "--binary",
        "/bin/false",
        "--for",
        "1h",
    ]);
    assert_eq!(outcome.code, 4, "{}", outcome.stderr);
    assert!(
        format!("{}{}", outcome.stdout, outcome.stderr).contains("miner-0 is exited"),
        "{}",
        outcome.stderr
    );
    devnet.ok(&["status"]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let devnet = up();
    for (arguments, words) in [
        (&["kill", "minr-0"][..], "`miner-0`"),
        (&["add", "minr"], "did you mean `miner`?"),
        (&["upgrade", "miner-0", "--image", "x:1"], "--binary"),
        (&["upgrade", "miner-0"], "--image"),
        (&["remove", "bootstrap", "miner", "observer"], "devnet down"),
        (&["kill"], "NODE"),
    ] {
        let outcome = devnet.run(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(words),
            "{arguments:?}: {}",
            outcome.stderr
        );
    }
    assert_eq!(devnet.nodes().len(), 4);
}
