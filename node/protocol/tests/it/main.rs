//! Facts about the node, told by whole networks in memory and by single nodes
//! whose peers the test plays.

mod convergence;
mod determinism;
mod far_behind;
mod floods;
mod mining;
mod misbehaviour;
mod pools;
mod saved;
mod silence;
mod stalls;
mod standing;
mod steering;
mod stress;
mod support;
mod sync;
mod transactions;
mod verdicts;
mod wire;
