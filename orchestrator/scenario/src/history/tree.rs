//! Every block that some node was seen to have, linked to its parent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::world::BlockFact;

/// Blocks a tree holds at most; what a world tells beyond is refused.
pub const BLOCKS_MAX: usize = 200_000;
/// Digits of a work value.
const WORK_DIGITS: usize = 64;

/// A block, and when it was first heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What is known of it.
    pub fact: BlockFact,
    /// When the first look told it, milliseconds on the world's clock.
    pub seen_at_ms: u64,
    parent: Option<usize>,
}

/// Blocks by hash; parents stand before children.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    blocks: Vec<Block>,
    places: BTreeMap<String, usize>,
}

/// Why a block was not taken in, as a fragment that fits after "block 00ab: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Its parent was not told before it.
    #[error("its parent {0} was never told")]
    UnknownParent(String),
    /// Its height is not one more than its parent's.
    #[error("its height is {told}, its parent's makes it {must}")]
    WrongHeight {
        /// As told.
        told: u32,
        /// As its parent says.
        must: u32,
    },
    /// Its work is no number of 64 hexadecimal digits, or not above its parent's.
    #[error("its work `{0}` is not 64 hexadecimal digits above its parent's")]
    BadWork(String),
    /// The tree is full.
    #[error("more than {BLOCKS_MAX} blocks; what comes later is not judged")]
    Full,
}

impl Tree {
    /// Takes a block in. One that is known already changes nothing.
    ///
    /// # Errors
    /// A block that does not fit, or a full tree.
    pub fn insert(&mut self, fact: &BlockFact, at_ms: u64) -> Result<(), TreeError> {
        if self.places.contains_key(&fact.hash) {
            return Ok(());
        }
        if self.blocks.len() >= BLOCKS_MAX {
            return Err(TreeError::Full);
        }
        let parent = self.parent_of(fact)?;
        self.places.insert(fact.hash.clone(), self.blocks.len());
        self.blocks.push(Block {
            fact: fact.clone(),
            seen_at_ms: at_ms,
            parent,
        });
        Ok(())
    }

    /// The block of that hash.
    pub fn get(&self, hash: &str) -> Option<&Block> {
        self.places.get(hash).map(|place| &self.blocks[*place])
    }

    /// All blocks, parents before children.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block and its ancestors, from it down to its root; empty if it is
    /// unknown.
    pub fn chain<'a>(&'a self, hash: &str) -> impl Iterator<Item = &'a Block> + use<'a> {
        let first = self.places.get(hash).copied();
        std::iter::successors(first, |place| self.blocks[*place].parent)
            .map(|place| &self.blocks[place])
    }

    /// The block of the chain that ends in `tip` at that height.
    pub fn at_height(&self, tip: &str, height: u32) -> Option<&Block> {
        self.chain(tip)
            .take_while(|block| block.fact.height >= height)
            .find(|block| block.fact.height == height)
    }

    /// Whether `low` stands on the chain that ends in `high`; a block is its
    /// own ancestor.
    pub fn is_ancestor(&self, low: &str, high: &str) -> bool {
        let Some(low) = self.get(low) else {
            return false;
        };
        self.at_height(high, low.fact.height)
            .is_some_and(|block| block.fact.hash == low.fact.hash)
    }

    /// The highest block that stands on both chains. `None` if one is unknown
    /// or they have different roots.
    pub fn common_ancestor(&self, a: &str, b: &str) -> Option<&Block> {
        let height = self.get(a)?.fact.height.min(self.get(b)?.fact.height);
        let lower = |tip| self.chain(tip).skip_while(|x| x.fact.height > height);
        lower(a)
            .zip(lower(b))
            .find(|(a, b)| a.fact.hash == b.fact.hash)
            .map(|(a, _)| a)
    }

    /// The highest block that stands on all these chains; where there is more
    /// than one branch, this is where they fork.
    pub fn fork_point<'a>(&self, tips: impl IntoIterator<Item = &'a str>) -> Option<&Block> {
        let mut tips = tips.into_iter();
        let first = self.get(tips.next()?)?;
        tips.try_fold(first, |common, tip| {
            self.common_ancestor(&common.fact.hash, tip)
        })
    }

    /// The block with most work among these; the first of equals.
    pub fn heaviest<'a>(&self, tips: impl IntoIterator<Item = &'a str>) -> Option<&Block> {
        let known = tips.into_iter().filter_map(|tip| self.get(tip));
        known.reduce(|best, next| {
            if next.fact.work > best.fact.work {
                next
            } else {
                best
            }
        })
    }

    /// Blocks above `ancestor` up to `tip`, lowest first; empty if `ancestor`
    /// is none of its ancestors.
    pub fn branch(&self, ancestor: &str, tip: &str) -> Vec<&Block> {
        if !self.is_ancestor(ancestor, tip) {
            return Vec::new();
        }
        let mut above: Vec<&Block> = self
            .chain(tip)
            .take_while(|block| block.fact.hash != ancestor)
            .collect();
        above.reverse();
        above
    }

    /// Blocks that no other builds on, in the order they were heard of.
    pub fn leaves(&self) -> Vec<&Block> {
        let parents: BTreeSet<usize> = self.blocks.iter().filter_map(|x| x.parent).collect();
        let leaves = (0..self.blocks.len()).filter(|place| !parents.contains(place));
        leaves.map(|place| &self.blocks[place]).collect()
    }

    /// Blocks above height `from` that do not stand on the chain that ends in
    /// `tip`, at most as high as it.
    pub fn stale(&self, tip: &str, from: u32) -> Vec<&Block> {
        let canonical: BTreeSet<&str> = self.chain(tip).map(|x| x.fact.hash.as_str()).collect();
        let top = self.get(tip).map_or(0, |block| block.fact.height);
        let in_reach = |block: &&Block| (from.saturating_add(1)..=top).contains(&block.fact.height);
        self.blocks
            .iter()
            .filter(in_reach)
            .filter(|block| !canonical.contains(block.fact.hash.as_str()))
            .collect()
    }

    fn parent_of(&self, fact: &BlockFact) -> Result<Option<usize>, TreeError> {
        let bad_work = || TreeError::BadWork(fact.work.chars().take(80).collect());
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if fact.work.len() != WORK_DIGITS || !fact.work.bytes().all(is_hex) {
            return Err(bad_work());
        }
        let Some(parent) = &fact.parent else {
            return Ok(None);
        };
        let Some(place) = self.places.get(parent) else {
            return Err(TreeError::UnknownParent(parent.clone()));
        };
        let below = &self.blocks[*place].fact;
        let must = below.height.saturating_add(1);
        if fact.height != must {
            let told = fact.height;
            return Err(TreeError::WrongHeight { told, must });
        }
        if fact.work <= below.work {
            return Err(bad_work());
        }
        Ok(Some(*place))
    }
}

#[cfg(test)]
mod tests;
