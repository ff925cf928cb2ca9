//! Faults of a running network: what is intended, how it is put in force, and
//! the proof that it bit.
//!
//! The intent lies in the network's state folder; what is in force is always
//! read back from the nodes. This room decides what each node must hold and
//! measures what came of it; engines and nodes only do as they are told. Must
//! never import a verb.

pub mod live;
pub mod node;

pub use live::{Layout, Live};
