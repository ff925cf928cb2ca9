//! The chain on disk: redb behind the chain's synchronous store trait.
//!
//! Batches are visible to reads at once and wait in memory until a commit
//! makes them durable, all together and in order: after a crash the file holds
//! the state of some commit, never part of one. While blocks are relayed each
//! is committed by itself; while catching up many share a commit, since one
//! costs a disk flush.

mod disk;
mod error;
mod fresh;
mod pending;
mod quota;
mod seal;
mod snapshot;
mod tables;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::coins::{Coin, Undo};
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{Batch, Store, StoreError, StoredHeader, StoredTip};
use minichain_chain::transaction::OutPoint;

use self::disk::Disk;
pub use self::error::{OpenError, explain};
use self::pending::Pending;
pub use self::quota::Quota;
pub use self::snapshot::Snapshot;

/// Name of the file inside the data folder.
pub const FILE: &str = minichain_api::config::STORE_FILE;

/// A lazy commit waits at most this long.
const LAZY_AGE_MS: u64 = 1_000;
/// A lazy commit waits for at most this many blocks.
const LAZY_BLOCKS: usize = 256;
/// A lazy commit waits for at most about this many bytes.
const LAZY_BYTES: usize = 8 << 20;
/// More bytes than this never wait, whatever was ordered.
const PENDING_BYTES_MAX: usize = 32 << 20;

/// The store of one node. Holds the data folder's lock while it lives.
#[derive(Debug)]
pub struct RedbStore {
    disk: Disk,
    pending: Pending,
    quota: Quota,
    /// When the waiting batches are to be committed at the latest.
    due_ms: Option<u64>,
    commits: u64,
}

impl RedbStore {
    /// Opens the store in the folder `dir`, which is made if missing.
    ///
    /// # Errors
    /// Another node has the folder, it cannot be written, or what is in it is
    /// damaged or of another format. Nothing is changed then.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        Ok(Self::new(Disk::open(dir, cache_bytes)?, dir))
    }

    /// The limit on the data folder; none until it is set.
    pub fn quota(&self) -> Quota {
        self.quota.clone()
    }

    /// Makes everything applied so far durable, now.
    ///
    /// # Errors
    /// The disk is full or broken, or the quota used up. What was committed before stays whole.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.due_ms = None;
        if self.pending.is_empty() {
            return Ok(());
        }
        self.quota.check(self.pending.bytes() as u64)?;
        self.disk.write(&self.pending)?;
        self.pending = Pending::default();
        self.commits += 1;
        Ok(())
    }

    /// As [`RedbStore::commit`], if more blocks or bytes wait than given.
    ///
    /// # Errors
    /// As [`RedbStore::commit`].
    pub fn commit_beyond(&mut self, blocks: usize, bytes: usize) -> Result<(), StoreError> {
        if self.pending.blocks() >= blocks || self.pending.bytes() >= bytes {
            return self.commit();
        }
        Ok(())
    }

    /// Shows every committed coin, by outpoint.
    ///
    /// # Errors
    /// [`StoreError`]; what was shown before is right.
    pub fn each_coin(&self, mut show: impl FnMut(OutPoint, Coin)) -> Result<(), StoreError> {
        self.disk.tables()?.each_coin(|outpoint, coin| {
            show(outpoint, coin);
            ControlFlow::Continue(())
        })
    }

    /// All that is applied so far, to be read elsewhere.
    ///
    /// # Errors
    /// A commit failed before.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let tables = Arc::clone(self.disk.tables()?);
        Ok(Snapshot::new(tables, self.pending.clone()))
    }

    /// Rewrites the file in `dir` without gaps; bytes before and after.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn compact(dir: &Path, cache_bytes: u64) -> Result<(u64, u64), OpenError> {
        Disk::open(dir, cache_bytes)?.compact(dir)
    }

    /// How often something became durable.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// Makes everything applied so far durable soon: when enough of it waits,
    /// or a second after the first such call.
    ///
    /// # Errors
    /// As [`RedbStore::commit`].
    pub fn commit_lazily(&mut self, now_ms: u64) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.due_ms
            .get_or_insert(now_ms.saturating_add(LAZY_AGE_MS));
        if self.pending.blocks() >= LAZY_BLOCKS || self.pending.bytes() >= LAZY_BYTES {
            return self.commit();
        }
        self.commit_if_due(now_ms)
    }

    /// Does what [`RedbStore::commit_lazily`] promised, if it is time.
    ///
    /// # Errors
    /// As [`RedbStore::commit`].
    pub fn commit_if_due(&mut self, now_ms: u64) -> Result<(), StoreError> {
        match self.due_ms {
            Some(due_ms) if due_ms <= now_ms => self.commit(),
            _ => Ok(()),
        }
    }

    /// When [`RedbStore::commit_if_due`] is to be called at the latest.
    pub fn next_commit_due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    fn new(disk: Disk, dir: &Path) -> Self {
        Self {
            disk,
            pending: Pending::default(),
            quota: Quota::new(dir),
            due_ms: None,
            commits: 0,
        }
    }
}

impl Store for RedbStore {
    fn headers(&self) -> Result<Vec<StoredHeader>, StoreError> {
        let mut headers = self.disk.tables()?.headers()?;
        self.pending.overlay_headers(&mut headers);
        let mut headers: Vec<_> = headers.into_values().collect();
        headers.sort_by_key(|header| header.sequence);
        Ok(headers)
    }

    fn tip(&self) -> Result<Option<StoredTip>, StoreError> {
        match self.pending.tip() {
            Some(tip) => Ok(Some(tip.clone())),
            None => self.disk.tables()?.tip(),
        }
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        match self.pending.block(hash) {
            Some(block) => Ok(Some(Arc::clone(block))),
            None => self.disk.tables()?.block(hash),
        }
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<Undo>, StoreError> {
        match self.pending.undo(hash) {
            Some(undo) => Ok(Some(undo.clone())),
            None => self.disk.tables()?.undo(hash),
        }
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        match self.pending.coin(outpoint) {
            Some(coin) => Ok(coin.clone()),
            None => self.disk.tables()?.coin(outpoint),
        }
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.pending.add(batch);
        if self.pending.bytes() >= PENDING_BYTES_MAX {
            return self.commit();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
