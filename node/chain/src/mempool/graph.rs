//! Who waits, who spends whom, and the orders that follow from it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::totals::{Own, Totals};
use super::{FeeRate, memory_bytes};
use crate::amount::Amount;
use crate::hash::{Txid, Wtxid};
use crate::time::UnixSeconds;
use crate::transaction::{Names, OutPoint, Transaction};

/// A transaction that waits.
#[derive(Debug, Clone)]
pub struct PoolEntry {
    /// The transaction.
    pub tx: Arc<Transaction>,
    /// Its name.
    pub txid: Txid,
    /// What it pays.
    pub fee: Amount,
    /// Virtual bytes.
    pub vsize: u64,
    /// Weight units.
    pub weight: u64,
    /// Order of arrival; parents before children.
    pub sequence: u64,
    /// When it came, by the clock of whoever handed it in.
    pub time: UnixSeconds,
    /// It and all of the pool that it depends on.
    pub ancestors: Totals,
    /// It and all of the pool that depends on it.
    pub descendants: Totals,
    /// Those of the pool whose outputs it spends.
    pub parents: BTreeSet<Txid>,
    /// Those of the pool that spend its outputs.
    pub children: BTreeSet<Txid>,
    /// Its name with witnesses, once somebody asked: only miners do.
    wtxid: OnceLock<Wtxid>,
}

impl PoolEntry {
    /// Both names.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            txid: self.txid,
            wtxid: *self.wtxid.get_or_init(|| self.tx.wtxid()),
        }
    }

    /// Its own fee rate.
    #[must_use]
    pub const fn rate(&self) -> FeeRate {
        FeeRate::new(self.fee, self.vsize)
    }

    /// What a block gains by it: the lower of its own rate and that with the
    /// ancestors it needs.
    #[must_use]
    pub fn mining_rate(&self) -> FeeRate {
        self.mining_rate_with(&self.ancestors)
    }

    /// The same, with some ancestors in the block already.
    pub(crate) fn mining_rate_with(&self, ancestors: &Totals) -> FeeRate {
        self.rate().min(ancestors.rate())
    }

    /// What the pool loses by it: the higher of its own rate and that with
    /// all who need it.
    #[must_use]
    pub fn keeping_rate(&self) -> FeeRate {
        self.rate().max(self.descendants.rate())
    }

    /// What it counts towards the pool's bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        memory_bytes(&self.tx)
    }

    pub(crate) fn score(&self, rate: FeeRate) -> Score {
        (rate, Reverse(self.sequence), self.txid)
    }

    pub(super) const fn own(&self) -> Own {
        Own {
            fee: self.fee,
            vsize: self.vsize,
        }
    }
}

/// Orders transactions from worst to best; among equals the older is better.
pub(crate) type Score = (FeeRate, Reverse<u64>, Txid);

/// A transaction about to enter.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) tx: Arc<Transaction>,
    pub(super) txid: Txid,
    pub(super) fee: Amount,
    pub(super) vsize: u64,
    pub(super) weight: u64,
    pub(super) time: UnixSeconds,
    /// All of the pool that it depends on.
    pub(super) ancestors: BTreeSet<Txid>,
}

/// Who waits. Transactions enter only after those they depend on.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    entries: BTreeMap<Txid, PoolEntry>,
    spent: BTreeMap<OutPoint, Txid>,
    by_mining: BTreeSet<Score>,
    by_keeping: BTreeSet<Score>,
    by_arrival: BTreeMap<u64, Txid>,
    next_sequence: u64,
    /// Grows with every change of who waits.
    revision: u64,
    vbytes: u64,
    fees_sat: u64,
    bytes: u64,
}

impl Graph {
    pub(crate) fn get(&self, txid: &Txid) -> Option<&PoolEntry> {
        self.entries.get(txid)
    }

    pub(super) fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spent.get(outpoint).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn fees(&self) -> Amount {
        Amount::from_sat(self.fees_sat)
    }

    pub(super) const fn vbytes(&self) -> u64 {
        self.vbytes
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn txids(&self) -> impl Iterator<Item = Txid> {
        self.entries.keys().copied()
    }

    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Those that came with this sequence or later, parents before children.
    pub(super) fn iter_by_arrival(&self, from: u64) -> impl Iterator<Item = &PoolEntry> {
        self.by_arrival
            .range(from..)
            .filter_map(|(_, txid)| self.entries.get(txid))
    }

    pub(crate) fn iter_by_mining_score(&self) -> impl Iterator<Item = &PoolEntry> {
        self.by_mining
            .iter()
            .rev()
            .filter_map(|(_, _, txid)| self.entries.get(txid))
    }

    /// What the pool would miss least, first.
    pub(super) fn iter_by_keeping_score(&self) -> impl Iterator<Item = &PoolEntry> {
        self.by_keeping
            .iter()
            .filter_map(|(_, _, txid)| self.entries.get(txid))
    }

    /// Those of the pool whose outputs `tx` spends.
    pub(super) fn parents_of(&self, tx: &Transaction) -> BTreeSet<Txid> {
        let spent = tx.inputs.iter().map(|input| input.previous_output.txid);
        spent
            .filter(|txid| self.entries.contains_key(txid))
            .collect()
    }

    /// All that the given ones depend on, themselves included.
    pub(crate) fn with_ancestors(&self, from: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.closure(from, |entry| &entry.parents)
    }

    /// All that depends on the given ones, themselves included.
    pub(crate) fn with_descendants(&self, from: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.closure(from, |entry| &entry.children)
    }

    /// Sums over the given ones.
    pub(super) fn totals<'a>(&self, of: impl IntoIterator<Item = &'a Txid>) -> Totals {
        let mut totals = Totals::NONE;
        for entry in of.into_iter().filter_map(|txid| self.entries.get(txid)) {
            totals.add(&entry.own());
        }
        totals
    }

    pub(super) fn insert(&mut self, candidate: Candidate) {
        let Candidate {
            tx,
            txid,
            fee,
            vsize,
            weight,
            time,
            ancestors,
        } = candidate;
        let own = Own { fee, vsize };
        let parents = self.parents_of(&tx);
        for parent in &parents {
            if let Some(entry) = self.entries.get_mut(parent) {
                entry.children.insert(txid);
            }
        }
        let mut totals = Totals::of(fee, vsize);
        for ancestor in &ancestors {
            if let Some(entry) = self.entries.get(ancestor) {
                totals.add(&entry.own());
            }
            self.change(ancestor, |entry| entry.descendants.add(&own));
        }
        self.spent
            .extend(tx.inputs.iter().map(|input| (input.previous_output, txid)));
        let entry = PoolEntry {
            tx,
            txid,
            fee,
            vsize,
            weight,
            sequence: self.next_sequence,
            time,
            ancestors: totals,
            descendants: Totals::of(fee, vsize),
            parents,
            children: BTreeSet::new(),
            wtxid: OnceLock::new(),
        };
        self.by_arrival.insert(self.next_sequence, txid);
        self.next_sequence += 1;
        self.revision += 1;
        self.vbytes += vsize;
        self.fees_sat += fee.to_sat();
        self.bytes += entry.bytes();
        self.by_mining.insert(entry.score(entry.mining_rate()));
        self.by_keeping.insert(entry.score(entry.keeping_rate()));
        self.entries.insert(txid, entry);
    }

    /// Takes the given ones out with all that depends on them; returns who
    /// went.
    pub(super) fn remove_with_descendants(
        &mut self,
        from: impl IntoIterator<Item = Txid>,
    ) -> BTreeSet<Txid> {
        let all = self.with_descendants(from);
        let mut order: Vec<_> = all
            .iter()
            .filter_map(|txid| self.entries.get(txid))
            .collect();
        // Children first: who goes must still reach all it depends on.
        order.sort_by_key(|entry| Reverse(entry.sequence));
        for txid in order
            .into_iter()
            .map(|entry| entry.txid)
            .collect::<Vec<_>>()
        {
            self.remove(&txid);
        }
        all
    }

    /// Takes one out and leaves what depends on it. With it the link between
    /// its ancestors and its descendants is lost, so one side must be gone.
    pub(super) fn remove(&mut self, txid: &Txid) -> Option<PoolEntry> {
        let leaving = self.entries.get(txid)?;
        let ancestors = self.with_ancestors(leaving.parents.iter().copied());
        let descendants = self.with_descendants(leaving.children.iter().copied());
        let entry = self.entries.remove(txid)?;
        let own = entry.own();
        self.revision += 1;
        self.by_arrival.remove(&entry.sequence);
        self.by_mining.remove(&entry.score(entry.mining_rate()));
        self.by_keeping.remove(&entry.score(entry.keeping_rate()));
        for ancestor in &ancestors {
            self.change(ancestor, |other| other.descendants.subtract(&own));
        }
        for descendant in &descendants {
            self.change(descendant, |other| other.ancestors.subtract(&own));
        }
        for parent in &entry.parents {
            self.change(parent, |other| {
                other.children.remove(txid);
            });
        }
        for child in &entry.children {
            self.change(child, |other| {
                other.parents.remove(txid);
            });
        }
        for input in &entry.tx.inputs {
            self.spent.remove(&input.previous_output);
        }
        self.vbytes -= entry.vsize;
        self.fees_sat -= entry.fee.to_sat();
        self.bytes -= entry.bytes();
        Some(entry)
    }

    /// Empties the pool; returns all in the order they came.
    pub(super) fn take_all(&mut self) -> Vec<PoolEntry> {
        let emptied = Self {
            next_sequence: self.next_sequence,
            revision: self.revision + 1,
            ..Self::default()
        };
        let mut all: Vec<_> = std::mem::replace(self, emptied)
            .entries
            .into_values()
            .collect();
        all.sort_by_key(|entry| entry.sequence);
        all
    }

    /// Changes an entry and its places in the orders.
    fn change(&mut self, txid: &Txid, change: impl FnOnce(&mut PoolEntry)) {
        let Some(entry) = self.entries.get_mut(txid) else {
            return;
        };
        self.by_mining.remove(&entry.score(entry.mining_rate()));
        self.by_keeping.remove(&entry.score(entry.keeping_rate()));
        change(entry);
        self.by_mining.insert(entry.score(entry.mining_rate()));
        self.by_keeping.insert(entry.score(entry.keeping_rate()));
    }

    fn closure(
        &self,
        from: impl IntoIterator<Item = Txid>,
        links: impl Fn(&PoolEntry) -> &BTreeSet<Txid>,
    ) -> BTreeSet<Txid> {
        let mut found = BTreeSet::new();
        let mut waiting: Vec<_> = from.into_iter().collect();
        while let Some(txid) = waiting.pop() {
            let Some(entry) = self.entries.get(&txid) else {
                continue;
            };
            if found.insert(txid) {
                waiting.extend(links(entry));
            }
        }
        found
    }
}
