//! Runs scenarios on live networks: looks at them, pays on them, does to them
//! what the runner orders, and keeps what a verdict is explained by.
//!
//! The runner of `devnet-scenario` decides everything; this room only sees and
//! does. Must never import a verb.

pub mod access;
pub mod attendance;
pub mod bundle;
pub mod chronicle;
pub mod describe;
pub mod drive;
#[cfg(test)]
mod fake;
pub mod faults;
pub mod flakes;
pub mod github;
pub mod junit;
pub mod logs;
pub mod metrics;
pub mod payments;
pub mod record;
pub mod report;
pub mod restarts;
pub mod runner;
pub mod schedule;
pub mod snapshot;
pub mod stage;
