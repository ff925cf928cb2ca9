//! Helpers shared by the cross-room tests: where the programs are, a network
//! that is always taken down again, and a JSON-RPC client.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "these helpers run only inside tests"
)]

pub mod docker;
pub mod network;
pub mod programs;
pub mod rpc;
pub mod runs;
pub mod spend;
