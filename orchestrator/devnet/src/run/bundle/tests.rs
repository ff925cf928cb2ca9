//! Bundles on a real disk.

use devnet_blueprint::EngineKind;
use devnet_scenario::report::Verdict;

use super::super::record::tests::record;
use super::*;
use crate::account::fixture::report;

fn bundle(root: &Path, folder: &Path) -> Vec<String> {
    let spool = root.join("spool");
    fs::create_dir_all(&spool).expect("a writable disk");
    let log = |node: &str, text: &str| {
        let path = spool.join(format!("{node}.log"));
        fs::write(&path, text).expect("a writable disk");
        (node.to_owned(), path)
    };
    let logs = vec![
        log("a", "1000 first\n3000 third\n"),
        log("bb", "2000 second\nodd line\n3000 fourth\n"),
    ];
    let metrics = root.join("metrics");
    fs::create_dir_all(&metrics).expect("a writable disk");
    fs::write(metrics.join("a.prom"), "x 1\n").expect("a writable disk");
    let record = record(Verdict::Fail);
    let parts = Parts {
        record: &record,
        chronicle: &Chronicle::default(),
        start_ms: 0,
        scenario: "name: smoke\n",
        topology: None,
        blueprint: &Blueprint::empty("x", EngineKind::Process),
        logs,
        metrics: Some(metrics),
        report: &report(),
        versions: Versions::default(),
    };
    write(folder, &parts)
}

#[test]
fn the_bundle_holds_every_file_its_readme_names() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("bundle");
    assert_eq!(bundle(root.path(), &folder), Vec::<String>::new());
    let readme = fs::read_to_string(folder.join("README.txt")).expect("a readme");
    let files = readme
        .lines()
        .skip_while(|line| !line.starts_with("report.html"))
        .filter_map(|line| line.split_whitespace().next());
    let mut count = 0;
    for file in files {
        let file = file.replace("NODE", "a");
        assert!(folder.join(&file).is_file(), "{file} is missing");
        count += 1;
    }
    assert!(count > 15, "{readme}");
}

#[test]
fn logs_are_merged_by_time() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("bundle");
    bundle(root.path(), &folder);
    let merged = fs::read_to_string(folder.join("all.log")).expect("a log");
    insta::assert_snapshot!(merged, @"
    00:00:01.000 a  | first
    00:00:02.000 bb | second
    00:00:02.000 bb | odd line
    00:00:03.000 a  | third
    00:00:03.000 bb | fourth
    ");
}

#[test]
fn a_bundle_replaces_a_bundle_and_nothing_else() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("bundle");
    bundle(root.path(), &folder);
    fs::write(folder.join("old.txt"), "x").expect("a writable disk");
    assert_eq!(bundle(root.path(), &folder), Vec::<String>::new());
    assert!(!folder.join("old.txt").exists());
    let mine = root.path().join("mine");
    fs::create_dir_all(&mine).expect("a writable disk");
    fs::write(mine.join("precious.txt"), "x").expect("a writable disk");
    let problems = bundle(root.path(), &mine);
    assert!(problems[0].contains("holds something else"), "{problems:?}");
    assert!(mine.join("precious.txt").exists());
}

#[test]
fn a_bundle_that_was_broken_off_does_not_block_the_next() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("bundle");
    bundle(root.path(), &folder);
    // As a kill leaves it: the readme stands, what comes late does not.
    for file in ["run.json", "faults.txt", "tree.svg"] {
        fs::remove_file(folder.join(file)).expect("it was written");
    }
    assert_eq!(bundle(root.path(), &folder), Vec::<String>::new());
    assert!(folder.join("run.json").is_file());
    // A readme of somebody else protects its folder.
    let mine = root.path().join("mine");
    fs::create_dir_all(&mine).expect("a writable disk");
    fs::write(mine.join("README.txt"), "My own notes").expect("a writable disk");
    let problems = bundle(root.path(), &mine);
    assert!(problems[0].contains("holds something else"), "{problems:?}");
}

#[test]
fn a_bundle_replays_without_the_topology_file_it_was_run_with() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("three.yaml");
    fs::write(
        &file,
        "name: three\ngroups: [{name: bootstrap}, {name: miner, count: 2}]\n",
    )
    .expect("a writable disk");
    let text = "name: smoke\ntopology: three.yaml # of its own\nsteps:\n  - wait: { height: 1 }\n";
    let path = root.path().join("smoke.yaml");
    fs::write(&path, text).expect("a writable disk");
    let read = crate::scenario_file::ScenarioFile::read(&path, &[]).expect("a sound scenario");
    let record = record(Verdict::Fail);
    let parts = Parts {
        record: &record,
        chronicle: &Chronicle::default(),
        start_ms: 0,
        scenario: text,
        topology: Some(&read.topology),
        blueprint: &Blueprint::empty("x", EngineKind::Process),
        logs: Vec::new(),
        metrics: None,
        report: &report(),
        versions: Versions::default(),
    };
    let folder = root.path().join("bundle");
    assert_eq!(write(&folder, &parts), Vec::<String>::new());
    fs::remove_file(&file).expect("it was there");
    let replay = folder.join("replay.yaml");
    let again = crate::scenario_file::ScenarioFile::read(&replay, &[]).expect("it needs no more");
    assert_eq!(again.roster, read.roster);
    let command = fs::read_to_string(folder.join("replay.txt")).expect("it was written");
    assert!(
        command.contains("devnet run replay.yaml --seed 7"),
        "{command}"
    );
}

#[test]
fn what_cannot_be_written_is_told_and_the_rest_is_there() {
    let root = tempfile::tempdir().expect("a folder");
    let record = record(Verdict::Fail);
    let parts = Parts {
        record: &record,
        chronicle: &Chronicle::default(),
        start_ms: 0,
        scenario: "",
        topology: None,
        blueprint: &Blueprint::empty("x", EngineKind::Process),
        logs: vec![("a".into(), root.path().join("nowhere.log"))],
        metrics: None,
        report: &report(),
        versions: Versions::default(),
    };
    let folder = root.path().join("bundle");
    let problems = write(&folder, &parts);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(folder.join("report.json").is_file());
}
