//! What a node says and does, as a state machine without input or output.
//!
//! [`input`], [`output`] and [`event`] are the whole contract with the world.
//! A driver (the daemon's loop, or the simulator's) stamps the time, calls
//! [`node::Node::handle`], then carries out every [`output::Output`] in order
//! before it calls again.
//!
//! This room imports `chain` and a seeded generator. It must never import the
//! daemon, the simulator, the shared API words, a runtime, a clock, or a log.

pub mod config;
pub mod event;
pub mod input;
pub mod limits;
mod mining;
pub mod node;
pub mod output;
pub mod peers;
mod relay;
mod requests;
mod serve;
pub mod sync;
pub mod wire;
