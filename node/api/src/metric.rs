//! Names of every metric a node exports. Prometheus naming rules: prefix, base
//! unit last, `_total` for counters; labels only from the closed sets named
//! here.

/// One exported metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Full name.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Label names, each from a closed set.
    pub labels: &'static [&'static str],
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

/// Values of `direction` on [`PEERS`]: who dialled.
pub const DIALLED: &[&str] = &["inbound", "outbound"];
/// Values of `direction` on everything else: which way the bytes went.
pub const FLOWS: &[&str] = &["received", "sent"];
/// Values of `topic`.
pub const TOPICS: &[&str] = &["block", "transaction"];
/// Values of `verdict`.
pub const VERDICTS: &[&str] = &["accept", "ignore", "reject"];
/// Values of `kind`.
pub const REQUEST_KINDS: &[&str] = &["status", "headers", "blocks"];

macro_rules! metrics {
    ($($id:ident = $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric {
                name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help,
            };
        )*
        /// Every metric, in the order of the reference.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD_INFO = "minichain_build_info" Gauge ["version", "name", "network"] "Always 1; says what runs.";
    CHAIN_HEIGHT = "minichain_chain_height_blocks" Gauge [] "Height of the tip.";
    HEADER_HEIGHT = "minichain_header_height_blocks" Gauge [] "Height of the best known header.";
    TIP_AGE = "minichain_tip_age_seconds" Gauge [] "Time since the tip changed.";
    TIP_TIME = "minichain_tip_timestamp_seconds" Gauge [] "Time in the tip's header, since 1970.";
    CHAINWORK = "minichain_chainwork_hashes" Gauge [] "Expected hashes behind the tip's chain, rounded to a float.";
    DIFFICULTY = "minichain_difficulty_ratio" Gauge [] "Initial target divided by the tip's target.";
    EXPECTED_HASHES = "minichain_block_expected_hashes" Gauge [] "Expected hashes to find the next block.";
    PEERS = "minichain_peers" Gauge ["direction"] "Connected peers by direction (inbound, outbound).";
    BLOCKS_CONNECTED = "minichain_blocks_connected_total" Counter [] "Blocks that became part of the active chain.";
    BLOCKS_DISCONNECTED = "minichain_blocks_disconnected_total" Counter [] "Blocks that left the active chain in a reorganisation.";
    BLOCKS_STALE = "minichain_blocks_stale_total" Counter [] "Valid blocks that arrived on, or were moved to, a side branch.";
    BLOCKS_REJECTED = "minichain_blocks_rejected_total" Counter ["rule"] "Blocks refused, by the rule they break.";
    BLOCKS_MINED = "minichain_blocks_mined_total" Counter [] "Blocks this node found.";
    TRANSACTIONS_REJECTED = "minichain_transactions_rejected_total" Counter ["reason"] "Transactions refused, by reason.";
    TRANSACTIONS_CONFIRMED = "minichain_transactions_confirmed_total" Counter [] "Transactions connected, coinbases left out.";
    REORGS = "minichain_reorgs_total" Counter [] "Times the active chain lost at least one block.";
    REORG_DEPTH = "minichain_reorg_depth_blocks" Histogram [] "Blocks disconnected in one reorganisation.";
    BLOCK_INTERVAL = "minichain_block_interval_seconds" Histogram [] "Time between connected blocks, by their headers.";
    BLOCK_PROPAGATION = "minichain_block_propagation_seconds" Histogram [] "From the announcement's send time to arrival, for gossiped blocks.";
    BLOCK_CONNECT = "minichain_block_connect_seconds" Histogram [] "Time to check and connect one block.";
    MEMPOOL_TRANSACTIONS = "minichain_mempool_transactions" Gauge [] "Transactions waiting.";
    MEMPOOL_BYTES = "minichain_mempool_bytes" Gauge [] "Virtual bytes of the transactions waiting.";
    HASH_RATE_LIMIT = "minichain_miner_hash_rate_limit" Gauge [] "Hashes a second the miner is throttled to; 0 when it does not mine.";
    HASHES = "minichain_miner_hashes_total" Counter [] "Hashes computed by the miner.";
    GOSSIP_MESSAGES = "minichain_gossip_messages_total" Counter ["topic", "direction"] "Gossip messages by topic (block, transaction), received or sent.";
    GOSSIP_BYTES = "minichain_gossip_bytes_total" Counter ["topic", "direction"] "Bytes of gossip payloads, received or sent.";
    GOSSIP_VERDICTS = "minichain_gossip_verdicts_total" Counter ["topic", "verdict"] "Verdicts (accept, ignore, reject) on received gossip.";
    REQUESTS = "minichain_requests_total" Counter ["kind", "direction"] "Requests by kind (status, headers, blocks), received or sent.";
    REQUEST_BYTES = "minichain_request_bytes_total" Counter ["kind", "direction"] "Bytes of requests and of responses by the request's kind, received or sent.";
    REQUEST_FAILURES = "minichain_request_failures_total" Counter ["kind"] "Requests sent that failed or timed out.";
    SYNCING = "minichain_sync_active" Gauge [] "1 while the node fetches blocks it knows it lacks.";
    BLOCKS_IN_FLIGHT = "minichain_sync_blocks_in_flight" Gauge [] "Block bodies asked for and not yet received.";
    DISCONNECTS = "minichain_peer_disconnects_total" Counter ["reason"] "Peers this node disconnected, by reason.";
    LINK_CONDITIONS = "minichain_link_conditions" Gauge [] "Links made worse on purpose, by what this node sends.";
    CLOCK_OFFSET = "minichain_clock_offset_seconds" Gauge [] "How far the node's clock was set ahead on purpose.";
    FAULTS = "minichain_faults_total" Counter [] "Events that should never happen; any count is a bug worth a report.";
}
