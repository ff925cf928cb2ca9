//! Taking in a transaction: cheap checks first, signatures last.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::graph::Candidate;
use super::package::Package;
use super::{Accepted, Mempool, MempoolError, TRANSACTION_WEIGHT_MAX, Totals};
use crate::amount::Amount;
use crate::coins::{Coin, SignatureCheck, SignatureVerifier};
use crate::hash::Txid;
use crate::height::Height;
use crate::rules::transaction::{
    TransactionError, check_amounts, check_chain_form, check_final, check_form, check_mature,
};
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::template::COINBASE_WEIGHT_RESERVED;
use crate::time::UnixSeconds;
use crate::transaction::{OutPoint, Transaction, TxOut};

/// How a transaction comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// For the first time.
    New,
    /// Back from a block that left the chain, or after one did. Its signatures
    /// were checked, and whoever mined it for less than our fee may again.
    Again,
}

/// A transaction that may enter, and who has to leave for it.
pub(super) struct Admission {
    pub(super) candidate: Candidate,
    /// All that spends the same outputs, with descendants.
    pub(super) replaced: BTreeSet<Txid>,
    /// All that makes room, with descendants.
    pub(super) evicted: BTreeSet<Txid>,
}

/// How the pool decides before signatures: who would enter, and the outputs
/// it spends.
type Judged = Result<(Admission, Vec<TxOut>), MempoolError>;

impl Admission {
    pub(super) fn accepted(&self) -> Accepted {
        Accepted {
            txid: self.candidate.txid,
            fee: self.candidate.fee,
            vsize: self.candidate.vsize,
            replaced: self.replaced.iter().copied().collect(),
            evicted: self.evicted.iter().copied().collect(),
        }
    }
}

/// The outputs a transaction spends.
enum Inputs {
    Found(Vec<Coin>),
    Missing(OutPoint),
}

impl Mempool {
    /// Takes a transaction in if the next block could contain it. The pool
    /// must know `view`'s tip; see [`Mempool::on_tip_changed`]. `now` is when
    /// it came; by it the transaction expires.
    ///
    /// # Errors
    /// Outside, the store's; inside, why the transaction is refused.
    pub fn accept<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        view: &State<S>,
        now: UnixSeconds,
    ) -> Result<Result<Accepted, MempoolError>, StoreError> {
        self.admit(tx, view, now, Entry::New)
    }

    /// What [`Mempool::accept`] would answer; nothing changes.
    ///
    /// # Errors
    /// As [`Mempool::accept`].
    pub fn check<S: Store>(
        &self,
        tx: &Arc<Transaction>,
        view: &State<S>,
    ) -> Result<Result<Accepted, MempoolError>, StoreError> {
        let answers = self.check_all(std::slice::from_ref(tx), view)?;
        let answer = answers.into_iter().next();
        let answer = answer.unwrap_or(Err(MempoolError::Full));
        Ok(answer.and_then(|unsigned| unsigned.verify(view.verifier())))
    }

    pub(super) fn admit<S: Store>(
        &mut self,
        tx: Arc<Transaction>,
        view: &State<S>,
        time: UnixSeconds,
        entry: Entry,
    ) -> Result<Result<Accepted, MempoolError>, StoreError> {
        let judged = self.judge(tx, view, (time, entry), &Package::default())?;
        Ok(judged.and_then(|(admission, spent)| {
            if entry == Entry::New {
                check_signatures(&admission.candidate.tx, spent, view.verifier())?;
            }
            Ok(self.enter(admission))
        }))
    }

    /// All but signatures, as if the package were in the pool.
    pub(super) fn judge<S: Store>(
        &self,
        tx: Arc<Transaction>,
        view: &State<S>,
        (time, entry): (UnixSeconds, Entry),
        package: &Package,
    ) -> Result<Judged, StoreError> {
        let txid = tx.txid();
        if let Err(error) = self.check_alone(&tx, txid, view, entry) {
            return Ok(Err(error));
        }
        let coins = match self.find_inputs(&tx, view, package)? {
            Ok(Inputs::Found(coins)) => coins,
            Ok(Inputs::Missing(outpoint)) => return missing(&tx, txid, outpoint, view).map(Err),
            Err(error) => return Ok(Err(error)),
        };
        let values = coins.iter().map(|coin| coin.output.value);
        let fee = match check_amounts(values, &tx) {
            Ok(fee) => fee,
            Err(error) => return Ok(Err(MempoolError::Invalid(error))),
        };
        let mut ancestors = self.graph.with_ancestors(self.graph.parents_of(&tx));
        ancestors.append(&mut package.pool_ancestors(&tx));
        let candidate = Candidate {
            vsize: tx.vsize(),
            weight: tx.weight(),
            ancestors,
            tx,
            txid,
            fee,
            time,
        };
        let admission = self.judge_with(candidate, entry, package);
        let spent = coins.into_iter().map(|coin| coin.output).collect();
        Ok(admission.map(|admission| (admission, spent)))
    }

    fn judge_with(
        &self,
        candidate: Candidate,
        entry: Entry,
        package: &Package,
    ) -> Result<Admission, MempoolError> {
        if entry == Entry::New {
            self.check_fee(candidate.fee, candidate.vsize)?;
        }
        let replaced = self.check_replacement(&candidate)?;
        if let Some(outpoint) = package.input_of(&candidate.tx)
            && !replaced.is_empty()
        {
            return Err(MempoolError::ReplacementAddsUnconfirmed { outpoint });
        }
        self.check_family(&candidate, &replaced, package)?;
        let evicted = self.make_room(&candidate, &replaced)?;
        Ok(Admission {
            candidate,
            replaced,
            evicted,
        })
    }

    fn enter(&mut self, admission: Admission) -> Accepted {
        let accepted = admission.accepted();
        self.raise_floor(&admission.evicted);
        let leaving = admission.replaced.into_iter().chain(admission.evicted);
        self.graph.remove_with_descendants(leaving);
        self.graph.insert(admission.candidate);
        accepted
    }

    /// All that needs no coins.
    fn check_alone<S: Store>(
        &self,
        tx: &Transaction,
        txid: Txid,
        view: &State<S>,
        entry: Entry,
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
        let mut outpoints = tx.inputs.iter().map(|input| input.previous_output);
        let conflict = outpoints.find_map(|outpoint| Some((outpoint, self.spender(&outpoint)?)));
        match conflict {
            Some((outpoint, by)) if entry == Entry::Again => {
                Err(MempoolError::Conflict { outpoint, by })
            }
            _ => Ok(()),
        }
    }

    fn find_inputs<S: Store>(
        &self,
        tx: &Transaction,
        view: &State<S>,
        package: &Package,
    ) -> Result<Result<Inputs, MempoolError>, StoreError> {
        let height = next_height(view);
        let maturity = view.params().coinbase_maturity;
        let mut coins = Vec::with_capacity(tx.inputs.len());
        for input in &tx.inputs {
            let outpoint = input.previous_output;
            let waiting = self.get(&outpoint.txid);
            let waiting = waiting.filter(|_| package.spares(&outpoint.txid));
            let coin = match package.get(&outpoint.txid).or(waiting) {
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

    fn check_fee(&self, fee: Amount, vsize: u64) -> Result<(), MempoolError> {
        let needed = fee_for(self.limits.min_fee_rate_sat_per_kvb, vsize);
        if fee < needed {
            return Err(MempoolError::FeeTooLow { fee, vsize, needed });
        }
        let needed = fee_for(self.min_fee_rate_sat_per_kvb(), vsize);
        if fee < needed {
            return Err(MempoolError::BelowFloor { fee, vsize, needed });
        }
        Ok(())
    }

    /// Bounds how many wait for each other, once the replaced ones are gone.
    fn check_family(
        &self,
        candidate: &Candidate,
        replaced: &BTreeSet<Txid>,
        package: &Package,
    ) -> Result<(), MempoolError> {
        let limits = &self.limits;
        let ancestors = self.graph.totals(&candidate.ancestors);
        let (above, vbytes_above) = package.kin_above(&candidate.tx);
        let count = ancestors.count + above + 1;
        check_family(count, limits.ancestors_max, "ancestors")?;
        let vbytes = ancestors.vsize + vbytes_above + candidate.vsize;
        check_family_vbytes(vbytes, limits.ancestor_vbytes_max, "ancestors")?;
        for ancestor in &candidate.ancestors {
            let descendants = self.descendants_without(ancestor, replaced);
            let (below, vbytes_below) = package.kin_below(ancestor);
            let count = descendants.count + below + 1;
            check_family(count, limits.descendants_max, "descendants")?;
            let vbytes = descendants.vsize + vbytes_below + candidate.vsize;
            check_family_vbytes(vbytes, limits.descendant_vbytes_max, "descendants")?;
        }
        Ok(())
    }

    fn descendants_without(&self, txid: &Txid, gone: &BTreeSet<Txid>) -> Totals {
        if gone.is_empty() {
            return self
                .entry(txid)
                .map_or(Totals::NONE, |entry| entry.descendants);
        }
        let all = self.graph.with_descendants([*txid]);
        self.graph.totals(all.difference(gone))
    }
}

fn check_family(count: usize, max: usize, kin: &'static str) -> Result<(), MempoolError> {
    if count > max {
        return Err(MempoolError::TooLongChain { count, max, kin });
    }
    Ok(())
}

fn check_family_vbytes(vbytes: u64, max: u64, kin: &'static str) -> Result<(), MempoolError> {
    if vbytes > max {
        return Err(MempoolError::TooLargeChain { vbytes, max, kin });
    }
    Ok(())
}

/// A rate's fee for a size, rounded up.
pub(super) fn fee_for(rate_sat_per_kvb: u64, vsize: u64) -> Amount {
    let fee = (u128::from(rate_sat_per_kvb) * u128::from(vsize)).div_ceil(1_000);
    Amount::from_sat(u64::try_from(fee).unwrap_or(u64::MAX))
}

/// Height of the next block, and the time its transactions' locks are
/// measured by.
fn next_place<S: Store>(view: &State<S>) -> (Height, UnixSeconds) {
    let median = view.tree().median_time_past(&view.tip().hash);
    (next_height(view), median.unwrap_or_default())
}

fn next_height<S: Store>(view: &State<S>) -> Height {
    let height = view.tip().height;
    height.next().unwrap_or(height)
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

/// `spent` are the outputs spent, in the order of inputs.
pub(super) fn check_signatures(
    tx: &Transaction,
    spent: Vec<TxOut>,
    verifier: &dyn SignatureVerifier,
) -> Result<(), MempoolError> {
    let check = SignatureCheck {
        transaction: tx,
        spent,
    };
    verifier.verify(&check).map_err(|(index, error)| {
        MempoolError::Invalid(TransactionError::Signature { index, error })
    })
}
