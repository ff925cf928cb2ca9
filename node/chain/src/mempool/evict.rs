//! Who makes room when the pool is full.

use std::collections::BTreeSet;

use super::graph::Candidate;
use super::{FeeRate, Mempool, MempoolError, memory_bytes};
use crate::hash::Txid;

impl Mempool {
    /// Whom the candidate pushes out: those that the pool would miss least,
    /// each with all that depends on it, until there is room. What the
    /// candidate itself depends on stays.
    ///
    /// # Errors
    /// [`MempoolError::Full`] if one of them pays no less than the candidate.
    pub(super) fn make_room(&self, candidate: &Candidate) -> Result<BTreeSet<Txid>, MempoolError> {
        let wanted = memory_bytes(&candidate.tx);
        let rate = FeeRate::new(candidate.fee, candidate.vsize);
        let mut victims = BTreeSet::new();
        let mut freed = 0;
        let is_enough = |freed: u64| self.bytes() - freed + wanted <= self.limits.bytes_max;
        for entry in self.graph.iter_by_keeping_score() {
            if is_enough(freed) {
                break;
            }
            if candidate.ancestors.contains(&entry.txid) || victims.contains(&entry.txid) {
                continue;
            }
            if entry.keeping_rate() >= rate {
                return Err(MempoolError::Full);
            }
            for txid in self.graph.with_descendants([entry.txid]) {
                if victims.insert(txid) {
                    freed += self.entry(&txid).map_or(0, super::PoolEntry::bytes);
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
