//! Ctrl-C in the middle of a run.

use std::fs;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use libtest_mimic::Trial;
use minichain_tests::docker;
use minichain_tests::network::wait_until;
use minichain_tests::runs::Runs;
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

/// Stays in two parts until somebody interrupts.
const PARTED: &str = "\
name: parted
topology: { nodes: 4, miners: 2, block_time: 1s }
steps:
  - partition: [[bootstrap-0, miner-0], [miner-1, observer-0]]
  - wait: 300s
finally:
  - heal
";

/// Has a long end, so that a second Ctrl-C comes within it.
const LONG_END: &str = "\
name: long-end
topology: { nodes: 3, miners: 1, block_time: 1s }
steps:
  - wait: 300s
finally:
  - wait: 120s
";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(crate::on_engines(
        "interrupts::ctrl_c_within_a_partition_heals_and_takes_the_network_down",
        ctrl_c_within_a_partition_heals_and_takes_the_network_down,
    ));
    trials.push(crate::fact(
        "interrupts::a_second_ctrl_c_leaves_at_once_and_says_what_is_left",
        a_second_ctrl_c_leaves_at_once_and_says_what_is_left,
    ));
    trials
}

fn ctrl_c_within_a_partition_heals_and_takes_the_network_down(engine: &'static str) {
    let runs = Runs::on(engine);
    let file = runs.scenario("parted.yaml", PARTED);
    let mut child = runs.spawn(&file, &["--name", &runs.network.name]);
    runs.wait_until_said("✓ 1 ", PATIENCE);
    interrupt(&child);
    let status = ended(&mut child, &runs);
    let said = runs.said();
    assert_eq!(status.code(), Some(1), "{said}");
    for part in [
        "Interrupted: going",
        "heal",
        "probes pass",
        "INTERRUPTED parted",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.processes(), Vec::<String>::new());
    if engine == "docker" {
        assert_eq!(
            docker::left_behind(&runs.network.name),
            Vec::<String>::new()
        );
    }
}

fn a_second_ctrl_c_leaves_at_once_and_says_what_is_left() {
    let runs = Runs::on("process");
    let file = runs.scenario("long-end.yaml", LONG_END);
    let name = &runs.network.name;
    let mut child = runs.spawn(&file, &["--name", name]);
    runs.wait_until_said("all 3 nodes answer", PATIENCE);
    interrupt(&child);
    runs.wait_until_said("Interrupted: going", PATIENCE);
    interrupt(&child);
    let status = ended(&mut child, &runs);
    let said = runs.said();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted twice"), "{said}");
    let advice = format!("`devnet down --name {name}`");
    assert!(said.contains(&advice), "{said}");
    // CI still reads what there is.
    let junit = fs::read_to_string(runs.path("out.xml")).expect("JUnit XML");
    assert!(junit.contains("interrupted twice"), "{junit}");
    assert_eq!(runs.left(), std::slice::from_ref(name));
    runs.network.must(&["down"]);
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.processes(), Vec::<String>::new());
}

fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process has an id"), Signal::INT).expect("it runs");
}

fn ended(child: &mut Child, runs: &Runs) -> ExitStatus {
    wait_until(PATIENCE, || match child.try_wait().expect("a child") {
        Some(status) => Ok(status),
        None => Err(format!("it goes on:\n{}", runs.said())),
    })
}
