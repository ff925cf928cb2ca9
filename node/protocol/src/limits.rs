//! Every number that bounds what a node takes, keeps, asks or waits for, with
//! its reason. Times are in milliseconds, sizes in bytes.

/// Version of the messages in [`crate::wire`], told in every status. Since 2
/// there are questions about the mempool, since 3 a standing.
pub const PROTOCOL_VERSION: u32 = 3;

/// Peers of this version and later can be asked about their mempool. Others
/// would take the question for nonsense and part.
pub const POOL_PROTOCOL_VERSION: u32 = 2;

/// Peers of this version and later are polled by a standing: a status together
/// with the digest of the mempool.
pub const STANDING_PROTOCOL_VERSION: u32 = 3;

// --- Messages -------------------------------------------------------------

/// Letters of a network name.
pub const NETWORK_NAME_MAX: usize = 32;

/// Letters of a user agent; a line in somebody's log, no more.
pub const USER_AGENT_MAX: usize = 64;

/// Hashes in a locator: 10 steps of one block and then doubling ones span any
/// chain of 32-bit height in 42; Bitcoin's bound is kept.
pub const LOCATOR_MAX: usize = 101;

/// Headers in one answer, as in Bitcoin: 160 kB.
pub const HEADERS_MAX: usize = 2_000;

/// Blocks in one request, and in flight from one peer: enough to fill a link
/// of 100 ms, few enough that a stalled peer holds up little.
pub const BLOCKS_MAX: usize = 16;

/// Bytes of one block, and so of one gossip message. A block's weight is at
/// least its bytes, and no network's weight limit is above 4,000,000.
pub const BLOCK_BYTES_MAX: usize = 4_000_000;

/// Bytes of one gossiped transaction; a larger one does not fit the mempool's
/// weight limit and travels only inside blocks.
pub const TRANSACTION_BYTES_MAX: usize = 400_000;

/// Names of transactions in one answer about a mempool: 64 kB.
pub const INVENTORY_MAX: usize = 2_000;

/// Names taken from one peer in one comparison, over all its answers. A full
/// mempool of default size holds fewer.
pub const INVENTORY_TOTAL_MAX: usize = 100_000;

/// Transactions in one request, and so in flight from one peer.
pub const TRANSACTIONS_MAX: usize = 128;

/// Bytes of transactions in one answer. The largest one that gossip takes
/// always fits; others are added while all stay within. To check so many takes
/// no longer than to check a block.
pub const TRANSACTIONS_BYTES_MAX: usize = 1_000_000;

/// Bytes of one request: a full locator, its count, the stop hash and the tag.
pub const REQUEST_BYTES_MAX: usize = 8 * 1_024;

/// Bytes of one response. The largest block alone always fits; further blocks
/// are added only while all stay within [`BLOCK_BYTES_MAX`].
pub const RESPONSE_BYTES_MAX: usize = BLOCK_BYTES_MAX + 64;

const _: () = assert!(
    TRANSACTION_BYTES_MAX as u64 >= minichain_chain::mempool::TRANSACTION_WEIGHT_MAX,
    "whatever the mempool takes can be gossiped"
);

// --- Timing ---------------------------------------------------------------

/// Shortest time between two status polls of a peer.
pub const STATUS_POLL_MS_MIN: u64 = 2_000;

/// Longest time between two status polls of a peer; slow chains too want to
/// know who is there.
pub const STATUS_POLL_MS_MAX: u64 = 60_000;

/// Intervals that a node waits at most with polls of its own while the peer
/// polls it: the next one then tells whether the peer answers too.
pub const POLLED_INTERVALS_MAX: u64 = 4;

/// A peer that cannot tell its status within this time is slow or gone.
pub const STATUS_TIMEOUT_MS: u64 = 5_000;

/// Polls in a row that may fail before the peer is sent away.
pub const STATUS_FAILURES_MAX: u32 = 3;

/// Wait for an answer of 160 kB of headers.
pub const HEADERS_TIMEOUT_MS: u64 = 10_000;

/// A headers request older than this no longer keeps another peer from being
/// asked.
pub const HEADERS_PATIENCE_MS: u64 = 2_000;

/// Headers requests in flight to peers who were asked for their claim.
pub const HEADERS_IN_FLIGHT_MAX: usize = 2;

/// Wait for an answer of 64 kB of names, and for one of
/// [`TRANSACTIONS_BYTES_MAX`]. Short, for the answer may have been lost in a cut
/// that is healed.
pub const INVENTORY_TIMEOUT_MS: u64 = 5_000;

/// See [`INVENTORY_TIMEOUT_MS`].
pub const TRANSACTIONS_TIMEOUT_MS: u64 = 10_000;

/// Longest time between two comparisons of mempools with one peer, however
/// many names it takes to tell them.
pub const COMPARISON_MS_MAX: u64 = 60_000;

/// Time between two looks for transactions that have waited too long.
pub const EXPIRY_LOOK_MS: u64 = 60_000;

/// Wait for an answer with blocks. Long before that the peer counts as
/// stalled; a late answer is still welcome.
pub const BLOCKS_TIMEOUT_MS: u64 = 60_000;

/// First time after which a peer that owes blocks is passed over.
pub const STALL_MS_MIN: u64 = 2_000;

/// The stall time doubles with every stall up to this, so that a slow link of
/// our own does not make every peer look bad.
pub const STALL_MS_MAX: u64 = 64_000;

/// Stalls in a row before a peer is sent away.
pub const STALLS_MAX: u32 = 4;

/// Time for which peers that never kept a promise of blocks do not stop a
/// miner, after one was not kept: identities cost nothing.
pub const DISTRUST_MS: u64 = 600_000;

/// Time without any new block after which a node that awaits blocks mines
/// again on what it has: nobody may stop it with headers alone.
pub const SYNC_PATIENCE_MS: u64 = 60_000;

/// Least time between two mining templates when only the mempool changed.
pub const TEMPLATE_INTERVAL_MS: u64 = 1_000;

/// Longest time a mining template is used, so that its time stays close to the
/// clock.
pub const TEMPLATE_AGE_MS_MAX: u64 = 5_000;

/// Time between announcements of an unconfirmed transaction of our own.
/// Above the 60 s for which gossip remembers what it has seen.
pub const REBROADCAST_MS: u64 = 70_000;

/// Time a transaction whose inputs are unknown is kept for.
pub const ORPHAN_TRANSACTION_MS: u64 = 60_000;

// --- Memory and trust -----------------------------------------------------

/// Blocks above the lowest missing one that may be asked for: bounds bodies
/// that wait for their parents.
pub const DOWNLOAD_WINDOW: u32 = 1_024;

/// Headers kept ahead of the connected tip; more are asked for as bodies
/// arrive. Bounds what a peer can make us remember by headers alone.
pub const HEADERS_AHEAD_MAX: u32 = 100_000;

/// Headers in a row that lead to less work than the tip has, beyond twice the
/// tip's height: an honest branch overtakes the tip long before.
pub const LOW_WORK_HEADERS: u32 = 4_000;

/// Blocks a gossiped block may stand below the tip. Older ones come too late
/// for any purpose but filling our disk.
pub const GOSSIP_DEPTH_MAX: u32 = 12;

/// Blocks a gossiped block may stand above the tip; further ones are fetched
/// in order.
pub const GOSSIP_AHEAD_MAX: u32 = 288;

/// Missing blocks from which catching up counts as bulk work: mining pauses,
/// commits are gathered, gossiped transactions are not looked at.
pub const BULK_SYNC_BLOCKS: u32 = 8;

/// Hashes of gossiped blocks remembered for the silence check.
pub const GOSSIP_SEEN_MAX: usize = 1_024;

/// Polls in a row in which a peer's tip moved to a block nobody gossiped.
pub const SILENT_POLLS_MAX: u32 = 2;

/// Time after a peer's status before its silence is judged: the gossip mesh
/// needs some heartbeats to form.
pub const SILENCE_GRACE_MS: u64 = 15_000;

/// Transactions with unknown inputs that are kept.
pub const ORPHAN_TRANSACTIONS_MAX: usize = 100;

/// Bytes of the largest such transaction.
pub const ORPHAN_TRANSACTION_BYTES_MAX: usize = 10_000;

/// Names remembered per peer of transactions it has and we refused, so that
/// they are not asked for again while the tip is the same.
pub const REFUSED_MAX: usize = 4_000;

/// Transactions fetched in one request at most for them to be gossiped on.
/// Behind a healed cut our neighbours lack them too; more at once are the stock
/// of a network that we are new to.
pub const FETCHED_GOSSIPED_MAX: usize = 100;

/// Transactions of our own that are announced again.
pub const REBROADCAST_MAX: usize = 1_000;

/// Transactions read back from a saved mempool; a full one of default size
/// holds fewer.
pub const SAVED_TRANSACTIONS_MAX: usize = 1_000_000;

/// Units of service a peer may use up at once. A status costs one unit, 500
/// headers one, 2,000 names of transactions one, 64 kB of blocks or
/// transactions one, each rounded up. What it gossips of no use costs one
/// unit, and one more for every 16 kB.
pub const SERVICE_UNITS_MAX: u64 = 20_000;

/// Units of service a peer regains every second. A peer that fetches small
/// blocks over a fast link needs about half of it.
pub const SERVICE_UNITS_PER_S: u64 = 2_000;
