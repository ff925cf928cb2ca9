//! The files we ship: every scenario is read, checked and valid by the schema
//! that editors get; so is every topology.

use std::path::{Path, PathBuf};

use devnet::scenario_file::ScenarioFile;
use devnet::topology_file::TopologyFile;
use devnet_blueprint::Topology;
use jsonschema::Validator;
use serde_json::Value;

/// Those that the documentation promises.
const PROMISED: &[&str] = &[
    "bridge",
    "chaos",
    "clock-skew",
    "flapping-partition",
    "isolate-and-rejoin",
    "late-joiner",
    "load-across-partition",
    "lossy",
    "majority-minority",
    "miner-crash",
    "one-way-cut",
    "rolling-restart",
    "slow-link",
    "smoke",
    "three-way",
    "total-restart",
    "two-way-partition",
    "wan",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every YAML file of a folder, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = root().join(folder);
    let listed = std::fs::read_dir(&folder).expect("the folder is there");
    let paths = listed.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().expect("a file has a name");
    stem.to_string_lossy().into_owned()
}

fn scenario_schema() -> Validator {
    let schema = devnet_scenario::schema::scenario(&Topology::schema());
    jsonschema::validator_for(schema.as_value()).expect("the schema is a schema")
}

fn topology_schema() -> Validator {
    let schema = Topology::schema();
    jsonschema::validator_for(schema.as_value()).expect("the schema is a schema")
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the file is there");
    of_text(&text)
}

fn of_text(text: &str) -> Value {
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(text, options).expect("the file is YAML")
}

fn assert_valid(schema: &Validator, path: &Path) {
    let value = json(path);
    let told: Vec<String> = schema
        .iter_errors(&value)
        .map(|error| format!("{}: {}: {error}", path.display(), error.instance_path))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_promised_scenario_is_there_under_its_own_name() {
    let there: Vec<String> = files("tests/scenarios")
        .iter()
        .map(|path| stem(path))
        .collect();
    assert_eq!(there, PROMISED);
}

#[test]
fn every_shipped_scenario_is_checked_without_a_remark() {
    let bad = files("tests/scenarios/bad");
    assert!(!bad.is_empty());
    for path in files("tests/scenarios").into_iter().chain(bad) {
        let file = ScenarioFile::read(&path, &[]).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(file.scenario.name, stem(&path));
        assert!(!file.scenario.description.is_empty(), "{}", path.display());
        assert!(file.warnings.is_empty(), "{:?}", file.warnings);
    }
}

#[test]
fn every_shipped_scenario_is_valid_by_the_schema() {
    let schema = scenario_schema();
    for folder in ["tests/scenarios", "tests/scenarios/bad"] {
        for path in files(folder) {
            assert_valid(&schema, &path);
        }
    }
}

#[test]
fn every_shipped_topology_is_read_and_valid_by_the_schema() {
    let schema = topology_schema();
    for path in files("deploy/topologies") {
        let file = TopologyFile::read(&path).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(file.topology.check(), Ok(()));
        assert_valid(&schema, &path);
    }
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let schema = scenario_schema();
    let with_step = |step: &str| {
        of_text(&format!(
            "name: a\ntopology: {{ nodes: 3 }}\nsteps:\n  - {step}\n"
        ))
    };
    assert!(schema.is_valid(&with_step("kill: miner-0")));
    for step in [
        "kil: miner-0",
        "{ kill: miner-0, stop: miner-1 }",
        "title: nothing",
        "wait: 5",
        "wait: five seconds",
        "partition: havles",
        "expect: { convergd: }",
        "expect: { height: 1, peers: 2 }",
        "load: { from: alice, to: bob }",
        "repeat: { count: 0, steps: [heal] }",
        "loss: 150",
    ] {
        assert!(!schema.is_valid(&with_step(step)), "{step}");
    }
    assert!(!schema.is_valid(&of_text("name: a\nsteps: [heal]\n")));
    let with_sim = |sim: &str| {
        let head = "name: a\ntopology: { nodes: 3 }\nsteps: [heal]\n";
        of_text(&format!("{head}sim: {{ {sim} }}\n"))
    };
    let whole = "latency: 20ms, start_jitter: 2s, cpu: { block: 5ms, input: 60us, kilobyte: 10us }";
    assert!(schema.is_valid(&with_sim(whole)));
    for sim in [
        "latency: 20",
        "latency: 2 blocks",
        "cpu: 5ms",
        "cpu: { blok: 5ms }",
        "jitter: 2s",
    ] {
        assert!(!schema.is_valid(&with_sim(sim)), "{sim}");
    }
    assert!(!topology_schema().is_valid(&of_text("groups: [{ name: a, cuont: 2 }]\n")));
}
