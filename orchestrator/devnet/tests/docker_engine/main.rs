//! The Docker engine on a real engine. Every test has names, addresses and
//! ports of its own, and leaves nothing behind, also when it fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod bad;
mod cycle;
mod filter;
#[path = "../common/fresh.rs"]
mod fresh;
mod image;
mod neighbours;
mod support;
