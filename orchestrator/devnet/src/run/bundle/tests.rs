//! Bundles on a real disk.

use devnet_blueprint::EngineKind;
use devnet_scenario::report::Verdict;

use super::super::record::tests::record;
use super::*;

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
        tree: ("tree".into(), "<svg/>".into()),
        report: &json!({}),
        junit: "<xml/>",
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
        .skip_while(|line| !line.starts_with("story.txt"))
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
        tree: Default::default(),
        report: &json!({}),
        junit: "",
        versions: Versions::default(),
    };
    let folder = root.path().join("bundle");
    let problems = write(&folder, &parts);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(folder.join("report.json").is_file());
}
