//! Files with faults, and where devnet says they lie.

use super::*;

fn parse(text: &str) -> Result<TopologyFile, Failure> {
    TopologyFile::parse(Path::new("topology.yaml"), text.into())
}

fn refused(text: &str) -> String {
    parse(text).expect_err("a fault").message().to_owned()
}

fn problems(text: &str) -> String {
    let file = parse(text).expect("it parses");
    let problems = file.topology.check().expect_err("a fault");
    file.refuse(&problems.0).message().to_owned()
}

#[test]
fn a_sound_file_is_read() {
    let file = parse("name: alpha\ngroups:\n  - { name: miner, count: 2, hash_rate: 500 }\n");
    let topology = file.expect("a sound file").topology;
    assert_eq!(
        (topology.name.as_str(), topology.node_count()),
        ("alpha", 2)
    );
    topology.check().expect("a sound wish");
}

#[test]
fn a_misspelt_key_gets_line_column_caret_and_the_word_meant() {
    assert_eq!(
        refused("groups:\n  - name: miner\n    cout: 2\n"),
        "topology.yaml:3:5: unknown key `cout`; did you mean `count`?\n   |\n 3 |     cout: 2\n   |     ^"
    );
}

#[test]
fn an_unknown_key_like_no_other_gets_the_list() {
    let message = refused("colour: red\n");
    assert!(
        message.starts_with("topology.yaml:1:1: unknown key `colour`; known are: name, groups"),
        "{message}"
    );
}

#[test]
fn an_unknown_role_gets_the_nearest() {
    let message = refused("groups:\n  - name: a\n    role: minner\n");
    assert!(
        message.contains("unknown value `minner`; did you mean `miner`?"),
        "{message}"
    );
    assert!(message.starts_with("topology.yaml:3:"), "{message}");
}

#[test]
fn a_value_of_the_wrong_kind_is_pointed_at() {
    let message = refused("groups:\n  - name: a\n    count: many\n");
    assert!(message.starts_with("topology.yaml:3:12: "), "{message}");
    assert!(
        message.ends_with("3 |     count: many\n   |            ^"),
        "{message}"
    );
}

#[test]
fn broken_yaml_is_pointed_at() {
    let message = refused("groups: [\n  - name: a\n");
    assert!(message.starts_with("topology.yaml:"), "{message}");
    assert!(message.contains('^'), "{message}");
}

#[test]
fn a_repeated_key_is_refused() {
    assert!(
        refused("name: a\nname: b\n").contains("topology.yaml:2:1"),
        "{}",
        refused("name: a\nname: b\n")
    );
}

#[test]
fn a_problem_of_the_wish_points_into_the_file() {
    let message = problems("name: alpha\ngroups:\n  - name: miner\n  - name: x\n    count: 0\n");
    assert!(
        message.starts_with("topology.yaml:5:12: groups[1].count: "),
        "{message}"
    );
    assert!(
        message.ends_with("5 |     count: 0\n   |            ^"),
        "{message}"
    );
}

#[test]
fn every_problem_is_named_at_once() {
    let message = problems("name: Alpha\ngroups:\n  - name: x\n    count: 0\n");
    assert!(message.contains("topology.yaml:1:7: name: "), "{message}");
    assert!(
        message.contains("topology.yaml:4:12: groups[0].count"),
        "{message}"
    );
}

#[test]
fn a_problem_without_a_place_is_still_told() {
    let file = parse("name: alpha\ngroups: []\n").expect("it parses");
    let problems = file.topology.check().expect_err("no nodes");
    assert!(
        file.refuse(&problems.0)
            .message()
            .contains("at least one node")
    );
}

#[test]
fn binaries_are_relative_to_the_file() {
    let text = "groups:\n  - name: miner\n    binary: bin/old\n".to_owned();
    let file = TopologyFile::parse(Path::new("/etc/nets/a.yaml"), text).expect("a sound file");
    assert_eq!(
        file.topology.groups[0].binary.as_deref(),
        Some("/etc/nets/bin/old")
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = TopologyFile::read(Path::new("/nonexistent/t.yaml")).expect_err("missing");
    assert!(error.message().contains("/nonexistent/t.yaml"), "{error}");
    assert_eq!(error.exit().code(), 2);
}

#[test]
fn a_huge_file_is_refused_unread() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let path = root.path().join("t.yaml");
    let file = std::fs::File::create(&path).expect("a writable disk");
    file.set_len(FILE_BYTES_MAX + 1)
        .expect("sparse files exist");
    let error = TopologyFile::read(&path).expect_err("too large");
    assert!(
        error.message().contains("more than a topology may have"),
        "{error}"
    );
}
