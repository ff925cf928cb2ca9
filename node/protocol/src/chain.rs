//! The chain as a node drives it. A node of its own process owns its chain:
//! [`Owned`]. Where many nodes share one thread they may share what is the same
//! for all of them, as long as each sees what it would see alone.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::hash::BlockHash;
use minichain_chain::state::{Acceptance, Change, HeaderAcceptance, State, SteerError};
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::UnixSeconds;

/// A chain: reads go to its [`State`], and every change does what the method of
/// the same name does there.
pub trait Chain<S: Store>: Deref<Target = State<S>> {
    /// [`State::accept_header`].
    ///
    /// # Errors
    /// [`StoreError`]; the chain must then be dropped.
    fn accept_header(
        &mut self,
        header: &Header,
        now: UnixSeconds,
    ) -> Result<HeaderAcceptance, StoreError>;

    /// [`State::accept_named_block`]; the hash is the block's.
    ///
    /// # Errors
    /// [`StoreError`]; the chain must then be dropped.
    fn accept_block(
        &mut self,
        hash: BlockHash,
        block: &Arc<Block>,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError>;

    /// [`State::advance`].
    ///
    /// # Errors
    /// [`StoreError`]; the chain must then be dropped.
    fn advance(&mut self) -> Result<Option<Change>, StoreError>;

    /// [`State::invalidate`].
    ///
    /// # Errors
    /// Outside, the store's, after which the chain must be dropped; inside,
    /// why nothing was done.
    fn invalidate(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError>;

    /// [`State::reconsider`].
    ///
    /// # Errors
    /// As [`Chain::invalidate`].
    fn reconsider(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError>;
}

/// A chain that one node has for itself.
#[derive(Debug)]
pub struct Owned<S>(State<S>);

impl<S> From<State<S>> for Owned<S> {
    fn from(state: State<S>) -> Self {
        Self(state)
    }
}

impl<S> Deref for Owned<S> {
    type Target = State<S>;

    fn deref(&self) -> &State<S> {
        &self.0
    }
}

impl<S> DerefMut for Owned<S> {
    fn deref_mut(&mut self) -> &mut State<S> {
        &mut self.0
    }
}

impl<S: Store> Chain<S> for Owned<S> {
    fn accept_header(
        &mut self,
        header: &Header,
        now: UnixSeconds,
    ) -> Result<HeaderAcceptance, StoreError> {
        self.0.accept_header(*header, now)
    }

    fn accept_block(
        &mut self,
        hash: BlockHash,
        block: &Arc<Block>,
        now: UnixSeconds,
    ) -> Result<Acceptance, StoreError> {
        self.0.accept_named_block(hash, Arc::clone(block), now)
    }

    fn advance(&mut self) -> Result<Option<Change>, StoreError> {
        self.0.advance()
    }

    fn invalidate(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError> {
        self.0.invalidate(hash)
    }

    fn reconsider(&mut self, hash: &BlockHash) -> Result<Result<Change, SteerError>, StoreError> {
        self.0.reconsider(hash)
    }
}
