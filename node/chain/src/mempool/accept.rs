//! Taking in a transaction: cheap checks first, signatures last.

use std::sync::Arc;

use super::graph::Candidate;
use super::{Accepted, Mempool, MempoolError, TRANSACTION_WEIGHT_MAX};
use crate::amount::Amount;
use crate::coins::{Coin, SignatureCheck};
use crate::hash::Txid;
use crate::height::Height;
use crate::rules::transaction::{
    TransactionError, check_amounts, check_chain_form, check_final, check_form, check_mature,
};
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::template::COINBASE_WEIGHT_RESERVED;
use crate::time::UnixSeconds;
use crate::transaction::{OutPoint, Transaction};

/// How a transaction comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// For the first time.
    New,
    /// Back from a block that left the chain, or after one did. Its signatures
    /// were checked, and whoever mined it for less than our fee may again.
    Again,
}

/// The outputs a transaction spends.
enum Inputs {
    Found(Vec<Coin>),
    Missing(OutPoint),
}

impl Mempool {
    /// Takes a transaction in if the next block could contain it. The pool
    /// must know `view`'s tip; see [`Mempool::on_tip_changed`].
    ///
    /// # Errors
    /// Outside, the store's; inside, why the transaction is refused.
    pub fn accept<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        view: &State<S>,
    ) -> Result<Result<Accepted, MempoolError>, StoreError> {
        self.admit(tx, view, Entry::New)
    }

    pub(super) fn admit<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        view: &State<S>,
        entry: Entry,
    ) -> Result<Result<Accepted, MempoolError>, StoreError> {
        let txid = tx.txid();
        if let Err(error) = self.check_alone(&tx, txid, view) {
            return Ok(Err(error));
        }
        let coins = match self.find_inputs(&tx, view)? {
            Ok(Inputs::Found(coins)) => coins,
            Ok(Inputs::Missing(outpoint)) => return missing(&tx, txid, outpoint, view).map(Err),
            Err(error) => return Ok(Err(error)),
        };
        Ok(self.admit_with(tx, txid, coins, view, entry))
    }

    /// All that needs no coins.
    fn check_alone<S: Store>(
        &self,
        tx: &Transaction,
        txid: Txid,
        view: &State<S>,
    ) -> Result<(), MempoolError> {
        if self.contains(&txid) {
            return Err(MempoolError::AlreadyKnown { txid });
        }
        let block_weight_max = u64::from(view.params().block_weight_max);
        check_form(tx, block_weight_max)
            .and_then(|()| check_chain_form(tx))
            .map_err(MempoolError::Invalid)?;
        if tx.is_coinbase() {
            return Err(MempoolError::Coinbase);
        }
        let weight = tx.weight();
        let room = block_weight_max.saturating_sub(COINBASE_WEIGHT_RESERVED);
        let max = room.min(TRANSACTION_WEIGHT_MAX);
        if weight > max {
            return Err(MempoolError::TooHeavy { weight, max });
        }
        let (height, median) = next_place(view);
        check_final(tx, height, median).map_err(|_| MempoolError::NonFinal {
            lock_time: tx.lock_time,
        })?;
        for input in &tx.inputs {
            let outpoint = input.previous_output;
            if let Some(by) = self.spender(&outpoint) {
                return Err(MempoolError::Conflict { outpoint, by });
            }
        }
        Ok(())
    }

    fn find_inputs<S: Store>(
        &self,
        tx: &Transaction,
        view: &State<S>,
    ) -> Result<Result<Inputs, MempoolError>, StoreError> {
        let (height, _) = next_place(view);
        let maturity = view.params().coinbase_maturity;
        let mut coins = Vec::with_capacity(tx.inputs.len());
        for input in &tx.inputs {
            let outpoint = input.previous_output;
            let coin = match self.get(&outpoint.txid) {
                Some(parent) => match unconfirmed_coin(parent, outpoint, height) {
                    Some(coin) => coin,
                    // The parent's name commits to its outputs.
                    None => {
                        let error = TransactionError::InputMissing(outpoint);
                        return Ok(Err(MempoolError::Invalid(error)));
                    }
                },
                None => match view.coin(&outpoint)? {
                    Some(coin) => coin,
                    None => return Ok(Ok(Inputs::Missing(outpoint))),
                },
            };
            if let Err(TransactionError::CoinbaseImmature { from, .. }) =
                check_mature(outpoint, &coin, height, maturity)
            {
                return Ok(Err(MempoolError::Immature { outpoint, from }));
            }
            coins.push(coin);
        }
        Ok(Ok(Inputs::Found(coins)))
    }

    fn admit_with<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        txid: Txid,
        coins: Vec<Coin>,
        view: &State<S>,
        entry: Entry,
    ) -> Result<Accepted, MempoolError> {
        let values = coins.iter().map(|coin| coin.output.value);
        let fee = check_amounts(values, &tx).map_err(MempoolError::Invalid)?;
        let (vsize, weight) = (tx.vsize(), tx.weight());
        if entry == Entry::New {
            self.check_fee(fee, vsize)?;
        }
        let ancestors = self.graph.with_ancestors(self.graph.parents_of(&tx));
        let (count, max) = (ancestors.len() + 1, self.limits.ancestors_max);
        if count > max {
            return Err(MempoolError::TooLongChain { count, max });
        }
        let candidate = Candidate {
            tx,
            txid,
            fee,
            vsize,
            weight,
            ancestors,
        };
        let victims = self.make_room(&candidate)?;
        if entry == Entry::New {
            check_signatures(&candidate.tx, coins, view)?;
        }
        let evicted = self
            .graph
            .remove_with_descendants(victims)
            .into_iter()
            .collect();
        self.graph.insert(candidate);
        Ok(Accepted {
            txid,
            fee,
            vsize,
            evicted,
        })
    }

    fn check_fee(&self, fee: Amount, vsize: u64) -> Result<(), MempoolError> {
        let rate = u128::from(self.limits.min_fee_rate_sat_per_kvb);
        let needed = (rate * u128::from(vsize)).div_ceil(1_000);
        let needed = Amount::from_sat(u64::try_from(needed).unwrap_or(u64::MAX));
        if fee < needed {
            return Err(MempoolError::FeeTooLow { fee, vsize, needed });
        }
        Ok(())
    }
}

/// Height of the next block, and the time its transactions' locks are
/// measured by.
fn next_place<S: Store>(view: &State<S>) -> (Height, UnixSeconds) {
    let tip = view.tip();
    let height = tip.height.next().unwrap_or(tip.height);
    (
        height,
        view.tree().median_time_past(&tip.hash).unwrap_or_default(),
    )
}

/// What a parent in the pool will make, once the next block contains it.
fn unconfirmed_coin(parent: &Transaction, outpoint: OutPoint, height: Height) -> Option<Coin> {
    let index = usize::try_from(outpoint.vout).ok()?;
    let output = parent.outputs.get(index)?.clone();
    let is_spendable = !output.script_pubkey.is_op_return();
    is_spendable.then_some(Coin {
        output,
        height,
        is_coinbase: false,
    })
}

/// Tells a transaction that the chain has from one whose inputs it lacks.
fn missing<S: Store>(
    tx: &Transaction,
    txid: Txid,
    outpoint: OutPoint,
    view: &State<S>,
) -> Result<MempoolError, StoreError> {
    for (vout, _) in (0_u32..).zip(&tx.outputs) {
        if view.coin(&OutPoint { txid, vout })?.is_some() {
            return Ok(MempoolError::AlreadyConfirmed { txid });
        }
    }
    Ok(MempoolError::MissingInputs { outpoint })
}

fn check_signatures<S: Store>(
    tx: &Transaction,
    coins: Vec<Coin>,
    view: &State<S>,
) -> Result<(), MempoolError> {
    let spent = coins.into_iter().map(|coin| coin.output).collect();
    let checks = [SignatureCheck {
        transaction: tx,
        spent,
    }];
    view.verifier().verify(&checks).map_err(|failure| {
        let error = failure.error;
        MempoolError::Invalid(TransactionError::Signature {
            index: failure.input,
            error,
        })
    })
}
