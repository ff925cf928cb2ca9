//! The bound on headers off the best branch.

use std::collections::BTreeSet;

use super::{Index, Tree};
use crate::hash::BlockHash;
use crate::height::Height;
use crate::pow::Chainwork;

/// Side headers always allowed.
const SIDE_HEADERS_MIN: usize = 10_000;

/// How many headers without a body are kept off the best branch: 10,000 and
/// as many as the best branch is long. Their work may be cheap (it is, near
/// the genesis block), so without a bound a peer could fill our memory. A
/// branch that overtakes ours after any cut has about as many blocks as ours.
#[must_use]
pub fn side_headers_max(best: Height) -> usize {
    SIDE_HEADERS_MIN.saturating_add(best.to_u32() as usize)
}

/// What the last look at all headers has shown, so that not every header of a
/// flood is worth another look.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    /// Headers off the best branch whose body was here.
    side_bodies: usize,
    /// While the bound is reached, a branch that ends in less work than this
    /// has less than all others.
    work_min: Chainwork,
}

impl Tree {
    /// Keeps the bound after `newest` came: forgets the ends of side branches
    /// that have the least work, a tenth of the bound at once. Blocks whose
    /// body was stored stay and do not count, their bodies being the costlier
    /// part; callers bound those. Returns what was forgotten, maybe `newest`
    /// itself.
    pub(crate) fn prune(&mut self, newest: Index) -> Vec<BlockHash> {
        let max = side_headers_max(self.best_header().height);
        if self.side_len().saturating_sub(self.seen.side_bodies) <= max {
            return Vec::new();
        }
        if self.may_be_forgotten(newest) && self.at(newest).chainwork < self.seen.work_min {
            return vec![self.forget(newest)];
        }
        let mut bare = self.side_len_without_body();
        self.seen = Seen {
            side_bodies: self.side_len().saturating_sub(bare),
            work_min: Chainwork::ZERO,
        };
        if bare <= max {
            return Vec::new();
        }
        let floor = max - max / 10;
        let mut ends: BTreeSet<_> = (self.by_hash.values())
            .filter(|index| self.may_be_forgotten(**index))
            .map(|index| (self.at(*index).chainwork, *index))
            .collect();
        let mut forgotten = Vec::new();
        while bare > floor {
            let Some((_, end)) = ends.pop_first() else {
                break;
            };
            if end == newest {
                // All others have more work, so it alone has to go; its
                // ancestors fitted before.
                if bare > max {
                    forgotten.push(self.forget(end));
                    let next = ends.first().map(|(work, _)| *work);
                    self.seen.work_min = next.unwrap_or_default();
                }
                break;
            }
            let parent = self.at(end).parent;
            forgotten.push(self.forget(end));
            bare -= 1;
            if let Some(parent) = parent.filter(|parent| self.may_be_forgotten(*parent)) {
                ends.insert((self.at(parent).chainwork, parent));
            }
        }
        forgotten
    }

    /// Headers off the best branch.
    fn side_len(&self) -> usize {
        self.len() - (self.best_header().height.to_u32() as usize + 1)
    }

    /// Headers off the best branch whose body is not here.
    fn side_len_without_body(&self) -> usize {
        let is_bare = |index: &Index| !self.at(*index).status.has_body();
        let all = self.by_hash.values().filter(|index| is_bare(index)).count();
        all - self.way_down(self.best_header).filter(is_bare).count()
    }

    fn may_be_forgotten(&self, index: Index) -> bool {
        let entry = self.at(index);
        entry.children.is_empty()
            && !entry.status.has_body()
            && index != self.best_header
            && index != self.genesis
    }

    fn forget(&mut self, end: Index) -> BlockHash {
        let (hash, parent) = (self.at(end).hash, self.at(end).parent);
        if let Some(parent) = parent {
            self.at_mut(parent).children.retain(|child| *child != end);
        }
        self.by_hash.remove(&hash);
        self.entries.remove(end);
        hash
    }
}
