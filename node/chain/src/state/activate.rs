//! Making the best branch the active chain.

use std::cmp::Reverse;
use std::sync::Arc;

use super::State;
use crate::block::Block;
use crate::codec::Encode;
use crate::coins::{
    CoinStats, ConnectError, Connection, Context, Overlay, Undo, connect_block, disconnect_block,
};
use crate::hash::BlockHash;
use crate::params::Proof;
use crate::rules::block::BlockError;
use crate::store::{Batch, Status, Store, StoreError, StoredTip};
use crate::transaction::Names;
use crate::tree::Index;

/// Blocks connected in one step at most, beyond those that are needed for
/// more work than before.
pub const STEP_BLOCKS: usize = 64;
/// Bytes of blocks at which a step ends, as soon as there is more work than
/// before.
const STEP_BYTES: usize = 8 << 20;

/// What became of the active chain in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Blocks that left, tip first.
    pub disconnected: Vec<Arc<Block>>,
    /// Blocks that joined, lowest first.
    pub connected: Vec<Arc<Block>>,
    /// Blocks that turned out invalid.
    pub rejected: Vec<(BlockHash, BlockError)>,
}

impl Change {
    /// Whether blocks joined, so that another step may follow.
    pub(super) const fn is_progress(&self) -> bool {
        !self.connected.is_empty()
    }
}

/// Blocks to take off, tip first, and to put on, lowest first.
pub(super) struct Path {
    down: Vec<Index>,
    up: Vec<Index>,
}

/// The first part of a path, which connected: all the way down, and up to
/// more work than before.
pub(super) struct Walked {
    pub(super) disconnected: Vec<Arc<Block>>,
    connected: Vec<Arc<Block>>,
    pub(super) batch: Batch,
}

/// Where and why a path ended early.
pub(super) struct Broken {
    index: Index,
    error: BlockError,
}

impl<S: Store> State<S> {
    /// Remembers a connectable block if it has more work than the tip.
    pub(super) fn consider(&mut self, index: Index) {
        let entry = self.tree.at(index);
        let tip = self.tip();
        let is_tie_taken =
            self.last_seen_wins && entry.chainwork == tip.chainwork && entry.hash != tip.hash;
        if entry.chainwork > tip.chainwork || is_tie_taken {
            self.candidates
                .insert((entry.chainwork, Reverse(entry.sequence), index));
        }
    }

    /// Breaks a rule on purpose: of two branches with equal work the last seen
    /// wins. For tests that show that the simulator finds such a mistake; does
    /// nothing where work is real.
    pub fn plant_last_seen_wins(&mut self) {
        self.last_seen_wins = self.params.proof == Proof::Simulated;
    }

    /// Goes on connecting blocks after [`State::accept_block`] told that the
    /// tip changed: what it holds in memory is bounded, so many waiting blocks
    /// take many steps. `None` when there is nothing left to do.
    ///
    /// # Errors
    /// [`StoreError`]; the state must then be dropped.
    pub fn advance(&mut self) -> Result<Option<Change>, StoreError> {
        let change = self.activate_best()?;
        let is_empty = !change.is_progress() && change.rejected.is_empty();
        Ok((!is_empty).then_some(change))
    }

    /// Whether [`State::advance`] has something to do.
    pub fn can_advance(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Takes a step towards the best candidate; one that fails is marked
    /// invalid and the next is tried. The active chain stays as it was until a
    /// path has connected as far as to more work.
    pub(super) fn activate_best(&mut self) -> Result<Change, StoreError> {
        let mut rejected = Vec::new();
        while let Some(&(_, _, best)) = self.candidates.last() {
            let mut path = self.path_to(best);
            match self.walk(&path)? {
                Ok(walked) => {
                    let Walked {
                        disconnected,
                        connected,
                        batch,
                    } = walked;
                    path.up.truncate(connected.len());
                    self.adopt(&path, batch)?;
                    return Ok(Change {
                        disconnected,
                        connected,
                        rejected,
                    });
                }
                Err(Broken { index, error }) => {
                    rejected.push((self.tree.at(index).hash, error));
                    self.mark_invalid(index, Status::Invalid)?;
                }
            }
        }
        Ok(Change {
            rejected,
            ..Change::default()
        })
    }

    pub(super) fn path_to(&self, best: Index) -> Path {
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
    pub(super) fn walk(&self, path: &Path) -> Result<Result<Walked, Broken>, StoreError> {
        if let Some(walked) = self.walk_known(path)? {
            return Ok(Ok(walked));
        }
        let mut coins = Overlay::new(&self.store, self.coins.clone());
        let mut disconnected = Vec::with_capacity(path.down.len());
        for index in &path.down {
            let entry = self.tree.at(*index);
            let block = self.stored_block(&entry.hash)?;
            let undo = self.stored_undo(&entry.hash)?;
            disconnect_block(&block, entry.height, &undo, &mut coins)?;
            disconnected.push(block);
        }
        let mut connected = Vec::new();
        let mut bytes = 0;
        let mut batch = Batch::default();
        for &index in &path.up {
            if self.is_step_done(path, connected.len(), bytes) {
                break;
            }
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
            bytes += block.encoded_len();
            connected.push(block);
        }
        let (changes, stats) = coins.into_changes(self.verifier());
        let below = || {
            path.down
                .last()
                .and_then(|index| self.tree.at(*index).parent)
        };
        let walked = path.up.get(..connected.len()).and_then(<[_]>::last);
        let tip = walked.copied().or_else(below);
        let tip = self.tree.at(tip.unwrap_or(self.tip_index())).hash;
        batch.coins = changes;
        batch.tip = Some(StoredTip::new(tip, &stats));
        if path.down.is_empty() && connected.len() == 1 {
            self.tell_connected(&tip, &batch, &stats);
        }
        Ok(Ok(Walked {
            disconnected,
            connected,
            batch,
        }))
    }

    /// A step to a block that the verifier remembers to have connected.
    fn walk_known(&self, path: &Path) -> Result<Option<Walked>, StoreError> {
        let ([], [index]) = (path.down.as_slice(), path.up.as_slice()) else {
            return Ok(None);
        };
        let entry = self.tree.at(*index);
        let Some(known) = self.verifier().connection(&entry.hash) else {
            return Ok(None);
        };
        let mut batch = Batch {
            coins: known.coins,
            tip: Some(StoredTip::new(entry.hash, &known.stats)),
            ..Batch::default()
        };
        if entry.status != Status::Valid {
            let mut stored = entry.to_stored();
            stored.status = Status::Valid;
            batch.headers.push(stored);
            batch.undos.push((entry.hash, known.undo));
        }
        Ok(Some(Walked {
            disconnected: Vec::new(),
            connected: vec![self.stored_block(&entry.hash)?],
            batch,
        }))
    }

    /// Lets the verifier remember a step of one block, if its undo is at hand.
    fn tell_connected(&self, hash: &BlockHash, batch: &Batch, stats: &CoinStats) {
        if let [(_, undo)] = batch.undos.as_slice() {
            self.verifier().connected(hash, &|| Connection {
                undo: undo.clone(),
                coins: batch.coins.clone(),
                stats: stats.clone(),
            });
        }
    }

    /// Whether so many blocks of the way up are enough for one step. What has
    /// less work than the active chain must never take its place.
    fn is_step_done(&self, path: &Path, blocks: usize, bytes: usize) -> bool {
        let top = blocks.checked_sub(1).and_then(|last| path.up.get(last));
        let has_more_work =
            top.is_some_and(|top| self.tree.at(*top).chainwork > self.tip().chainwork);
        has_more_work && (blocks >= STEP_BLOCKS || bytes >= STEP_BYTES)
    }

    /// Makes a walked path the active chain, in the store first.
    pub(super) fn adopt(&mut self, path: &Path, batch: Batch) -> Result<(), StoreError> {
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
            names: self.names_of(&entry.hash),
        }
    }

    fn names_of(&self, hash: &BlockHash) -> Option<&[Names]> {
        let (named, names) = self.last_named.as_ref()?;
        (named == hash).then_some(names)
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
