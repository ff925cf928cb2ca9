//! What the tests share.

pub mod chain;
pub mod host;
pub mod lone;
pub mod network;
