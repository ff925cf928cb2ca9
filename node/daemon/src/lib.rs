//! The shell around the pure rooms `chain` and `protocol`: sockets, disk,
//! clocks, threads. It decides nothing about the chain; it stamps the time,
//! hands inputs in, and carries orders out.
//!
//! This room imports `protocol`, `chain` and `api`. It must never import the
//! simulator or the orchestrator.

pub mod cli;
mod client;
pub mod clock;
mod config;
pub mod db;
mod difficulty;
pub mod driver;
pub mod exit;
pub mod genesis;
mod listen;
pub mod miner;
pub mod net;
pub mod news;
pub mod observe;
mod panic;
mod progress;
mod reach;
mod reward;
pub mod rpc;
mod run;
pub mod shutdown;
pub mod store;
pub mod verifier;
pub mod wallet;
