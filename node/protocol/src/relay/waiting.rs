//! Since when transactions wait for their block, for those who measure it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::SignatureVerifier;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::Mempool;

/// Times of entry. What left the mempool without a block is forgotten when the
/// table has outgrown the mempool.
#[derive(Debug, Default)]
pub(super) struct Waits {
    since_ms: BTreeMap<Txid, u64>,
}

/// Entries beyond twice the mempool's that may be left over.
const LEFT_OVER_MAX: usize = 1_000;

impl Waits {
    /// A transaction entered the mempool.
    pub fn begin(&mut self, txid: Txid, now_ms: u64, mempool: &Mempool) {
        // Whoever comes back after a reorganisation has waited all the time.
        self.since_ms.entry(txid).or_insert(now_ms);
        if self.since_ms.len() > 2 * mempool.len() + LEFT_OVER_MAX {
            self.since_ms.retain(|txid, _| mempool.contains(txid));
        }
    }

    /// A block was connected; how long each of its transactions had waited, in
    /// milliseconds, those left out that never did.
    pub fn end(
        &mut self,
        block: &Arc<Block>,
        verifier: &dyn SignatureVerifier,
        now_ms: u64,
    ) -> Vec<u64> {
        if self.since_ms.is_empty() || block.transactions.len() < 2 {
            return Vec::new();
        }
        let confirmed = verifier.txids(block).into_iter().skip(1);
        confirmed
            .filter_map(|txid| self.since_ms.remove(&txid))
            .map(|since_ms| now_ms.saturating_sub(since_ms))
            .collect()
    }
}
