//! What is the same for all nodes, whatever state their chains are in, is worked
//! out once: signatures, the form of a block, and what connecting it comes to.
//!
//! Whether a transaction may spend what it spends follows from its bytes and
//! the outputs, whoever asks. Both are compared whole, so a verdict is only ever
//! given again for the very same question. The form of a block follows from its
//! bytes; it is remembered for the very object that nodes share. What connecting
//! it comes to follows from its hash, which names all its ancestors, and is
//! remembered only after a chain has connected that block, so it is right.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minichain_chain::block::Block;
use minichain_chain::coins::{
    BlockSignatures, Connection, Gathered, SequentialVerifier, SignatureCheck, SignatureVerifier,
};
use minichain_chain::hash::{BlockHash, Txid, Wtxid};
use minichain_chain::rules::block::BlockError;
use minichain_chain::signature::SpendError;
use minichain_chain::transaction::{Names, Transaction, TxOut};

/// Verdicts kept at most; then they are made anew.
const VERDICTS_MAX: usize = 50_000;

/// Blocks and transactions of which more is remembered: nodes ask about the last
/// few.
const RECENT_MAX: usize = 32;

/// What was found so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    verdicts: BTreeMap<Wtxid, Verdict>,
    /// The last ones at the end, as in the next two.
    recent: VecDeque<Recent>,
    forms: VecDeque<Form>,
    connections: VecDeque<(BlockHash, Connection)>,
}

/// A block, the most that it may weigh, and what was found.
#[derive(Debug)]
struct Form {
    block: Arc<Block>,
    weight_max: u64,
    names: Vec<Names>,
    found: Result<(), BlockError>,
}

#[derive(Debug)]
struct Verdict {
    spent: Vec<TxOut>,
    found: Result<(), (usize, SpendError)>,
}

/// A transaction that somebody asked about lately.
#[derive(Debug)]
struct Recent {
    transaction: Transaction,
    spent: Vec<TxOut>,
    found: Result<(), (usize, SpendError)>,
}

impl Verdicts {
    /// One thread: nobody else holds the lock.
    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignatureVerifier for Verdicts {
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        let Found {
            verdicts, recent, ..
        } = &mut *self.found();
        // All nodes ask about the same transaction within a moment, and comparing
        // costs less than naming.
        let is_it =
            |one: &&Recent| one.spent == check.spent && one.transaction == *check.transaction;
        if let Some(one) = recent.iter().rev().find(is_it) {
            return one.found;
        }
        let name = check.transaction.wtxid();
        let known = verdicts
            .get(&name)
            .filter(|known| known.spent == check.spent);
        let found = known.map_or_else(|| check.verify(), |known| known.found);
        if known.is_none() {
            if verdicts.len() >= VERDICTS_MAX {
                verdicts.clear();
            }
            let spent = check.spent.clone();
            verdicts.insert(name, Verdict { spent, found });
        }
        let one = Recent {
            transaction: check.transaction.clone(),
            spent: check.spent.clone(),
            found,
        };
        remember(recent, one);
        found
    }

    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, Arc::clone(block)))
    }

    fn form(&self, block: &Arc<Block>, weight_max: u64) -> (Vec<Names>, Result<(), BlockError>) {
        let forms = &mut self.found().forms;
        let is_it = |form: &&Form| Arc::ptr_eq(&form.block, block) && form.weight_max == weight_max;
        if let Some(form) = forms.iter().rev().find(is_it) {
            return (form.names.clone(), form.found.clone());
        }
        let (names, found) = SequentialVerifier.form(block, weight_max);
        let form = Form {
            block: Arc::clone(block),
            weight_max,
            names: names.clone(),
            found: found.clone(),
        };
        remember(forms, form);
        (names, found)
    }

    fn txids(&self, block: &Arc<Block>) -> Vec<Txid> {
        let forms = &self.found().forms;
        let known = forms
            .iter()
            .rev()
            .find(|form| Arc::ptr_eq(&form.block, block));
        match known {
            Some(form) => form.names.iter().map(|names| names.txid).collect(),
            None => SequentialVerifier.txids(block),
        }
    }

    fn connection(&self, hash: &BlockHash) -> Option<Connection> {
        let connections = &self.found().connections;
        let known = connections.iter().rev().find(|(of, _)| of == hash);
        known.map(|(_, connection)| connection.clone())
    }

    fn connected(&self, hash: &BlockHash, connection: &dyn Fn() -> Connection) {
        let mut connection = connection();
        // In the archive the coins follow from the tip.
        connection.coins.clear();
        remember(&mut self.found().connections, (*hash, connection));
    }
}

/// Adds one; the oldest makes room.
fn remember<T>(list: &mut VecDeque<T>, one: T) {
    if list.len() >= RECENT_MAX {
        list.pop_front();
    }
    list.push_back(one);
}

#[cfg(test)]
mod tests {
    use minichain_chain::amount::Amount;
    use minichain_chain::params::dev_account_key;
    use minichain_chain::script::Script;
    use minichain_chain::signature::sign_all_inputs;
    use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, TxIn, Witness};

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
