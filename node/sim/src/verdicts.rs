//! Signatures are checked once for all nodes.
//!
//! Whether a transaction may spend what it spends follows from its bytes and
//! the outputs, whoever asks. Both are compared whole, so a verdict is only ever
//! given again for the very same question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minichain_chain::block::Block;
use minichain_chain::coins::{BlockSignatures, Gathered, SignatureCheck, SignatureVerifier};
use minichain_chain::hash::Wtxid;
use minichain_chain::signature::SpendError;
use minichain_chain::transaction::TxOut;

/// Verdicts kept at most; then they are made anew.
const VERDICTS_MAX: usize = 50_000;

/// What was found of transactions so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts(Arc<Mutex<BTreeMap<Wtxid, Verdict>>>);

#[derive(Debug)]
struct Verdict {
    spent: Vec<TxOut>,
    found: Result<(), (usize, SpendError)>,
}

impl SignatureVerifier for Verdicts {
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        // One thread: nobody else holds the lock.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = check.transaction.wtxid();
        if let Some(verdict) = known.get(&name)
            && verdict.spent == check.spent
        {
            return verdict.found;
        }
        if known.len() >= VERDICTS_MAX {
            known.clear();
        }
        let found = check.verify();
        let spent = check.spent.clone();
        known.insert(name, Verdict { spent, found });
        found
    }

    fn of_block<'a>(&'a self, block: &'a Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, block))
    }
}

#[cfg(test)]
mod tests {
    use minichain_chain::amount::Amount;
    use minichain_chain::params::dev_account_key;
    use minichain_chain::script::Script;
    use minichain_chain::signature::sign_all_inputs;
    use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, Witness};

    use super::*;

    fn output(sats: u64) -> TxOut {
        let key = dev_account_key(&[7; 32], "alice").output_key();
        TxOut {
            value: Amount::from_sat(sats),
            script_pubkey: Script::p2tr(&key),
        }
    }

    fn signed(spent: &TxOut) -> Transaction {
        let mut transaction = Transaction {
            version: 2,
            inputs: vec![TxIn {
                previous_output: OutPoint::NULL,
                script_sig: Script::new(),
                sequence: SEQUENCE_FINAL,
                witness: Witness::new(),
            }],
            outputs: vec![output(1)],
            lock_time: 0,
        };
        let key = dev_account_key(&[7; 32], "alice");
        let spent = std::slice::from_ref(spent);
        sign_all_inputs(&mut transaction, spent, &key, &[0; 32]).expect("it can be signed");
        transaction
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_one_its_own() {
        let verdicts = Verdicts::default();
        let good = signed(&output(5));
        let ask = |transaction, sats| {
            let spent = vec![output(sats)];
            let check = SignatureCheck { transaction, spent };
            let (asked, alone) = (verdicts.verify(&check), check.verify());
            assert_eq!(asked, alone);
            asked.is_ok()
        };
        assert!(ask(&good, 5) && ask(&good, 5));
        // The amount is signed too.
        assert!(!ask(&good, 6) && !ask(&good, 6));
        assert!(ask(&good, 5));
        let mut bad = good.clone();
        bad.inputs[0].witness.0[0][10] ^= 1;
        assert!(!ask(&bad, 5) && !ask(&bad, 5));
        assert_eq!(bad.txid(), good.txid(), "only the witness differs");
    }
}
