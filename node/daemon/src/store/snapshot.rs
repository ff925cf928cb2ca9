//! What the store held at one moment, to be read while the chain goes on.

use std::ops::ControlFlow;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::StoreError;
use minichain_chain::transaction::OutPoint;

use super::pending::Pending;
use super::tables::Tables;

/// The last commit and what waited for the next one. While it lives the file
/// cannot use the pages again that it shows, so it should not live for long.
pub struct Snapshot {
    tables: Arc<Tables>,
    pending: Pending,
}

impl Snapshot {
    pub(super) const fn new(tables: Arc<Tables>, pending: Pending) -> Self {
        Self { tables, pending }
    }

    /// A block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        match self.pending.block(hash) {
            Some(block) => Ok(Some(Arc::clone(block))),
            None => self.tables.block(hash),
        }
    }

    /// What takes a once connected block off again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        match self.pending.undo(hash) {
            Some(undo) => Ok(Some(undo.clone())),
            None => self.tables.undo(hash),
        }
    }

    /// Shows every coin, as long as `show` wants to go on: those of the last
    /// commit by outpoint, then those that waited.
    ///
    /// # Errors
    /// [`StoreError`]; what was shown before is right.
    pub fn each_coin(
        &self,
        mut show: impl FnMut(OutPoint, Coin) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut end = ControlFlow::Continue(());
        self.tables.each_coin(|outpoint, coin| {
            if self.pending.coin(&outpoint).is_none() {
                end = show(outpoint, coin);
            }
            end
        })?;
        let waiting = self.pending.all_coins();
        for (outpoint, coin) in waiting.filter_map(|(key, coin)| Some((key, coin.as_ref()?))) {
            if end.is_break() {
                break;
            }
            end = show(*outpoint, coin.clone());
        }
        Ok(())
    }
}
