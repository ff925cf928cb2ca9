//! Changes to the coins that the store does not have yet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Coin, Digest, DigestChange, SignatureVerifier, muhash_element};
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
    /// Their digest.
    pub muhash: Digest,
}

impl CoinStats {
    /// Counts one more unspent output.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the sum of all outputs overflows, which no
    /// valid chain can cause.
    pub fn add(&mut self, outpoint: &OutPoint, coin: &Coin) -> Result<(), StoreError> {
        self.count_one(coin)?;
        self.muhash.insert(&muhash_element(outpoint, coin));
        Ok(())
    }

    /// Counts one unspent output less.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the counts do not match the coins.
    pub fn remove(&mut self, outpoint: &OutPoint, coin: &Coin) -> Result<(), StoreError> {
        self.discount_one(coin)?;
        self.muhash.remove(&muhash_element(outpoint, coin));
        Ok(())
    }

    fn count_one(&mut self, coin: &Coin) -> Result<(), StoreError> {
        let total = self.total.checked_add(coin.output.value);
        self.total = total.ok_or_else(|| miscounted("sum"))?;
        self.count += 1;
        Ok(())
    }

    fn discount_one(&mut self, coin: &Coin) -> Result<(), StoreError> {
        let total = self.total.checked_sub(coin.output.value);
        self.total = total.ok_or_else(|| miscounted("sum"))?;
        let count = self.count.checked_sub(1);
        self.count = count.ok_or_else(|| miscounted("count"))?;
        Ok(())
    }
}

/// A coin that changed.
#[derive(Debug)]
struct Change {
    /// What the store has.
    before: Option<Coin>,
    after: Option<Coin>,
}

/// The store's coins with changes on top. Drop it, and nothing happened.
#[derive(Debug)]
pub struct Overlay<'a, S> {
    store: &'a S,
    changes: BTreeMap<OutPoint, Change>,
    /// Digest as of the store.
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
            Some(change) => Ok(change.after.clone()),
            None => self.store.coin(outpoint),
        }
    }

    /// Adds an unspent output, which is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the sum of all outputs overflows, which no
    /// valid chain can cause.
    pub fn add(&mut self, outpoint: OutPoint, coin: Coin) -> Result<(), StoreError> {
        self.stats.count_one(&coin)?;
        let change = self.changes.entry(outpoint).or_insert(Change {
            before: None,
            after: None,
        });
        change.after = Some(coin);
        Ok(())
    }

    /// Takes an unspent output away and returns it; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`], also if the store's counts do not match its coins.
    pub fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        let taken = match self.changes.entry(*outpoint) {
            Entry::Occupied(mut change) => change.get_mut().after.take(),
            Entry::Vacant(place) => {
                let before = self.store.coin(outpoint)?;
                if before.is_some() {
                    place.insert(Change {
                        before: before.clone(),
                        after: None,
                    });
                }
                before
            }
        };
        if let Some(coin) = &taken {
            self.stats.discount_one(coin)?;
        }
        Ok(taken)
    }

    /// How many coins it remembers changes of, those included that are as
    /// they were again.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// The store the overlay lies on.
    pub const fn store(&self) -> &'a S {
        self.store
    }

    /// The changes, as [`crate::store::Batch::coins`] takes them, and the size
    /// of the changed set, whose digest `verifier` helps to compute.
    #[must_use]
    pub fn into_changes(
        self,
        verifier: &dyn SignatureVerifier,
    ) -> (BTreeMap<OutPoint, Option<Coin>>, CoinStats) {
        let mut stats = self.stats;
        stats
            .muhash
            .add(verifier.digest(digest_changes(&self.changes)));
        let changes = self.changes.into_iter();
        let changes = changes.filter(|(_, change)| change.before != change.after);
        let changes = changes.map(|(outpoint, change)| (outpoint, change.after));
        (changes.collect(), stats)
    }
}

/// Coins that came and went inside the overlay, or went and came back, leave
/// the digest alone.
fn digest_changes(changes: &BTreeMap<OutPoint, Change>) -> Vec<DigestChange> {
    let mut elements = Vec::with_capacity(changes.len());
    for (outpoint, change) in changes {
        if change.before == change.after {
            continue;
        }
        if let Some(coin) = &change.before {
            elements.push(DigestChange::coin_went(outpoint, coin));
        }
        if let Some(coin) = &change.after {
            elements.push(DigestChange::coin_came(outpoint, coin));
        }
    }
    elements
}

fn miscounted(what: &str) -> StoreError {
    StoreError::corrupt(format!(
        "the stored {what} of unspent outputs does not match them"
    ))
}
