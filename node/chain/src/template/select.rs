//! Which transactions a block takes.
//!
//! As in Bitcoin Core's ancestor-fee-rate mining: always the package of a
//! transaction and its missing ancestors that gains most for its size. After a
//! package is in, what depends on it needs less, and its gain changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::Txid;
use crate::mempool::{Mempool, PoolEntry, Score, Totals, without};

/// Packages in a row that do not fit before a nearly full block is closed.
const MISSES_MAX: usize = 1_000;
/// A block with less room than this is nearly full.
const NEARLY_FULL_WEIGHT: u64 = 4_000;

/// What is left to choose from.
struct Selection<'a> {
    pool: &'a Mempool,
    chosen: Vec<&'a PoolEntry>,
    is_chosen: BTreeSet<Txid>,
    /// What does not fit any more.
    is_passed: BTreeSet<Txid>,
    /// What lacks only some of its ancestors, by its changed score.
    changed: BTreeMap<Txid, Totals>,
    changed_scores: BTreeSet<Score>,
}

/// Transactions of `weight_max` at most, parents before children.
pub(super) fn select(pool: &Mempool, weight_max: u64) -> Vec<&PoolEntry> {
    let mut selection = Selection {
        pool,
        chosen: Vec::new(),
        is_chosen: BTreeSet::new(),
        is_passed: BTreeSet::new(),
        changed: BTreeMap::new(),
        changed_scores: BTreeSet::new(),
    };
    let mut room = weight_max;
    let mut misses = 0;
    let mut unchanged = pool.iter_by_fee_rate().peekable();
    loop {
        while unchanged
            .next_if(|entry| selection.is_settled(&entry.txid))
            .is_some()
        {}
        let next = unchanged
            .peek()
            .map(|entry| entry.score(entry.mining_rate()));
        let Some((_, _, txid)) = next.max(selection.changed_scores.last().copied()) else {
            break;
        };
        let package = selection.package(&txid);
        let weight: u64 = package.iter().map(|entry| entry.weight).sum();
        if weight <= room {
            room -= weight;
            misses = 0;
            selection.take(package);
        } else {
            misses += 1;
            if misses > MISSES_MAX && room < NEARLY_FULL_WEIGHT {
                break;
            }
            selection.pass(txid);
        }
    }
    selection.chosen
}

impl<'a> Selection<'a> {
    /// Whether the pool's own order has nothing more to say about it.
    fn is_settled(&self, txid: &Txid) -> bool {
        self.is_chosen.contains(txid)
            || self.is_passed.contains(txid)
            || self.changed.contains_key(txid)
    }

    /// A transaction and the ancestors it lacks, parents first.
    fn package(&self, txid: &Txid) -> Vec<&'a PoolEntry> {
        let graph = self.pool.graph();
        if let Some(entry) = graph.get(txid).filter(|entry| entry.parents.is_empty()) {
            return vec![entry];
        }
        let mut package: Vec<_> = graph
            .with_ancestors([*txid])
            .into_iter()
            .filter(|ancestor| !self.is_chosen.contains(ancestor))
            .filter_map(|ancestor| graph.get(&ancestor))
            .collect();
        package.sort_by_key(|entry| entry.sequence);
        package
    }

    fn take(&mut self, package: Vec<&'a PoolEntry>) {
        for entry in &package {
            self.is_chosen.insert(entry.txid);
            self.forget_change(&entry.txid);
        }
        for gone in package.iter().filter(|entry| !entry.children.is_empty()) {
            let dependants = self.pool.graph().with_descendants([gone.txid]);
            for txid in dependants {
                self.lighten(&txid, gone);
            }
        }
        self.chosen.extend(package);
    }

    /// One ancestor less is needed for a transaction.
    fn lighten(&mut self, txid: &Txid, gone: &PoolEntry) {
        if self.is_chosen.contains(txid) || self.is_passed.contains(txid) {
            return;
        }
        let Some(entry) = self.pool.entry(txid) else {
            return;
        };
        let before = self.forget_change(txid).unwrap_or(entry.ancestors);
        let after = without(before, gone);
        self.changed.insert(*txid, after);
        self.changed_scores
            .insert(entry.score(entry.mining_rate_with(&after)));
    }

    fn pass(&mut self, txid: Txid) {
        self.forget_change(&txid);
        self.is_passed.insert(txid);
    }

    fn forget_change(&mut self, txid: &Txid) -> Option<Totals> {
        let totals = self.changed.remove(txid)?;
        if let Some(entry) = self.pool.entry(txid) {
            self.changed_scores
                .remove(&entry.score(entry.mining_rate_with(&totals)));
        }
        Some(totals)
    }
}
