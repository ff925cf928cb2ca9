//! The coins as they were at an earlier block of the active chain.

use std::sync::Arc;

use super::{State, UtxoInfo, utxo_info};
use crate::block::Block;
use crate::coins::{CoinStats, Undo, created_coins};
use crate::hash::BlockHash;
use crate::height::Height;
use crate::store::{Store, StoreError};

/// The way back from the tip to a block, to be walked away from the chain.
#[derive(Debug, Clone)]
pub struct Rewind {
    stats: CoinStats,
    /// Blocks to take off, tip first.
    path: Vec<(Height, BlockHash)>,
    end: (Height, BlockHash),
}

impl Rewind {
    /// Blocks to take off.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.path.len()
    }

    /// Takes the blocks off, lent by `lend` one by one with what they spent.
    ///
    /// # Errors
    /// What `lend` says, or [`StoreError`] where blocks and coins do not fit.
    pub fn run(
        self,
        mut lend: impl FnMut(&BlockHash) -> Result<(Arc<Block>, Undo), StoreError>,
    ) -> Result<UtxoInfo, StoreError> {
        let mut stats = self.stats;
        for (height, hash) in &self.path {
            let (block, undo) = lend(hash)?;
            let inputs = block.transactions.iter().skip(1).flat_map(|tx| &tx.inputs);
            // Spent coins come back first, so that the sum never falls below zero.
            for (input, coin) in inputs.zip(&undo.spent) {
                stats.add(&input.previous_output, coin)?;
            }
            for (outpoint, coin) in created_coins(&block, *height) {
                stats.remove(&outpoint, &coin)?;
            }
        }
        Ok(utxo_info(self.end, &stats))
    }
}

impl<S: Store> State<S> {
    /// The way back to a block of the active chain; `None` for any other
    /// block.
    #[must_use]
    pub fn rewind_to(&self, hash: &BlockHash) -> Option<Rewind> {
        let end = self.tree.get(hash)?;
        if !self.is_active(hash) {
            return None;
        }
        let above = self.active.iter().rev().map(|index| self.tree.at(*index));
        let path = above
            .take_while(|entry| entry.height > end.height)
            .map(|entry| (entry.height, entry.hash));
        Some(Rewind {
            stats: self.coins.clone(),
            path: path.collect(),
            end: (end.height, end.hash),
        })
    }

    /// The unspent outputs as they were at a block of the active chain; `None`
    /// for any other block. Found by walking back from the tip, so the time it
    /// takes grows with the depth.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn utxo_info_at(&self, hash: &BlockHash) -> Result<Option<UtxoInfo>, StoreError> {
        let rewind = self.rewind_to(hash);
        let lend = |hash: &BlockHash| Ok((self.stored_block(hash)?, self.stored_undo(hash)?));
        rewind.map(|rewind| rewind.run(lend)).transpose()
    }
}
