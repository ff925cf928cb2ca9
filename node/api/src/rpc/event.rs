//! What the stream at [`PATH`] tells, as server-sent events: each has a name
//! and one line of JSON.

use serde::{Deserialize, Serialize};

/// Where the stream is, beside JSON-RPC and behind the same credential.
pub const PATH: &str = "/events";

/// A block and its height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPlace {
    /// Hash.
    pub hash: String,
    /// Height.
    pub height: u32,
}

/// Event `tip`: the tip is another one. The first event of every stream too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipEvent {
    /// Hash of the tip.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// Work up to it, 64 hexadecimal digits.
    pub chainwork: String,
}

impl TipEvent {
    /// The event's name.
    pub const NAME: &'static str = "tip";
}

/// Event `reorg`, before the `tip` it led to: blocks left the active chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorgEvent {
    /// Blocks that left, tip first.
    pub disconnected: Vec<BlockPlace>,
    /// Blocks that came, lowest first.
    pub connected: Vec<BlockPlace>,
}

impl ReorgEvent {
    /// The event's name.
    pub const NAME: &'static str = "reorg";
}

/// Event `transaction`: one entered the mempool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionEvent {
    /// Id.
    pub txid: String,
    /// What it pays, in coins.
    pub fee: f64,
    /// Virtual bytes.
    pub vsize: u64,
}

impl TransactionEvent {
    /// The event's name.
    pub const NAME: &'static str = "transaction";
}
