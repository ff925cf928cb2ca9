//! What the chain on disk and the signatures cost, as ratios to what the
//! machine can do in the same run.
//!
//! ```text
//! cargo bench -p minichain-node --bench store [-- SECTION…]
//! ```
//!
//! Sections: `search`, `signatures`, `blocks`, `payments`, `sync`, `reorg`,
//! `wallet`; all of them if none is named.
//! `blocks` ends with a real node on the imported chain: its start, its
//! memory. `MINICHAIN_BENCH_BLOCKS` (100,000) and
//! `MINICHAIN_BENCH_PAYMENT_BLOCKS` (100) set the sizes.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a program for developers that prints figures"
)]

mod blocks;
mod maker;
mod node;
mod payments;
mod raw;
mod reorg;
mod search;
mod signatures;
mod timing;
mod wallet;

type Section = (&'static str, fn());

const SECTIONS: [Section; 7] = [
    ("search", search::run),
    ("signatures", signatures::run),
    ("blocks", blocks::run),
    ("payments", payments::run),
    ("sync", blocks::sync),
    ("reorg", reorg::run),
    ("wallet", wallet::run),
];

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if reorg::measured() {
        return;
    }
    for (name, run) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            println!("\n{name}");
            run();
        }
    }
}

/// A size that the environment may change.
fn size(variable: &str, default: u32) -> u32 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    }
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
