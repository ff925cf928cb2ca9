//! Signing and checking inputs, here and by other libraries.

use bitcoin::key::TapTweak as _;
use bitcoin::secp256k1 as their_secp;
use minichain_chain::amount::Amount;
use minichain_chain::hash::Txid;
use minichain_chain::height::Height;
use minichain_chain::script::Script;
use minichain_chain::signature::{
    SecretKey, SighashCache, SighashType, SpendError, is_valid_output_key, sighash,
    sign_all_inputs, sign_input, tweaked_output_key, verify_input, verify_transaction,
};
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{
    LOCK_TIME_THRESHOLD, OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_bitcoin_crate_derives_the_same_keys(secret in any::<[u8; 32]>()) {
        let Ok(ours) = SecretKey::from_bytes(secret) else { return Ok(()) };
        let secp = their_secp::Secp256k1::new();
        let pair = their_secp::Keypair::from_seckey_slice(&secp, &secret).expect("valid for us");
        let tweaked = pair.tap_tweak(&secp, None);
        prop_assert_eq!(ours.x_only_public(), pair.x_only_public_key().0.serialize());
        prop_assert_eq!(
            ours.output_key(),
            tweaked.to_keypair().x_only_public_key().0.serialize()
        );
        prop_assert_eq!(tweaked_output_key(&ours.x_only_public()), Ok(ours.output_key()));
        prop_assert_eq!(ours.to_bytes(), secret);
        prop_assert!(is_valid_output_key(&ours.output_key()));
    }

    #[test]
    fn a_signature_by_the_bitcoin_crate_spends_here(secret in any::<[u8; 32]>()) {
        let Ok(ours) = SecretKey::from_bytes(secret) else { return Ok(()) };
        let (mut tx, prevouts) = payment(&ours, 1);
        let message = sighash(&tx, 0, &prevouts, SighashType::Default).expect("input exists");

        let secp = their_secp::Secp256k1::new();
        let pair = their_secp::Keypair::from_seckey_slice(&secp, &secret).expect("valid for us");
        let pair = pair.tap_tweak(&secp, None).to_keypair();
        let signature =
            secp.sign_schnorr_no_aux_rand(&their_secp::Message::from_digest(message), &pair);
        tx.inputs[0].witness = Witness(vec![signature.serialize().to_vec()]);
        prop_assert_eq!(verify_transaction(&tx, &prevouts), Ok(()));
    }

    #[test]
    fn our_signature_passes_the_bitcoin_crates_check(
        secret in any::<[u8; 32]>(),
        aux_rand in any::<[u8; 32]>(),
    ) {
        let Ok(ours) = SecretKey::from_bytes(secret) else { return Ok(()) };
        let message = [0x5a; 32];
        let signature = their_secp::schnorr::Signature::from_slice(&ours.sign(&message, &aux_rand))
            .expect("64 bytes");
        let key = their_secp::XOnlyPublicKey::from_slice(&ours.output_key()).expect("on the curve");
        let secp = their_secp::Secp256k1::verification_only();
        prop_assert!(
            secp.verify_schnorr(&signature, &their_secp::Message::from_digest(message), &key)
                .is_ok()
        );
    }

    /// 0 stands for a key that is no point, and each signer signs for itself or
    /// for the next one.
    #[test]
    fn inputs_of_one_key_and_of_many_are_checked_alike(
        inputs in prop::collection::vec((0_u8..4, any::<bool>()), 1..6),
    ) {
        let (mut tx, mut prevouts) = payment(&key(1), u8::try_from(inputs.len()).expect("few"));
        for (prevout, (number, _)) in prevouts.iter_mut().zip(&inputs) {
            let own = match number {
                0 => [0; 32],
                _ => key(*number).output_key(),
            };
            prevout.script_pubkey = Script::p2tr(&own);
        }
        let unsigned = tx.clone();
        let cache = SighashCache::new(&unsigned, &prevouts).expect("one output per input");
        for (index, (number, is_right)) in inputs.iter().enumerate() {
            let signer = key(if *is_right { (*number).max(1) } else { number + 1 });
            let witness = sign_input(&cache, index, SighashType::Default, &signer, &[0; 32]);
            tx.inputs[index].witness = witness.expect("an input");
        }
        let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
        let alone = (0..inputs.len())
            .try_for_each(|index| verify_input(&cache, index).map_err(|error| (index, error)));
        prop_assert_eq!(verify_transaction(&tx, &prevouts), alone);
        let first_wrong = inputs.iter().position(|(number, is_right)| *number == 0 || !is_right);
        prop_assert_eq!(alone.err().map(|(index, _)| index), first_wrong);
    }

    #[test]
    fn a_signed_transaction_is_valid_until_a_bit_changes(bit in 0_usize..512) {
        let secret = key(7);
        let (mut tx, prevouts) = payment(&secret, 2);
        sign_all_inputs(&mut tx, &prevouts, &secret, &[3; 32]).expect("one output per input");
        prop_assert_eq!(verify_transaction(&tx, &prevouts), Ok(()));
        tx.inputs[1].witness.0[0][bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(
            verify_transaction(&tx, &prevouts),
            Err((1, SpendError::InvalidSignature))
        );
    }
}

#[test]
fn every_hash_type_unlocks_what_it_signed() {
    let secret = key(5);
    let (mut tx, prevouts) = payment(&secret, 2);
    for hash_type in SighashType::ALL {
        for index in 0..2 {
            let cache = SighashCache::new(&tx, &prevouts).expect("one output per input");
            let witness = sign_input(&cache, index, hash_type, &secret, &[0; 32]);
            tx.inputs[index].witness = witness.expect("two outputs");
        }
        let length = tx.inputs[0].witness.items()[0].len();
        assert_eq!(
            length,
            if hash_type == SighashType::Default {
                64
            } else {
                65
            }
        );
        assert_eq!(verify_transaction(&tx, &prevouts), Ok(()), "{hash_type:?}");
    }
}

#[test]
fn hash_types_leave_open_what_they_promise_to() {
    let secret = key(5);
    let (base, prevouts) = payment(&secret, 2);
    let signed = |hash_type| {
        let mut tx = base.clone();
        let cache = SighashCache::new(&base, &prevouts).expect("one output per input");
        let witness = sign_input(&cache, 0, hash_type, &secret, &[0; 32]).expect("two outputs");
        tx.inputs[0].witness = witness;
        tx
    };
    let still_valid = |tx: &Transaction| {
        let cache = SighashCache::new(tx, &prevouts).expect("one output per input");
        verify_input(&cache, 0).is_ok()
    };
    for hash_type in SighashType::ALL {
        let byte = hash_type.to_u8();
        let (outputs, anyone) = (byte & 3, byte & 0x80 != 0);

        let mut tx = signed(hash_type);
        tx.outputs[1].value = Amount::from_sat(1);
        assert_eq!(
            still_valid(&tx),
            outputs >= 2,
            "{hash_type:?}: the other output"
        );
        let mut tx = signed(hash_type);
        tx.outputs[0].value = Amount::from_sat(1);
        assert_eq!(
            still_valid(&tx),
            outputs == 2,
            "{hash_type:?}: its own output"
        );
        let mut tx = signed(hash_type);
        tx.inputs[1].sequence ^= 1;
        assert_eq!(still_valid(&tx), anyone, "{hash_type:?}: the other input");
    }
}

#[test]
fn threads_may_share_one_cache() {
    let secret = key(9);
    let (mut tx, prevouts) = payment(&secret, 4);
    sign_all_inputs(&mut tx, &prevouts, &secret, &[0; 32]).expect("one output per input");
    tx.inputs[3].witness.0[0][0] ^= 1;
    let cache = &SighashCache::new(&tx, &prevouts).expect("one output per input");
    let verdicts = std::thread::scope(|scope| {
        let checks: Vec<_> = (0..4)
            .map(|index| scope.spawn(move || verify_input(cache, index)))
            .collect();
        checks
            .into_iter()
            .map(|check| check.join().expect("no panic"))
            .collect::<Vec<_>>()
    });
    assert_eq!(
        verdicts,
        [Ok(()), Ok(()), Ok(()), Err(SpendError::InvalidSignature)]
    );
}

#[test]
fn a_wrong_witness_is_refused_for_its_own_reason() {
    let secret = key(5);
    let (mut tx, prevouts) = payment(&secret, 1);
    sign_all_inputs(&mut tx, &prevouts, &secret, &[0; 32]).expect("one output per input");
    let signature = tx.inputs[0].witness.items()[0].clone();
    let mut check = |items: Vec<Vec<u8>>| {
        tx.inputs[0].witness = Witness(items);
        verify_transaction(&tx, &prevouts).map_err(|(_, error)| error)
    };
    let with_type = |byte| [&signature[..], &[byte]].concat();

    assert_eq!(check(vec![signature.clone()]), Ok(()));
    assert_eq!(check(vec![]), Err(SpendError::WitnessShape { items: 0 }));
    // An annex (last item, first byte 0x50) and a script path are refused alike.
    let annex = vec![0x50, 1];
    assert_eq!(
        check(vec![signature.clone(), annex]),
        Err(SpendError::WitnessShape { items: 2 })
    );
    for length in [0, 63, 66] {
        assert_eq!(
            check(vec![vec![1; length]]),
            Err(SpendError::SignatureLength { length })
        );
    }
    // Zero is the default type and must not be written out.
    for byte in [0x00, 0x04, 0x80, 0x84, 0xff] {
        assert!(
            matches!(check(vec![with_type(byte)]), Err(SpendError::Sighash(_))),
            "{byte}"
        );
    }
    // Signed as default, presented as ALL: another message.
    assert_eq!(
        check(vec![with_type(0x01)]),
        Err(SpendError::InvalidSignature)
    );
}

#[test]
fn outputs_that_are_not_taproot_keys_cannot_be_spent() {
    let secret = key(5);
    let (mut tx, prevouts) = payment(&secret, 1);
    sign_all_inputs(&mut tx, &prevouts, &secret, &[0; 32]).expect("one output per input");
    let spend = |tx: &Transaction, script_pubkey: Script| {
        let prevouts = [TxOut {
            value: prevouts[0].value,
            script_pubkey,
        }];
        verify_transaction(tx, &prevouts)
    };
    assert_eq!(
        spend(&tx, Script::op_return(b"x")),
        Err((0, SpendError::NotTaproot))
    );
    assert_eq!(spend(&tx, Script::new()), Err((0, SpendError::NotTaproot)));
    // 5 is no x coordinate of a point (BIP 340, test vector 5 uses another).
    let mut off_curve = [0; 32];
    off_curve[31] = 5;
    assert!(!is_valid_output_key(&off_curve));
    assert!(tweaked_output_key(&off_curve).is_err());
    assert_eq!(
        spend(&tx, Script::p2tr(&off_curve)),
        Err((0, SpendError::InvalidOutputKey))
    );

    tx.inputs[0].script_sig = Script(vec![0x51]);
    assert_eq!(
        verify_transaction(&tx, &prevouts),
        Err((0, SpendError::ScriptSigNotEmpty))
    );
    assert!(verify_transaction(&tx, &[]).is_err());
}

#[test]
fn only_numbers_below_the_curve_order_are_secrets() {
    let mut order = [0xff; 32];
    order[16..].copy_from_slice(&[
        0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41,
        0x41,
    ]);
    order[15] = 0xfe;
    assert!(SecretKey::from_bytes([0; 32]).is_err());
    assert!(SecretKey::from_bytes(order).is_err());
    order[31] -= 1;
    assert!(SecretKey::from_bytes(order).is_ok());
}

#[test]
fn debug_output_does_not_show_the_secret() {
    let secret = SecretKey::from_bytes([0x11; 32]).expect("a secret");
    let shown = format!("{secret:?}");
    assert!(!shown.contains("1111"), "{shown}");
    assert!(shown.contains(&minichain_chain::hex::encode(&secret.output_key())));
}

#[test]
fn lock_times_hold_until_height_or_time_has_passed() {
    let (mut tx, _) = payment(&key(5), 2);
    let mut is_final = |lock_time, sequences: [u32; 2], height, time| {
        tx.lock_time = lock_time;
        tx.inputs[0].sequence = sequences[0];
        tx.inputs[1].sequence = sequences[1];
        tx.is_final(Height(height), UnixSeconds(time))
    };
    let open = [0, SEQUENCE_FINAL];
    assert!(is_final(0, [0, 0], 0, 0));
    assert!(!is_final(100, open, 100, u32::MAX));
    assert!(is_final(100, open, 101, 0));
    assert!(is_final(100, [SEQUENCE_FINAL; 2], 0, 0));
    assert!(!is_final(
        LOCK_TIME_THRESHOLD,
        open,
        u32::MAX,
        LOCK_TIME_THRESHOLD
    ));
    assert!(is_final(
        LOCK_TIME_THRESHOLD,
        open,
        0,
        LOCK_TIME_THRESHOLD + 1
    ));
    assert!(is_final(
        LOCK_TIME_THRESHOLD - 1,
        open,
        LOCK_TIME_THRESHOLD,
        0
    ));
}

/// An input of no particular origin.
pub fn input(byte: u8) -> TxIn {
    TxIn {
        previous_output: OutPoint {
            txid: Txid::from_bytes([byte; 32]),
            vout: u32::from(byte),
        },
        script_sig: Script::new(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    }
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes([byte; 32]).expect("below the curve order")
}

/// An unsigned spend of `inputs` outputs of `owner`, with two outputs.
fn payment(owner: &SecretKey, inputs: u8) -> (Transaction, Vec<TxOut>) {
    let output = |sat| TxOut {
        value: Amount::from_sat(sat),
        script_pubkey: Script::p2tr(&owner.output_key()),
    };
    let tx = Transaction {
        version: 2,
        inputs: (1..=inputs).map(input).collect(),
        outputs: vec![output(400), output(500)],
        lock_time: 0,
    };
    let prevouts = (1..=inputs)
        .map(|byte| output(u64::from(byte) * 1_000))
        .collect();
    (tx, prevouts)
}
