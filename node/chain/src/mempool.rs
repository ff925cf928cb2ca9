//! Transactions that wait for a block.
//!
//! This is policy, not consensus: nodes may differ in what they keep. Of two
//! transactions that spend the same output, the first seen stays; there is no
//! replacement. The pool is bounded in bytes; when it is full, what pays least
//! makes room. No clock is needed: the pool follows the tip it is told of.

mod accept;
mod error;
mod evict;
mod graph;
mod rate;
mod reorg;

use std::sync::Arc;

pub use self::error::{MempoolError, REASONS};
pub use self::graph::{PoolEntry, Totals};
pub use self::rate::FeeRate;

use self::graph::Graph;
pub(crate) use self::graph::{Score, without};
use crate::amount::Amount;
use crate::hash::Txid;
use crate::transaction::{OutPoint, Transaction};

/// What a pool may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Bytes of memory, as [`memory_bytes`] counts them.
    pub bytes_max: u64,
    /// Transactions in an unconfirmed chain at most: a transaction, its
    /// unconfirmed parents, their parents, and so on.
    pub ancestors_max: usize,
    /// The least fee for 1,000 virtual bytes.
    pub min_fee_rate_sat_per_kvb: u64,
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
            min_fee_rate_sat_per_kvb: 100,
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
    /// Who had to make room.
    pub evicted: Vec<Txid>,
}

/// Transactions that wait for a block.
#[derive(Debug)]
pub struct Mempool {
    limits: MempoolLimits,
    graph: Graph,
}

impl Mempool {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            graph: Graph::default(),
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

    pub(crate) const fn graph(&self) -> &Graph {
        &self.graph
    }
}
