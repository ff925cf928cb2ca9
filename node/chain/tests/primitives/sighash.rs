//! Taproot messages against the `bitcoin` crate, for all hash types.

use bitcoin::sighash::{Prevouts, SighashCache as TheirCache, TapSighashType};
use minichain_chain::signature::{SighashCache, SighashError, SighashType, sighash};
use minichain_chain::transaction::{Transaction, TxOut};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle;

proptest! {
    #[test]
    fn messages_are_bitcoins((tx, prevouts) in spending()) {
        let their_tx = oracle::transaction(&tx);
        let their_prevouts: Vec<_> = prevouts.iter().map(oracle::output).collect();
        let mut their_cache = TheirCache::new(&their_tx);
        let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
        for index in 0..tx.inputs.len() {
            for hash_type in SighashType::ALL {
                let theirs = their_cache.taproot_key_spend_signature_hash(
                    index,
                    &Prevouts::All(&their_prevouts),
                    TapSighashType::from_consensus_u8(hash_type.to_u8()).expect("defined"),
                );
                let ours = cache.sighash(index, hash_type);
                prop_assert_eq!(ours.is_ok(), theirs.is_ok());
                if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                    prop_assert_eq!(&ours, AsRef::<[u8; 32]>::as_ref(&theirs));
                    prop_assert_eq!(sighash(&tx, index, &prevouts, hash_type), Ok(ours));
                }
            }
        }
    }

    #[test]
    fn every_signed_part_changes_the_message((tx, prevouts) in spending(), flip in 1_u32..) {
        let base = sighash(&tx, 0, &prevouts, SighashType::Default).expect("has inputs");
        let with = |change: &dyn Fn(&mut Transaction, &mut Vec<TxOut>)| {
            let (mut tx, mut prevouts) = (tx.clone(), prevouts.clone());
            change(&mut tx, &mut prevouts);
            sighash(&tx, 0, &prevouts, SighashType::Default).expect("still has inputs")
        };
        prop_assert_ne!(base, with(&|tx, _| tx.lock_time ^= flip));
        prop_assert_ne!(base, with(&|tx, _| tx.version ^= 1));
        prop_assert_ne!(base, with(&|tx, _| tx.inputs[0].previous_output.vout ^= flip));
        prop_assert_ne!(base, with(&|tx, _| tx.inputs[0].sequence ^= flip));
        prop_assert_ne!(base, with(&|_, prevouts| prevouts[0].script_pubkey.0.push(0)));
        prop_assert_ne!(base, with(&|tx, prevouts| {
            tx.outputs.push(prevouts[0].clone());
        }));
        // What does not exist when one signs is not signed.
        prop_assert_eq!(base, with(&|tx, _| tx.inputs[0].witness.0.push(vec![1])));
        prop_assert_eq!(base, with(&|tx, _| tx.inputs[0].script_sig.0.push(1)));
    }

    #[test]
    fn only_the_defined_hash_types_are_known(byte in any::<u8>()) {
        let defined = [0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83].contains(&byte);
        let read = SighashType::from_u8(byte);
        prop_assert_eq!(read.map(SighashType::to_u8).ok(), defined.then_some(byte));
        let appended = SighashType::from_appended_byte(byte);
        prop_assert_eq!(appended.is_ok(), defined && byte != 0);
    }
}

#[test]
fn a_message_needs_its_input_its_output_and_all_prevouts() {
    let tx = Transaction {
        version: 2,
        inputs: Vec::new(),
        outputs: Vec::new(),
        lock_time: 0,
    };
    assert_eq!(
        sighash(&tx, 0, &[], SighashType::All),
        Err(SighashError::NoSuchInput {
            index: 0,
            inputs: 0
        })
    );
    let prevout = TxOut {
        value: Default::default(),
        script_pubkey: Default::default(),
    };
    assert_eq!(
        sighash(&tx, 0, std::slice::from_ref(&prevout), SighashType::All),
        Err(SighashError::PrevoutCount {
            inputs: 0,
            prevouts: 1
        })
    );
}

#[test]
fn hash_type_single_without_its_output_is_refused() {
    let input = crate::spending::input(1);
    let tx = Transaction {
        version: 2,
        inputs: vec![input],
        outputs: Vec::new(),
        lock_time: 0,
    };
    let prevouts = [TxOut {
        value: Default::default(),
        script_pubkey: Default::default(),
    }];
    for hash_type in [SighashType::Single, SighashType::SingleAnyoneCanPay] {
        assert_eq!(
            sighash(&tx, 0, &prevouts, hash_type),
            Err(SighashError::NoMatchingOutput {
                index: 0,
                outputs: 0
            })
        );
    }
}

/// A transaction with at least one input, and the outputs it spends.
fn spending() -> impl Strategy<Value = (Transaction, Vec<TxOut>)> {
    oracle::any_transaction()
        .prop_filter("a message needs an input", |tx| !tx.inputs.is_empty())
        .prop_flat_map(|tx| {
            let prevouts = vec(oracle::any_output(), tx.inputs.len());
            (Just(tx), prevouts)
        })
}
