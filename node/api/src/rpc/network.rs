//! What methods about peers answer.

use serde::{Deserialize, Serialize};

/// Answer of `getnettotals`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetTotals {
    /// Bytes received from all peers since the start, counted as
    /// [`PeerInfo::bytesrecv`].
    pub totalbytesrecv: u64,
    /// The same sent to peers.
    pub totalbytessent: u64,
    /// Milliseconds since 1970.
    pub timemillis: u64,
    /// The limit on what is sent; there is none.
    pub uploadtarget: UploadTarget,
}

/// A limit on what is sent to peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadTarget {
    /// Seconds it is counted over.
    pub timeframe: u64,
    /// Bytes; 0 for no limit.
    pub target: u64,
    /// Whether it is reached.
    pub target_reached: bool,
    /// Whether old blocks are still sent.
    pub serve_historical_blocks: bool,
    /// Bytes left; 0 without a limit.
    pub bytes_left_in_cycle: u64,
    /// Seconds left; 0 without a limit.
    pub time_left_in_cycle: u64,
}

/// One ban, as `listbanned` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BannedInfo {
    /// A network in CIDR notation, or a libp2p peer id.
    pub address: String,
    /// Seconds since 1970 when it was made.
    pub ban_created: u64,
    /// Seconds since 1970 when it ends.
    pub banned_until: u64,
    /// Seconds from its making to its end.
    pub ban_duration: u64,
    /// Seconds left.
    pub time_remaining: u64,
}

/// One connected peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Number of this connection, unique while the node runs.
    pub id: u64,
    /// Remote address.
    pub addr: String,
    /// `ipv4`, `ipv6`, or `not_publicly_routable` for private addresses.
    #[serde(default)]
    pub network: String,
    /// Services offered, as Bitcoin's flags; none are known here.
    #[serde(default)]
    pub services: String,
    /// Their names.
    #[serde(default)]
    pub servicesnames: Vec<String>,
    /// Whether it is told of transactions: always.
    #[serde(default)]
    pub relaytxes: bool,
    /// Seconds since 1970 when bytes last went to it; 0 for never.
    #[serde(default)]
    pub lastsend: u64,
    /// Seconds since 1970 when bytes last came from it; 0 for never.
    #[serde(default)]
    pub lastrecv: u64,
    /// Bytes sent since it connected, inside the encryption: messages, their
    /// framing, pings and the upkeep of gossip. Not the handshake.
    #[serde(default)]
    pub bytessent: u64,
    /// Bytes received, counted alike.
    #[serde(default)]
    pub bytesrecv: u64,
    /// Version of its messages; 0 before the status exchange.
    #[serde(default)]
    pub version: u32,
    /// libp2p peer id.
    pub peerid: String,
    /// Whether the peer dialled us.
    pub inbound: bool,
    /// Name and version the peer announced; empty before the status exchange.
    pub subver: String,
    /// Seconds since 1970 when the connection opened.
    pub conntime: u64,
    /// Last measured round trip in seconds, if any.
    pub pingtime: Option<f64>,
    /// Shortest round trip in seconds, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub minping: Option<f64>,
    /// Height the peer announced first; -1 before.
    #[serde(default)]
    pub startingheight: i64,
    /// Height of the last block it is known to have whose header is here; -1
    /// for none.
    #[serde(default)]
    pub synced_headers: i64,
    /// Heights of the blocks it was asked for and has not brought yet.
    #[serde(default)]
    pub inflight: Vec<u32>,
    /// Height the peer last announced.
    pub synced_blocks: Option<u32>,
    /// Tip hash the peer last announced.
    pub besthash: Option<String>,
    /// `inbound`; `manual` where it was configured, added or tried;
    /// `outbound-full-relay` where discovery found it.
    #[serde(default)]
    pub connection_type: String,
}
