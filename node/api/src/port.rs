//! Ports a node listens on unless told otherwise.

/// libp2p over TCP.
pub const P2P: u16 = 9000;
/// JSON-RPC over HTTP.
pub const RPC: u16 = 9001;
/// Prometheus metrics over HTTP.
pub const METRICS: u16 = 9002;

/// What is added to the peer-to-peer port for JSON-RPC, when only the former
/// was chosen.
pub const RPC_OFFSET: u16 = 10_000;
/// What is added to the peer-to-peer port for metrics, when only the former
/// was chosen.
pub const METRICS_OFFSET: u16 = 20_000;
