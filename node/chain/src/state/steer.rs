//! Steering by hand: a block is called invalid, or given another chance.

use super::moved::Moves;
use super::{Change, State};
use crate::hash::BlockHash;
use crate::store::{Batch, Status, Store, StoreError};
use crate::tree::Index;

/// Why the chain is not steered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SteerError {
    /// No such header.
    #[error("no block {hash} is known")]
    Unknown {
        /// The name given.
        hash: BlockHash,
    },
    /// The chain begins there.
    #[error("the genesis block is the network itself and stays valid")]
    Genesis,
}

impl<S: Store> State<S> {
    /// Treats a block as if it broke a rule, until [`State::reconsider`]: it
    /// and all above it leave the active chain, and the best of what remains
    /// takes over. The mark is kept over a restart, though no header that is
    /// neither on the best branch nor within [`crate::tree::side_headers_max`]
    /// is kept for ever.
    ///
    /// # Errors
    /// Outside, the store's, after which the state must be dropped; inside,
    /// why nothing was done.
    pub fn invalidate(
        &mut self,
        hash: &BlockHash,
    ) -> Result<Result<Change, SteerError>, StoreError> {
        let Some(index) = self.tree.index_of(hash) else {
            return Ok(Err(SteerError::Unknown { hash: *hash }));
        };
        let Some(parent) = self.tree.at(index).parent else {
            return Ok(Err(SteerError::Genesis));
        };
        if self.is_active(hash) {
            return self.cut_off(index, parent).map(Ok);
        }
        if self.tree.at(index).status == Status::InvalidAncestor {
            self.tree.forbid(index);
            self.store_headers(&[index])?;
        } else {
            self.mark_invalid(index, Status::Forbidden)?;
        }
        Ok(Ok(Change::default()))
    }

    /// Gives a block another chance, with all below and above it: none of them
    /// counts as invalid any more, and if theirs is the best branch it is
    /// checked again and becomes the active chain.
    ///
    /// # Errors
    /// As [`State::invalidate`].
    pub fn reconsider(
        &mut self,
        hash: &BlockHash,
    ) -> Result<Result<Change, SteerError>, StoreError> {
        let Some(index) = self.tree.index_of(hash) else {
            return Ok(Err(SteerError::Unknown { hash: *hash }));
        };
        let store = &self.store;
        let has_body = |hash: &BlockHash| Ok::<_, StoreError>(store.block(hash)?.is_some());
        let changed = self.tree.pardon(index, has_body)?;
        self.store_headers(&changed)?;
        self.find_candidates();
        self.activate_best().map(Ok)
    }

    /// Takes an active block and all above it off the chain: first down to its
    /// parent, the marks in the last batch on the way, so that a crash before
    /// leads back; then up the best other branch.
    fn cut_off(&mut self, index: Index, parent: Index) -> Result<Change, StoreError> {
        let mut moves = Moves::default();
        while self.tip().hash != self.tree.at(parent).hash {
            let path = self.path_to(parent);
            let Ok(mut leg) = self.walk(&path, parent)? else {
                // A way down connects nothing, so nothing on it can break a rule.
                return Err(StoreError::corrupt("a connected block cannot be taken off"));
            };
            if leg.down == path.down.len() {
                let changed = self.tree.mark_invalid(index, Status::Forbidden);
                let marks = changed.iter().map(|index| self.tree.at(*index).to_stored());
                leg.batch.headers.extend(marks);
            }
            moves.append(self.adopt(leg)?);
        }
        self.find_candidates();
        let change = self.activate_best()?;
        let mut disconnected = moves.into_change(Vec::new()).disconnected;
        disconnected.extend(change.disconnected);
        Ok(Change {
            disconnected,
            ..change
        })
    }

    fn store_headers(&mut self, changed: &[Index]) -> Result<(), StoreError> {
        let headers = changed.iter();
        let headers = headers.map(|index| self.tree.at(*index).to_stored());
        let headers = headers.collect();
        self.store.apply(Batch {
            headers,
            ..Batch::default()
        })
    }
}
