//! The chain: headers in, blocks in, the most-work valid branch out.
//!
//! Every change goes to the store as whole batches, the coins together with
//! the tip they belong to, so a crash at any moment leaves a state the chain
//! was once in. After an `Err` the store is broken and the state must be
//! dropped and opened again.

mod accept;
mod activate;
mod formed;
mod moved;
mod open;
mod place;
mod rewind;
mod steer;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::accept::{Acceptance, HeaderAcceptance};
pub use self::activate::{LEG_COINS, STEP_BLOCKS};
pub use self::formed::FormedBlock;
pub use self::moved::{Change, Moved};
pub use self::open::OpenError;
pub use self::rewind::Rewind;
pub use self::steer::SteerError;

use crate::amount::Amount;
use crate::block::{Block, Header};
use crate::coins::{Coin, CoinStats, SignatureVerifier};
use crate::hash::BlockHash;
use crate::height::Height;
use crate::params::Params;
use crate::pow::{Chainwork, CompactTarget};
use crate::store::{Store, StoreError};
use crate::transaction::{Names, OutPoint};
use crate::tree::{Entry, Index, Tree};

/// The chain and where it is kept.
#[derive(Debug, Clone)]
pub struct State<S> {
    params: Params,
    store: S,
    tree: Tree,
    /// The active chain by height; the last one is the tip.
    active: Vec<Index>,
    /// Connectable blocks with more work than the tip.
    candidates: BTreeSet<Candidate>,
    /// Of the coins at the tip.
    coins: CoinStats,
    next_sequence: u64,
    /// See [`LEG_COINS`].
    leg_coins: usize,
    /// A mistake on purpose, for tests of the simulator.
    last_seen_wins: bool,
    verifier: Arc<dyn SignatureVerifier>,
    /// The names of the transactions of the block that just came, which its form
    /// was checked with; connecting it needs them again.
    last_named: Option<(BlockHash, Vec<Names>)>,
}

/// Ordered from worst to best: more work is better, then what came first.
type Candidate = (Chainwork, Reverse<u64>, Index);

/// The set of unspent outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UtxoInfo {
    /// Height of the tip.
    pub height: Height,
    /// Hash of the tip.
    pub hash: BlockHash,
    /// Number of unspent outputs.
    pub count: u64,
    /// Their sum.
    pub total: Amount,
    /// Their digest, in the byte order of SHA-256; Bitcoin Core shows it
    /// reversed.
    pub muhash: [u8; 32],
}

impl<S: Store> State<S> {
    /// The network's rules.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// Where the chain is kept.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Where the chain is kept, for commits. Do not write batches to it.
    pub const fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Every header known.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Chooses who checks signatures, instead of one after the other.
    pub fn set_verifier(&mut self, verifier: Box<dyn SignatureVerifier>) {
        self.verifier = verifier.into();
    }

    /// Who checks signatures.
    #[must_use]
    pub fn verifier(&self) -> &dyn SignatureVerifier {
        self.verifier.as_ref()
    }

    /// The top of the active chain: every block up to it is fully valid.
    pub fn tip(&self) -> &Entry {
        self.tree.at(self.tip_index())
    }

    /// The block of the active chain at a height.
    pub fn active_at(&self, height: Height) -> Option<BlockHash> {
        let index = self.active.get(height.to_u32() as usize)?;
        Some(self.tree.at(*index).hash)
    }

    /// Whether a block is part of the active chain.
    pub fn is_active(&self, hash: &BlockHash) -> bool {
        self.tree
            .get(hash)
            .is_some_and(|entry| self.active_at(entry.height) == Some(*hash))
    }

    /// Headers of the active chain that a peer with this locator lacks; see
    /// [`Tree::headers_after`].
    pub fn headers_after(
        &self,
        locator: &[BlockHash],
        stop: &BlockHash,
        max: usize,
    ) -> Vec<Header> {
        self.tree
            .headers_after(&self.tip().hash, locator, stop, max)
    }

    /// A block, active or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        self.store.block(hash)
    }

    /// An output unspent at the tip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        self.store.coin(outpoint)
    }

    /// Bits of a block on top of `parent`; the initial ones for an unknown
    /// parent.
    pub fn next_bits(&self, parent: &BlockHash) -> CompactTarget {
        match self.tree.index_of(parent) {
            Some(parent) => place::next_bits(&self.params, &self.tree, parent),
            None => self.params.initial_bits(),
        }
    }

    /// Bodies still needed to reach the best header, lowest first, `max` of
    /// them at most.
    pub fn missing_bodies(&self, max: usize) -> Vec<BlockHash> {
        let best = self.tree.best_header();
        let Some(fork) = self.tree.fork_point(&self.tip().hash, &best.hash) else {
            return Vec::new();
        };
        (fork.height.to_u32() + 1..=best.height.to_u32())
            .filter_map(|height| self.tree.ancestor(&best.hash, Height(height)))
            .filter(|entry| !entry.status.has_body())
            .map(|entry| entry.hash)
            .take(max)
            .collect()
    }

    /// The unspent outputs at the tip. Finishing the digest takes some
    /// milliseconds.
    pub fn utxo_info(&self) -> UtxoInfo {
        let tip = self.tip();
        utxo_info((tip.height, tip.hash), &self.coins)
    }

    /// Size of the set of unspent outputs at the tip, digest unfinished.
    pub const fn coin_stats(&self) -> &CoinStats {
        &self.coins
    }

    fn tip_index(&self) -> Index {
        // The genesis block is always active.
        self.active
            .last()
            .copied()
            .unwrap_or(self.tree.genesis_index())
    }

    fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }
}

fn utxo_info((height, hash): (Height, BlockHash), stats: &CoinStats) -> UtxoInfo {
    UtxoInfo {
        height,
        hash,
        count: stats.count,
        total: stats.total,
        muhash: stats.muhash.finished().digest(),
    }
}
