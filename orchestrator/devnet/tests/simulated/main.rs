//! Scenarios, explored networks and experiments in the simulator, as a user and
//! as CI runs them.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

mod experiments;
mod exploring;
mod interrupts;
mod machines;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_devnet"))
}

fn devnet(program: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).env_remove("GITHUB_ACTIONS");
    command.output().expect("devnet runs")
}

fn words(out: &Output) -> String {
    let texts = [&out.stdout, &out.stderr];
    texts.map(|text| String::from_utf8_lossy(text)).join("\n")
}

fn answer(out: &Output) -> Value {
    serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("no JSON: {}", words(out)))
}

/// A file of a run's bundle.
fn kept(run: &Value, file: &str) -> String {
    let bundle = Path::new(run["bundle"].as_str().expect("a bundle"));
    std::fs::read_to_string(bundle.join(file)).expect("it is there")
}

/// Round trips of links that the first act of a run made slow, in milliseconds:
/// before, as they should be, and as they were.
fn trips(run: &Value) -> Vec<[Option<f64>; 3]> {
    let acts: Value = serde_json::from_str(&kept(run, "faults.json")).expect("JSON");
    let probes = acts[0]["evidence"]["probes"].as_array().expect("probes");
    let trips = probes.iter().map(|probe| {
        ["before", "expected", "measured"].map(|key| probe[key]["open"]["rtt_ms"].as_f64())
    });
    trips
        .filter(|[_, expected, _]| expected.is_some())
        .collect()
}

/// Has devnet refuse its arguments, with that in its words.
fn assert_refused(arguments: &[&str], what: &str) -> String {
    let out = devnet(program(), arguments);
    let said = words(&out);
    assert_eq!(out.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.contains(what), "{arguments:?}: {said}");
    said
}

/// Every scenario that ships.
fn shipped() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let entries = std::fs::read_dir(folder).expect("the scenarios ship");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let mut files: Vec<String> = yaml.map(|path| path.display().to_string()).collect();
    files.sort();
    files
}

fn digests(program: &Path, files: &[String]) -> Vec<String> {
    let mut arguments = vec!["run", "--world", "sim", "--seed", "1", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let out = devnet(program, &arguments);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    let answer = answer(&out);
    let runs = answer["runs"].as_array().expect("runs");
    let digest = |run: &Value| run["digest"].as_str().expect("a digest").to_owned();
    runs.iter().map(digest).collect()
}

#[test]
fn shipped_scenarios_pass_and_the_release_program_makes_the_same_of_them() {
    let files = shipped();
    assert!(files.len() >= 18, "{files:?}");
    let debug = digests(program(), &files);
    assert_eq!(debug.len(), files.len());
    // The folder of the build holds one for each profile.
    let release = program().parent().and_then(Path::parent);
    let release = release.map(|folder| folder.join("release/devnet"));
    // At a desk it may be of older sources; CI builds it just before.
    let release = release.filter(|path| path.exists() && std::env::var_os("CI").is_some());
    match release {
        Some(release) => assert_eq!(digests(&release, &files), debug),
        None => println!("SKIPPED: there is no fresh release program to compare with"),
    }
}

#[test]
fn a_second_process_makes_the_same_of_a_seed() {
    let chaos = shipped().into_iter().find(|file| file.contains("chaos"));
    let chaos = chaos.expect("it ships");
    let arguments = ["run", &chaos, "--world", "sim", "--seed", "7", "--json"];
    let out = devnet(
        program(),
        &[&arguments[..], &["--check-determinism"]].concat(),
    );
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    let run = answer(&out)["runs"][0].clone();
    let cases = run["cases"].as_array().expect("cases");
    let last = cases.last().expect("a case");
    assert_eq!(last["name"], "a second process makes the same of it");
    assert_eq!(last["status"], "passed");
    let other = devnet(
        program(),
        &["run", &chaos, "--world", "sim", "--seed", "8", "--json"],
    );
    assert_ne!(answer(&other)["runs"][0]["digest"], run["digest"]);
}

fn written(folder: &TempDir, steps: &str) -> PathBuf {
    let path = folder.path().join("own.yaml");
    let text =
        format!("name: own\ntopology: {{ nodes: 3, miners: 2, block_time: 1s }}\nsteps:\n{steps}");
    std::fs::write(&path, text).expect("a writable disk");
    path
}

fn run(folder: &TempDir, steps: &str) -> Output {
    let path = written(folder, steps).display().to_string();
    let bundles = folder.path().join("bundles").display().to_string();
    let arguments = ["run", &path, "--world", "sim", "--seed", "3", "--json"];
    devnet(
        program(),
        &[&arguments[..], &["--bundle", &bundles]].concat(),
    )
}

#[test]
fn verdicts_and_bundles_are_those_of_every_world() {
    let folder = TempDir::new().expect("a folder");
    let fails = run(&folder, "  - expect: { height: '>= 1000' }\n");
    assert_eq!(fails.status.code(), Some(1), "{}", words(&fails));
    let invalid = run(
        &folder,
        "  - kill: miner-1\n  - partition: { isolate: miner-1 }\n  - expect: { progress: { blocks: 1 } }\n",
    );
    assert_eq!(invalid.status.code(), Some(4), "{}", words(&invalid));
    let told = answer(&invalid);
    let bundle = Path::new(told["runs"][0]["bundle"].as_str().expect("a bundle"));
    for file in [
        "report.html",
        "report.json",
        "replay.txt",
        "run.json",
        "tree.svg",
        "all.log",
    ] {
        assert!(bundle.join(file).is_file(), "{file}");
    }
    let replay = std::fs::read_to_string(bundle.join("replay.txt")).expect("it is there");
    assert!(replay.contains("--world sim"), "{replay}");
    let record = std::fs::read_to_string(bundle.join("run.json")).expect("it is there");
    assert!(record.contains(told["runs"][0]["digest"].as_str().expect("a digest")));
}

/// The middle of a line dials nobody by itself; who dialled it before must find
/// it again.
#[test]
fn a_removed_node_that_comes_back_is_dialled_by_those_that_knew_it() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("line.yaml");
    let text = "name: line
topology:
  groups: [{ name: miner, count: 2 }, { name: observer }]
  peers: { edges: [[miner-0, observer-0], [miner-1, observer-0]] }
  genesis: { block_time: 1s }
steps:
  - wait: { height: 2 }
  - remove: observer-0
    for: 5s
  - expect:
      - converged: { max_lag: 1, fresh: 2 }
        within: 80 blocks
";
    std::fs::write(&path, text).expect("a writable disk");
    let path = path.display().to_string();
    let out = devnet(program(), &["run", &path, "--world", "sim", "--seed", "3"]);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
}

#[test]
fn what_a_link_was_before_it_got_slow_is_told_beside_it() {
    let folder = TempDir::new().expect("a folder");
    let steps = "  - wait: { height: 1 }
  - latency: { is: 70ms, between: [miner-0, miner-1] }
  - expect: { height: '>= 1' }
";
    let out = run(&folder, steps);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    let trips = trips(&answer(&out)["runs"][0]);
    let [[Some(before_ms), _, Some(measured_ms)]] = trips[..] else {
        panic!("{trips:?}");
    };
    assert!(before_ms < 10.0 && measured_ms >= 140.0, "{trips:?}");
}

#[test]
fn full_and_damaged_disks_are_told_and_mended() {
    let folder = TempDir::new().expect("a folder");
    let steps = "  - wait: { height: 3 }
  - fill_disk: miner-0
    for: 20s
  - corrupt_store: miner-1
    for: 5s
  - fill_disk: bootstrap-0
  - heal
  - expect:
      - converged: { fresh: 2 }
        within: 60 blocks
";
    let out = run(&folder, steps);
    assert_eq!(out.status.code(), Some(0), "{}", words(&out));
    let text = kept(&answer(&out)["runs"][0], "faults.json");
    for said in [
        "miner-0: its disk takes nothing more",
        "miner-0 had ended; its disk has room, and it is started",
        "miner-1 refuses its damaged store",
        "bootstrap-0 had nothing to store; its disk has room",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn what_the_simulator_has_no_notion_of_is_refused_before_anything_runs() {
    let folder = TempDir::new().expect("a folder");
    for (steps, what) in [
        (
            "  - upgrade: { on: miner-0, to: ./other }\n",
            "runs no programs",
        ),
        ("  - expect: { memory: '< 1GiB' }\n", "one node's memory"),
        (
            "  - expect: { log: { contains: tip, count: '>= 1' } }\n",
            "log lines",
        ),
        (
            "  - expect: { metric: { select: minichain_store_size_bytes, value: '> 0' } }\n",
            "has no metric",
        ),
    ] {
        let path = written(&folder, steps).display().to_string();
        for verb in ["check", "run"] {
            let said = assert_refused(&[verb, &path, "--world", "sim"], what);
            assert!(said.contains(":4:"), "the line is told: {said}");
        }
    }
    let smoke = shipped().into_iter().find(|file| file.contains("smoke"));
    let smoke = smoke.expect("it ships");
    for odd in ["--keep", "--name=lab", "--image=x", "--binary=/x"] {
        let out = devnet(program(), &["run", &smoke, "--world", "sim", odd]);
        assert_eq!(out.status.code(), Some(2), "{odd}: {}", words(&out));
    }
}
