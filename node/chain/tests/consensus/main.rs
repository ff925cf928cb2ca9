//! Tests of consensus state through the crate's public face.

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod crash;
mod difficulty;
mod forks;
mod mempool;
mod mempool_model;
mod model;
mod params;
mod rules_block;
mod rules_header;
mod rules_transaction;
mod seams;
mod template;
