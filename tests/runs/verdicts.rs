//! Verdicts other than PASS, and what explains them.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use minichain_tests::programs::program;
use minichain_tests::runs::{Runs, assert_exit, shipped};

/// What a bundle holds whatever happened.
const BUNDLE: &[&str] = &[
    "README.txt",
    "all.log",
    "blueprint.json",
    "faults.json",
    "faults.txt",
    "genesis.json",
    "junit.xml",
    "logs/miner-0.log",
    "metrics/miner-0.prom",
    "replay.txt",
    "report.html",
    "report.json",
    "run.json",
    "scenario.yaml",
    "story.txt",
    "tips.jsonl",
    "topology.json",
    "tree.svg",
    "tree.txt",
];
/// A story fits on a screen.
const LINES_MAX: usize = 40;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(crate::on_engines(
        "verdicts::a_wrong_expectation_fails_with_a_story_and_a_bundle",
        a_wrong_expectation_fails_with_a_story_and_a_bundle,
    ));
    trials.extend(crate::on_engines(
        "verdicts::a_fault_without_effect_makes_the_run_invalid",
        a_fault_without_effect_makes_the_run_invalid,
    ));
    trials.push(crate::fact(
        "verdicts::a_bundle_runs_again_from_its_own_folder",
        a_bundle_runs_again_from_its_own_folder,
    ));
    trials.push(crate::fact(
        "verdicts::a_bad_scenario_is_refused_before_anything_starts",
        a_bad_scenario_is_refused_before_anything_starts,
    ));
    trials
}

fn read(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything is there, and no password in any of it.
#[track_caller]
fn assert_bundle_is_complete(bundle: &Path) {
    for name in BUNDLE {
        let text = read(bundle, name);
        assert!(!text.trim().is_empty(), "{name} is empty");
        for line in text.lines().filter(|line| line.contains("\"password\"")) {
            let is_blank = line.contains("\"\"") || line.contains("null");
            assert!(is_blank, "{name} tells a password: {line}");
        }
    }
    let run: serde_json::Value =
        serde_json::from_str(&read(bundle, "run.json")).expect("one JSON document");
    for version in ["devnet", "node", "engine", "kernel"] {
        let told = run["versions"][version].as_str();
        assert!(
            told.is_some_and(|told| !told.is_empty()),
            "{version}: {run}"
        );
    }
}

fn a_wrong_expectation_fails_with_a_story_and_a_bundle(engine: &'static str) {
    let runs = Runs::on(engine);
    let out = runs.run(&shipped("bad/wrong-expectation.yaml"), &[]);
    assert_exit(&out, 1);
    let stderr = String::from_utf8_lossy(&out.stderr);
    for part in ["FAIL wrong-expectation", "expected", "found", "again:"] {
        assert!(stderr.contains(part), "the story lacks {part}:\n{stderr}");
    }
    assert_eq!(runs.left(), Vec::<String>::new());
    let bundle = runs.bundle();
    assert_bundle_is_complete(&bundle);
    let story = read(&bundle, "story.txt");
    assert!(story.lines().count() <= LINES_MAX, "{story}");
    let junit = quick_junit::Report::deserialize_from_str(&read(&bundle, "junit.xml"));
    assert_eq!(
        junit.expect("JUnit XML").test_suites[0].name.as_str(),
        "wrong-expectation"
    );
}

fn a_fault_without_effect_makes_the_run_invalid(engine: &'static str) {
    let runs = Runs::on(engine);
    let out = runs.run(&shipped("bad/ineffective-fault.yaml"), &[]);
    assert_exit(&out, 4);
    assert_eq!(runs.left(), Vec::<String>::new());
    let bundle = runs.bundle();
    assert_bundle_is_complete(&bundle);
    let timeline = read(&bundle, "faults.txt");
    assert!(timeline.contains("ineffective"), "{timeline}");
}

/// Every line of `replay.txt` that is no comment is a command; the second
/// needs nothing but the bundle.
fn a_bundle_runs_again_from_its_own_folder() {
    let runs = Runs::on("process");
    let out = runs.run(&shipped("bad/wrong-expectation.yaml"), &["--seed", "5"]);
    assert_exit(&out, 1);
    let bundle = runs.bundle();
    let replay = read(&bundle, "replay.txt");
    let commands: Vec<&str> = replay
        .lines()
        .filter(|line| line.starts_with("devnet run "))
        .collect();
    assert_eq!(commands.len(), 2, "{replay}");
    let devnet = program("devnet");
    let folder = devnet.parent().expect("a program stands in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let out = Command::new("bash")
        .args(["-c", commands[1]])
        .current_dir(&bundle)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("DEVNET_STATE", runs.network.state())
        .env_remove("GITHUB_ACTIONS")
        .output()
        .expect("bash runs");
    assert_exit(&out, 1);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("FAIL wrong-expectation"), "{said}");
    assert!(said.contains("seed 5"), "{said}");
}

fn a_bad_scenario_is_refused_before_anything_starts() {
    let runs = Runs::on("process");
    let text = "name: bad\ntopology: { nodes: 3 }\nsteps:\n  - kill: minr-0\n";
    let path = runs.scenario("bad.yaml", text);
    // The good ones around it are not run either.
    let smoke = shipped("smoke.yaml");
    let mut command = runs.command(&[&smoke, &path, &smoke], &[]);
    let out = command
        .env("GITHUB_ACTIONS", "true")
        .output()
        .expect("devnet runs");
    assert_exit(&out, 2);
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(stderr.contains("bad.yaml:4:11"), "{stderr}");
    assert!(stderr.contains("did you mean `miner-0`?"), "{stderr}");
    assert!(
        stderr.contains("bad.yaml,line=4,title=bad scenario::"),
        "{stderr}"
    );
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.bundles(), Vec::<std::path::PathBuf>::new());
    assert!(!Path::new(&runs.path("out.xml")).exists());
}
