//! Every dependency stands once, in the workspace's manifest, under a line that
//! says what for; all come from the registry, as the lock file has them; and no
//! code of ours is unsafe.

use std::collections::BTreeSet;
use std::fs;

use crate::imports::metadata;

/// Words that a reason has at least.
const WORDS_MIN: usize = 3;

fn manifest() -> String {
    fs::read_to_string(crate::root().join("Cargo.toml")).expect("there is a manifest")
}

/// Name, and the words above it, of everybody else's crates in the table of
/// dependencies.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let table = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let (mut found, mut reason) = (Vec::new(), String::new());
    for line in table {
        if let Some(words) = line.strip_prefix('#') {
            reason.push_str(words);
            continue;
        }
        let words = std::mem::take(&mut reason);
        if let Some((name, what)) = line.split_once('=')
            && !what.contains("path =")
        {
            found.push((name.trim().to_owned(), words));
        }
    }
    found
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let found = dependencies(&manifest());
    assert!(found.len() > 50, "{} dependencies", found.len());
    let lacks = found
        .iter()
        .filter(|(_, reason)| reason.split_whitespace().count() < WORDS_MIN);
    let lacks: Vec<&str> = lacks.map(|(name, _)| name.as_str()).collect();
    assert!(lacks.is_empty(), "without a reason above them: {lacks:?}");
}

#[test]
fn reasons_are_read_as_they_stand() {
    let text = "[workspace.dependencies]\n# Ours.\nown = { path = \"own\" }\n\n# For\n# this.\n\
                a = \"1\"\nb = { version = \"2\" }\n[profile.dev]\nc = 1\n";
    let found = dependencies(text);
    let wanted = [("a", " For this."), ("b", "")];
    assert_eq!(found, wanted.map(|(name, why)| (name.into(), why.into())));
}

#[test]
fn what_no_room_uses_is_no_dependency() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let used: BTreeSet<&str> = packages
        .iter()
        .flat_map(|package| package["dependencies"].as_array().expect("a list"))
        .map(|one| {
            let alias = one["rename"].as_str();
            alias.or(one["name"].as_str()).expect("a name")
        })
        .collect();
    let listed = dependencies(&manifest());
    let listed: BTreeSet<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    let idle: Vec<_> = listed.difference(&used).collect();
    assert!(idle.is_empty(), "nobody uses {idle:?}");
    let own: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().expect("a name"))
        .collect();
    let strange: Vec<_> = used
        .difference(&listed)
        .filter(|name| !own.contains(*name))
        .collect();
    assert!(
        strange.is_empty(),
        "not in the workspace's list: {strange:?}"
    );
}

#[test]
fn the_lock_file_is_kept_and_names_the_registry_alone() {
    let lock = crate::root().join("Cargo.lock");
    assert!(crate::tracked("Cargo.lock").contains(&lock));
    let text = fs::read_to_string(lock).expect("a lock file");
    let sources = text.lines().filter(|line| line.starts_with("source = "));
    let strange: BTreeSet<&str> = sources
        .filter(|line| !line.contains("\"registry+https://github.com/rust-lang/crates.io-index\""))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    let count = |what: &str| text.lines().filter(|line| line.starts_with(what)).count();
    assert!(count("source = ") > 100);
    assert_eq!(count("source = "), count("checksum = "), "without a hash");
}

#[test]
fn nothing_of_ours_is_unsafe() {
    assert!(
        manifest().contains("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"),
        "the workspace forbids unsafe code"
    );
    let files = crate::tracked(".");
    let manifests = files.iter().filter(|path| path.ends_with("Cargo.toml"));
    let mut rooms = 0;
    for path in manifests {
        let text = fs::read_to_string(path).expect("manifests are UTF-8");
        // The targets of the fuzzer are a workspace of their own.
        if text.contains("[package]") && !text.contains("[workspace]") {
            rooms += 1;
            let is_bound = text.contains("[lints]\nworkspace = true\n");
            assert!(is_bound, "{} has lints of its own", path.display());
        }
    }
    assert!(rooms > 10, "{rooms} rooms");
    let of_fuzzer = files.iter().filter(|path| {
        path.starts_with(crate::root().join("tests/fuzz"))
            && path.extension().is_some_and(|extension| extension == "rs")
    });
    let mut targets = 0;
    for path in of_fuzzer {
        targets += 1;
        let text = fs::read_to_string(path).expect("sources are UTF-8");
        assert!(!text.contains("unsafe"), "{}", path.display());
    }
    assert!(targets > 5, "{targets} targets");
}
