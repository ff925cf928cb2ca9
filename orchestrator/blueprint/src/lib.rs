//! From a wish to an exact plan, and from the plan to what is left to do.
//!
//! ```text
//! Topology (the wish, checked) ──plan──► Blueprint (every name, address, key, file, command)
//!                                            │
//!                        Observed ──────► diff ──► Plan: stages of idempotent actions
//! ```
//!
//! Pure: no file, socket, process, clock or ambient randomness; the same
//! arguments give the same bytes. This room may import `minichain-api`, serde
//! (with its JSON text form), schemars, sha2 and thiserror, and must never import
//! an engine, a runtime or the node. The planner decides everything here, so that
//! whoever executes a plan has no choice left.

pub mod action;
pub mod blueprint;
pub mod change;
pub mod diff;
pub mod label;
pub mod metric;
pub mod nearest;
pub mod observed;
pub mod plan;
pub mod quantity;
pub mod render;
pub mod subnet;
pub mod topology;

pub use action::{Action, Plan, Removal};
pub use blueprint::{Blueprint, EngineKind, NodePlan, Runtime};
pub use change::ChangeError;
pub use diff::diff;
pub use observed::{NodeState, Observed};
pub use plan::{DockerInput, EngineInput, PlanError, PlanInput, ProcessInput, plan};
pub use subnet::Subnet;
pub use topology::{Problem, Problems, Role, Topology};
