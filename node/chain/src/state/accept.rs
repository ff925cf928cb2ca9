//! Taking in headers and blocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{FormedBlock, Moved, State, place};
use crate::block::{Block, Header};
use crate::hash::BlockHash;
use crate::params::Proof;
use crate::rules::block::{self, BlockError};
use crate::rules::header::{HeaderError, check_proof_of_work, check_target};
use crate::store::{Batch, Status, Store, StoreError, StoredHeader};
use crate::time::UnixSeconds;
use crate::tree::Index;

/// What became of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderAcceptance {
    /// It is new and obeys its rules.
    New,
    /// It was known and is not invalid.
    Known,
    /// Its parent is not known; nothing is kept.
    Orphan {
        /// The parent.
        missing: BlockHash,
    },
    /// It breaks a rule.
    Invalid(HeaderError),
    /// Its time is too far ahead; neither remembered nor to be punished.
    TooNew {
        /// Seconds beyond the limit.
        ahead_s: u32,
    },
    /// The bound on side headers is reached and this one ends the branch with
    /// the least work; nothing is kept. See [`crate::tree::side_headers_max`].
    LowWork,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// The active chain changed.
    TipChanged {
        /// Blocks that left it, tip first.
        disconnected: Vec<Moved>,
        /// Blocks that joined it, lowest first.
        connected: Vec<Moved>,
        /// Blocks, kept earlier, that turned out invalid when their turn came.
        rejected: Vec<(BlockHash, BlockError)>,
    },
    /// Kept; its branch has no more work than the active chain.
    SideBranch {
        /// Blocks, kept earlier, that turned out invalid when their turn came.
        rejected: Vec<(BlockHash, BlockError)>,
    },
    /// Kept; the body of an ancestor is missing.
    AwaitingParents,
    /// Its parent's header is not known; nothing is kept.
    Orphan {
        /// The parent.
        missing: BlockHash,
    },
    /// It is here already.
    Duplicate,
    /// Its time is too far ahead; neither remembered nor to be punished.
    TooNew {
        /// Seconds beyond the limit.
        ahead_s: u32,
    },
    /// The body does not fit the header, which may still be valid with
    /// another body; nothing but the header is kept.
    Mutated(BlockError),
    /// It breaks a rule; it and all blocks above are marked, unless the
    /// header itself breaks a rule, which is not remembered.
    Invalid(BlockError),
    /// As [`HeaderAcceptance::LowWork`]; nothing is kept.
    LowWork,
}

/// A header on its way into the tree.
enum Linked {
    New(Index),
    Known(Index),
    Refused(HeaderAcceptance),
}

impl<S: Store> State<S> {
    /// Takes in a header without its body.
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be dropped.
    pub fn accept_header(
        &mut self,
        header: Header,
        now: UnixSeconds,
    ) -> Result<HeaderAcceptance, StoreError> {
        Ok(match self.link(&header, header.hash(), now)? {
            Linked::New(_) => HeaderAcceptance::New,
            Linked::Known(_) => HeaderAcceptance::Known,
            Linked::Refused(refusal) => refusal,
        })
    }

    /// Takes in a block and, if its branch has the most work, connects it.
    /// After [`Acceptance::TipChanged`], blocks above may still wait for
    /// [`State::advance`].
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be dropped.
    pub fn accept_block(
        &mut self,
        block: Arc<Block>,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError> {
        let hash = block.hash();
        self.accept_named_block(hash, block, now)
    }

    /// As [`State::accept_block`], for who knows the block's hash already.
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be dropped.
    pub fn accept_named_block(
        &mut self,
        hash: BlockHash,
        block: Arc<Block>,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError> {
        let index = match self.place_of(&block.header, hash, now)? {
            Ok(index) => index,
            Err(refusal) => return Ok(refusal),
        };
        let weight_max = self.params.block_weight_max.into();
        let (names, form) = self.verifier.form(&block, weight_max);
        let formed = FormedBlock {
            hash,
            block,
            names,
            form,
        };
        self.accept_at(index, formed)
    }

    /// As [`State::accept_block`], of a block whose form was looked at before.
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be dropped.
    pub fn accept_formed_block(
        &mut self,
        formed: FormedBlock,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError> {
        match self.place_of(&formed.block.header, formed.hash, now)? {
            Ok(index) => self.accept_at(index, formed),
            Err(refusal) => Ok(refusal),
        }
    }

    /// Where a block belongs that is not here yet.
    fn place_of(
        &mut self,
        header: &Header,
        hash: BlockHash,
        now: UnixSeconds,
    ) -> Result<Result<Index, Acceptance>, StoreError> {
        Ok(match self.link(header, hash, now)? {
            Linked::Refused(refusal) => Err(refuse_block(refusal)),
            Linked::New(index) | Linked::Known(index) => {
                let has_body = self.tree.at(index).status.has_body();
                if has_body {
                    Err(Acceptance::Duplicate)
                } else {
                    Ok(index)
                }
            }
        })
    }

    fn accept_at(&mut self, index: Index, formed: FormedBlock) -> Result<Acceptance, StoreError> {
        let FormedBlock {
            hash,
            block,
            names,
            form,
        } = formed;
        let checked = form.and_then(|()| self.check_place(&block, index));
        if let Err(error) = checked {
            if error.is_mutation() {
                return Ok(Acceptance::Mutated(error));
            }
            self.mark_invalid(index, Status::Invalid)?;
            return Ok(Acceptance::Invalid(error));
        }
        self.keep_body(index, hash, block)?;
        if !self.tree.at(index).is_connectable {
            return Ok(Acceptance::AwaitingParents);
        }
        self.last_named = Some((hash, names));
        let change = self.activate_best();
        self.last_named = None;
        let change = change?;
        if !change.connected.is_empty() {
            return Ok(Acceptance::TipChanged {
                disconnected: change.disconnected,
                connected: change.connected,
                rejected: change.rejected,
            });
        }
        Ok(self.verdict_without_change(index, change.rejected))
    }

    /// Puts a header into tree and store if it obeys its rules.
    fn link(
        &mut self,
        header: &Header,
        hash: BlockHash,
        now: UnixSeconds,
    ) -> Result<Linked, StoreError> {
        let refused = |refusal| Ok(Linked::Refused(refusal));
        if let Some(index) = self.tree.index_of(&hash) {
            if self.tree.at(index).status.is_invalid() {
                return refused(HeaderAcceptance::Invalid(HeaderError::KnownInvalid));
            }
            return Ok(Linked::Known(index));
        }
        if let Err(error) = self.check_work(header) {
            return refused(HeaderAcceptance::Invalid(error));
        }
        let Some(parent) = self.tree.index_of(&header.previous) else {
            return refused(HeaderAcceptance::Orphan {
                missing: header.previous,
            });
        };
        let height = match place::check_header(&self.params, &self.tree, parent, header, now) {
            Ok(height) => height,
            Err(HeaderError::TimeTooNew { ahead_s, .. }) => {
                return refused(HeaderAcceptance::TooNew { ahead_s });
            }
            Err(error) => return refused(HeaderAcceptance::Invalid(error)),
        };
        let stored = StoredHeader {
            header: *header,
            sequence: self.take_sequence(),
            status: Status::HeaderOnly,
        };
        let index = self.tree.insert(parent, (hash, height), &stored);
        let mut forgotten = self.tree.prune(index);
        let is_kept = !forgotten.contains(&hash);
        // The store never had what is refused.
        forgotten.retain(|one| *one != hash);
        if is_kept || !forgotten.is_empty() {
            self.store.apply(Batch {
                headers: if is_kept { vec![stored] } else { Vec::new() },
                headers_removed: forgotten,
                ..Batch::default()
            })?;
        }
        if is_kept {
            Ok(Linked::New(index))
        } else {
            refused(HeaderAcceptance::LowWork)
        }
    }

    /// The network's own proof of work.
    fn check_work(&self, header: &Header) -> Result<(), HeaderError> {
        let limit = self.params.pow_limit;
        match self.params.proof {
            Proof::Hash => check_proof_of_work(header, limit),
            Proof::Simulated => check_target(header.bits, limit).map(drop),
        }
    }

    /// Everything about a body that needs no coins.
    fn check_place(&self, block: &Block, index: Index) -> Result<(), BlockError> {
        let entry = self.tree.at(index);
        // Only the genesis block has no parent, and its body is always here.
        let parent = entry.parent.unwrap_or(index);
        block::check_place(block, entry.height, self.tree.median_time_at(parent))
    }

    /// Stores a body and finds what has become connectable by it.
    fn keep_body(
        &mut self,
        index: Index,
        hash: BlockHash,
        block: Arc<Block>,
    ) -> Result<(), StoreError> {
        self.tree.at_mut(index).status = Status::BodyStored;
        let mut changed = vec![index];
        let parent = self.tree.at(index).parent;
        if parent.is_some_and(|parent| self.tree.at(parent).is_connectable) {
            changed = self.make_connectable(index);
        }
        let headers = changed
            .iter()
            .map(|index| self.tree.at(*index).to_stored())
            .collect();
        self.store.apply(Batch {
            headers,
            blocks: vec![(hash, block)],
            ..Batch::default()
        })
    }

    /// Marks a block, and all above it whose bodies waited, as connectable:
    /// parents before children, and otherwise in the order they came.
    fn make_connectable(&mut self, index: Index) -> Vec<Index> {
        let mut changed = Vec::new();
        let mut waiting = BTreeSet::from([(self.tree.at(index).sequence, index)]);
        while let Some((_, next)) = waiting.pop_first() {
            let sequence = self.take_sequence();
            let entry = self.tree.at_mut(next);
            entry.is_connectable = true;
            entry.sequence = sequence;
            let children = self.tree.at(next).children.iter();
            let children = children.map(|index| (self.tree.at(*index), *index));
            waiting.extend(
                children
                    .filter(|(child, _)| child.status.has_body())
                    .map(|(child, index)| (child.sequence, index)),
            );
            changed.push(next);
            self.consider(next);
        }
        changed
    }

    /// Marks a block and all above it invalid.
    pub(super) fn mark_invalid(&mut self, index: Index, mark: Status) -> Result<(), StoreError> {
        let changed = self.tree.mark_invalid(index, mark);
        self.candidates
            .retain(|(_, _, index)| !self.tree.at(*index).status.is_invalid());
        let headers = changed
            .iter()
            .map(|index| self.tree.at(*index).to_stored())
            .collect();
        self.store.apply(Batch {
            headers,
            ..Batch::default()
        })
    }

    fn verdict_without_change(
        &self,
        index: Index,
        mut rejected: Vec<(BlockHash, BlockError)>,
    ) -> Acceptance {
        let entry = self.tree.at(index);
        if let Some(own) = rejected.iter().position(|(hash, _)| *hash == entry.hash) {
            return Acceptance::Invalid(rejected.swap_remove(own).1);
        }
        if entry.status.is_invalid() {
            let parent = entry.header.previous;
            return Acceptance::Invalid(HeaderError::ParentInvalid { parent }.into());
        }
        Acceptance::SideBranch { rejected }
    }
}

fn refuse_block(refusal: HeaderAcceptance) -> Acceptance {
    match refusal {
        HeaderAcceptance::Orphan { missing } => Acceptance::Orphan { missing },
        HeaderAcceptance::Invalid(error) => Acceptance::Invalid(error.into()),
        HeaderAcceptance::TooNew { ahead_s } => Acceptance::TooNew { ahead_s },
        HeaderAcceptance::LowWork => Acceptance::LowWork,
        // Only refusals are passed in.
        HeaderAcceptance::New | HeaderAcceptance::Known => Acceptance::Duplicate,
    }
}
