//! Every header known, linked to its parent, with the work behind it.
//!
//! The tree knows nothing of coins or bodies beyond each block's [`Status`].
//! Headers off the best branch are bounded: see [`side_headers_max`].

mod arena;
mod pardon;
mod prune;
mod walk;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use self::arena::Entries;
pub(crate) use self::arena::Index;
pub use self::prune::side_headers_max;
pub use crate::store::Status;

use crate::block::Header;
use crate::hash::BlockHash;
use crate::height::Height;
use crate::pow::{Chainwork, Target};
use crate::store::StoredHeader;

/// A header and its place.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its hash.
    pub hash: BlockHash,
    /// The header.
    pub header: Header,
    /// Blocks below it.
    pub height: Height,
    /// Work of all blocks from the genesis block to this one; the genesis
    /// block's counts as its bits say.
    pub chainwork: Chainwork,
    /// See [`StoredHeader::sequence`].
    pub sequence: u64,
    /// How far the block has come.
    pub status: Status,
    /// Whether the bodies of this block and of all its ancestors are here.
    pub is_connectable: bool,
    pub(crate) parent: Option<Index>,
    /// A far ancestor, for logarithmic walks.
    skip: Index,
    pub(crate) children: Vec<Index>,
}

impl Entry {
    /// What the store keeps of it.
    #[must_use]
    pub const fn to_stored(&self) -> StoredHeader {
        StoredHeader {
            header: self.header,
            sequence: self.sequence,
            status: self.status,
        }
    }
}

/// Every header known.
#[derive(Debug, Clone)]
pub struct Tree {
    entries: Entries,
    by_hash: BTreeMap<BlockHash, Index>,
    genesis: Index,
    best_header: Index,
    seen: prune::Seen,
}

impl Tree {
    /// A tree of one header, whose body is known and valid.
    pub(crate) fn new(genesis: &StoredHeader) -> Self {
        let mut entries = Entries::default();
        let hash = genesis.header.hash();
        let index = entries.insert(Entry {
            hash,
            header: genesis.header,
            height: Height::GENESIS,
            chainwork: work_of(&genesis.header),
            sequence: genesis.sequence,
            status: genesis.status,
            is_connectable: true,
            parent: None,
            skip: Index::FIRST,
            children: Vec::new(),
        });
        let by_hash = BTreeMap::from([(hash, index)]);
        Self {
            entries,
            by_hash,
            genesis: index,
            best_header: index,
            seen: prune::Seen::default(),
        }
    }

    /// The entry of a hash.
    #[must_use]
    pub fn get(&self, hash: &BlockHash) -> Option<&Entry> {
        self.by_hash.get(hash).map(|index| &self.entries[*index])
    }

    /// Whether the header is known.
    #[must_use]
    pub fn contains(&self, hash: &BlockHash) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// The first block.
    #[must_use]
    pub fn genesis(&self) -> &Entry {
        &self.entries[self.genesis]
    }

    /// The header with the most work that is not known to be invalid; among
    /// equals the one that came first.
    #[must_use]
    pub fn best_header(&self) -> &Entry {
        &self.entries[self.best_header]
    }

    /// Number of headers, the genesis header included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Never: the genesis header is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Every header, in the order of hashes.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.by_hash.values().map(|index| &self.entries[*index])
    }

    /// The ends of all branches, in the order of hashes.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Entry> {
        self.iter()
            .filter(|entry| entry.children.is_empty())
            .collect()
    }

    pub(crate) fn index_of(&self, hash: &BlockHash) -> Option<Index> {
        self.by_hash.get(hash).copied()
    }

    pub(crate) fn at(&self, index: Index) -> &Entry {
        &self.entries[index]
    }

    pub(crate) fn at_mut(&mut self, index: Index) -> &mut Entry {
        &mut self.entries[index]
    }

    pub(crate) const fn genesis_index(&self) -> Index {
        self.genesis
    }

    /// Links a new header, whose rules have been checked, to its parent.
    pub(crate) fn insert(
        &mut self,
        parent: Index,
        (hash, height): (BlockHash, Height),
        stored: &StoredHeader,
    ) -> Index {
        let below = &self.entries[parent];
        let entry = Entry {
            hash,
            header: stored.header,
            height,
            chainwork: below.chainwork + work_of(&stored.header),
            sequence: stored.sequence,
            status: stored.status,
            is_connectable: below.is_connectable && stored.status.has_body(),
            parent: Some(parent),
            skip: self.walk_down(parent, walk::skip_height(height)),
            children: Vec::new(),
        };
        let index = self.entries.insert(entry);
        self.entries[parent].children.push(index);
        self.by_hash.insert(hash, index);
        self.prefer(index);
        index
    }

    /// Whether a block is refused only because the operator called it, or one
    /// below it, invalid: so far as is known nobody broke a rule.
    #[must_use]
    pub fn is_forbidden(&self, hash: &BlockHash) -> bool {
        let below = self.by_hash.get(hash).map(|index| self.way_down(*index));
        let mut statuses = below.into_iter().flatten().map(|one| self.at(one).status);
        let own = statuses.find(|status| *status != Status::InvalidAncestor);
        own == Some(Status::Forbidden)
    }

    /// Gives a block a mark that makes it invalid, and marks all above it;
    /// returns every entry that changed.
    pub(crate) fn mark_invalid(&mut self, index: Index, mark: Status) -> Vec<Index> {
        let mut changed = Vec::new();
        let mut waiting = vec![index];
        while let Some(next) = waiting.pop() {
            let entry = &mut self.entries[next];
            if entry.status.is_invalid() {
                // So is all above it.
                continue;
            }
            waiting.extend(&entry.children);
            entry.status = if next == index {
                mark
            } else {
                Status::InvalidAncestor
            };
            entry.is_connectable = false;
            changed.push(next);
        }
        if self.best_header().status.is_invalid() {
            self.find_best_header();
        }
        changed
    }

    fn find_best_header(&mut self) {
        self.best_header = self.genesis;
        let all: Vec<_> = self.by_hash.values().copied().collect();
        for index in all {
            self.prefer(index);
        }
    }

    /// Makes an entry the best header if it is better.
    fn prefer(&mut self, index: Index) {
        let rank = |entry: &Entry| (entry.chainwork, Reverse(entry.sequence));
        let (entry, best) = (self.at(index), self.best_header());
        if !entry.status.is_invalid() && rank(entry) > rank(best) {
            self.best_header = index;
        }
    }
}

/// The work a header stands for; none for bits that name no target, which the
/// rules refuse.
fn work_of(header: &Header) -> Chainwork {
    header
        .bits
        .to_target()
        .map_or(Chainwork::ZERO, Target::work)
}
