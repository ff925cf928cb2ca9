use std::collections::BTreeSet;

use minichain_chain::amount::Amount;
use minichain_chain::coins::{SequentialVerifier, SignatureFailure};
use minichain_chain::hash::{MerkleRoot, Txid};
use minichain_chain::merkle::transaction_root;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

use super::*;
use crate::genesis;

fn key() -> SecretKey {
    dev_account_key(&[7; 32], "verifier")
}

fn own_output(sats: u64) -> TxOut {
    TxOut {
        value: Amount::from_sat(sats),
        script_pubkey: Script::p2tr(&key().output_key()),
    }
}

/// A payment with two inputs; `number` tells it from others.
fn payment(number: u32) -> Transaction {
    let input = |vout| TxIn {
        previous_output: OutPoint {
            txid: Txid::from_bytes([9; 32]),
            vout,
        },
        script_sig: Script::new(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    };
    let mut tx = Transaction {
        version: 2,
        inputs: vec![input(2 * number), input(2 * number + 1)],
        outputs: vec![own_output(900)],
        lock_time: 0,
    };
    sign_all_inputs(&mut tx, &spent(), &key(), &[0; 32]).unwrap();
    tx
}

fn spent() -> Vec<TxOut> {
    vec![own_output(500), own_output(500)]
}

fn empty_block() -> Block {
    let params = genesis::params(&genesis::load(None).unwrap()).unwrap();
    params.genesis_block()
}

fn break_signature(tx: &mut Transaction, input: usize) {
    tx.inputs[input].witness.0[0][40] ^= 1;
}

/// What a verifier says of a block with these payments.
fn judge(
    verifier: &dyn SignatureVerifier,
    payments: &[Transaction],
) -> Result<(), SignatureFailure> {
    let mut block = empty_block();
    block.transactions.extend_from_slice(payments);
    let block = Arc::new(block);
    let mut signatures = verifier.of_block(&block);
    for index in 1..block.transactions.len() {
        signatures.add(index, spent());
    }
    signatures.finish()
}

#[test]
fn answer_is_that_of_one_thread_whatever_is_wrong() {
    let good: Vec<_> = (0..40).map(payment).collect();
    let verifier = ThreadedVerifier::new(3).unwrap();
    for count in [0, 1, 2, 7, 8, 9, 40] {
        assert_eq!(judge(&verifier, &good[..count]), Ok(()));
    }
    let wrongs = [vec![(0, 0)], vec![(39, 1)], vec![(30, 0), (7, 1), (22, 0)]];
    for wrong in wrongs.iter().cycle().take(60) {
        let mut payments = good.clone();
        for &(index, input) in wrong {
            break_signature(&mut payments[index], input);
        }
        let expected = judge(&SequentialVerifier, &payments);
        assert!(expected.is_err());
        assert_eq!(judge(&verifier, &payments), expected);
        // Few enough to be checked without other threads.
        let first = wrong.iter().map(|(index, _)| *index).min().unwrap();
        let one = &payments[first..=first];
        assert_eq!(judge(&verifier, one), judge(&SequentialVerifier, one));
    }
}

#[test]
fn a_block_that_is_given_up_leaves_the_threads_free() {
    let verifier = ThreadedVerifier::new(1).unwrap();
    let mut block = empty_block();
    block.transactions.extend((0..200).map(payment));
    let block = Arc::new(block);
    let mut signatures = verifier.of_block(&block);
    for index in 1..block.transactions.len() {
        signatures.add(index, spent());
    }
    drop(signatures);
    assert_eq!(judge(&verifier, &[payment(0), payment(1)]), Ok(()));
}

#[test]
fn what_was_right_alone_is_not_checked_again_and_what_was_wrong_is() {
    let verifier = ThreadedVerifier::new(2).unwrap();
    let mut payments: Vec<_> = (0..3).map(payment).collect();
    break_signature(&mut payments[1], 0);
    let check = |transaction| SignatureCheck {
        transaction,
        spent: spent(),
    };
    for payment in &payments {
        let check = check(payment);
        assert_eq!(verifier.verify(&check), SequentialVerifier.verify(&check));
    }
    let known = |index: usize| verifier.shared.is_known(&check(&payments[index]));
    assert_eq!([known(0), known(1), known(2)], [true, false, true]);
    let failure = judge(&verifier, &payments).unwrap_err();
    assert_eq!((failure.transaction, failure.input), (2, 0));

    // Another witness is another name, so nothing is taken for it.
    let mut other = payments[0].clone();
    break_signature(&mut other, 1);
    assert!(!verifier.shared.is_known(&check(&other)));
}

#[test]
fn names_are_those_of_one_thread() {
    let verifier = ThreadedVerifier::new(3).unwrap();
    let mut payments: Vec<_> = (0..300).map(payment).collect();
    payments[5].inputs[0].witness = Witness::new();
    payments[5].inputs[1].witness = Witness::new();
    for count in [0, 1, NAMES_A_PIECE + 1, payments.len()] {
        let some = &payments[..count];
        let expected: Vec<_> = some
            .iter()
            .map(|tx| Names {
                txid: tx.txid(),
                wtxid: tx.wtxid(),
            })
            .collect();
        assert_eq!(verifier.names(some), expected);
    }
}

#[test]
fn form_is_judged_as_by_one_thread() {
    let verifier = ThreadedVerifier::new(3).unwrap();
    let mut block = empty_block();
    block.transactions.extend((0..100).map(|number| {
        let mut tx = payment(number);
        // The coinbase commits to none.
        tx.inputs
            .iter_mut()
            .for_each(|input| input.witness = Witness::new());
        tx
    }));
    let root = transaction_root(&block.transactions).unwrap().root;
    block.header.merkle_root = root;
    let weight = block.weight();
    let of = |change: &dyn Fn(&mut Block)| {
        let mut block = block.clone();
        change(&mut block);
        Arc::new(block)
    };
    let again = |block: &mut Block| {
        let root = transaction_root(&block.transactions).unwrap().root;
        block.header.merkle_root = root;
    };
    let blocks = [
        of(&|_| ()),
        of(&|block| block.header.merkle_root = MerkleRoot::ZERO),
        of(&|block| {
            block.transactions[70] = block.transactions[69].clone();
            again(block);
        }),
        of(&|block| {
            block.transactions[70].inputs = block.transactions[69].inputs.clone();
            block.transactions[80].outputs.clear();
            again(block);
        }),
        of(&|block| {
            block.transactions.remove(0);
            again(block);
        }),
    ];
    let mut rules = BTreeSet::new();
    for block in &blocks {
        for weight_max in [weight, weight - 1, u64::MAX] {
            let found = verifier.form(block, weight_max);
            assert_eq!(found, SequentialVerifier.form(block, weight_max));
            rules.insert(found.1.map_err(|why| why.rule()));
        }
    }
    assert!(rules.len() >= 5 && rules.contains(&Ok(())), "{rules:?}");
}

#[test]
fn memory_of_signatures_is_bounded_and_keeps_the_younger_half() {
    let mut known = Known::default();
    let name = |number: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Wtxid::from_bytes(bytes)
    };
    assert!(known.is_empty());
    for number in 0..3 * REMEMBERED {
        known.insert(name(number));
        assert!(known.young.len() + known.old.len() <= 2 * REMEMBERED);
    }
    assert!(!known.contains(&name(0)));
    for number in 2 * REMEMBERED..3 * REMEMBERED {
        assert!(known.contains(&name(number)));
    }
}

#[test]
fn digest_is_that_of_one_thread() {
    let verifier = ThreadedVerifier::new(3).unwrap();
    for count in [0, 1, ELEMENTS_WORTH_THREADS, 500] {
        let changes: Vec<_> = (0..count)
            .map(|number| match number % 3 {
                0 => DigestChange::remove(number.to_le_bytes().to_vec()),
                _ => DigestChange::insert(number.to_le_bytes().to_vec()),
            })
            .collect();
        let expected = MuHash3072::of(&changes);
        assert_eq!(verifier.digest(changes).wait(), &expected);
    }
}
