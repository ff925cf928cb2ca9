//! Ports a node listens on unless told otherwise.

/// libp2p over TCP.
pub const P2P: u16 = 9000;
/// JSON-RPC over HTTP.
pub const RPC: u16 = 9001;
/// Prometheus metrics over HTTP.
pub const METRICS: u16 = 9002;
