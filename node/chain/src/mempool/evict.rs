//! Who makes room when the pool is full.

use std::collections::BTreeSet;

use super::graph::Candidate;
use super::{FeeRate, Mempool, MempoolError, memory_bytes};
use crate::hash::Txid;

impl Mempool {
    /// Whom the candidate pushes out: those that the pool would miss least,
    /// each with all that depends on it, until there is room. What the
    /// candidate itself depends on stays; what it replaces leaves anyway.
    ///
    /// # Errors
    /// [`MempoolError::Full`] if one of them pays no less than the candidate.
    pub(super) fn make_room(
        &self,
        candidate: &Candidate,
        replaced: &BTreeSet<Txid>,
    ) -> Result<BTreeSet<Txid>, MempoolError> {
        let wanted = memory_bytes(&candidate.tx);
        let rate = FeeRate::new(candidate.fee, candidate.vsize);
        let bytes_of = |txid: &Txid| self.entry(txid).map_or(0, super::PoolEntry::bytes);
        let mut victims = BTreeSet::new();
        let mut freed = replaced.iter().map(bytes_of).sum();
        let is_enough = |freed: u64| self.bytes() - freed + wanted <= self.limits.bytes_max;
        let is_spared = |txid: &Txid| candidate.ancestors.contains(txid) || replaced.contains(txid);
        for entry in self.graph.iter_by_keeping_score() {
            if is_enough(freed) {
                break;
            }
            if is_spared(&entry.txid) || victims.contains(&entry.txid) {
                continue;
            }
            if entry.keeping_rate() >= rate {
                return Err(MempoolError::Full);
            }
            for txid in self.graph.with_descendants([entry.txid]) {
                if !replaced.contains(&txid) && victims.insert(txid) {
                    freed += bytes_of(&txid);
                }
            }
        }
        if is_enough(freed) {
            Ok(victims)
        } else {
            Err(MempoolError::Full)
        }
    }
}
