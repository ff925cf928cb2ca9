//! Who has waited too long.

use super::Mempool;
use crate::hash::Txid;
use crate::time::UnixSeconds;

impl Mempool {
    /// Drops whatever came more than [`super::MempoolLimits::expiry_s`] before
    /// `now`, with all that depends on it; tells who went, in order of names.
    /// Looks at everything that waits, so it is not for every moment.
    pub fn expire(&mut self, now: UnixSeconds) -> Vec<Txid> {
        let expiry_s = i64::from(self.limits.expiry_s);
        let expired: Vec<_> = self
            .iter_by_arrival(0)
            .filter(|entry| now.since(entry.time) > expiry_s)
            .map(|entry| entry.txid)
            .collect();
        let gone = self.graph.remove_with_descendants(expired);
        gone.into_iter().collect()
    }
}
