use std::path::PathBuf;

use super::*;

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn refused(text: &str) -> Vec<Told> {
    let (_folder, path) = written(text);
    ScenarioFile::examine(&path, &[]).unwrap_err().told
}

const STEPS: &str = "steps:\n  - expect: converged\n";

#[test]
fn a_network_by_counts_has_the_names_and_accounts_of_devnet_up() {
    let (_folder, path) = written(&format!(
        "name: a\ntopology: {{ nodes: 4, miners: 2, block_time: 1s }}\n{STEPS}"
    ));
    let file = ScenarioFile::read(&path, &[]).unwrap();
    let names = ["bootstrap-0", "miner-0", "miner-1", "observer-0"];
    assert_eq!(file.roster.names(), names);
    assert_eq!(file.roster.block_interval_ms, 1_000);
    assert_eq!(file.roster.accounts, ["alice", "bob", "carol", "faucet"]);
}

#[test]
fn parameters_shape_the_network_too() {
    let (_folder, path) = written(&format!(
        "name: a\ntopology: {{ nodes: \"${{n}}\" }}\nparameters: {{ n: 3 }}\n{STEPS}"
    ));
    let sets = [("n".to_owned(), "6".to_owned())];
    let file = ScenarioFile::read(&path, &sets).unwrap();
    assert_eq!(file.roster.nodes.len(), 6);
}

#[test]
fn an_inline_topology_is_read_by_its_own_types() {
    let (_folder, path) = written(&format!(
        "name: a
topology:
  groups:
    - {{ name: left, role: miner, count: 2 }}
    - {{ name: right, role: miner }}
  peers: {{ edges: [[left-0, left-1], [left-1, right-0]] }}
  genesis: {{ block_time: 2s, difficulty: {{ rule: asert }}, allocations: {{ dora: 5 }} }}
{STEPS}"
    ));
    let file = ScenarioFile::read(&path, &[]).unwrap();
    assert_eq!(file.roster.names(), ["left-0", "left-1", "right-0"]);
    assert_eq!(file.roster.accounts, ["dora"]);
}

#[test]
fn a_topology_file_is_found_beside_the_scenario() {
    let (folder, path) = written(&format!("name: a\ntopology: net.yaml\n{STEPS}"));
    let net = "groups: [{ name: miner, count: 2 }]\n";
    std::fs::write(folder.path().join("net.yaml"), net).unwrap();
    let file = ScenarioFile::read(&path, &[]).unwrap();
    assert_eq!(file.roster.names(), ["miner-0", "miner-1"]);
}

#[test]
fn faults_of_an_inline_topology_have_their_place_in_the_scenario() {
    let told = refused(&format!(
        "name: a\ntopology:\n  groups:\n    - {{ name: miner, cuont: 2 }}\n{STEPS}"
    ));
    assert_eq!(
        told[0].message,
        "unknown key `cuont`; did you mean `count`?"
    );
    assert_eq!((told[0].line, told[0].column), (Some(4), Some(22)));

    let told = refused(&format!(
        "name: a\ntopology:\n  groups:\n    - {{ name: miner, count: 0 }}\n{STEPS}"
    ));
    assert!(told[0].message.contains("at least one node"), "{told:?}");
    assert_eq!((told[0].line, told[0].column), (Some(4), Some(29)));
}

#[test]
fn counts_that_make_no_network_are_refused_at_their_place() {
    let told = refused(&format!(
        "name: a\ntopology: {{ nodes: 2, miners: 3 }}\n{STEPS}"
    ));
    assert_eq!((told[0].line, told[0].column), (Some(2), Some(31)));
    let told = refused(&format!(
        "name: a\ntopology: {{ nodes: 2, block_time: 1500ms }}\n{STEPS}"
    ));
    assert!(told[0].message.contains("whole seconds"), "{told:?}");
}

#[test]
fn a_misspelt_node_is_shown_with_a_caret_and_the_word_meant() {
    let told = refused("name: a\ntopology: { nodes: 3 }\nsteps:\n  - kill: minr-0\n");
    let error = told.iter().find(|told| told.severity == "error");
    let shown = &error.unwrap().shown;
    assert!(
        shown.ends_with(
            "a.yaml:4:11: there is no node or group `minr-0`; did you mean `miner-0`?\n   \
             |\n 4 |   - kill: minr-0\n   |           ^"
        ),
        "{shown}"
    );
}

#[test]
fn a_file_that_is_not_there_is_told_by_its_path() {
    let failure = ScenarioFile::read(&PathBuf::from("/nowhere/a.yaml"), &[]).unwrap_err();
    assert!(
        failure
            .message()
            .contains("/nowhere/a.yaml: cannot be read")
    );
}
