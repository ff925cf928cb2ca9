//! The blocks of a change, however many they are, in bounded memory.

use std::sync::Arc;

use super::State;
use super::activate::{STEP_BLOCKS, STEP_BYTES};
use crate::block::Block;
use crate::codec::Encode;
use crate::hash::BlockHash;
use crate::rules::block::BlockError;
use crate::store::{Store, StoreError};

/// A block that left the active chain or joined it. A change of thousands of
/// blocks has only the bodies of its first ones at hand; the others are read
/// when they are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    hash: BlockHash,
    body: Option<Arc<Block>>,
}

impl Moved {
    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> BlockHash {
        self.hash
    }

    /// The block, from `state`'s store if it is not at hand.
    ///
    /// # Errors
    /// [`StoreError`], also if the store does not have it.
    pub fn block<S: Store>(&self, state: &State<S>) -> Result<Arc<Block>, StoreError> {
        match &self.body {
            Some(body) => Ok(Arc::clone(body)),
            None => state.stored_block(&self.hash),
        }
    }

    const fn new(hash: BlockHash, block: Arc<Block>) -> Self {
        Self {
            hash,
            body: Some(block),
        }
    }

    fn body_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.encoded_len())
    }
}

impl From<Arc<Block>> for Moved {
    fn from(block: Arc<Block>) -> Self {
        Self::new(block.hash(), block)
    }
}

/// What became of the active chain in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Blocks that left, tip first.
    pub disconnected: Vec<Moved>,
    /// Blocks that joined, lowest first.
    pub connected: Vec<Moved>,
    /// Blocks that turned out invalid.
    pub rejected: Vec<(BlockHash, BlockError)>,
}

impl Change {
    /// Whether blocks joined, so that another step may follow.
    pub(super) const fn is_progress(&self) -> bool {
        !self.connected.is_empty()
    }
}

/// The moves so far on the way from one tip to another. A block that is taken
/// off and put on again, or the other way round, has not moved.
#[derive(Debug, Default)]
pub(super) struct Moves {
    off: Pile,
    on: Pile,
}

impl Moves {
    /// The topmost block was taken off.
    pub fn take_off(&mut self, hash: BlockHash, block: Arc<Block>) {
        self.moved_off(Moved::new(hash, block));
    }

    /// A block was put on top.
    pub fn put_on(&mut self, hash: BlockHash, block: Arc<Block>) {
        self.moved_on(Moved::new(hash, block));
    }

    /// Goes on where these end: first down, then up.
    pub fn append(&mut self, next: Self) {
        for moved in next.off.blocks {
            self.moved_off(moved);
        }
        for moved in next.on.blocks {
            self.moved_on(moved);
        }
    }

    fn moved_off(&mut self, moved: Moved) {
        if !self.on.pop(&moved.hash) {
            self.off.push(moved);
        }
    }

    fn moved_on(&mut self, moved: Moved) {
        if !self.on.blocks.is_empty() || !self.off.pop(&moved.hash) {
            self.on.push(moved);
        }
    }

    pub fn into_change(self, rejected: Vec<(BlockHash, BlockError)>) -> Change {
        Change {
            disconnected: self.off.blocks,
            connected: self.on.blocks,
            rejected,
        }
    }
}

/// Blocks, of which the first ones keep their bodies.
#[derive(Debug, Default)]
struct Pile {
    blocks: Vec<Moved>,
    /// Bytes of the bodies that were kept.
    bytes: usize,
}

impl Pile {
    fn push(&mut self, mut moved: Moved) {
        if self.blocks.len() < STEP_BLOCKS && self.bytes < STEP_BYTES {
            self.bytes += moved.body_bytes();
        } else {
            moved.body = None;
        }
        self.blocks.push(moved);
    }

    /// Takes the last block off if it is this one.
    fn pop(&mut self, hash: &BlockHash) -> bool {
        let last = self.blocks.pop_if(|last| last.hash == *hash);
        let bytes = last.as_ref().map(Moved::body_bytes);
        self.bytes -= bytes.unwrap_or_default();
        last.is_some()
    }
}
