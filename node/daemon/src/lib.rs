//! The shell around the pure rooms `chain` and `protocol`: sockets, disk,
//! clocks, threads. It decides nothing about the chain; it stamps the time,
//! hands inputs in, and carries orders out.
//!
//! This room imports `protocol`, `chain` and `api`. It must never import the
//! simulator or the orchestrator.

pub mod cli;
pub mod clock;
mod config;
mod difficulty;
pub mod driver;
mod exit;
mod genesis;
mod listen;
pub mod miner;
pub mod net;
pub mod observe;
mod panic;
mod reward;
mod rpc;
mod run;
pub mod shutdown;
pub mod store;
pub mod wallet;
