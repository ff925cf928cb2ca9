//! What the README's first command builds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::imports::metadata;

/// Packages of which only tests need the programs.
const OF_TESTS: &str = "minichain-tests";

/// `cargo build --release` makes everything that `devnet up` puts into an image
/// or starts; a program that it leaves out is missed by users alone, for tests
/// build what they need.
#[test]
fn a_plain_build_makes_every_program() {
    let metadata = metadata();
    let built: BTreeSet<&str> = texts(&metadata["workspace_default_members"]).collect();
    let members: BTreeSet<&str> = texts(&metadata["workspace_members"]).collect();
    let packages = metadata["packages"].as_array().expect("packages");
    let mut programs = 0;
    for package in packages {
        let (id, name) = (text(&package["id"]), text(&package["name"]));
        let mut targets = package["targets"].as_array().expect("targets").iter();
        let is_program = targets.any(|target| texts(&target["kind"]).any(|kind| kind == "bin"));
        if members.contains(id) && is_program && name != OF_TESTS {
            programs += 1;
            assert!(
                built.contains(id),
                "{name} stands not among default-members"
            );
        }
    }
    assert!(programs >= 3, "{programs} programs");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().expect("a list").iter().map(text)
}
