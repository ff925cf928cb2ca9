//! Batches that wait for a commit, merged into one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::Encode;
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{Batch, StoredHeader, StoredTip};
use minichain_chain::transaction::OutPoint;

/// About what a coin or header costs in memory, with the map around it.
const ENTRY_BYTES: usize = 200;

/// What waits for a coin.
#[derive(Clone, Debug)]
struct CoinChange {
    coin: Option<Coin>,
    /// The disk does not have it, so spending it leaves nothing to be done.
    is_fresh: bool,
}

/// The sum of some batches: for every key the last value, none where the last
/// batch removed it.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    headers: BTreeMap<BlockHash, Option<StoredHeader>>,
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    undos: BTreeMap<BlockHash, Undo>,
    coins: BTreeMap<OutPoint, CoinChange>,
    tip: Option<StoredTip>,
    block_bytes: usize,
}

impl Pending {
    /// Adds a batch behind the others.
    pub fn add(&mut self, batch: Batch) {
        for hash in batch.headers_removed {
            self.headers.insert(hash, None);
        }
        for stored in batch.headers {
            self.headers.insert(stored.header.hash(), Some(stored));
        }
        for (hash, block) in batch.blocks {
            self.block_bytes += block.encoded_len();
            self.blocks.insert(hash, block);
        }
        for (hash, undo) in batch.undos {
            self.block_bytes += undo.encoded_len();
            self.undos.insert(hash, undo);
        }
        for (outpoint, coin) in batch.coins {
            self.change_coin(outpoint, coin);
        }
        if batch.tip.is_some() {
            self.tip = batch.tip;
        }
    }

    /// The chain makes only coins that are not there, so what is made while
    /// nothing waits for it is new to the disk as well.
    fn change_coin(&mut self, outpoint: OutPoint, coin: Option<Coin>) {
        match self.coins.entry(outpoint) {
            Entry::Vacant(place) => {
                let is_fresh = coin.is_some();
                place.insert(CoinChange { coin, is_fresh });
            }
            Entry::Occupied(place) if place.get().is_fresh && coin.is_none() => {
                place.remove();
            }
            Entry::Occupied(mut place) => place.get_mut().coin = coin,
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
            && self.blocks.is_empty()
            && self.undos.is_empty()
            && self.coins.is_empty()
            && self.tip.is_none()
    }

    /// Block bodies that wait.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// About how much memory is held.
    pub fn bytes(&self) -> usize {
        self.block_bytes + ENTRY_BYTES * (self.coins.len() + self.headers.len())
    }

    /// Puts waiting headers over those of the disk.
    pub fn overlay_headers(&self, headers: &mut BTreeMap<BlockHash, StoredHeader>) {
        for (hash, change) in &self.headers {
            match change {
                Some(stored) => headers.insert(*hash, *stored),
                None => headers.remove(hash),
            };
        }
    }

    /// The waiting tip.
    pub fn tip(&self) -> Option<&StoredTip> {
        self.tip.as_ref()
    }

    /// A waiting block.
    pub fn block(&self, hash: &BlockHash) -> Option<&Arc<Block>> {
        self.blocks.get(hash)
    }

    /// Waiting undo data.
    pub fn undo(&self, hash: &BlockHash) -> Option<&Undo> {
        self.undos.get(hash)
    }

    /// A waiting change of a coin: made, or spent (`Some(None)`).
    pub fn coin(&self, outpoint: &OutPoint) -> Option<&Option<Coin>> {
        self.coins.get(outpoint).map(|change| &change.coin)
    }

    /// All waiting headers.
    pub fn all_headers(&self) -> impl Iterator<Item = (&BlockHash, &Option<StoredHeader>)> {
        self.headers.iter()
    }

    /// All waiting blocks.
    pub fn all_blocks(&self) -> impl Iterator<Item = (&BlockHash, &Arc<Block>)> {
        self.blocks.iter()
    }

    /// All waiting undo data.
    pub fn all_undos(&self) -> impl Iterator<Item = (&BlockHash, &Undo)> {
        self.undos.iter()
    }

    /// All waiting changes of coins.
    pub fn all_coins(&self) -> impl Iterator<Item = (&OutPoint, &Option<Coin>)> {
        let coins = self.coins.iter();
        coins.map(|(outpoint, change)| (outpoint, &change.coin))
    }
}
