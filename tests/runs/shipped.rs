//! Every scenario that ships, on every engine.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use minichain_tests::docker;
use minichain_tests::runs::{Runs, answer, shipped_folder, words};

use crate::is_there;

/// What must be there; more may be.
const KNOWN: &[&str] = &[
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

pub fn trials() -> Vec<Trial> {
    let files = files();
    let mut trials = Vec::new();
    for engine in ["process", "docker"] {
        for file in &files {
            let name = format!("shipped::{engine}::{}_passes", stem(file).replace('-', "_"));
            let (title, file) = (name.clone(), file.clone());
            trials.push(Trial::test(title, move || match is_there(engine, &name) {
                true => passes(engine, &file),
                false => Ok(()),
            }));
        }
    }
    trials.push(crate::fact("shipped::all_promised_scenarios_ship", || {
        let found: Vec<String> = self::files().iter().map(|file| stem(file)).collect();
        assert_eq!(found, KNOWN);
    }));
    trials
}

/// Scenarios of the folder, by name.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(shipped_folder()).expect("the scenarios ship");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().expect("a file has a name");
    stem.to_string_lossy().into_owned()
}

/// Runs a scenario, which must pass and leave nothing.
fn passes(engine: &'static str, file: &Path) -> Result<(), Failed> {
    let runs = Runs::on(engine);
    let out = runs.run(file, &["--json"]);
    if !out.status.success() {
        let kept = keep_bundles(&runs);
        let story = words(&out);
        return Err(format!("{}\n{story}\nbundle kept in {kept}", out.status).into());
    }
    let said = answer(&out);
    assert_eq!(said["verdict"], "pass", "{said}");
    if stem(file) == "two-way-partition" {
        tells_how_they_parted(&runs);
    }
    assert_eq!(runs.left(), Vec::<String>::new());
    assert_eq!(runs.processes(), Vec::<String>::new());
    if engine == "docker" {
        let network = said["runs"][0]["network"].as_str().expect("a name");
        assert_eq!(docker::left_behind(network), Vec::<String>::new());
    }
    Ok(())
}

/// The bundle tells what each side mined, and where they parted.
fn tells_how_they_parted(runs: &Runs) {
    let bundles = runs.bundles();
    let [bundle] = bundles.as_slice() else {
        panic!("{bundles:?}");
    };
    let timeline = fs::read_to_string(bundle.join("faults.txt")).expect("it is in the bundle");
    for told in ["side A +", "side B +", "forked at height"] {
        assert!(timeline.contains(told), "no {told:?} in {timeline}");
    }
}

/// Copies bundles to the build's folder, where they outlive the test.
fn keep_bundles(runs: &Runs) -> String {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundles");
    for bundle in runs.bundles() {
        let name = bundle.file_name().expect("a bundle has a name");
        copy(&bundle, &kept.join(name));
    }
    kept.display().to_string()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable disk");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a file has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a writable disk");
        }
    }
}
