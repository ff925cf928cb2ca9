//! Who may import whom. The table is the law; a new edge between rooms needs a
//! line here and a decision record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A room, the siblings it may import, and, for pure rooms, every other crate
/// it may import.
struct Law {
    package: &'static str,
    siblings: &'static [&'static str],
    /// `None`: a shell; it may import what it needs.
    others: Option<&'static [&'static str]>,
}

const LAWS: &[Law] = &[
    Law {
        package: "minichain-chain",
        siblings: &[],
        others: Some(&["bech32", "ethnum", "secp256k1", "sha2", "thiserror"]),
    },
    Law {
        package: "minichain-protocol",
        siblings: &["minichain-chain"],
        others: Some(&["rand_chacha", "rand_core", "thiserror"]),
    },
    Law {
        package: "minichain-api",
        siblings: &[],
        others: Some(&["serde"]),
    },
    Law {
        package: "minichain-node",
        siblings: &["minichain-api", "minichain-chain", "minichain-protocol"],
        others: None,
    },
    Law {
        package: "devnet-blueprint",
        siblings: &["minichain-api"],
        others: Some(&["schemars", "serde", "serde_json", "sha2", "thiserror"]),
    },
    Law {
        package: "devnet-scenario",
        siblings: &[],
        others: Some(&[
            "rand_chacha",
            "rand_core",
            "regex",
            "schemars",
            "serde",
            "serde_json",
            "serde-saphyr",
            "thiserror",
        ]),
    },
    // Goes into every node's image, so it stays small.
    Law {
        package: "devnet-netfault",
        siblings: &[],
        others: Some(&["rustix", "serde", "serde_json"]),
    },
    Law {
        package: "devnet",
        siblings: &[
            "devnet-blueprint",
            "devnet-netfault",
            "devnet-scenario",
            "minichain-api",
            "minichain-chain",
        ],
        others: None,
    },
];

/// Crates a shell must not import, because another one does that job.
const BANNED_EVERYWHERE: &[&str] = &["async-std", "sled", "bincode", "serde_yml", "openssl"];

#[test]
fn every_room_imports_only_what_the_law_allows() {
    let packages = workspace_packages();
    let siblings: BTreeSet<&String> = packages.keys().collect();
    let mut broken = Vec::new();
    for law in LAWS {
        let Some(imports) = packages.get(law.package) else {
            broken.push(format!(
                "{} has a law but is no member of the workspace",
                law.package
            ));
            continue;
        };
        for import in imports {
            let allowed = if siblings.contains(import) {
                law.siblings.contains(&import.as_str())
            } else {
                law.others
                    .is_none_or(|others| others.contains(&import.as_str()))
            };
            if !allowed || BANNED_EVERYWHERE.contains(&import.as_str()) {
                broken.push(format!("{} must not import {import}", law.package));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_member_has_a_law() {
    for package in workspace_packages().keys() {
        let known = package == "minichain-tests" || LAWS.iter().any(|law| law.package == package);
        assert!(
            known,
            "{package} is a member of the workspace without a law in this file"
        );
    }
}

#[test]
fn nobody_imports_tests() {
    for (package, imports) in workspace_packages() {
        assert!(
            !imports.contains("minichain-tests"),
            "{package} imports the tests package"
        );
    }
}

/// Each member's name with the names of its normal and build dependencies.
fn workspace_packages() -> BTreeMap<String, BTreeSet<String>> {
    let out = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(crate::root())
        .output()
        .expect("cargo tells the workspace's shape");
    assert!(
        out.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"]
        .as_array()
        .expect("metadata lists packages");
    packages.iter().map(name_and_imports).collect()
}

fn name_and_imports(package: &Value) -> (String, BTreeSet<String>) {
    let text = |value: &Value| value.as_str().expect("names are strings").to_owned();
    let dependencies = package["dependencies"]
        .as_array()
        .expect("packages list dependencies");
    let shipped = dependencies
        .iter()
        .filter(|dependency| dependency["kind"] != "dev");
    (
        text(&package["name"]),
        shipped
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    )
}
