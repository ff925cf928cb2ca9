//! Who may take the place of others that spend the same outputs.
//!
//! BIP 125's rules without its signal: every transaction may be replaced, as
//! in Bitcoin Core since version 28. The others ask that miners gain and that
//! passing a replacement on costs its sender something.

use std::collections::BTreeSet;

use super::accept::fee_for;
use super::graph::Candidate;
use super::{FeeRate, Mempool, MempoolError};
use crate::amount::Amount;
use crate::hash::Txid;

/// Transactions that one may replace, descendants included, as in BIP 125.
pub const REPLACED_MAX: usize = 100;

impl Mempool {
    /// Whom the candidate replaces: all that spends one of its inputs, with
    /// all that depends on it. Empty: nobody spends them.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub(super) fn check_replacement(
        &self,
        candidate: &Candidate,
    ) -> Result<BTreeSet<Txid>, MempoolError> {
        let inputs = || {
            candidate
                .tx
                .inputs
                .iter()
                .map(|input| input.previous_output)
        };
        let direct: BTreeSet<Txid> = inputs()
            .filter_map(|outpoint| self.spender(&outpoint))
            .collect();
        if direct.is_empty() {
            return Ok(direct);
        }
        if let Some(by) = direct.intersection(&candidate.ancestors).next() {
            return Err(MempoolError::SpendsReplaced { txid: *by });
        }
        let replaced = self.graph.with_descendants(direct.iter().copied());
        if replaced.len() > REPLACED_MAX {
            let (count, max) = (replaced.len(), REPLACED_MAX);
            return Err(MempoolError::TooManyReplaced { count, max });
        }
        self.check_no_new_unconfirmed(candidate, &direct)?;
        self.check_replacement_fee(candidate, &direct, &replaced)?;
        Ok(replaced)
    }

    /// What was unconfirmed may stay so, nothing else may become it: miners
    /// could otherwise get less soon than they had.
    fn check_no_new_unconfirmed(
        &self,
        candidate: &Candidate,
        direct: &BTreeSet<Txid>,
    ) -> Result<(), MempoolError> {
        let parents = direct.iter().filter_map(|txid| self.entry(txid));
        let known: BTreeSet<_> = parents
            .flat_map(|entry| {
                entry
                    .tx
                    .inputs
                    .iter()
                    .map(|input| input.previous_output.txid)
            })
            .collect();
        let spent = candidate
            .tx
            .inputs
            .iter()
            .map(|input| input.previous_output);
        let mut unconfirmed = spent.filter(|outpoint| self.contains(&outpoint.txid));
        match unconfirmed.find(|outpoint| !known.contains(&outpoint.txid)) {
            Some(outpoint) => Err(MempoolError::ReplacementAddsUnconfirmed { outpoint }),
            None => Ok(()),
        }
    }

    fn check_replacement_fee(
        &self,
        candidate: &Candidate,
        direct: &BTreeSet<Txid>,
        replaced: &BTreeSet<Txid>,
    ) -> Result<(), MempoolError> {
        let Candidate { fee, vsize, .. } = candidate;
        let rate = FeeRate::new(*fee, *vsize);
        let rival = direct
            .iter()
            .filter_map(|txid| self.entry(txid))
            .find(|entry| entry.rate() >= rate);
        let relay = fee_for(self.limits.incremental_fee_rate_sat_per_kvb, *vsize);
        let total = self.graph.totals(replaced).fees;
        let needed = total.checked_add(relay).unwrap_or(Amount::MAX_MONEY);
        if rival.is_some() || *fee < needed {
            return Err(MempoolError::InsufficientFee {
                fee: *fee,
                needed,
                rival: rival.map(|entry| entry.txid),
            });
        }
        Ok(())
    }
}
