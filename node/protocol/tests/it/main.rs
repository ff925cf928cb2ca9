//! Facts about the node, told by whole networks in memory and by single nodes
//! whose peers the test plays.

mod convergence;
mod determinism;
mod mining;
mod misbehaviour;
mod silence;
mod stalls;
mod stress;
mod support;
mod sync;
mod transactions;
mod verdicts;
mod wire;
