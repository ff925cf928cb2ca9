//! Following the tip.

use std::sync::Arc;

use super::Mempool;
use super::accept::Entry;
use crate::block::Block;
use crate::state::{Moved, State};
use crate::store::{Store, StoreError};
use crate::time::UnixSeconds;

impl Mempool {
    /// Follows a change of the active chain; `disconnected` is tip first,
    /// `connected` lowest first, as [`crate::state::Acceptance`] tells them,
    /// and `view` is the chain after it.
    ///
    /// What was confirmed leaves, with it all that conflicts. If blocks left
    /// the chain, their transactions come back where they are still valid,
    /// ahead of those that waited, which are then looked at anew. `now` is when
    /// they came.
    ///
    /// # Errors
    /// [`StoreError`]; the pool may have lost transactions.
    pub fn on_tip_changed<S: Store>(
        &mut self,
        disconnected: &[Moved],
        connected: &[Moved],
        view: &State<S>,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        for _ in connected {
            self.lower_floor();
        }
        if disconnected.is_empty() {
            for moved in connected {
                self.on_connected(&*moved.block(view)?);
            }
            return Ok(());
        }
        let waited = self.graph.take_all();
        // What the new branch has confirmed, or made impossible, stays out.
        for moved in disconnected.iter().rev() {
            // A coinbase dies with its block.
            for tx in moved.block(view)?.transactions.iter().skip(1) {
                let _refused = self.admit(Arc::new(tx.clone()), view, now, Entry::Again)?;
            }
        }
        for entry in waited {
            let _refused = self.admit(entry.tx, view, entry.time, Entry::Again)?;
        }
        Ok(())
    }

    fn on_connected(&mut self, block: &Block) {
        for tx in block.transactions.iter().skip(1) {
            self.graph.remove(&tx.txid());
            let rivals: Vec<_> = tx
                .inputs
                .iter()
                .filter_map(|input| self.spender(&input.previous_output))
                .collect();
            self.graph.remove_with_descendants(rivals);
        }
    }
}
