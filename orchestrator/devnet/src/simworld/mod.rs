//! Scenarios in the simulator: the network of a scenario in one thread and
//! virtual time, driven by the same runner and told of in the same reports as a
//! live one.
//!
//! The nodes are the daemon's own protocol and chain code; the wire, the clock
//! and the search for blocks are the simulator's. What it has no notion of
//! ([`refuse`]) is refused before a run begins. All of a run follows from the
//! scenario and its seed. Must never import a verb.

mod acts;
pub mod arrivals;
mod counters;
mod disks;
pub mod drive;
pub mod experiment;
pub mod explore;
mod genesis;
mod journal;
mod links;
mod look;
mod net;
mod nodes;
mod pay;
mod plan;
pub mod play;
pub mod refuse;

pub use genesis::params;
pub use net::Net;
pub use plan::Planned;

/// What a run in the simulator says carried it.
pub const ENGINE: &str = "sim";
