//! Hostile peers against the real program: each attack is one test. The node
//! stays small, an honest neighbour goes on converging with it, and the offender
//! is sent away by name and kept away.
//!
//! What was measured is printed in lines that begin with `MEASURED`; with
//! `--nocapture` they are the table in `BENCHMARKS.md`.

#![expect(clippy::panic, reason = "helpers of tests end the test that way")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "parameters are written with json! in place"
)]

#[expect(dead_code, reason = "the tests of the program use the rest")]
#[path = "../node/support.rs"]
mod support;

mod bounds;
mod bridge;
mod crowds;
mod eclipse;
mod floods;
mod foe;
mod forged;
mod frame;
mod garbage;
mod maker;
mod raw;
mod topics;
mod victim;
