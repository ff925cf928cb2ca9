//! Names of every metric a node exports. Prometheus naming rules: prefix, base
//! unit last, `_total` for counters; labels only from closed sets, those of
//! this room named here.

mod reference;

pub use self::reference::reference;
use crate::rpc::method;

/// One exported metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Full name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Label names, each from a closed set.
    pub labels: &'static [&'static str],
    /// Where a histogram's buckets end.
    pub buckets: Buckets,
    /// One sentence.
    pub help: &'static str,
}

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution over buckets.
    Histogram,
}

impl Kind {
    /// The word Prometheus uses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Upper bounds of a histogram's buckets, ascending; the last one, infinity,
/// is understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Buckets {
    /// Not a histogram.
    None,
    /// In the metric's own unit.
    Fixed(&'static [f64]),
    /// In multiples of the network's target time between blocks.
    Spacings(&'static [f64]),
}

impl Buckets {
    /// The bounds on a network with so many seconds between blocks.
    #[must_use]
    pub fn bounds(self, spacing_s: f64) -> Vec<f64> {
        match self {
            Self::None => Vec::new(),
            Self::Fixed(bounds) => bounds.to_vec(),
            Self::Spacings(parts) => parts.iter().map(|part| rounded(part * spacing_s)).collect(),
        }
    }
}

/// To a microsecond, so that a bound reads as it was meant.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// Intervals between blocks, narrow enough to tell the exponential
/// distribution from others: its median is 0.69, its mean 1.
const INTERVALS: &[f64] = &[
    0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0,
];
/// Waits for a block: most take one or two.
const WAITS: &[f64] = &[0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0];
/// Ways through the network, from a loopback's to a bad link's.
const DELAYS_S: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];
/// Work on this machine, disk included.
const WORK_S: &[f64] = &[0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/// Values of `direction` on [`PEERS`]: who dialled.
pub const DIALLED: &[&str] = &["inbound", "outbound"];
/// Values of `direction` on everything else: which way the bytes went.
pub const FLOWS: &[&str] = &["received", "sent"];
/// Values of `topic`.
pub const TOPICS: &[&str] = &["block", "transaction"];
/// Values of `verdict`.
pub const VERDICTS: &[&str] = &["accept", "ignore", "reject"];
/// Values of `kind`: what peers ask of each other. `transactions`: what waits,
/// by name or whole.
pub const REQUEST_KINDS: &[&str] = &["status", "headers", "blocks", "transactions"];
/// Values of `method` that are names of [`crate::rpc::method`]: what tools call
/// over and over.
pub const METHODS_COUNTED: &[&str] = &[
    method::GET_BEST_BLOCK_HASH,
    method::GET_BLOCK,
    method::GET_BLOCKCHAIN_INFO,
    method::GET_BLOCK_COUNT,
    method::GET_BLOCK_HASH,
    method::GET_BLOCK_HEADER,
    method::GET_BLOCK_TEMPLATE,
    method::GET_CHAIN_TIPS,
    method::GET_MEMPOOL_INFO,
    method::GET_NETWORK_INFO,
    method::GET_PEER_INFO,
    method::GET_RAW_MEMPOOL,
    method::GET_RAW_TRANSACTION,
    method::GET_TXOUT,
    method::SEND_RAW_TRANSACTION,
    method::SUBMIT_BLOCK,
];
/// Values of `method` besides those: all methods of fault injection together,
/// all other methods together, and names that no method has.
pub const METHODS_OTHER: &[&str] = &["admin", "other", "unknown"];

/// Declares metrics, a constant each and `ALL` of them in order: name, kind,
/// label names, buckets of a histogram, help.
#[macro_export]
macro_rules! metrics {
    ($($id:ident = $name:literal $kind:ident [$($label:literal),*] $($buckets:ident($bounds:expr))? $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: $crate::metric::Metric = $crate::metric::Metric {
                name: $name,
                kind: $crate::metric::Kind::$kind,
                labels: &[$($label),*],
                buckets: $crate::metrics!(@buckets $($buckets($bounds))?),
                help: $help,
            };
        )*
        /// Every metric, in the order of the reference.
        pub const ALL: &[$crate::metric::Metric] = &[$($id),*];
    };
    (@buckets $buckets:ident($bounds:expr)) => { $crate::metric::Buckets::$buckets($bounds) };
    (@buckets) => { $crate::metric::Buckets::None };
}

metrics! {
    BUILD_INFO = "minichain_build_info" Gauge ["version", "name", "chain"] "Always 1; says what runs.";

    CHAIN_HEIGHT = "minichain_chain_height_blocks" Gauge [] "Height of the tip.";
    HEADER_HEIGHT = "minichain_header_height_blocks" Gauge [] "Height of the best known header.";
    TIP_AGE = "minichain_tip_age_seconds" Gauge [] "Time since the tip changed.";
    TIP_TIME = "minichain_tip_timestamp_seconds" Gauge [] "Time in the tip's header, since 1970.";
    CHAINWORK = "minichain_chainwork_hashes" Gauge [] "Expected hashes behind the tip's chain, rounded to a float.";
    DIFFICULTY = "minichain_difficulty_ratio" Gauge [] "Initial target divided by the tip's target.";
    EXPECTED_HASHES = "minichain_block_expected_hashes" Gauge [] "Expected hashes to find the next block.";
    TARGET_SPACING = "minichain_block_target_spacing_seconds" Gauge [] "Time between blocks that the network's rules aim at.";
    BLOCK_WEIGHT_LIMIT = "minichain_block_weight_limit_units" Gauge [] "Weight that a block may have at most.";

    BLOCKS_CONNECTED = "minichain_blocks_connected_total" Counter [] "Blocks that became part of the active chain.";
    BLOCKS_DISCONNECTED = "minichain_blocks_disconnected_total" Counter [] "Blocks that left the active chain in a reorganisation.";
    BLOCKS_STALE = "minichain_blocks_stale_total" Counter [] "Valid blocks that arrived on, or were moved to, a side branch.";
    BLOCKS_REJECTED = "minichain_blocks_rejected_total" Counter ["rule"] "Blocks refused, by the rule they break.";
    BLOCKS_MINED = "minichain_blocks_mined_total" Counter [] "Blocks this node found.";
    BLOCK_BYTES = "minichain_block_bytes_total" Counter [] "Bytes of blocks connected.";
    BLOCK_WEIGHT = "minichain_block_weight_units_total" Counter [] "Weight of blocks connected.";
    BLOCK_FEES = "minichain_block_fees_sats_total" Counter [] "Fees that connected blocks collected, in the smallest unit.";
    BLOCK_INTERVAL = "minichain_block_interval_seconds" Histogram [] Spacings(INTERVALS) "Time between blocks as this node saw its chain grow one by one; catching up is left out.";
    BLOCK_TRANSACTIONS = "minichain_block_transactions" Histogram [] Fixed(&[1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 2_000.0]) "Transactions of a connected block, its coinbase included.";
    BLOCK_PROPAGATION = "minichain_block_propagation_seconds" Histogram [] Fixed(DELAYS_S) "From the announcement's send time to arrival, for gossiped blocks.";
    BLOCK_CONNECT = "minichain_block_connect_seconds" Histogram [] Fixed(WORK_S) "Time to check and connect one block.";
    REORGS = "minichain_reorgs_total" Counter [] "Times the active chain lost at least one block.";
    REORG_DEPTH = "minichain_reorg_depth_blocks" Histogram [] Fixed(&[1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0]) "Blocks disconnected in one reorganisation.";

    TRANSACTIONS_ACCEPTED = "minichain_transactions_accepted_total" Counter [] "Transactions that entered the mempool.";
    TRANSACTIONS_REJECTED = "minichain_transactions_rejected_total" Counter ["reason"] "Transactions refused, by reason.";
    TRANSACTIONS_CONFIRMED = "minichain_transactions_confirmed_total" Counter [] "Transactions connected, coinbases left out.";
    TRANSACTION_FEE_RATE = "minichain_transaction_fee_rate_sats_per_vbyte" Histogram [] Fixed(&[0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0]) "Fee for a virtual byte of transactions that entered the mempool.";
    TRANSACTION_CONFIRMATION = "minichain_transaction_confirmation_seconds" Histogram [] Spacings(WAITS) "From a transaction's entry into this node's mempool to the block that confirmed it.";
    TRANSACTION_PROPAGATION = "minichain_transaction_propagation_seconds" Histogram [] Fixed(DELAYS_S) "From the announcement's send time to arrival, for gossiped transactions that entered the mempool.";
    MEMPOOL_TRANSACTIONS = "minichain_mempool_transactions" Gauge [] "Transactions waiting.";
    MEMPOOL_BYTES = "minichain_mempool_bytes" Gauge [] "Virtual bytes of the transactions waiting.";
    MEMPOOL_MEMORY = "minichain_mempool_memory_bytes" Gauge [] "Memory that the transactions waiting count for.";
    MEMPOOL_MEMORY_LIMIT = "minichain_mempool_memory_limit_bytes" Gauge [] "Memory at which those that pay least make room.";
    MEMPOOL_BEST_FEE_RATE = "minichain_mempool_best_fee_rate_sats_per_vbyte" Gauge [] "Fee for a virtual byte of what the next block would take first; 0 when nothing waits.";
    ORPHAN_TRANSACTIONS = "minichain_orphan_transactions" Gauge [] "Transactions kept aside because their inputs are not known yet.";

    HASH_RATE_LIMIT = "minichain_miner_hash_rate_limit" Gauge [] "Hashes a second the miner is throttled to; 0 when it does not mine.";
    HASHES = "minichain_miner_hashes_total" Counter [] "Hashes computed by the miner.";

    PEERS = "minichain_peers" Gauge ["direction"] "Connected peers by direction (inbound, outbound).";
    GOSSIP_MESSAGES = "minichain_gossip_messages_total" Counter ["topic", "direction"] "Gossip messages by topic (block, transaction), received or sent.";
    GOSSIP_BYTES = "minichain_gossip_bytes_total" Counter ["topic", "direction"] "Bytes of gossip payloads, received or sent.";
    GOSSIP_VERDICTS = "minichain_gossip_verdicts_total" Counter ["topic", "verdict"] "Verdicts (accept, ignore, reject) on received gossip.";
    REQUESTS = "minichain_requests_total" Counter ["kind", "direction"] "Requests by kind (status, headers, blocks, transactions), received or sent.";
    REQUEST_BYTES = "minichain_request_bytes_total" Counter ["kind", "direction"] "Bytes of requests and of responses by the request's kind, received or sent.";
    REQUEST_FAILURES = "minichain_request_failures_total" Counter ["kind"] "Requests sent that failed or timed out.";
    DISCONNECTS = "minichain_peer_disconnects_total" Counter ["reason"] "Peers this node disconnected, by reason.";
    SYNCING = "minichain_sync_active" Gauge [] "1 while the node fetches blocks it knows it lacks.";
    BLOCKS_IN_FLIGHT = "minichain_sync_blocks_in_flight" Gauge [] "Block bodies asked for and not yet received.";
    HEADERS_RECEIVED = "minichain_sync_headers_total" Counter [] "New headers received from peers.";

    RPC_REQUESTS = "minichain_rpc_requests_total" Counter ["method"] "JSON-RPC calls by method: fault injection together as admin, methods seldom called as other, names of none as unknown.";
    RPC_ERRORS = "minichain_rpc_errors_total" Counter [] "JSON-RPC calls answered with an error.";
    RPC_DURATION = "minichain_rpc_request_seconds" Histogram [] Fixed(WORK_S) "Time from a JSON-RPC call to its answer.";
    STORE_SIZE = "minichain_store_size_bytes" Gauge [] "Size of the chain's file on disk.";
    STORE_COMMIT = "minichain_store_commit_seconds" Histogram [] Fixed(WORK_S) "Time to make changes of the chain durable.";
    INBOX = "minichain_driver_inbox_messages" Gauge [] "Messages that wait for the node's thread.";
    DRIVER_BUSY = "minichain_driver_busy_seconds_total" Counter [] "Time in which the node's thread was at work.";

    LINK_CONDITIONS = "minichain_link_conditions" Gauge [] "Links made worse on purpose, by what this node sends.";
    CLOCK_OFFSET = "minichain_clock_offset_seconds" Gauge [] "How far the node's clock was set ahead on purpose.";
    FAULTS = "minichain_faults_total" Counter [] "Events that should never happen; any count is a bug worth a report.";
}
