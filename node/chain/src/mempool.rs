//! Transactions that wait for a block.
//!
//! This is policy, not consensus: nodes may differ in what they keep. Of two
//! transactions that spend the same output the first seen stays, unless the
//! second pays enough more to replace it. The pool is bounded in bytes; when it
//! is full, what pays least makes room and the least fee rises. Time is an
//! argument: when a transaction came, and when to drop the expired.

mod accept;
mod error;
mod evict;
mod expire;
mod floor;
mod graph;
mod package;
mod rate;
mod reorg;
mod replace;
mod totals;

use std::sync::Arc;

pub use self::error::{MempoolError, REASONS};
pub use self::floor::FLOOR_HALVING_BLOCKS;
pub use self::graph::PoolEntry;
pub use self::package::Unsigned;
pub use self::rate::FeeRate;
pub use self::replace::REPLACED_MAX;
pub use self::totals::Totals;

use self::floor::Floor;
use self::graph::Graph;
pub(crate) use self::graph::Score;
pub(crate) use self::totals::without;
use crate::amount::Amount;
use crate::hash::{Txid, sha256};
use crate::transaction::{OutPoint, Transaction};

/// What a pool may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Bytes of memory, as [`memory_bytes`] counts them.
    pub bytes_max: u64,
    /// Transactions in an unconfirmed chain at most: a transaction, its
    /// unconfirmed parents, their parents, and so on.
    pub ancestors_max: usize,
    /// Virtual bytes of such a chain.
    pub ancestor_vbytes_max: u64,
    /// Transactions that may depend on one, itself included.
    pub descendants_max: usize,
    /// Their virtual bytes.
    pub descendant_vbytes_max: u64,
    /// The least fee for 1,000 virtual bytes.
    pub min_fee_rate_sat_per_kvb: u64,
    /// What a replacement pays on top for 1,000 of its virtual bytes, and by
    /// how much the least fee rises above what was pushed out.
    pub incremental_fee_rate_sat_per_kvb: u64,
    /// Seconds that a transaction may wait.
    pub expiry_s: u32,
}

/// Memory that a transaction takes besides its own bytes: its entry, its links
/// and its places in the indexes, rounded up.
const ENTRY_OVERHEAD_BYTES: u64 = 1_000;

/// Memory that an input or output takes besides its own bytes: its fixed part
/// and the headers of its byte strings. The smallest have ten bytes of their
/// own, so that without this a pool could take many times its limit.
const PART_OVERHEAD_BYTES: u64 = 96;

/// Weight of a transaction at most, as in Bitcoin Core; a larger one has to
/// find its way into a block by itself.
pub const TRANSACTION_WEIGHT_MAX: u64 = 400_000;

/// Memory that a waiting transaction takes, rounded up.
#[must_use]
pub fn memory_bytes(tx: &Transaction) -> u64 {
    let parts = (tx.inputs.len() + tx.outputs.len()) as u64;
    tx.total_size() + ENTRY_OVERHEAD_BYTES + parts * PART_OVERHEAD_BYTES
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            bytes_max: 50_000_000,
            ancestors_max: 25,
            ancestor_vbytes_max: 101_000,
            descendants_max: 25,
            descendant_vbytes_max: 101_000,
            min_fee_rate_sat_per_kvb: 100,
            incremental_fee_rate_sat_per_kvb: 100,
            expiry_s: 14 * 24 * 60 * 60,
        }
    }
}

/// A transaction entered the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its name.
    pub txid: Txid,
    /// What it pays.
    pub fee: Amount,
    /// Its virtual bytes.
    pub vsize: u64,
    /// Who spent the same outputs, with all that depended on them.
    pub replaced: Vec<Txid>,
    /// Who had to make room, with all that depended on them.
    pub evicted: Vec<Txid>,
}

/// Transactions that wait for a block.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    graph: Graph,
    floor: Floor,
}

impl Mempool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            graph: Graph::default(),
            floor: Floor::default(),
        }
    }

    /// What the pool may hold.
    #[must_use]
    pub const fn limits(&self) -> &MempoolLimits {
        &self.limits
    }

    /// A transaction, if it waits.
    #[must_use]
    pub fn get(&self, txid: &Txid) -> Option<&Arc<Transaction>> {
        self.entry(txid).map(|entry| &entry.tx)
    }

    /// A transaction and what is known of it, if it waits.
    #[must_use]
    pub fn entry(&self, txid: &Txid) -> Option<&PoolEntry> {
        self.graph.get(txid)
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, txid: &Txid) -> bool {
        self.graph.get(txid).is_some()
    }

    /// Who of the pool spends an output.
    #[must_use]
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.graph.spender(outpoint)
    }

    /// Whether anybody of the pool spends an output.
    #[must_use]
    pub fn is_spent(&self, outpoint: &OutPoint) -> bool {
        self.spender(outpoint).is_some()
    }

    /// Number of transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Virtual bytes of all transactions.
    #[must_use]
    pub const fn vbytes(&self) -> u64 {
        self.graph.vbytes()
    }

    /// What all transactions pay.
    #[must_use]
    pub const fn fees(&self) -> Amount {
        self.graph.fees()
    }

    /// What counts towards [`MempoolLimits::bytes_max`].
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.graph.bytes()
    }

    /// Best first, as a block would take them: by the lower of a
    /// transaction's own fee rate and that together with its unconfirmed
    /// ancestors, then in the order they came.
    pub fn iter_by_fee_rate(&self) -> impl Iterator<Item = &PoolEntry> {
        self.graph.iter_by_mining_score()
    }

    /// Every name, in the order of names.
    pub fn txids(&self) -> impl Iterator<Item = Txid> {
        self.graph.txids()
    }

    /// Those that came with [`PoolEntry::sequence`] `from` or later, parents
    /// before children.
    pub fn iter_by_arrival(&self, from: u64) -> impl Iterator<Item = &PoolEntry> {
        self.graph.iter_by_arrival(from)
    }

    /// Another number after every change of who waits.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.graph.revision()
    }

    /// SHA-256 of all names in their order: equal for pools that hold the
    /// same. Computed anew by every call.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let names: Vec<u8> = self.txids().flat_map(Txid::to_bytes).collect();
        sha256(&names)
    }

    pub(crate) const fn graph(&self) -> &Graph {
        &self.graph
    }
}
