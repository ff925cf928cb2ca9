//! What a node says and does, as a state machine without input or output.
//!
//! [`input`], [`output`] and [`event`] are the whole contract with the world.
//! **A driver carries out every [`output::Output`] of one input, in order, before
//! it hands in the next.** Its loop:
//!
//! 1. wait for a message, a solved block, a client's call or the alarm;
//! 2. stamp the time: [`input::Now`];
//! 3. call [`node::Node::handle`];
//! 4. drain the [`output::Outbox`]: commit, send, answer, mine, set the alarm.
//!
//! [`node`] is the switchboard, over a [`chain`]. Behind it stand the sub-protocols, each in a
//! module of its own: `peers` (status exchange, trust), `sync` (headers, then
//! bodies), `relay` (gossip and its verdicts), `serve` (answers to peers) and
//! `mining` (templates). [`saved`] is what of a mempool outlives a
//! clean end. [`wire`] holds the messages, [`limits`] every bound with
//! its reason.
//!
//! This room imports `chain` and a seeded generator. It must never import the
//! daemon, the simulator, the shared API words, a runtime, a clock, or a log.

pub mod chain;
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
pub mod saved;
mod serve;
pub mod sync;
pub mod wire;
