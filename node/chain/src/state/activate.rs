//! Making the best branch the active chain.

use std::cmp::Reverse;
use std::sync::Arc;

use super::State;
use super::moved::{Change, Moves};
use crate::block::Block;
use crate::codec::Encode;
use crate::coins::{
    CoinStats, ConnectError, Connection, Context, Overlay, Pending, Undo, connect_block,
    disconnect_block,
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
pub(super) const STEP_BYTES: usize = 8 << 20;

/// Coins that one batch changes before the way goes on in the next one,
/// with those that its undo data repeat. Each takes some 100 bytes, and some
/// are held two or three times until they are written.
pub const LEG_COINS: usize = 65_536;

/// Blocks to take off, tip first, and to put on, lowest first.
pub(super) struct Path {
    pub(super) down: Vec<Index>,
    up: Vec<Index>,
}

/// The first part of a path, which can be walked.
pub(super) struct Leg {
    /// Number of blocks to take off.
    pub(super) down: usize,
    /// Blocks to put on.
    up: Vec<Index>,
    moves: Moves,
    pub(super) batch: Batch,
}

/// What grows while a path is walked.
struct Walk<'a, S> {
    coins: Overlay<'a, S>,
    /// Coins that undo data repeat.
    undo_coins: usize,
    moves: Moves,
    batch: Batch,
    /// Signatures that are still being checked, lowest block first.
    pending: Vec<(Index, Pending<'a>)>,
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

    /// Chooses how many coins one batch may change before a reorganisation goes
    /// on in the next, instead of [`LEG_COINS`].
    pub const fn set_leg_coins(&mut self, coins: usize) {
        self.leg_coins = coins;
    }

    /// Takes a step towards the best candidate; one that fails is marked
    /// invalid and the next is tried. When it is done, the tip has more work
    /// than before or is where it was. On a long way the store comes by tips
    /// with less work: a crash there leaves a chain that
    /// [`State::open_with`] takes on from, to the same end.
    pub(super) fn activate_best(&mut self) -> Result<Change, StoreError> {
        let home = self.tip_index();
        let (mut moves, mut rejected) = (Moves::default(), Vec::new());
        while let Some(goal) = self.goal(home) {
            match self.walk(&self.path_to(goal), home)? {
                Ok(leg) => {
                    moves.append(self.adopt(leg)?);
                    if self.tip_index() == goal || self.is_above(self.tip_index(), home) {
                        break;
                    }
                }
                Err(Broken { index, error }) => {
                    rejected.push((self.tree.at(index).hash, error));
                    self.mark_invalid(index, Status::Invalid)?;
                }
            }
        }
        Ok(moves.into_change(rejected))
    }

    /// Where to go: to the best candidate or, if all failed, back home.
    fn goal(&self, home: Index) -> Option<Index> {
        let best = self.candidates.last().map(|(_, _, best)| *best);
        best.or_else(|| (self.tip_index() != home).then_some(home))
    }

    fn is_above(&self, index: Index, home: Index) -> bool {
        self.tree.at(index).chainwork > self.tree.at(home).chainwork
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

    /// Walks a path over an overlay of the coins, as far as one batch goes.
    pub(super) fn walk(&self, path: &Path, home: Index) -> Result<Result<Leg, Broken>, StoreError> {
        if let Some(leg) = self.walk_known(path)? {
            return Ok(Ok(leg));
        }
        let mut walk = Walk {
            coins: Overlay::new(&self.store, self.coins.clone()),
            undo_coins: 0,
            moves: Moves::default(),
            batch: Batch::default(),
            pending: Vec::new(),
        };
        let down = self.walk_down(path, &mut walk)?;
        let up = if down < path.down.len() {
            Vec::new()
        } else {
            match self.walk_up(path, home, &mut walk)? {
                Ok(up) => up,
                Err(broken) => return Ok(Err(broken)),
            }
        };
        let (coins, stats) = walk.coins.into_changes(self.verifier());
        if let Err(broken) = finish_signatures(walk.pending) {
            return Ok(Err(broken));
        }
        let below = || {
            let last = path.down.get(..down).and_then(<[_]>::last)?;
            self.tree.at(*last).parent
        };
        let tip = up.last().copied().or_else(below);
        let tip = self.tree.at(tip.unwrap_or(self.tip_index())).hash;
        let batch = Batch {
            coins,
            tip: Some(StoredTip::new(tip, &stats)),
            ..walk.batch
        };
        if down == 0 && up.len() == 1 {
            self.tell_connected(&tip, &batch, &stats);
        }
        Ok(Ok(Leg {
            down,
            up,
            moves: walk.moves,
            batch,
        }))
    }

    /// Takes blocks off; their number.
    fn walk_down(&self, path: &Path, walk: &mut Walk<'_, S>) -> Result<usize, StoreError> {
        for (done, index) in path.down.iter().enumerate() {
            if done > 0 && self.is_batch_full(walk) {
                return Ok(done);
            }
            let entry = self.tree.at(*index);
            let block = self.stored_block(&entry.hash)?;
            let undo = self.stored_undo(&entry.hash)?;
            disconnect_block(&block, entry.height, &undo, &mut walk.coins)?;
            walk.moves.take_off(entry.hash, block);
        }
        Ok(path.down.len())
    }

    /// Puts blocks on; they.
    fn walk_up<'a>(
        &'a self,
        path: &Path,
        home: Index,
        walk: &mut Walk<'a, S>,
    ) -> Result<Result<Vec<Index>, Broken>, StoreError> {
        let mut up: Vec<Index> = Vec::new();
        let mut bytes = 0;
        for &index in &path.up {
            let is_far = up.len() >= STEP_BLOCKS || bytes >= STEP_BYTES;
            let has_arrived = is_far && up.last().is_some_and(|last| self.is_above(*last, home));
            let has_moved = !(up.is_empty() && path.down.is_empty());
            if has_arrived || (has_moved && self.is_batch_full(walk)) {
                break;
            }
            let entry = self.tree.at(index);
            let block = self.stored_block(&entry.hash)?;
            let done = match connect_block(&block, &self.context(index), &mut walk.coins) {
                Ok(done) => done,
                Err(ConnectError::Rule(error)) => {
                    // A block below may be the one to blame.
                    let below = finish_signatures(std::mem::take(&mut walk.pending));
                    return Ok(below.and(Err(Broken { index, error })));
                }
                Err(ConnectError::Store(error)) => return Err(error),
            };
            walk.pending.push((index, done.signatures));
            if entry.status != Status::Valid {
                let mut stored = entry.to_stored();
                stored.status = Status::Valid;
                walk.batch.headers.push(stored);
                walk.undo_coins += done.undo.spent.len();
                walk.batch.undos.push((entry.hash, done.undo));
            }
            bytes += block.encoded_len();
            walk.moves.put_on(entry.hash, block);
            up.push(index);
        }
        Ok(Ok(up))
    }

    fn is_batch_full(&self, walk: &Walk<'_, S>) -> bool {
        walk.coins.changes() + walk.undo_coins >= self.leg_coins
    }

    /// A step to a block that the verifier remembers to have connected.
    fn walk_known(&self, path: &Path) -> Result<Option<Leg>, StoreError> {
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
        let mut moves = Moves::default();
        moves.put_on(entry.hash, self.stored_block(&entry.hash)?);
        Ok(Some(Leg {
            down: 0,
            up: vec![*index],
            moves,
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

    /// Makes what was walked part of the active chain, in the store first.
    pub(super) fn adopt(&mut self, leg: Leg) -> Result<Moves, StoreError> {
        if let Some(tip) = &leg.batch.tip {
            self.coins = tip.coin_stats();
        }
        self.store.apply(leg.batch)?;
        self.active.truncate(self.active.len() - leg.down);
        self.active.extend(&leg.up);
        for index in &leg.up {
            self.tree.at_mut(*index).status = Status::Valid;
        }
        let work = self.tip().chainwork;
        self.candidates
            .retain(|(chainwork, _, _)| *chainwork > work);
        Ok(leg.moves)
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

/// The lowest block with a wrong signature.
fn finish_signatures(pending: Vec<(Index, Pending<'_>)>) -> Result<(), Broken> {
    pending.into_iter().try_for_each(|(index, signatures)| {
        let finished = signatures.finish();
        finished.map_err(|error| Broken { index, error })
    })
}
