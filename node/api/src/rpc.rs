//! JSON-RPC: method names and the shapes of their answers.
//!
//! Names, parameter orders, result fields and error codes follow Bitcoin
//! Core's documentation wherever the notion exists here, so that scripts
//! written for it keep working. Hashes are the usual reversed hexadecimal.

use serde::{Deserialize, Serialize};

pub mod code;
pub mod event;
pub mod method;
mod network;
mod raw;
mod stats;
mod transaction;
mod trial;
mod wallet;

pub use self::event::{BlockPlace, ReorgEvent, TipEvent, TransactionEvent};
pub use self::network::{BannedInfo, NetTotals, PeerInfo, UploadTarget};
pub use self::raw::{
    AddressInfo, BlockTemplate, MempoolEntryInfo, MempoolFees, RawTransaction, TemplateTransaction,
    TipInfo,
};
pub use self::stats::BlockStats;
pub use self::transaction::{InputInfo, OutputInfo, ScriptPubKey, TransactionInfo};
pub use self::trial::{MempoolVerdict, ScanResult, Unspent, VerdictFees};
pub use self::wallet::{
    Balances, MineBalances, SCAN_OBJECTS_MAX, ScanBlocks, ScanMempool, UnspentInfo, WalletInfo,
};

/// Answer of `getblockchaininfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockchainInfo {
    /// Network name.
    pub chain: String,
    /// Height of the tip.
    pub blocks: u32,
    /// Height of the best header.
    pub headers: u32,
    /// Hash of the tip.
    pub bestblockhash: String,
    /// The tip's target in compact form, 8 hexadecimal digits.
    pub bits: String,
    /// The tip's target, 64 hexadecimal digits.
    pub target: String,
    /// Initial target divided by the tip's target.
    pub difficulty: f64,
    /// The tip's time, in seconds since 1970.
    pub time: u32,
    /// Median time of the last 11 blocks, in seconds since 1970.
    pub mediantime: u32,
    /// Height of the tip over that of the best header, at most 1.
    #[serde(default)]
    pub verificationprogress: f64,
    /// Work of the whole chain, 64 hexadecimal digits.
    pub chainwork: String,
    /// Whether blocks are still being fetched.
    pub initialblockdownload: bool,
    /// Bytes of the chain's file.
    #[serde(default)]
    pub size_on_disk: u64,
    /// Whether old blocks are thrown away: never.
    #[serde(default)]
    pub pruned: bool,
    /// What the operator should know: nothing.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Genesis hash; two nodes of one network agree on it.
    pub genesishash: String,
    /// Target time between blocks, in seconds.
    pub spacing: u32,
}

/// One leaf of the block tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainTip {
    /// Height of the leaf.
    pub height: u32,
    /// Hash of the leaf.
    pub hash: String,
    /// Blocks back to the active chain; 0 for the active tip.
    pub branchlen: u32,
    /// `active`, `valid-fork`, `valid-headers`, `headers-only` or `invalid`.
    pub status: String,
    /// Work up to the leaf, 64 hexadecimal digits.
    pub chainwork: String,
}

/// Answer of `getmempoolinfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MempoolInfo {
    /// Whether what waited before a restart waits again: always.
    #[serde(default)]
    pub loaded: bool,
    /// Transactions waiting.
    pub size: u64,
    /// Their virtual bytes.
    pub bytes: u64,
    /// Bytes of memory they take.
    #[serde(default)]
    pub usage: u64,
    /// What they pay, in coins.
    #[serde(default)]
    pub total_fee: f64,
    /// Bytes of memory allowed at most.
    pub maxmempool: u64,
    /// Least fee for 1,000 virtual bytes to be taken now, in coins.
    #[serde(default)]
    pub mempoolminfee: f64,
    /// The same while the mempool is not full.
    #[serde(default)]
    pub minrelaytxfee: f64,
    /// Fee for 1,000 virtual bytes that a replacement adds at least, in coins.
    #[serde(default)]
    pub incrementalrelayfee: f64,
    /// Whether every transaction may be replaced: always.
    #[serde(default)]
    pub fullrbf: bool,
}

/// Answer of `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// Version as a number: major · 10000 + minor · 100 + patch.
    pub version: u32,
    /// Name and version announced to peers.
    pub subversion: String,
    /// Peers connected.
    pub connections: u32,
    /// Of these, peers that dialled us.
    pub connections_in: u32,
    /// Of these, peers we dialled.
    pub connections_out: u32,
    /// Own libp2p peer id.
    pub peerid: String,
    /// Addresses listened on or advertised, as multiaddrs.
    #[serde(default)]
    pub multiaddrs: Vec<String>,
    /// Those of them that are an IP address and a port.
    pub localaddresses: Vec<LocalAddress>,
    /// Version of the messages between peers.
    #[serde(default)]
    pub protocolversion: u32,
    /// Services offered, as Bitcoin's flags; none are known here.
    #[serde(default)]
    pub localservices: String,
    /// Their names.
    #[serde(default)]
    pub localservicesnames: Vec<String>,
    /// Whether transactions of others are passed on: always.
    #[serde(default)]
    pub localrelay: bool,
    /// Seconds that peers' clocks are ahead; not measured, so 0.
    #[serde(default)]
    pub timeoffset: i64,
    /// Whether peers are spoken with: always.
    #[serde(default)]
    pub networkactive: bool,
    /// Kinds of networks; not told apart here.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Least fee for 1,000 virtual bytes to be passed on, in coins.
    #[serde(default)]
    pub relayfee: f64,
    /// Fee for 1,000 virtual bytes that a replacement adds at least, in coins.
    #[serde(default)]
    pub incrementalfee: f64,
    /// What the operator should know: nothing.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One of a node's own addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalAddress {
    /// IP address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// How much it is believed in; always 1.
    pub score: u32,
}

/// Answer of `getmininginfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MiningInfo {
    /// Height of the tip.
    pub blocks: u32,
    /// Whether this node mines.
    pub mining: bool,
    /// Hashes a second the miner is throttled to.
    pub hashrate: f64,
    /// Hashes computed since the start.
    pub hashes: u64,
    /// Blocks found since the start.
    pub blocksfound: u64,
    /// Initial target divided by the tip's target.
    pub difficulty: f64,
    /// Estimated hashes a second of the whole network, over the last 120 blocks.
    pub networkhashps: f64,
    /// Transactions waiting.
    pub pooledtx: u64,
    /// Address that receives the rewards.
    pub address: Option<String>,
    /// Network name.
    #[serde(default)]
    pub chain: String,
    /// The tip's target in compact form, 8 hexadecimal digits.
    #[serde(default)]
    pub bits: String,
    /// The tip's target, 64 hexadecimal digits.
    #[serde(default)]
    pub target: String,
    /// Least fee for 1,000 virtual bytes to be mined, in coins.
    #[serde(default)]
    pub blockmintxfee: f64,
    /// What the next block must meet.
    #[serde(default)]
    pub next: Option<NextBlock>,
    /// What the operator should know: nothing.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What the next block must meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextBlock {
    /// Its height.
    pub height: u32,
    /// Target in compact form, 8 hexadecimal digits.
    pub bits: String,
    /// Initial target divided by this one.
    pub difficulty: f64,
    /// The target, 64 hexadecimal digits.
    pub target: String,
}

/// Answer of `gettxoutsetinfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TxOutSetInfo {
    /// Height the set belongs to.
    pub height: u32,
    /// Block the set belongs to.
    pub bestblock: String,
    /// Unspent outputs.
    pub txouts: u64,
    /// MuHash3072 of the set, as Bitcoin Core computes it.
    pub muhash: String,
    /// Sum of the outputs, in coins.
    pub total_amount: f64,
    /// Sum of the outputs, in base units.
    pub total_sats: u64,
}

/// Answer of `gettxout`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TxOutInfo {
    /// Tip when asked.
    pub bestblock: String,
    /// 0 for an output in the mempool.
    pub confirmations: u32,
    /// Value in coins.
    pub value: f64,
    /// The lock.
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: ScriptPubKey,
    /// Whether a coinbase made it.
    pub coinbase: bool,
}

/// Answer of `getblockheader` (verbose).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderInfo {
    /// Hash.
    pub hash: String,
    /// 1 for the tip, -1 off the active chain.
    pub confirmations: i64,
    /// Height.
    pub height: u32,
    /// Version.
    pub version: i32,
    /// The same, 8 hexadecimal digits.
    #[serde(rename = "versionHex")]
    #[serde(default)]
    pub version_hex: String,
    /// Merkle root.
    pub merkleroot: String,
    /// Time in seconds since 1970.
    pub time: u32,
    /// Median time of the last 11 blocks.
    pub mediantime: u32,
    /// Nonce.
    pub nonce: u32,
    /// Target in compact form.
    pub bits: String,
    /// The target, 64 hexadecimal digits.
    #[serde(default)]
    pub target: String,
    /// Initial target divided by this one.
    pub difficulty: f64,
    /// Work up to here.
    pub chainwork: String,
    /// Transactions in the block; 0 when only the header is known.
    #[serde(rename = "nTx")]
    pub n_tx: u32,
    /// Previous block; absent for genesis.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previousblockhash: Option<String>,
    /// Next block of the active chain, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nextblockhash: Option<String>,
}

/// Answer of `getblock` with verbosity 1 or 2, beside the header's fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// Header fields.
    #[serde(flatten)]
    pub header: HeaderInfo,
    /// Bytes.
    pub size: u64,
    /// Bytes without witnesses.
    pub strippedsize: u64,
    /// BIP141 weight.
    pub weight: u64,
    /// Ids (verbosity 1) or whole transactions (verbosity 2).
    pub tx: Vec<BlockTransaction>,
}

/// A transaction inside [`BlockInfo`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BlockTransaction {
    /// Its id.
    Id(String),
    /// All of it.
    Full(Box<TransactionInfo>),
}

/// A JSON-RPC error object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcError {
    /// One of [`code`].
    pub code: i32,
    /// What was wrong.
    pub message: String,
}
