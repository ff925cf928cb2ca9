//! Making the best branch the active chain.

use std::cmp::Reverse;
use std::sync::Arc;

use super::State;
use crate::block::Block;
use crate::coins::{ConnectError, Context, Overlay, Undo, connect_block, disconnect_block};
use crate::hash::BlockHash;
use crate::rules::block::BlockError;
use crate::store::{Batch, Status, Store, StoreError, StoredTip};
use crate::tree::Index;

/// What became of the active chain.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Blocks that left, tip first.
    pub(super) disconnected: Vec<Arc<Block>>,
    /// Blocks that joined, lowest first.
    pub(super) connected: Vec<Arc<Block>>,
    /// Blocks that turned out invalid.
    pub(super) rejected: Vec<(BlockHash, BlockError)>,
}

/// Blocks to take off, tip first, and to put on, lowest first.
struct Path {
    down: Vec<Index>,
    up: Vec<Index>,
}

/// A path that connected as a whole.
struct Walked {
    disconnected: Vec<Arc<Block>>,
    connected: Vec<Arc<Block>>,
    batch: Batch,
}

/// Where and why a path ended early.
struct Broken {
    index: Index,
    error: BlockError,
}

impl<S: Store> State<S> {
    /// Remembers a connectable block if it has more work than the tip.
    pub(super) fn consider(&mut self, index: Index) {
        let entry = self.tree.at(index);
        if entry.chainwork > self.tip().chainwork {
            self.candidates
                .insert((entry.chainwork, Reverse(entry.sequence), index));
        }
    }

    /// Connects the best candidate; one that fails is marked invalid and the
    /// next is tried. The active chain stays as it was until a path has
    /// connected as a whole.
    pub(super) fn activate_best(&mut self) -> Result<Change, StoreError> {
        let mut rejected = Vec::new();
        while let Some(&(_, _, best)) = self.candidates.last() {
            let path = self.path_to(best);
            match self.walk(&path)? {
                Ok(walked) => {
                    let Walked {
                        disconnected,
                        connected,
                        batch,
                    } = walked;
                    self.adopt(&path, batch)?;
                    return Ok(Change {
                        disconnected,
                        connected,
                        rejected,
                    });
                }
                Err(Broken { index, error }) => {
                    rejected.push((self.tree.at(index).hash, error));
                    self.mark_invalid(index)?;
                }
            }
        }
        Ok(Change {
            rejected,
            ..Change::default()
        })
    }

    fn path_to(&self, best: Index) -> Path {
        let tip = self.tip_index();
        let fork = self.tree.fork_of(tip, best);
        let above_fork = |from| {
            self.tree
                .way_down(from)
                .take_while(|index| *index != fork)
                .collect::<Vec<_>>()
        };
        let mut up = above_fork(best);
        up.reverse();
        Path {
            down: above_fork(tip),
            up,
        }
    }

    /// Walks a path over an overlay of the coins.
    fn walk(&self, path: &Path) -> Result<Result<Walked, Broken>, StoreError> {
        let mut coins = Overlay::new(&self.store, self.coins.clone());
        let mut disconnected = Vec::with_capacity(path.down.len());
        for index in &path.down {
            let entry = self.tree.at(*index);
            let block = self.stored_block(&entry.hash)?;
            let undo = self.stored_undo(&entry.hash)?;
            disconnect_block(&block, entry.height, &undo, &mut coins)?;
            disconnected.push(block);
        }
        let mut connected = Vec::with_capacity(path.up.len());
        let mut batch = Batch::default();
        for &index in &path.up {
            let entry = self.tree.at(index);
            let block = self.stored_block(&entry.hash)?;
            let done = match connect_block(&block, &self.context(index), &mut coins) {
                Ok(done) => done,
                Err(ConnectError::Rule(error)) => return Ok(Err(Broken { index, error })),
                Err(ConnectError::Store(error)) => return Err(error),
            };
            if entry.status != Status::Valid {
                let mut stored = entry.to_stored();
                stored.status = Status::Valid;
                batch.headers.push(stored);
                batch.undos.push((entry.hash, done.undo));
            }
            connected.push(block);
        }
        let (changes, stats) = coins.into_changes();
        let tip = path.up.last().or(self.active.last()).copied();
        let tip = self.tree.at(tip.unwrap_or(self.tree.genesis_index())).hash;
        batch.coins = changes;
        batch.tip = Some(StoredTip::new(tip, &stats));
        Ok(Ok(Walked {
            disconnected,
            connected,
            batch,
        }))
    }

    /// Makes a walked path the active chain, in the store first.
    fn adopt(&mut self, path: &Path, batch: Batch) -> Result<(), StoreError> {
        if let Some(tip) = &batch.tip {
            self.coins = tip.coin_stats();
        }
        self.store.apply(batch)?;
        self.active.truncate(self.active.len() - path.down.len());
        self.active.extend(&path.up);
        for index in &path.up {
            self.tree.at_mut(*index).status = Status::Valid;
        }
        let work = self.tip().chainwork;
        self.candidates
            .retain(|(chainwork, _, _)| *chainwork > work);
        Ok(())
    }

    fn context(&self, index: Index) -> Context<'_> {
        let entry = self.tree.at(index);
        // Whether a block is valid depends on nothing but its ancestors.
        let was_connected = entry.status == Status::Valid;
        Context {
            height: entry.height,
            subsidy: self.params.subsidy(entry.height),
            coinbase_maturity: self.params.coinbase_maturity,
            verifier: (!was_connected).then(|| self.verifier()),
        }
    }

    pub(super) fn stored_block(&self, hash: &BlockHash) -> Result<Arc<Block>, StoreError> {
        let missing = || StoreError::corrupt(format!("block {hash} is missing"));
        self.store.block(hash)?.ok_or_else(missing)
    }

    pub(super) fn stored_undo(&self, hash: &BlockHash) -> Result<Undo, StoreError> {
        let missing = || StoreError::corrupt(format!("undo data of block {hash} are missing"));
        self.store.undo(hash)?.ok_or_else(missing)
    }
}
