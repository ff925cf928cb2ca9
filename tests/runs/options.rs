//! The options of `devnet run`, and the shapes of what it tells to machines.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use libtest_mimic::Trial;
use minichain_tests::docker;
use minichain_tests::runs::{Runs, answer, assert_exit, shipped, words};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// Parts and meets again, in few seconds.
const SHORT_CUT: &str = "\
name: short-cut
topology: { nodes: 4, miners: 2, block_time: 1s }
steps:
  - wait: { height: 1 }
    timeout: 40 blocks
  - partition: [[bootstrap-0, miner-0], [miner-1, observer-0]]
  - wait: 2s
  - heal
  - expect:
      converged: { fresh: 1, max_lag: 1 }
      within: 40 blocks
finally:
  - heal
";

/// Cuts a network in two and ends like that, with no step to heal it.
const LEFT_CUT: &str = "\
name: left-cut
topology: { nodes: 4, miners: 2, block_time: 1s }
steps:
  - partition: [[bootstrap-0, miner-0], [miner-1, observer-0]]
  - wait: 300s
";

const WITH_PARAMETER: &str = "\
name: with-parameter
topology: { nodes: 2, miners: 1, block_time: 1s }
parameters:
  height: 1
steps:
  - wait: { height: '${height}' }
  - expect: { height: '>= ${height}' }
";

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        crate::fact(
            "options::repeat_tells_the_flake_rate_and_medians",
            repeat_tells_the_flake_rate_and_medians,
        ),
        crate::fact(
            "options::repeat_counts_runs_that_fail",
            repeat_counts_runs_that_fail,
        ),
        crate::fact(
            "options::keep_leaves_the_network_up",
            keep_leaves_the_network_up,
        ),
        crate::fact(
            "options::json_and_junit_tell_the_same",
            json_and_junit_tell_the_same,
        ),
        crate::fact(
            "options::github_shows_what_failed_at_its_line",
            github_shows_what_failed_at_its_line,
        ),
        crate::fact(
            "options::what_only_the_simulator_is_told_runs_elsewhere_and_is_said_once",
            what_only_the_simulator_is_told_runs_elsewhere_and_is_said_once,
        ),
        crate::fact(
            "options::a_parameter_that_is_set_takes_the_place_of_its_default",
            a_parameter_that_is_set_takes_the_place_of_its_default,
        ),
    ];
    trials.extend(crate::on_engines(
        "options::a_named_network_is_cleared_of_faults_and_stays",
        a_named_network_is_cleared_of_faults_and_stays,
    ));
    trials
}

fn repeat_tells_the_flake_rate_and_medians() {
    let runs = Runs::on("process");
    let file = runs.scenario("short-cut.yaml", SHORT_CUT);
    let out = runs.run(&file, &["--repeat", "2", "--json"]);
    assert_exit(&out, 0);
    let said = answer(&out);
    let ran = said["runs"].as_array().expect("runs");
    assert_eq!(ran.len(), 2, "{said}");
    // A seed is drawn for each round, so each has a bundle and a network.
    assert_ne!(ran[0]["seed"], ran[1]["seed"]);
    assert_ne!(ran[0]["network"], ran[1]["network"]);
    assert_eq!(runs.bundles().len(), 2);
    let summary = &said["scenarios"][0];
    assert_eq!(summary["runs"], 2);
    assert_eq!(summary["not_passed"], 0);
    assert_eq!(summary["flake_rate"]["rate"], 0.0);
    let high = summary["flake_rate"]["high"].as_f64().expect("a share");
    assert!(
        (0.5..0.8).contains(&high),
        "two runs prove little: {summary}"
    );
    let median = summary["heal_to_converged_median_ms"].as_u64();
    let median = median.unwrap_or_else(|| panic!("no median in {said}"));
    let times: Vec<u64> = ran
        .iter()
        .flat_map(|run| run["heal_to_converged_ms"].as_array().expect("times"))
        .map(|ms| ms.as_u64().expect("milliseconds"))
        .collect();
    let (low, high) = (times.iter().min(), times.iter().max());
    assert!(low <= Some(&median) && Some(&median) <= high, "{summary}");
}

fn repeat_counts_runs_that_fail() {
    let runs = Runs::on("process");
    let out = runs.run(&shipped("bad/wrong-expectation.yaml"), &["--repeat", "2"]);
    assert_exit(&out, 1);
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        said.contains("wrong-expectation: 2 of 2 runs did not pass"),
        "{said}"
    );
    assert!(said.contains("0 of 2 runs passed: 2 FAIL."), "{said}");
    assert_eq!(runs.bundles().len(), 2, "{said}");
}

fn keep_leaves_the_network_up() {
    let runs = Runs::on("process");
    let arguments = ["--keep", "--name", &runs.network.name];
    let out = runs.run(&shipped("bad/wrong-expectation.yaml"), &arguments);
    assert_exit(&out, 1);
    assert_eq!(runs.left(), std::slice::from_ref(&runs.network.name));
    let status = runs.network.status();
    assert_eq!(
        status["nodes"].as_array().map(Vec::len),
        Some(3),
        "{status}"
    );
    runs.network.must(&["down"]);
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.processes(), Vec::<String>::new());
}

fn a_named_network_is_cleared_of_faults_and_stays(engine: &'static str) {
    let runs = Runs::on(engine);
    let name = runs.network.name.clone();
    let file = runs.scenario("short-cut.yaml", SHORT_CUT);
    let up = ["up", "--nodes", "4", "--miners", "2", "--block-time", "1s"];
    runs.network.must(&up);
    // A run that is killed in the middle of a partition leaves it in force.
    let cut = runs.scenario("left-cut.yaml", LEFT_CUT);
    let mut killed = runs.spawn(&cut, &["--name", &name]);
    runs.wait_until_said("✓ 1 ", PATIENCE);
    killed.kill().expect("it runs");
    killed.wait().expect("it ended");
    let faults = runs.network.must(&["faults"]);
    assert!(
        faults.contains("cut"),
        "the partition is in force: {faults}"
    );
    let out = runs.run(&file, &["--name", &name]);
    assert_exit(&out, 0);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("cleared of an earlier run: "), "{said}");
    assert_eq!(runs.left(), [name]);
    runs.network.must(&["down"]);
    if engine == "docker" {
        assert_eq!(
            docker::left_behind(&runs.network.name),
            Vec::<String>::new()
        );
    }
}

fn json_and_junit_tell_the_same() {
    let runs = Runs::on("process");
    let wrong = shipped("bad/wrong-expectation.yaml");
    let smoke = shipped("smoke.yaml");
    let mut command = runs.command(&[&smoke, &wrong], &["--json", "--seed", "7"]);
    let out = command.output().expect("devnet runs");
    assert_exit(&out, 1);
    let said = answer(&out);
    assert_eq!(said["verdict"], "fail");
    let ran = said["runs"].as_array().expect("runs");
    let verdicts: Vec<&Value> = ran.iter().map(|run| &run["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    for run in ran {
        assert_eq!(run["seed"], 7);
        assert_eq!(run["engine"], "process");
        assert!(
            run["replay"]
                .as_str()
                .is_some_and(|line| line.contains("--seed 7"))
        );
        let bundle = PathBuf::from(run["bundle"].as_str().expect("a bundle was asked for"));
        assert!(bundle.join("README.txt").is_file(), "{}", bundle.display());
    }
    let text = fs::read_to_string(runs.path("out.xml")).expect("JUnit XML");
    let report = Report::deserialize_from_str(&text).expect("valid JUnit XML");
    assert_eq!((report.failures, report.errors), (1, 0), "{text}");
    for (run, suite) in ran.iter().zip(&report.test_suites) {
        assert_eq!(run["scenario"], suite.name.as_str());
        let cases = run["cases"].as_array().expect("cases");
        assert_eq!(cases.len(), suite.test_cases.len());
        for (case, test) in cases.iter().zip(&suite.test_cases) {
            assert_eq!(case["name"], test.name.as_str());
            let status = match &test.status {
                TestCaseStatus::Success { .. } => "passed",
                TestCaseStatus::Skipped { .. } => "skipped",
                TestCaseStatus::NonSuccess { kind, .. } => match kind {
                    NonSuccessKind::Failure => "failed",
                    NonSuccessKind::Error => "errored",
                },
            };
            assert_eq!(case["status"], status, "{:?}", test.name);
        }
    }
}

fn github_shows_what_failed_at_its_line() {
    let runs = Runs::on("process");
    let wrong = shipped("bad/wrong-expectation.yaml");
    let mut command = runs.command(&[&wrong], &[]);
    let out = command
        .env("GITHUB_ACTIONS", "true")
        .output()
        .expect("devnet runs");
    assert_exit(&out, 1);
    let said = String::from_utf8_lossy(&out.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("::")).collect();
    let [group, end, error] = lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(group, "::group::wrong-expectation");
    assert_eq!(end, "::endgroup::");
    let place = format!("::error file={},line=11,", wrong.display());
    assert!(error.starts_with(&place), "{error}");
    assert!(
        error.contains("title=FAIL wrong-expectation::2 Wrong on purpose: "),
        "{error}"
    );
}

fn what_only_the_simulator_is_told_runs_elsewhere_and_is_said_once() {
    let runs = Runs::on("process");
    let text = WITH_PARAMETER.replace(
        "parameters:",
        "sim: { latency: 1s, start_jitter: 10m, cpu: { block: 10s } }\nparameters:",
    );
    let file = runs.scenario("told.yaml", &text);
    let out = runs.run(&file, &["--repeat", "2"]);
    assert_exit(&out, 0);
    let said = words(&out);
    let told = said.matches("`sim` is for --world sim alone").count();
    assert_eq!(told, 1, "{said}");
    let out = runs.run(&file, &["--world", "sim"]);
    assert!(
        !words(&out).contains("for --world sim alone"),
        "{}",
        words(&out)
    );
}

fn a_parameter_that_is_set_takes_the_place_of_its_default() {
    let runs = Runs::on("process");
    let file = runs.scenario("with-parameter.yaml", WITH_PARAMETER);
    let out = runs.run(
        &file,
        &["--world", "sim", "--seed", "1", "--set", "height=4"],
    );
    assert_exit(&out, 0);
    let path = runs.bundle().join("report.json");
    let text = fs::read_to_string(path).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        report["parameters"]["height"], "4",
        "{}",
        report["parameters"]
    );
    let seen = report["blocks"].as_array().expect("blocks").len();
    assert!(seen > 4, "{seen} blocks with genesis");
    let out = runs.run(&file, &["--world", "sim", "--set", "heihgt=4"]);
    assert_exit(&out, 2);
    assert!(words(&out).contains("height"), "{}", words(&out));
}
