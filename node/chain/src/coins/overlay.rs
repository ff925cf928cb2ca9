//! Changes to the coins that the store does not have yet.

use std::collections::BTreeMap;

use super::{Coin, MuHash3072, muhash_element};
use crate::amount::Amount;
use crate::store::{Store, StoreError};
use crate::transaction::OutPoint;

/// The size of the set of unspent outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoinStats {
    /// Number of unspent outputs.
    pub count: u64,
    /// Their sum.
    pub total: Amount,
    /// Their digest, not yet finished.
    pub muhash: MuHash3072,
}

impl CoinStats {
    /// Counts one more unspent output.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the sum of all outputs overflows, which no
    /// valid chain can cause.
    pub fn add(&mut self, outpoint: &OutPoint, coin: &Coin) -> Result<(), StoreError> {
        let total = self.total.checked_add(coin.output.value);
        self.total = total.ok_or_else(|| miscounted("sum"))?;
        self.count += 1;
        self.muhash.insert(&muhash_element(outpoint, coin));
        Ok(())
    }

    /// Counts one unspent output less.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the counts do not match the coins.
    pub fn remove(&mut self, outpoint: &OutPoint, coin: &Coin) -> Result<(), StoreError> {
        let total = self.total.checked_sub(coin.output.value);
        self.total = total.ok_or_else(|| miscounted("sum"))?;
        let count = self.count.checked_sub(1);
        self.count = count.ok_or_else(|| miscounted("count"))?;
        self.muhash.remove(&muhash_element(outpoint, coin));
        Ok(())
    }
}

/// The store's coins with changes on top. Drop it, and nothing happened.
#[derive(Debug)]
pub struct Overlay<'a, S> {
    store: &'a S,
    changes: BTreeMap<OutPoint, Option<Coin>>,
    stats: CoinStats,
}

impl<'a, S: Store> Overlay<'a, S> {
    /// No changes yet; `stats` are those of the store's coins.
    pub const fn new(store: &'a S, stats: CoinStats) -> Self {
        Self {
            store,
            changes: BTreeMap::new(),
            stats,
        }
    }

    /// The coin, if it is unspent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        match self.changes.get(outpoint) {
            Some(change) => Ok(change.clone()),
            None => self.store.coin(outpoint),
        }
    }

    /// Adds an unspent output.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the sum of all outputs overflows, which no
    /// valid chain can cause.
    pub fn add(&mut self, outpoint: OutPoint, coin: Coin) -> Result<(), StoreError> {
        self.stats.add(&outpoint, &coin)?;
        self.changes.insert(outpoint, Some(coin));
        Ok(())
    }

    /// Takes an unspent output away and returns it; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`], also if the store's counts do not match its coins.
    pub fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let Some(coin) = self.coin(outpoint)? else {
            return Ok(None);
        };
        self.stats.remove(outpoint, &coin)?;
        self.changes.insert(*outpoint, None);
        Ok(Some(coin))
    }

    /// The store the overlay lies on.
    pub const fn store(&self) -> &'a S {
        self.store
    }

    /// The changes, as [`crate::store::Batch::coins`] takes them, and the size
    /// of the changed set.
    #[must_use]
    pub fn into_changes(self) -> (BTreeMap<OutPoint, Option<Coin>>, CoinStats) {
        (self.changes, self.stats)
    }
}

fn miscounted(what: &str) -> StoreError {
    StoreError::corrupt(format!(
        "the stored {what} of unspent outputs does not match them"
    ))
}
