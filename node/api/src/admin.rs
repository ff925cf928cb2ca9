//! Fault injection by JSON-RPC: method names and shapes.
//!
//! These methods change how a node behaves and exist only where the node's
//! configuration says `rpc.admin: true`, as every devnet's does; elsewhere they
//! are unknown methods. They sit behind the same credentials as all of RPC.
//! Setters take the whole state, are idempotent, and answer with what is in
//! force afterwards, never with what was asked for.

use serde::{Deserialize, Serialize};

/// Method names.
pub mod method {
    /// What is in force: [`super::AdminInfo`].
    pub const GET_ADMIN_INFO: &str = "getadmininfo";
    /// Sets all link conditions at once ([`super::Conditions`]); answers with
    /// [`super::Conditions`] in force.
    pub const SET_CONDITIONS: &str = "setconditions";
    /// Sends probes to peers, through the same conditioned connections as all
    /// else: takes [`super::ProbeRequest`], answers with a list of
    /// [`super::ProbeAnswer`] in the order of the targets.
    pub const PROBE_PEERS: &str = "probepeers";
    /// Sets the offset of the node's clock in milliseconds (may be negative);
    /// answers with the offset in force.
    pub const SET_CLOCK_OFFSET: &str = "setclockoffset";
    /// Sets the miner's hashes a second; 0 idles it. Answers with the rate in
    /// force. An error on a node that has no miner.
    pub const SET_HASH_RATE: &str = "sethashrate";
    /// Sets how many bytes the data folder may hold (null: unlimited, the
    /// default); answers with [`super::DiskQuota`].
    pub const SET_DISK_QUOTA: &str = "setdiskquota";

    /// Every admin method, sorted.
    pub const ALL: &[&str] = &[
        GET_ADMIN_INFO,
        PROBE_PEERS,
        SET_CLOCK_OFFSET,
        SET_CONDITIONS,
        SET_DISK_QUOTA,
        SET_HASH_RATE,
    ];
}

/// Links of one node that are conditioned. A node conditions what it *sends*;
/// a fault in both directions is set on both ends. A link that is not named is
/// free.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Conditions by link, sorted by peer id; no peer twice.
    pub links: Vec<LinkConditions>,
}

/// What happens to bytes sent to one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConditions {
    /// libp2p peer id of the other end.
    pub peerid: String,
    /// Nothing gets through, and no connection can be set up. Bytes wait, as
    /// they do in TCP when packets are dropped.
    #[serde(default)]
    pub cut: bool,
    /// One-way delay in milliseconds.
    #[serde(default)]
    pub latency_ms: f64,
    /// Standard deviation of the delay in milliseconds; order is kept.
    #[serde(default)]
    pub jitter_ms: f64,
    /// Share of segments lost, 0 to 1; a lost one arrives a retransmission
    /// time-out later, as in TCP.
    #[serde(default)]
    pub loss: f64,
    /// Bytes a second at most; null: unlimited.
    #[serde(default)]
    pub rate_bytes_s: Option<u64>,
}

/// Whom to probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// Targets, at most 1,024.
    pub targets: Vec<ProbeTarget>,
    /// Time all probes together may take, in milliseconds, at most 10,000.
    pub timeout_ms: u64,
    /// Bytes each probe carries there and back, 16 to 262,144; null: 16. Many
    /// bytes measure the rate of a link, few its latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u32>,
}

/// One peer to probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeTarget {
    /// libp2p peer id.
    pub peerid: String,
    /// `ip:port` to dial where there is no connection; null: only an existing
    /// connection counts.
    #[serde(default)]
    pub address: Option<String>,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeAnswer {
    /// libp2p peer id.
    pub peerid: String,
    /// Whether the answer came back in time.
    pub reachable: bool,
    /// Round trip in milliseconds, where it did.
    pub rtt_ms: Option<f64>,
    /// Why not, where it did not.
    pub why: Option<String>,
}

/// Bytes the data folder may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskQuota {
    /// At most so many; `None`: unlimited.
    pub quota_bytes: Option<u64>,
    /// Held now.
    pub used_bytes: u64,
}

/// Answer of `getadmininfo`: everything in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminInfo {
    /// Own libp2p peer id.
    pub peerid: String,
    /// Conditions in force.
    pub conditions: Conditions,
    /// Offset of the node's clock in milliseconds.
    pub clock_offset_ms: i64,
    /// Hashes a second the miner is throttled to; null without a miner.
    pub hashrate: Option<f64>,
    /// The data folder.
    pub disk: DiskQuota,
}
