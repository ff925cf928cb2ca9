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
    for part in [
        "latency: 300ms",
        "start_jitter: 5s",
        "cpu: { block: 5ms }",
        "upload: 100kB/s",
        "download: 100kB/s",
        "loss: 5%",
        "outbound: 1",
        "nodes: [{ on: miner-0, clock_skew: 1s }]",
    ] {
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
        (
            "sim: { upload: 10B/s }",
            "told.yaml:3:16: 10B/s is out of range; choose from 1kB/s to 100GB/s",
        ),
        (
            "sim: { nodes: [{ on: miner-7, upload: 1MB/s }] }",
            "told.yaml:3:22: there is no node or group `miner-7`; did you mean `miner-0`?",
        ),
    ] {
        let path = written(&folder, sim, STEPS);
        for world in ["sim", "process"] {
            assert_refused(&["run", &path, "--world", world], what);
        }
    }
}

#[test]
fn faults_are_proven_on_thin_and_lossy_lines_too() {
    let folder = TempDir::new().expect("a folder");
    let sim = "sim: { loss: 2%, upload: 1MB/s, download: 8Mbit/s, block_ballast: 10kB, \
               gossip: { degree: 2, heartbeat: 500ms }, nodes: [{ on: miner-1, upload: 64kB/s }] }";
    let run = passed(&folder, sim, &["--seed", "3", "--check-determinism"]);
    let told = "the simulator: links lose 2%, upload 1MB/s, download 1MB/s, blocks carry 10kB of \
                ballast, gossip degree 2, gossip heartbeat 500ms, miner-1 upload 64kB/s";
    assert!(kept(&run, "run.json").contains(told));
}

#[test]
fn clocks_that_are_off_from_the_start_return_to_that_and_so_do_those_of_new_nodes() {
    let folder = TempDir::new().expect("a folder");
    let sim = "sim: { nodes: [{ on: miner, clock_skew: -2s }, { on: miner-1, clock_skew: 1.5s }] }";
    let is = |node: &str, offset_s: &str| {
        format!(
            "  - expect: {{ metric: {{ select: minichain_clock_offset_seconds, \
             value: \"{offset_s}\" }}, on: {node} }}\n"
        )
    };
    let both = [
        is("miner-0", "-2"),
        is("miner-1", "1.5"),
        is("observer-0", "0"),
    ]
    .concat();
    let off = "  - clock_skew: { on: all, by: 3s }\n";
    let steps = format!(
        "steps:\n{both}{off}    for: 2s\n{both}{off}{}  - heal: all\n{both}\
         \x20 - add: {{ group: miner, count: 1 }}\n{}",
        is("miner-1", "3"),
        is("miner-2", "-2"),
    );
    let path = written(&folder, sim, &steps);
    let out = devnet(program(), &["run", &path, "--world", "sim", "--seed", "3"]);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}

#[test]
fn connections_cannot_be_both_drawn_and_named() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("edges.yaml");
    let text = "name: edges
topology:
  groups: [{ name: miner, count: 2 }]
  peers: { edges: [[miner-0, miner-1]] }
sim: { outbound: 1 }
steps: [heal]
";
    std::fs::write(&path, text).expect("a writable disk");
    let path = path.display().to_string();
    let what = "edges.yaml:5:18: the topology names every connection by its `edges`";
    for verb in ["check", "run"] {
        assert_refused(&[verb, &path, "--world", "sim"], what);
    }
}
