//! What `testmempoolaccept` and `scantxoutset` answer.

use serde::{Deserialize, Serialize};

/// One answer of `testmempoolaccept`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MempoolVerdict {
    /// Id.
    pub txid: String,
    /// Id with witnesses.
    pub wtxid: String,
    /// What is wrong with all of them together; then none is looked at.
    #[serde(rename = "package-error")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package_error: Option<String>,
    /// Whether the mempool would take it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub allowed: Option<bool>,
    /// Virtual bytes, where it would.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vsize: Option<u64>,
    /// What it pays, where it would be taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fees: Option<VerdictFees>,
    /// Bitcoin Core's word for the rule, where it would not be taken.
    #[serde(rename = "reject-reason")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reject_reason: Option<String>,
    /// The whole sentence.
    #[serde(rename = "reject-details")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reject_details: Option<String>,
}

/// What a transaction pays, in coins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerdictFees {
    /// Its fee.
    pub base: f64,
    /// The fee for 1,000 virtual bytes.
    #[serde(rename = "effective-feerate")]
    #[serde(default)]
    pub effective_feerate: f64,
    /// Ids with witnesses of those that this rate belongs to: itself.
    #[serde(rename = "effective-includes")]
    #[serde(default)]
    pub effective_includes: Vec<String>,
}

/// Answer of `scantxoutset` to `start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanResult {
    /// Whether the scan reached its end: always.
    pub success: bool,
    /// Coins that were read.
    pub txouts: u64,
    /// Height they belong to.
    pub height: u32,
    /// Block they belong to.
    pub bestblock: String,
    /// Those that match.
    pub unspents: Vec<Unspent>,
    /// Their sum, in coins.
    pub total_amount: f64,
}

/// A coin that was looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unspent {
    /// Transaction that made it.
    pub txid: String,
    /// Number of its output.
    pub vout: u32,
    /// The lock in hexadecimal.
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: String,
    /// The same as a descriptor.
    pub desc: String,
    /// Value in coins.
    pub amount: f64,
    /// Whether a coinbase made it.
    pub coinbase: bool,
    /// Height of the block that made it.
    pub height: u32,
    /// That block.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blockhash: Option<String>,
    /// Blocks from that one to the tip, both counted.
    pub confirmations: i64,
}
