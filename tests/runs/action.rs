//! The GitHub Action's script, as a workflow calls it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::Trial;
use minichain_tests::programs::program;
use minichain_tests::runs::{Runs, assert_exit};

pub fn trials() -> Vec<Trial> {
    vec![
        crate::fact(
            "action::tells_its_outputs_and_ends_like_the_run",
            tells_its_outputs_and_ends_like_the_run,
        ),
        crate::fact(
            "action::keeps_no_bundle_of_a_pass",
            keeps_no_bundle_of_a_pass,
        ),
    ]
}

fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests stand below the root")
}

/// Runs the script from a working folder of its own that looks like a clone.
fn act(runs: &Runs, scenarios: &str) -> Output {
    let folder = runs.path("work");
    let place = Path::new(&folder).join("tests");
    fs::create_dir_all(&place).expect("a writable disk");
    let shipped = root().join("tests/scenarios");
    std::os::unix::fs::symlink(shipped, place.join("scenarios")).expect("a writable disk");
    Command::new("bash")
        .arg(root().join("deploy/action/run.sh"))
        .current_dir(&folder)
        .env("SCENARIOS", scenarios)
        .env("ENGINE", "process")
        .env("SEED", "7")
        .env("REPEAT", "1")
        .env("SETS", "")
        .env("DEVNET", program("devnet"))
        .env("MINICHAIN", program("minichain"))
        .env("SOURCE", ".")
        .env("RUNNER_TEMP", runs.path("temp"))
        .env("GITHUB_OUTPUT", runs.path("output"))
        .env("GITHUB_STEP_SUMMARY", runs.path("summary"))
        .env("GITHUB_ACTIONS", "true")
        .output()
        .expect("bash runs")
}

fn outputs(runs: &Runs) -> Vec<(String, String)> {
    let text = fs::read_to_string(runs.path("output")).expect("outputs");
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn value(outputs: &[(String, String)], name: &str) -> String {
    let found = outputs.iter().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {outputs:?}"))
        .1
        .clone()
}

fn tells_its_outputs_and_ends_like_the_run() {
    let runs = Runs::on("process");
    let out = act(&runs, "tests/scenarios/bad/wrong-*.yaml");
    assert_exit(&out, 1);
    let outputs = outputs(&runs);
    assert_eq!(value(&outputs, "exit-code"), "1");
    let junit = fs::read_to_string(value(&outputs, "junit")).expect("JUnit XML");
    assert!(junit.contains("<failure"), "{junit}");
    let bundle = Path::new(&value(&outputs, "bundles")).join("wrong-expectation-7");
    assert!(bundle.join("story.txt").is_file(), "{}", bundle.display());
    let said = String::from_utf8_lossy(&out.stderr);
    let place = "::error file=tests/scenarios/bad/wrong-expectation.yaml,line=11,";
    assert!(said.contains(place), "{said}");
    let summary = fs::read_to_string(runs.path("summary")).expect("a summary");
    assert!(summary.contains("FAIL wrong-expectation"), "{summary}");
    assert!(
        !Path::new(&runs.path("temp"))
            .join("devnet-run/state")
            .exists()
    );
}

fn keeps_no_bundle_of_a_pass() {
    let runs = Runs::on("process");
    let out = act(&runs, "tests/scenarios/smoke.yaml");
    assert_exit(&out, 0);
    let outputs = outputs(&runs);
    assert_eq!(value(&outputs, "exit-code"), "0");
    assert!(!Path::new(&value(&outputs, "bundles")).exists());
    let summary = fs::read_to_string(runs.path("summary")).expect("a summary");
    assert!(summary.contains("1 of 1 run passed."), "{summary}");
}
