//! Replays the committed seeds of every fuzz target, and small changes of each,
//! on the stable compiler.

#![expect(clippy::panic, reason = "helpers of tests fail the test")]

#[path = "../fuzz/targets.rs"]
mod targets;

mod golden;

use std::fs;
use std::path::Path;

/// Name and body of a fuzz target.
type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("accept_blocks", targets::accept_blocks),
    ("decode_address", targets::decode_address),
    ("decode_block", targets::decode_block),
    ("decode_header", targets::decode_header),
    ("decode_request", targets::decode_request),
    ("decode_response", targets::decode_response),
    ("decode_saved_pool", targets::decode_saved_pool),
    ("decode_stored", targets::decode_stored),
    ("decode_transaction", targets::decode_transaction),
    ("read_archive", targets::read_archive),
    ("rpc_body", targets::rpc_body),
    ("wallet_file", targets::wallet_file),
];

#[test]
fn every_seed_and_its_neighbours_replay_without_a_fault() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            target(&seed);
            replay_neighbours(&seed, *target);
        }
    }
}

#[test]
fn every_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for entry in fs::read_dir(folder).expect("there are fuzz targets") {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(
            TARGETS.iter().any(|(known, _)| *known == name),
            "{name} is not replayed"
        );
    }
}

/// Cuts the seed short everywhere and changes each of its first bytes.
fn replay_neighbours(seed: &[u8], target: fn(&[u8])) {
    for length in 0..seed.len().min(2_000) {
        target(&seed[..length]);
    }
    for place in 0..seed.len().min(500) {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = seed.to_vec();
            changed[place] ^= flip;
            target(&changed);
        }
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths
        .map(|path| fs::read(path).expect("a readable seed"))
        .collect()
}
