//! Where blocks and coins are kept.
//!
//! The chain reads through [`Store`] and writes only whole [`Batch`]es. A
//! store that keeps what it was given before a crash, batch by batch in order,
//! always opens to a state the chain was once in.

mod memory;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::memory::MemoryStore;
pub use self::records::{Status, StoredHeader, StoredTip};

use crate::block::Block;
use crate::coins::{Coin, Undo};
use crate::hash::BlockHash;
use crate::transaction::OutPoint;

/// The store broke. The chain stops; nothing a peer sends causes this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// What was read cannot have been written. Whoever opened the store knows
    /// what to remove to start afresh.
    #[error("the store is corrupt: {what}")]
    Corrupt {
        /// What does not fit.
        what: String,
    },
    /// The device below failed.
    #[error("the store failed: {what}")]
    Io {
        /// What the device said.
        what: String,
    },
}

impl StoreError {
    /// [`StoreError::Corrupt`].
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// [`StoreError::Io`].
    pub fn io(what: impl Into<String>) -> Self {
        Self::Io { what: what.into() }
    }
}

/// Where blocks and coins are kept. Synchronous; the chain has one owner.
pub trait Store {
    /// Every header, in the order of [`StoredHeader::sequence`]. Read once,
    /// on opening.
    ///
    /// # Errors
    /// [`StoreError`].
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError>;

    /// The tip that the coins belong to; `None` for a new store.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tip(&self) -> Result<Option<StoredTip>, StoreError>;

    /// A block.
    ///
    /// # Errors
    /// [`StoreError`].
    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError>;

    /// What takes a once connected block off again.
    ///
    /// # Errors
    /// [`StoreError`].
    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError>;

    /// An unspent output.
    ///
    /// # Errors
    /// [`StoreError`].
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError>;

    /// Writes a batch; reads see it at once. Batches become durable in order
    /// and each as a whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`].
    fn apply(&mut self, batch: Batch) -> Result<(), StoreError>;
}

/// Changes that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Headers that are new or whose record changed, by hash.
    pub headers: Vec<StoredHeader>,
    /// Headers to forget: side branches of headers with too little work.
    pub headers_removed: Vec<BlockHash>,
    /// New blocks.
    pub blocks: Vec<(BlockHash, Arc<Block>)>,
    /// Undo data of newly connected blocks.
    pub undos: Vec<(BlockHash, Undo)>,
    /// Coins that came (`Some`) or went (`None`). One that came was not in the
    /// store; one that went may never have been.
    pub coins: BTreeMap<OutPoint, Option<Coin>>,
    /// The new tip, if it moved.
    pub tip: Option<StoredTip>,
}
