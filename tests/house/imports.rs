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
        others: Some(&[
            "bech32",
            "ethnum",
            "rand_chacha",
            "rand_core",
            "secp256k1",
            "sha2",
            "thiserror",
        ]),
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
        package: "minichain-sim",
        siblings: &["minichain-chain", "minichain-protocol"],
        others: Some(&["libm", "rand_chacha", "rand_core", "sha2", "thiserror"]),
    },
    Law {
        package: "minichain-wallet",
        siblings: &["minichain-chain"],
        others: Some(&[
            "argon2",
            "bip32",
            "bip39",
            "chacha20poly1305",
            "secp256k1",
            "thiserror",
            "zeroize",
        ]),
    },
    Law {
        package: "minichain-node",
        siblings: &[
            "minichain-api",
            "minichain-chain",
            "minichain-protocol",
            "minichain-wallet",
        ],
        others: None,
    },
    Law {
        package: "futures-timer",
        siblings: &[],
        others: Some(&["tokio"]),
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
            "minichain-wallet",
            "minichain-protocol",
            "minichain-sim",
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

/// Not even in tests of their own.
#[test]
fn nobody_imports_tests() {
    for package in members() {
        let imports = imports(&package, |_| true);
        assert!(
            !imports.contains("minichain-tests"),
            "{} imports the tests package",
            package["name"]
        );
    }
}

#[test]
fn imports_for_tests_are_told_from_those_that_ship() {
    let package = serde_json::json!({ "name": "room", "dependencies": [
        { "name": "shipped", "kind": null },
        { "name": "built", "kind": "build" },
        { "name": "tested", "kind": "dev" },
    ] });
    let names = |found: BTreeSet<String>| found.into_iter().collect::<Vec<_>>();
    assert_eq!(names(imports(&package, is_shipped)), ["built", "shipped"]);
    let all = names(imports(&package, |_| true));
    assert_eq!(all, ["built", "shipped", "tested"]);
}

/// Our crates as sources spell them.
pub fn crates() -> BTreeSet<String> {
    let rooms = LAWS.iter().map(|law| law.package);
    rooms
        .chain(["minichain-tests"])
        .map(|package| package.replace('-', "_"))
        .collect()
}

/// Each member's name with the names of its normal and build dependencies.
fn workspace_packages() -> BTreeMap<String, BTreeSet<String>> {
    let packages = members().into_iter();
    packages
        .map(|package| (text(&package["name"]), imports(&package, is_shipped)))
        .collect()
}

/// What cargo knows of each member.
fn members() -> Vec<Value> {
    let packages = metadata()["packages"].as_array().cloned();
    packages.expect("metadata lists packages")
}

/// What cargo knows of the workspace.
pub fn metadata() -> Value {
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
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

/// Names of a member's dependencies of some kinds.
fn imports(package: &Value, is_wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let dependencies = package["dependencies"]
        .as_array()
        .expect("packages list dependencies");
    let wanted = dependencies.iter().filter(|one| is_wanted(&one["kind"]));
    wanted.map(|one| text(&one["name"])).collect()
}

fn is_shipped(kind: &Value) -> bool {
    kind != "dev"
}

fn text(value: &Value) -> String {
    value.as_str().expect("names are strings").to_owned()
}
