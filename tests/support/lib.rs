//! Helpers shared by the cross-room tests: where the programs are, a network
//! that is always taken down again, clients, and programs that may be missing.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "these helpers run only inside tests"
)]

pub mod browser;
pub mod call;
pub mod docker;
pub mod dockerd;
pub mod engine_proxy;
pub mod figures;
pub mod memory;
pub mod namespace;
pub mod network;
pub mod podman;
pub mod programs;
pub mod prometheus;
pub mod pty;
pub mod rpc;
pub mod runs;
pub mod served;
pub mod spend;
pub mod tools;
