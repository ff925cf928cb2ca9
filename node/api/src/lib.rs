//! Words shared between a minichain node and whoever runs or reads it:
//! configuration, genesis files, RPC method names and shapes, metric names,
//! ports.
//!
//! Pure data. This room must never import a sibling, a runtime, or anything
//! that does input or output; both the node and the orchestrator depend on it,
//! and it is the only thing they share.

pub mod admin;
pub mod config;
pub mod genesis;
pub mod metric;
pub mod port;
pub mod rpc;
