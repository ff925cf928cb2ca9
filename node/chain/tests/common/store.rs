//! A store in memory with something that stands before each write.

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{Batch, MemoryStore, Store, StoreError, StoredHeader, StoredTip};
use minichain_chain::transaction::OutPoint;

/// What stands at the door of a store.
pub trait Gate {
    /// Looks at a batch that is to be written; an error keeps it out.
    fn before(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let _any = batch;
        Ok(())
    }

    /// What whoever asks for a block gets.
    fn lend(&self, block: &Arc<Block>) -> Arc<Block> {
        Arc::clone(block)
    }

    /// Looks at the store once a batch is written.
    fn after(&mut self, store: &MemoryStore) {
        let _any = store;
    }
}

/// A store behind a gate.
#[derive(Clone, Debug, Default)]
pub struct Gated<G> {
    pub inner: MemoryStore,
    pub gate: G,
}

impl<G: Gate> Store for Gated<G> {
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError> {
        self.inner.headers()
    }

    fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        self.inner.tip()
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        let block = self.inner.block(hash)?;
        Ok(block.map(|block| self.gate.lend(&block)))
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        self.inner.undo(hash)
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        self.inner.coin(outpoint)
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.gate.before(&batch)?;
        self.inner.apply(batch)?;
        self.gate.after(&self.inner);
        Ok(())
    }
}
