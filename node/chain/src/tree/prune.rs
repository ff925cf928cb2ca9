//! The bound on headers off the best branch.

use std::collections::BTreeSet;

use super::{Index, Tree};
use crate::hash::BlockHash;
use crate::height::Height;

/// Side headers always allowed.
const SIDE_HEADERS_MIN: usize = 10_000;

/// How many headers off the best branch are kept: 10,000 and as many as the
/// best branch is long. Their work may be cheap (it is, near the genesis
/// block), so without a bound a peer could fill our memory. A branch that
/// overtakes ours after any cut has about as many blocks as ours.
#[must_use]
pub fn side_headers_max(best: Height) -> usize {
    SIDE_HEADERS_MIN.saturating_add(best.to_u32() as usize)
}

impl Tree {
    /// Keeps the bound after `newest` came: forgets the ends of side branches
    /// that have the least work, a tenth of the bound at once. Blocks whose
    /// body was stored stay, their bodies being the costlier part; callers
    /// bound those. Returns what was forgotten, maybe `newest` itself.
    pub(crate) fn prune(&mut self, newest: Index) -> Vec<BlockHash> {
        let max = side_headers_max(self.best_header().height);
        if self.side_len() <= max {
            return Vec::new();
        }
        let floor = max - max / 10;
        let mut ends: BTreeSet<_> = (self.by_hash.values())
            .filter(|index| self.may_be_forgotten(**index))
            .map(|index| (self.at(*index).chainwork, *index))
            .collect();
        let mut forgotten = Vec::new();
        while self.side_len() > floor {
            let Some((_, end)) = ends.pop_first() else {
                break;
            };
            if end == newest {
                // All others have more work, so it alone has to go; its
                // ancestors fitted before.
                if self.side_len() > max {
                    forgotten.push(self.forget(end));
                }
                break;
            }
            let parent = self.at(end).parent;
            forgotten.push(self.forget(end));
            if let Some(parent) = parent.filter(|parent| self.may_be_forgotten(*parent)) {
                ends.insert((self.at(parent).chainwork, parent));
            }
        }
        forgotten
    }

    /// Headers off the best branch.
    pub(crate) fn side_len(&self) -> usize {
        self.len() - (self.best_header().height.to_u32() as usize + 1)
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
