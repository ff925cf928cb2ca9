//! The shell around the pure rooms `chain` and `protocol`: sockets, disk,
//! clocks, threads. It decides nothing about the chain; it stamps the time,
//! hands inputs in, and carries orders out.
//!
//! This room imports `protocol`, `chain` and `api`. It must never import the
//! simulator or the orchestrator.

pub mod driver;
pub mod net;
