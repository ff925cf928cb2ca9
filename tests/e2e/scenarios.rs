//! Scenarios from their files to their verdicts, on real networks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use minichain_tests::docker;
use minichain_tests::network::{Network, wait_until};
use serde_json::Value;

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
    "report.json",
    "run.json",
    "scenario.yaml",
    "story.txt",
    "tips.jsonl",
    "topology.json",
    "tree.svg",
    "tree.txt",
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name)
}

/// A state folder, and `devnet run` in it.
struct Runs {
    network: Network,
    engine: &'static str,
}

impl Runs {
    fn on(engine: &'static str) -> Self {
        Self {
            network: Network::new(engine),
            engine,
        }
    }

    fn run(&self, file: &Path, arguments: &[&str]) -> Output {
        let mut command = self.network.command();
        command
            .arg("run")
            .arg(file)
            .args(arguments)
            .args(["--bundle", &self.path("bundles")])
            .args(["--junit", &self.path("out.xml")])
            .env("DEVNET_ENGINE", self.engine)
            .env_remove("GITHUB_ACTIONS");
        command.output().expect("devnet runs")
    }

    /// A path beside the networks' folders, where no network can be.
    fn path(&self, name: &str) -> String {
        let path = self.network.state().join(".test").join(name);
        path.to_str().expect("a plain path").to_owned()
    }

    fn bundle(&self) -> PathBuf {
        let found = fs::read_dir(self.path("bundles")).expect("there are bundles");
        let folders: Vec<PathBuf> = found.map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }

    /// Folders of networks that are still there.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.network.state()).expect("a state folder");
        let names = entries.map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        });
        names.filter(|name| !name.starts_with('.')).collect()
    }
}

#[track_caller]
fn assert_exit(out: &Output, code: i32) {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert_eq!(out.status.code(), Some(code), "{stdout}\n{stderr}");
}

#[track_caller]
fn assert_bundle_is_complete(bundle: &Path) {
    for name in BUNDLE {
        let path = bundle.join(name);
        assert!(path.is_file(), "{} is missing", path.display());
    }
    let plan = fs::read_to_string(bundle.join("blueprint.json")).expect("a plan");
    assert!(plan.contains("\"password\": \"\""), "it tells a password");
}

#[test]
fn smoke_passes_on_processes_and_leaves_nothing() {
    let runs = Runs::on("process");
    let out = runs.run(&shipped("smoke.yaml"), &["--json", "--seed", "7"]);
    assert_exit(&out, 0);
    let said: Value = serde_json::from_slice(&out.stdout).expect("one JSON document");
    assert_eq!(said["verdict"], "PASS");
    assert_eq!(said["runs"][0]["seed"], 7);
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_bundle_is_complete(&runs.bundle());
    let junit = fs::read_to_string(runs.path("out.xml")).expect("JUnit XML");
    assert!(junit.contains("failures=\"0\" errors=\"0\""), "{junit}");
}

#[test]
fn a_wrong_expectation_fails_with_a_story_and_a_bundle() {
    let runs = Runs::on("process");
    let out = runs.run(&shipped("bad/wrong-expectation.yaml"), &[]);
    assert_exit(&out, 1);
    let stderr = String::from_utf8_lossy(&out.stderr);
    for part in ["FAIL wrong-expectation", "expected", "found", "again:"] {
        assert!(stderr.contains(part), "the story lacks {part}:\n{stderr}");
    }
    assert_eq!(runs.left(), Vec::<String>::new());
    let bundle = runs.bundle();
    assert_bundle_is_complete(&bundle);
    let replay = fs::read_to_string(bundle.join("replay.txt")).expect("a command");
    assert!(replay.starts_with("devnet run "), "{replay}");
    assert!(replay.contains("--seed"), "{replay}");
    let junit = fs::read_to_string(runs.path("out.xml")).expect("JUnit XML");
    assert!(junit.contains("<failure"), "{junit}");
}

#[test]
fn a_fault_without_effect_makes_the_run_invalid() {
    let runs = Runs::on("process");
    let out = runs.run(&shipped("bad/ineffective-fault.yaml"), &[]);
    assert_exit(&out, 4);
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_bundle_is_complete(&runs.bundle());
}

#[test]
fn a_bad_scenario_is_refused_before_anything_starts() {
    let runs = Runs::on("process");
    let path = PathBuf::from(runs.path("bad.yaml"));
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let text = "name: bad\ntopology: { nodes: 3 }\nsteps:\n  - kill: minr-0\n";
    fs::write(&path, text).expect("a writable disk");
    // The good one is not run either.
    let smoke = shipped("smoke.yaml");
    let out = runs.run(&path, &[smoke.to_str().expect("a plain path")]);
    assert_exit(&out, 2);
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(stderr.contains("bad.yaml:4:11"), "{stderr}");
    assert!(stderr.contains("did you mean `miner-0`?"), "{stderr}");
    assert_eq!(runs.left(), Vec::<String>::new());
    assert!(!Path::new(&runs.path("bundles")).exists());
}

#[test]
fn two_halves_part_and_meet_again_on_docker() {
    if !docker::available("two_halves_part_and_meet_again_on_docker") {
        return;
    }
    let runs = Runs::on("docker");
    let out = runs.run(
        &shipped("two-way-partition.yaml"),
        &["--json", "--timeout", "180s"],
    );
    assert_exit(&out, 0);
    let said: Value = serde_json::from_slice(&out.stdout).expect("one JSON document");
    let network = said["runs"][0]["network"].as_str().expect("a name");
    assert_eq!(docker::left_behind(network), Vec::<String>::new());
    assert_eq!(runs.left(), Vec::<String>::new());
}

/// A run that is killed leaves an ordinary network behind.
#[test]
fn what_a_killed_run_leaves_goes_with_one_down() {
    let runs = Runs::on("process");
    let mut command = runs.network.command();
    command
        .arg("run")
        .arg(shipped("two-way-partition.yaml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("devnet runs");
    wait_until(Duration::from_secs(60), || match runs.left().as_slice() {
        [] => Err("no network yet".into()),
        [_, ..] => Ok(()),
    });
    std::thread::sleep(Duration::from_secs(4));
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    runs.network.must(&["down", "--all"]);
    assert_eq!(runs.left(), Vec::<String>::new());
}
