//! What methods about single transactions, addresses and work answer.

use serde::{Deserialize, Serialize};

use super::TransactionInfo;

/// Answer of `getrawtransaction` (verbose) and `decoderawtransaction`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawTransaction {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: TransactionInfo,
    /// Whether the named block is on the active chain; only where one was
    /// named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_active_chain: Option<bool>,
    /// Its block.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blockhash: Option<String>,
    /// 1 in the tip, 0 off the active chain.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confirmations: Option<i64>,
    /// The block's time, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<u32>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blocktime: Option<u32>,
}

/// Answer of `getmempoolentry`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MempoolEntryInfo {
    /// Virtual bytes.
    pub vsize: u64,
    /// BIP141 weight.
    pub weight: u64,
    /// It and all of the mempool that depends on it.
    pub descendantcount: u64,
    /// Their virtual bytes.
    pub descendantsize: u64,
    /// It and all of the mempool that it depends on.
    pub ancestorcount: u64,
    /// Their virtual bytes.
    pub ancestorsize: u64,
    /// Id with witnesses.
    pub wtxid: String,
    /// Fees, in coins.
    pub fees: MempoolFees,
    /// Ids of the mempool whose outputs it spends.
    pub depends: Vec<String>,
    /// Ids of the mempool that spend its outputs.
    pub spentby: Vec<String>,
}

/// Fees around a transaction, in coins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MempoolFees {
    /// Its own.
    pub base: f64,
    /// Its own; nothing here changes it.
    pub modified: f64,
    /// With its ancestors.
    pub ancestor: f64,
    /// With its descendants.
    pub descendant: f64,
}

/// Answer of `validateaddress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressInfo {
    /// Whether it is an address of this network.
    pub isvalid: bool,
    /// The address as the node writes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// Bytes of its lock.
    #[serde(rename = "scriptPubKey")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub script_pub_key: Option<String>,
    /// Whether it is a script; no taproot address tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub isscript: Option<bool>,
    /// Always true here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iswitness: Option<bool>,
    /// Always 1 here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub witness_version: Option<u8>,
    /// The taproot output key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub witness_program: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// Places of mistyped letters; never known here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_locations: Option<Vec<u32>>,
}

/// Answer of the methods that wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipInfo {
    /// Hash of the tip.
    pub hash: String,
    /// Its height.
    pub height: u32,
}

/// Answer of `getblocktemplate`, as BIP22 and BIP23 have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockTemplate {
    /// What may be asked for.
    pub capabilities: Vec<String>,
    /// Header version.
    pub version: i32,
    /// Rules in force.
    pub rules: Vec<String>,
    /// Versions whose bits mean something; none.
    pub vbavailable: std::collections::BTreeMap<String, u32>,
    /// Version bits that must be set; none.
    pub vbrequired: u32,
    /// Hash of the tip.
    pub previousblockhash: String,
    /// What to put in, in this order, behind the coinbase.
    pub transactions: Vec<TemplateTransaction>,
    /// What the coinbase's input may also hold; nothing is asked for.
    pub coinbaseaux: std::collections::BTreeMap<String, String>,
    /// Subsidy and fees together, in base units.
    pub coinbasevalue: u64,
    /// Names this template.
    pub longpollid: String,
    /// What the hash must meet, 64 hexadecimal digits.
    pub target: String,
    /// Earliest header time.
    pub mintime: u32,
    /// What a miner may change.
    pub mutable: Vec<String>,
    /// Nonces that may be tried.
    pub noncerange: String,
    /// Signature operations at most; there is no such limit here, so the
    /// largest number.
    pub sigoplimit: u32,
    /// Bytes of a block at most.
    pub sizelimit: u32,
    /// Weight of a block at most.
    pub weightlimit: u32,
    /// Header time, in seconds since 1970.
    pub curtime: u32,
    /// Target in compact form.
    pub bits: String,
    /// Height of the block.
    pub height: u32,
    /// Script of the output that commits to the witnesses.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub default_witness_commitment: Option<String>,
}

/// A transaction of a [`BlockTemplate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateTransaction {
    /// All of it in hexadecimal.
    pub data: String,
    /// Id.
    pub txid: String,
    /// Id with witnesses.
    pub hash: String,
    /// Those of the template that it needs, counted from 1.
    pub depends: Vec<u32>,
    /// What it pays, in base units.
    pub fee: u64,
    /// Signature operations; none are counted here.
    pub sigops: u32,
    /// BIP141 weight.
    pub weight: u64,
}
