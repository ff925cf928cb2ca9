//! What a wallet earned and paid, block by block, and back again.
//!
//! The ledger is fed the blocks of one chain in ascending order; blocks that
//! pay nobody here may be left out. It remembers some of the blocks it has
//! seen, so that whoever feeds it can tell where another branch took over, and
//! takes everything above that height back.

use std::collections::{BTreeMap, BTreeSet};

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::height::Height;
use minichain_chain::transaction::{OutPoint, Transaction};

use crate::keyring::{KeyError, Keyring, Place};

/// Destinations that are remembered of one payment.
pub const PAID_TO_MAX: usize = 8;

/// Seen blocks that are remembered one by one, below the last.
const RECENT_MAX: usize = 12;

/// An output that was or is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// What it is worth.
    pub value: Amount,
    /// Whose key it is.
    pub place: Place,
    /// Height of its block.
    pub height: Height,
    /// Whether a coinbase made it, so that it has to mature.
    pub is_coinbase: bool,
    /// What spent it, and at which height.
    pub spent: Option<(Txid, Height)>,
}

/// A transaction that concerns the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub txid: Txid,
    /// Its block; none while it waits.
    pub height: Option<Height>,
    /// The block's time, in seconds since 1970; 0 while it waits.
    pub time_s: u32,
    /// What it pays the wallet, change included.
    pub received: Amount,
    /// What it spends of the wallet's.
    pub spent: Amount,
    /// Its fee, where the wallet paid all of it.
    pub fee: Option<Amount>,
    /// Whether it is a miner's reward.
    pub is_coinbase: bool,
    /// Whom else a payment of ours pays: taproot output keys and amounts, the
    /// first [`PAID_TO_MAX`].
    pub paid_to: Vec<([u8; 32], Amount)>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(crate) seen: BTreeMap<Height, BlockHash>,
    pub(crate) outputs: BTreeMap<OutPoint, Owned>,
    pub(crate) entries: Vec<Entry>,
}

impl Ledger {
    /// The last block that was looked at.
    #[must_use]
    pub fn tip(&self) -> Option<(Height, BlockHash)> {
        let last = self.seen.last_key_value();
        last.map(|(height, hash)| (*height, *hash))
    }

    /// Blocks that were looked at, highest first. Enough to find where another
    /// branch took over: the last ones all, then ever fewer.
    pub fn seen(&self) -> impl Iterator<Item = (Height, BlockHash)> + '_ {
        self.seen
            .iter()
            .rev()
            .map(|(height, hash)| (*height, *hash))
    }

    /// A ledger of coins that were found otherwise than block by block. It knows
    /// no history and cannot be taken back.
    pub fn of_coins(coins: impl IntoIterator<Item = (OutPoint, Owned)>) -> Self {
        Self {
            outputs: coins.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Outputs that were or are ours.
    pub fn outputs(&self) -> impl Iterator<Item = (&OutPoint, &Owned)> {
        self.outputs.iter()
    }

    /// What happened, earliest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Notes that everything up to this block was looked at.
    pub fn note_seen(&mut self, height: Height, hash: BlockHash) {
        self.seen.insert(height, hash);
        self.thin_out();
    }

    /// Takes a block's payments in. Whether the keyring looks out for more keys
    /// since; then blocks above this one must be looked through again.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn apply(
        &mut self,
        block: &Block,
        height: Height,
        keyring: &mut Keyring,
    ) -> Result<bool, KeyError> {
        let mut is_more = false;
        // A payment to the first key of a new stretch may stand before the one
        // that made the keyring look out for it.
        while self.note_paid(block, keyring)? {
            is_more = true;
        }
        for transaction in &block.transactions {
            // A genesis block's coins need not mature.
            let is_coinbase = transaction.is_coinbase() && height != Height::GENESIS;
            self.take_in(
                transaction,
                height,
                block.header.time.0,
                is_coinbase,
                keyring,
            );
        }
        Ok(is_more)
    }

    /// Takes back everything above a height.
    pub fn rewind(&mut self, height: Height) {
        self.seen.retain(|at, _| *at <= height);
        self.outputs.retain(|_, owned| owned.height <= height);
        for owned in self.outputs.values_mut() {
            owned.spent = owned.spent.filter(|(_, at)| *at <= height);
        }
        self.entries
            .retain(|entry| entry.height.is_none_or(|at| at <= height));
    }

    fn note_paid(&self, block: &Block, keyring: &mut Keyring) -> Result<bool, KeyError> {
        let mut is_more = false;
        let outputs = block.transactions.iter().flat_map(|tx| &tx.outputs);
        for output in outputs {
            if let Some(place) = keyring.find(&output.script_pubkey) {
                is_more |= keyring.note_paid(place)?;
            }
        }
        Ok(is_more)
    }

    /// Whether the same block was taken in before.
    fn knows(&self, txid: &Txid, height: Height) -> bool {
        // Blocks are taken in from below, so entries stand in the order of heights.
        let latest = self.entries.iter().rev();
        let mut latest = latest.take_while(|known| known.height >= Some(height));
        latest.any(|known| known.txid == *txid && known.height == Some(height))
    }

    fn take_in(
        &mut self,
        transaction: &Transaction,
        height: Height,
        time_s: u32,
        is_coinbase: bool,
        keyring: &Keyring,
    ) {
        let Some(mut entry) = entry_of(transaction, keyring, |place| {
            let owned = self.outputs.get(place)?;
            Some(owned.value)
        }) else {
            return;
        };
        entry.height = Some(height);
        entry.time_s = time_s;
        entry.is_coinbase = is_coinbase;
        let txid = entry.txid;
        if self.knows(&txid, height) {
            return;
        }
        self.entries.push(entry);
        for input in &transaction.inputs {
            if let Some(owned) = self.outputs.get_mut(&input.previous_output) {
                owned.spent = Some((txid, height));
            }
        }
        for (output, vout) in transaction.outputs.iter().zip(0..) {
            if let Some(place) = keyring.find(&output.script_pubkey) {
                let owned = Owned {
                    value: output.value,
                    place,
                    height,
                    is_coinbase,
                    spent: None,
                };
                self.outputs.insert(OutPoint { txid, vout }, owned);
            }
        }
    }

    /// Keeps the last blocks, and below them ever fewer.
    fn thin_out(&mut self) {
        let heights: Vec<Height> = self.seen.keys().rev().copied().collect();
        let Some(top) = heights.first() else { return };
        let mut kept = BTreeSet::new();
        let mut classes = BTreeSet::new();
        for (at, height) in heights.iter().enumerate() {
            let depth = top.saturating_since(*height).max(1);
            if at < RECENT_MAX || classes.insert(depth.ilog2()) {
                kept.insert(*height);
            }
        }
        self.seen.retain(|height, _| kept.contains(height));
    }
}

/// What a transaction means to a keyring; none if nothing. `worth` tells the
/// value of an output of ours.
pub(crate) fn entry_of(
    transaction: &Transaction,
    keyring: &Keyring,
    worth: impl Fn(&OutPoint) -> Option<Amount>,
) -> Option<Entry> {
    let inputs: Vec<Option<Amount>> = transaction
        .inputs
        .iter()
        .map(|input| worth(&input.previous_output))
        .collect();
    let is_ours: Vec<bool> = transaction
        .outputs
        .iter()
        .map(|output| keyring.find(&output.script_pubkey).is_some())
        .collect();
    if inputs.iter().all(Option::is_none) && !is_ours.contains(&true) {
        return None;
    }
    let spent = sum(inputs.iter().flatten().copied());
    let outputs = || transaction.outputs.iter().zip(&is_ours);
    let own = outputs().filter(|(_, ours)| **ours);
    let received = sum(own.map(|(output, _)| output.value));
    let paid = sum(outputs().map(|(output, _)| output.value));
    let fee = if inputs.iter().all(Option::is_some) {
        spent.checked_sub(paid)
    } else {
        None
    };
    let strangers = outputs()
        .filter(|(_, ours)| !**ours && spent > Amount::ZERO)
        .filter_map(|(output, _)| Some((output.script_pubkey.is_p2tr()?, output.value)));
    Some(Entry {
        txid: transaction.txid(),
        height: None,
        time_s: 0,
        received,
        spent,
        fee,
        is_coinbase: false,
        paid_to: strangers.take(PAID_TO_MAX).collect(),
    })
}

/// Sums of coins that exist never overflow.
fn sum(values: impl Iterator<Item = Amount>) -> Amount {
    values.fold(Amount::ZERO, |sum, value| {
        sum.checked_add(value).unwrap_or(sum)
    })
}

#[cfg(test)]
mod tests;
