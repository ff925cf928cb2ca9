//! Crates that are built in more than one version cost time and size, and two
//! versions of one type do not fit. Each has a reason that is not ours.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Crate, of_everything, of_programs};

/// A crate, the number of its versions, and who holds the older ones.
type Held = (&'static str, usize, &'static str);

const NOISE: &str = "snow, the noise protocol of libp2p, is of the hashes' older generation";
const CIPHER: &str = "chacha20poly1305, which libp2p brings, is of the ciphers' older generation";
const MACROS: &str = "macros move to syn 3 one by one; it is part of no program";

/// In the programs.
const HELD: &[Held] = &[
    ("base64", 2, "bollard"),
    ("blake2", 2, NOISE),
    ("block-buffer", 2, NOISE),
    ("chacha20", 2, CIPHER),
    ("cpufeatures", 2, CIPHER),
    ("crypto-common", 2, NOISE),
    ("digest", 2, NOISE),
    ("getrandom", 3, "ring and snow, both below libp2p"),
    ("itertools", 2, "ratatui, and prost below libp2p"),
    ("linux-raw-sys", 2, "rustix below procfs"),
    ("rustix", 2, "procfs below prometheus"),
    ("sha2", 2, NOISE),
    ("syn", 2, MACROS),
    ("thiserror", 2, "rtnetlink below libp2p"),
    ("thiserror-impl", 2, "thiserror"),
];

/// Further ones, or further versions, in the tests.
const HELD_BY_TESTS: &[Held] = &[
    ("base64", 3, "bitcoin, which checks our formats"),
    ("bech32", 2, "bitcoin"),
    ("cfg_aliases", 2, "nix below portable-pty"),
    (
        "convert_case",
        2,
        "auto_generate_cdp of the browser's driver",
    ),
    ("darling", 2, "derive_builder of the browser's driver"),
    ("darling_core", 2, "darling"),
    ("darling_macro", 2, "darling"),
    ("itertools", 3, "criterion"),
    ("nix", 2, "portable-pty"),
    ("rand", 2, "tungstenite of the browser's driver"),
    ("rand_chacha", 2, "rand"),
    ("rand_core", 2, "rand"),
    ("secp256k1", 2, "bitcoin"),
    ("secp256k1-sys", 2, "secp256k1"),
    ("unicode-width", 2, "lrpar below promql-parser"),
    ("vte", 2, "strip-ansi-escapes of the browser's driver"),
];

#[test]
fn versions_that_stand_beside_each_other_in_programs_have_a_reason() {
    assert_eq!(found(of_programs()), listed(&[HELD]));
}

#[test]
fn versions_that_stand_beside_each_other_in_tests_have_a_reason() {
    assert_eq!(found(of_everything()), listed(&[HELD, HELD_BY_TESTS]));
}

/// Crates with more than one version, and how many they have.
fn found(crates: BTreeSet<Crate>) -> BTreeMap<String, usize> {
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for one in crates {
        versions.entry(one.name).or_default().insert(one.version);
    }
    let several = versions.into_iter().filter(|(_, found)| found.len() > 1);
    several.map(|(name, found)| (name, found.len())).collect()
}

fn listed(lists: &[&[Held]]) -> BTreeMap<String, usize> {
    let all = lists.iter().copied().flatten();
    all.map(|(name, count, _)| ((*name).to_owned(), *count))
        .collect()
}
