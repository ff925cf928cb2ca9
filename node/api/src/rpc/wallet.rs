//! What methods of the node's wallet, and those that look for somebody's coins,
//! answer.

use serde::{Deserialize, Serialize};

use super::TipInfo;

/// Locks that one call of `scanblocks` or `scanmempool` takes at most.
pub const SCAN_OBJECTS_MAX: usize = 10_000;

/// Answer of `scanblocks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanBlocks {
    /// First block looked at.
    pub from_height: u32,
    /// Last block looked at.
    pub to_height: u32,
    /// Hashes of the blocks that concern the locks, lowest first.
    pub relevant_blocks: Vec<String>,
    /// Whether all that was asked for was looked at; if not, ask again from the
    /// next height on.
    pub completed: bool,
}

/// Answer of `scanmempool`, which Bitcoin Core does not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanMempool {
    /// Hash of the tip.
    pub bestblock: String,
    /// Its height.
    pub height: u32,
    /// Network name.
    pub chain: String,
    /// What addresses begin with.
    pub addressprefix: String,
    /// A reward of height h can be spent from height h + this on.
    pub coinbasematurity: u32,
    /// The least fee, in base units for 1,000 virtual bytes.
    pub minfeerate: u64,
    /// Waiting transactions that concern the locks, in hexadecimal, parents
    /// before children.
    pub transactions: Vec<String>,
}

/// Answer of `getbalances`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balances {
    /// Of the node's own keys.
    pub mine: MineBalances,
    /// The block up to which they were looked for.
    pub lastprocessedblock: TipInfo,
}

/// Sums over coins, in coins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MineBalances {
    /// Confirmed, or change that waits.
    pub trusted: f64,
    /// Payments by others that wait.
    pub untrusted_pending: f64,
    /// Rewards that have to mature.
    pub immature: f64,
}

/// Answer of `getwalletinfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WalletInfo {
    /// Always empty: a node has one wallet.
    pub walletname: String,
    /// Version of the way keys are derived.
    pub walletversion: u32,
    /// How it is kept.
    pub format: String,
    /// Transactions that concern it, waiting ones included.
    pub txcount: u64,
    /// Addresses that are looked out for and not given out.
    pub keypoolsize: u32,
    /// The fee set for all payments, in coins for 1,000 virtual bytes: none.
    pub paytxfee: f64,
    /// Whether the node can sign.
    pub private_keys_enabled: bool,
    /// Whether coins of addresses that were used before are left alone.
    pub avoid_reuse: bool,
    /// Whether it is being looked for in the chain: never while it answers.
    pub scanning: bool,
    /// Whether it is one of descriptors.
    pub descriptors: bool,
    /// Whether a device signs.
    pub external_signer: bool,
    /// Whether it has no keys.
    pub blank: bool,
    /// Its flags: none.
    pub flags: Vec<String>,
    /// The block up to which it was looked for.
    pub lastprocessedblock: TipInfo,
}

/// An entry of `listunspent`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnspentInfo {
    /// Transaction.
    pub txid: String,
    /// Index of the output.
    pub vout: u32,
    /// Its address.
    pub address: String,
    /// Always empty.
    pub label: String,
    /// Bytes of its lock.
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: String,
    /// Value in coins.
    pub amount: f64,
    /// 1 in the tip, 0 while it waits.
    pub confirmations: u32,
    /// Whether the node has its key.
    pub spendable: bool,
    /// Whether the node knows how it is spent.
    pub solvable: bool,
    /// Whether nobody else can take it back: confirmed, or own change.
    pub safe: bool,
}
