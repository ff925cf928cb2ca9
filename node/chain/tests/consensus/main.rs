//! Tests of consensus state through the crate's public face.

#![expect(clippy::panic, reason = "helpers of tests stop the test")]

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod crash;
mod deep;
mod difficulty;
mod forks;
mod mempool;
mod mempool_model;
mod model;
mod naive_pool;
mod packages;
mod params;
mod policy;
mod rules_block;
mod rules_header;
mod rules_transaction;
mod seams;
mod steering;
mod template;
