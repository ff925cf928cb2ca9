//! Signed payments.

use minichain_chain::amount::Amount;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

use super::key;

/// An output of the test key.
pub fn own_output(sats: u64) -> TxOut {
    TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&key().output_key()),
    }
}

/// Spends outputs of the test key, each worth the given base units, into
/// outputs of the test key.
pub fn pay(inputs: &[(OutPoint, u64)], outputs: &[u64]) -> Transaction {
    let outputs = outputs.iter().map(|sats| own_output(*sats)).collect();
    sign(unsigned(inputs, outputs), inputs)
}

pub fn unsigned(inputs: &[(OutPoint, u64)], outputs: Vec<TxOut>) -> Transaction {
    let inputs = inputs.iter().map(|(outpoint, _)| TxIn {
        previous_output: *outpoint,
        script_sig: Script::new(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    });
    Transaction {
        version: 2,
        inputs: inputs.collect(),
        outputs,
        lock_time: 0,
    }
}

pub fn sign(mut tx: Transaction, inputs: &[(OutPoint, u64)]) -> Transaction {
    let spent: Vec<_> = inputs.iter().map(|(_, sats)| own_output(*sats)).collect();
    sign_all_inputs(&mut tx, &spent, &key(), &[0; 32]).expect("one output for each input");
    tx
}
