//! Ways through the tree.

use super::{Entry, Index, Tree};
use crate::block::Header;
use crate::hash::BlockHash;
use crate::height::Height;
use crate::rules::header::{MEDIAN_TIME_SPAN, median_time};
use crate::time::UnixSeconds;

/// Hashes of a locator that follow each other without gaps.
const LOCATOR_DENSE: usize = 10;
/// Hashes of a locator at most; doubling steps end far before.
const LOCATOR_MAX: usize = 101;

impl Tree {
    /// The block below.
    #[must_use]
    pub fn parent(&self, entry: &Entry) -> Option<&Entry> {
        entry.parent.map(|index| self.at(index))
    }

    /// The block at `height` on the way from `hash` down to the genesis block;
    /// `None` if that is above it.
    #[must_use]
    pub fn ancestor(&self, hash: &BlockHash, height: Height) -> Option<&Entry> {
        let index = self.index_of(hash)?;
        (height <= self.at(index).height).then(|| self.at(self.walk_down(index, height)))
    }

    /// Whether `ancestor` lies on the way from `descendant` to the genesis
    /// block; a block lies on its own way.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: &BlockHash, descendant: &BlockHash) -> bool {
        self.get(ancestor).is_some_and(|entry| {
            self.ancestor(descendant, entry.height)
                .is_some_and(|found| found.hash == *ancestor)
        })
    }

    /// The highest block below or at both.
    #[must_use]
    pub fn fork_point(&self, left: &BlockHash, right: &BlockHash) -> Option<&Entry> {
        let fork = self.fork_of(self.index_of(left)?, self.index_of(right)?);
        Some(self.at(fork))
    }

    /// Hashes from `from` down to the genesis block, the first ten in a row
    /// and then with doubling gaps, by which a peer finds where its chain
    /// leaves ours. Empty for an unknown hash.
    #[must_use]
    pub fn locator(&self, from: &BlockHash) -> Vec<BlockHash> {
        let mut locator = Vec::new();
        let Some(mut index) = self.index_of(from) else {
            return locator;
        };
        let mut step = 1;
        while locator.len() + 1 < LOCATOR_MAX {
            let entry = self.at(index);
            locator.push(entry.hash);
            let Some(below) = entry.height.checked_sub(step) else {
                break;
            };
            index = self.walk_down(index, below);
            if locator.len() >= LOCATOR_DENSE {
                step = step.saturating_mul(2);
            }
        }
        if locator.last() != Some(&self.genesis().hash) {
            locator.push(self.genesis().hash);
        }
        locator
    }

    /// The headers that a peer with this locator lacks of the branch that
    /// ends in `tip`: those above the first of its hashes that lies on the
    /// branch (the genesis block if none does), lowest first, up to and with
    /// `stop`, `max` of them at most.
    #[must_use]
    pub fn headers_after(
        &self,
        tip: &BlockHash,
        locator: &[BlockHash],
        stop: &BlockHash,
        max: usize,
    ) -> Vec<Header> {
        let Some(tip) = self.get(tip) else {
            return Vec::new();
        };
        let shared = locator
            .iter()
            .filter_map(|hash| self.get(hash))
            .find(|entry| self.is_ancestor(&entry.hash, &tip.hash))
            .unwrap_or_else(|| self.genesis());
        let mut headers = Vec::new();
        let heights = shared.height.to_u32() + 1..=tip.height.to_u32();
        for height in heights.take(max) {
            let Some(entry) = self.ancestor(&tip.hash, Height(height)) else {
                break;
            };
            headers.push(entry.header);
            if entry.hash == *stop {
                break;
            }
        }
        headers
    }

    /// The median time of a block and the ten below it, which the next
    /// block's time must exceed.
    #[must_use]
    pub fn median_time_past(&self, hash: &BlockHash) -> Option<UnixSeconds> {
        Some(self.median_time_at(self.index_of(hash)?))
    }

    pub(crate) fn median_time_at(&self, index: Index) -> UnixSeconds {
        let times = self.way_down(index).take(MEDIAN_TIME_SPAN);
        median_time(times.map(|index| self.at(index).header.time).collect())
    }

    /// An entry, its parent, and so on to the genesis block.
    pub(crate) fn way_down(&self, from: Index) -> impl Iterator<Item = Index> {
        std::iter::successors(Some(from), |index| self.at(*index).parent)
    }

    /// The ancestor at `height`; the entry itself if it is not above that.
    pub(crate) fn walk_down(&self, from: Index, height: Height) -> Index {
        let mut index = from;
        loop {
            let entry = self.at(index);
            let Some(parent) = entry.parent.filter(|_| entry.height > height) else {
                return index;
            };
            let is_skip_short = self.at(entry.skip).height >= height;
            index = if is_skip_short { entry.skip } else { parent };
        }
    }

    pub(crate) fn fork_of(&self, left: Index, right: Index) -> Index {
        let height = self.at(left).height.min(self.at(right).height);
        let mut left = self.walk_down(left, height);
        let mut right = self.walk_down(right, height);
        while left != right {
            // Entries of one height skip to one height.
            let (below_left, below_right) = (self.at(left), self.at(right));
            let (parent_left, parent_right) = (below_left.parent, below_right.parent);
            (left, right) = if below_left.skip != below_right.skip {
                (below_left.skip, below_right.skip)
            } else {
                (
                    parent_left.unwrap_or(self.genesis),
                    parent_right.unwrap_or(self.genesis),
                )
            };
        }
        left
    }
}

/// Where the skip link of an entry at `height` leads: as in Bitcoin Core's
/// `GetSkipHeight`, lower heights with few bits set, so that any ancestor is
/// some hundred steps away at most.
pub(super) const fn skip_height(height: Height) -> Height {
    let height = height.to_u32();
    Height(if height < 2 {
        0
    } else if height & 1 == 1 {
        clear_lowest_bit(clear_lowest_bit(height - 1)) + 1
    } else {
        clear_lowest_bit(height)
    })
}

const fn clear_lowest_bit(number: u32) -> u32 {
    number & number.wrapping_sub(1)
}
