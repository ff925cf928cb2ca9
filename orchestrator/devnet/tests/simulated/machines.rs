//! What a scenario tells the simulator of lines and machines.

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, assert_refused, devnet, kept, program, trips, words};

const TOLD: &str = "sim: { latency: 300ms, start_jitter: 5s, cpu: { block: 5ms, input: 60us } }";

/// Faults of every kind of link, and their end.
const STEPS: &str = "\
steps:
  - wait: { height: 1 }
  - latency: { is: 70ms, between: [miner-0, miner-1] }
  - heal
  - jitter: { is: 30ms, on: miner-0 }
  - bandwidth: { is: 64KiB/s, on: miner-0 }
  - loss: { is: 10%, on: miner-1 }
  - heal: conditions
  - partition: [[bootstrap-0, miner-0], [miner-1, observer-0]]
  - heal
  - expect: { converged: { max_lag: 1, fresh: 1 }, within: 60 blocks }
";

fn written(folder: &TempDir, sim: &str, steps: &str) -> String {
    let path = folder.path().join("told.yaml");
    let topology = "{ nodes: 4, miners: 2, block_time: 5s }";
    let text = format!("name: told\ntopology: {topology}\n{sim}\n{steps}");
    std::fs::write(&path, text).expect("a writable disk");
    path.display().to_string()
}

/// What a run that passes answers.
fn passed(folder: &TempDir, sim: &str, more: &[&str]) -> Value {
    let path = written(folder, sim, STEPS);
    let bundles = folder.path().join("bundles").display().to_string();
    let arguments = [
        "run", &path, "--world", "sim", "--json", "--bundle", &bundles,
    ];
    let out = devnet(program(), &[&arguments[..], more].concat());
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    answer(&out)["runs"][0].clone()
}

#[test]
fn faults_show_on_top_of_the_latency_that_lines_have_by_nature() {
    let folder = TempDir::new().expect("a folder");
    let run = passed(&folder, TOLD, &["--seed", "3"]);
    assert_eq!(trips(&run), [[Some(600.0), Some(740.0), Some(740.0)]]);
}

#[test]
fn reports_tell_what_the_simulator_was_told() {
    let folder = TempDir::new().expect("a folder");
    let run = passed(&folder, TOLD, &["--seed", "3"]);
    let told = "the simulator: 300ms from node to node, nodes start up to 5s late, \
                a block takes 5ms to validate, an input takes 60us to validate";
    for file in ["run.json", "report.html"] {
        let text = kept(&run, file);
        assert!(text.contains(told), "{file}: {text}");
    }
}

#[test]
fn nodes_that_start_late_and_take_their_time_make_one_history_of_a_seed() {
    let folder = TempDir::new().expect("a folder");
    let more = ["--seed", "3", "--check-determinism"];
    let told = passed(&folder, TOLD, &more);
    let digest = |sim: &str| passed(&folder, sim, &["--seed", "3"])["digest"].clone();
    assert_eq!(digest(TOLD), told["digest"]);
    let untold = digest("");
    assert_eq!(digest("sim: {}"), untold, "nothing said is nothing changed");
    assert_eq!(
        digest("sim: { latency: 250us }"),
        untold,
        "as it is where unsaid"
    );
    for part in ["latency: 300ms", "start_jitter: 5s", "cpu: { block: 5ms }"] {
        assert_ne!(digest(&format!("sim: {{ {part} }}")), untold, "{part}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_every_world_before_anything_runs() {
    let folder = TempDir::new().expect("a folder");
    for (sim, what) in [
        (
            "sim: { latency: 2s }",
            "told.yaml:3:17: 2s is out of range; choose from 0us to 1s",
        ),
        (
            "sim: { start_jitter: 1 }",
            "told.yaml:3:22: a time needs a unit",
        ),
        (
            "sim: { cpus: 3 }",
            "told.yaml:3:8: unknown key `cpus`; did you mean `cpu`?",
        ),
        (
            "sim:",
            "a mapping with keys such as latency, start_jitter, cpu is needed here",
        ),
    ] {
        let path = written(&folder, sim, STEPS);
        for world in ["sim", "process"] {
            assert_refused(&["run", &path, "--world", world], what);
        }
    }
}
