//! A store for tests and simulations.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Batch, Store, StoreError, StoredHeader, StoredTip};
use crate::block::Block;
use crate::coins::{Coin, Undo};
use crate::hash::BlockHash;
use crate::transaction::OutPoint;

/// Everything in maps. Never fails, forgets all when dropped.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    headers: BTreeMap<BlockHash, StoredHeader>,
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    undos: BTreeMap<BlockHash, Undo>,
    coins: BTreeMap<OutPoint, Coin>,
    tip: Option<StoredTip>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every unspent output, by outpoint.
    pub fn coins(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.coins.iter()
    }
}

impl Store for MemoryStore {
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError> {
        let mut headers: Vec<_> = self.headers.values().copied().collect();
        headers.sort_by_key(|stored| stored.sequence);
        Ok(headers)
    }

    fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        Ok(self.tip.clone())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        Ok(self.blocks.get(hash).cloned())
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        Ok(self.undos.get(hash).cloned())
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        Ok(self.coins.get(outpoint).cloned())
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        for hash in batch.headers_removed {
            self.headers.remove(&hash);
        }
        self.headers.extend(
            batch
                .headers
                .into_iter()
                .map(|stored| (stored.header.hash(), stored)),
        );
        self.blocks.extend(batch.blocks);
        self.undos.extend(batch.undos);
        for (outpoint, coin) in batch.coins {
            match coin {
                Some(coin) => self.coins.insert(outpoint, coin),
                None => self.coins.remove(&outpoint),
            };
        }
        if batch.tip.is_some() {
            self.tip = batch.tip;
        }
        Ok(())
    }
}
