//! A whole network in one thread and virtual time, replayable from a seed.
//!
//! [`world::World`] runs the daemon's own protocol and chain code: it does for
//! each node what the daemon's driver does, and between them what the network
//! does. [`setup`] says what a world is made of. One seed gives one history, to
//! the byte: [`world::World::digest`] is the proof.
//!
//! - [`queue`]: what is due when; [`random`]: streams of chance that do not
//!   disturb each other; [`link`]: latency, loss, bandwidth;
//! - [`archive`]: one store for all nodes; [`share`]: one chain for all that have
//!   seen the same; [`adversary`]: miners that hold blocks back;
//! - [`check`]: what must never be; [`trace`]: the digest.
//!
//! This room imports `protocol` and `chain`. It must never import the daemon,
//! an orchestrator, a clock, or a log.

pub mod adversary;
pub mod archive;
pub mod check;
pub mod link;
pub mod queue;
pub mod random;
pub mod setup;
pub mod share;
pub mod trace;
mod verdicts;
pub mod world;
