//! JSON-RPC: method names and the shapes of their answers.
//!
//! Names, parameter orders, result fields and error codes follow Bitcoin
//! Core's documentation wherever the notion exists here, so that scripts
//! written for it keep working. Hashes are the usual reversed hexadecimal.

use serde::{Deserialize, Serialize};

/// Method names.
pub mod method {
    /// Summary of the chain: [`super::BlockchainInfo`].
    pub const GET_BLOCKCHAIN_INFO: &str = "getblockchaininfo";
    /// Height of the tip.
    pub const GET_BLOCK_COUNT: &str = "getblockcount";
    /// Hash of the tip.
    pub const GET_BEST_BLOCK_HASH: &str = "getbestblockhash";
    /// Hash of the active chain's block at `height`.
    pub const GET_BLOCK_HASH: &str = "getblockhash";
    /// A block by hash; verbosity 0 (hex), 1 (ids) or 2 (transactions).
    pub const GET_BLOCK: &str = "getblock";
    /// A header by hash; verbose or hex.
    pub const GET_BLOCK_HEADER: &str = "getblockheader";
    /// Every leaf of the block tree: list of [`super::ChainTip`].
    pub const GET_CHAIN_TIPS: &str = "getchaintips";
    /// Connected peers: list of [`super::PeerInfo`].
    pub const GET_PEER_INFO: &str = "getpeerinfo";
    /// Summary of the mempool: [`super::MempoolInfo`].
    pub const GET_MEMPOOL_INFO: &str = "getmempoolinfo";
    /// Ids in the mempool.
    pub const GET_RAW_MEMPOOL: &str = "getrawmempool";
    /// Checks a transaction (hex), adds it to the mempool, relays it.
    pub const SEND_RAW_TRANSACTION: &str = "sendrawtransaction";
    /// Summary of the network side: [`super::NetworkInfo`].
    pub const GET_NETWORK_INFO: &str = "getnetworkinfo";
    /// Summary of the coin set: [`super::TxOutSetInfo`].
    pub const GET_TXOUTSET_INFO: &str = "gettxoutsetinfo";
    /// An unspent output: [`super::TxOutInfo`] or null.
    pub const GET_TXOUT: &str = "gettxout";
    /// Mining state: [`super::MiningInfo`].
    pub const GET_MINING_INFO: &str = "getmininginfo";
    /// Ends the node.
    pub const STOP: &str = "stop";
    /// Lists methods, or explains one.
    pub const HELP: &str = "help";
    /// Seconds since the node started.
    pub const UPTIME: &str = "uptime";

    /// Every method a node answers, sorted.
    pub const ALL: &[&str] = &[
        GET_BEST_BLOCK_HASH,
        GET_BLOCK,
        GET_BLOCKCHAIN_INFO,
        GET_BLOCK_COUNT,
        GET_BLOCK_HASH,
        GET_BLOCK_HEADER,
        GET_CHAIN_TIPS,
        GET_MEMPOOL_INFO,
        GET_MINING_INFO,
        GET_NETWORK_INFO,
        GET_PEER_INFO,
        GET_RAW_MEMPOOL,
        GET_TXOUT,
        GET_TXOUTSET_INFO,
        HELP,
        SEND_RAW_TRANSACTION,
        STOP,
        UPTIME,
    ];
}

/// Error codes, as Bitcoin Core numbers them.
pub mod code {
    /// Any error without a number of its own.
    pub const MISC: i32 = -1;
    /// A parameter has the wrong type.
    pub const TYPE: i32 = -3;
    /// No such block, transaction or address.
    pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
    /// A parameter is out of range.
    pub const INVALID_PARAMETER: i32 = -8;
    /// Bytes that do not decode.
    pub const DESERIALIZATION: i32 = -22;
    /// A transaction whose inputs are missing or spent.
    pub const VERIFY: i32 = -25;
    /// A transaction that breaks a rule or policy.
    pub const VERIFY_REJECTED: i32 = -26;
    /// A transaction already in the chain.
    pub const ALREADY_IN_UTXO_SET: i32 = -27;
    /// The request is not a valid JSON-RPC object.
    pub const INVALID_REQUEST: i32 = -32600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// Parameters are not an array or object.
    pub const INVALID_PARAMS: i32 = -32602;
    /// The node itself failed.
    pub const INTERNAL: i32 = -32603;
    /// The body is not JSON.
    pub const PARSE: i32 = -32700;
}

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
    /// Work of the whole chain, 64 hexadecimal digits.
    pub chainwork: String,
    /// Whether blocks are still being fetched.
    pub initialblockdownload: bool,
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

/// One connected peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Number of this connection, unique while the node runs.
    pub id: u64,
    /// Remote address.
    pub addr: String,
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
    /// Height the peer last announced.
    pub synced_blocks: Option<u32>,
    /// Tip hash the peer last announced.
    pub besthash: Option<String>,
}

/// Answer of `getmempoolinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MempoolInfo {
    /// Transactions waiting.
    pub size: u64,
    /// Their virtual bytes.
    pub bytes: u64,
    /// Bytes allowed at most.
    pub maxmempool: u64,
}

/// Answer of `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub localaddresses: Vec<String>,
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
    /// Initial target divided by the next block's target.
    pub difficulty: f64,
    /// Estimated hashes a second of the whole network, over the last 120 blocks.
    pub networkhashps: f64,
    /// Transactions waiting.
    pub pooledtx: u64,
    /// Address that receives the rewards.
    pub address: Option<String>,
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

/// An output's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptPubKey {
    /// Script bytes.
    pub hex: String,
    /// `witness_v1_taproot`, `nulldata` or `nonstandard`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Address, where the script has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
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

/// A decoded transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionInfo {
    /// Id without witnesses.
    pub txid: String,
    /// Id with witnesses.
    pub hash: String,
    /// Version.
    pub version: i32,
    /// Bytes.
    pub size: u64,
    /// Virtual bytes.
    pub vsize: u64,
    /// BIP141 weight.
    pub weight: u64,
    /// Earliest height or time.
    pub locktime: u32,
    /// Inputs.
    pub vin: Vec<InputInfo>,
    /// Outputs.
    pub vout: Vec<OutputInfo>,
    /// All of it in hexadecimal.
    pub hex: String,
}

/// A transaction's input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputInfo {
    /// Script of a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub coinbase: Option<String>,
    /// Transaction whose output is spent; absent in a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub txid: Option<String>,
    /// Index of the output spent; absent in a coinbase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vout: Option<u32>,
    /// Witness items in hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub txinwitness: Vec<String>,
    /// Sequence number.
    pub sequence: u32,
}

/// A transaction's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputInfo {
    /// Value in coins.
    pub value: f64,
    /// Position in the transaction.
    pub n: u32,
    /// The lock.
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: ScriptPubKey,
}

/// A JSON-RPC error object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcError {
    /// One of [`code`].
    pub code: i32,
    /// What was wrong.
    pub message: String,
}
