//! Encodings of what a store keeps, and the seam for signature checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::{Decode, Encode, decode, encode};
use minichain_chain::coins::{
    BlockSignatures, Coin, Gathered, MuHash3072, SequentialVerifier, SignatureCheck,
    SignatureVerifier, Undo,
};
use minichain_chain::height::Height;
use minichain_chain::signature::SpendError;
use minichain_chain::state::Acceptance;
use minichain_chain::store::{Status, StoredHeader, StoredTip};
use proptest::prelude::*;

use crate::common::pay::{own_output, pay};
use crate::common::{Branch, COIN, accept, allocation, connect, open, params};

const TEN: u64 = 10 * COIN;

/// The value comes back, and neither a longer nor a shorter text is read.
fn check_canonical<T: Encode + Decode + PartialEq + std::fmt::Debug>(value: &T) {
    let bytes = encode(value);
    assert_eq!(bytes.len(), value.encoded_len());
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    let longer = [&bytes[..], &[0]].concat();
    assert!(decode::<T>(&longer).is_err());
    assert!(decode::<T>(&bytes[..bytes.len() - 1]).is_err());
}

proptest! {
    #[test]
    fn stored_records_decode_to_themselves(
        sats in 0..2_100_000_000_000_000_u64,
        height in 0..=u32::MAX >> 1,
        is_coinbase in any::<bool>(),
        count in 0..4_usize,
        sequence in any::<u64>(),
    ) {
        let coin = Coin { output: own_output(sats), height: Height(height), is_coinbase };
        check_canonical(&coin);
        check_canonical(&Undo { spent: vec![coin; count] });
        let header = params().genesis_block().header;
        let statuses = [
            Status::HeaderOnly,
            Status::BodyStored,
            Status::Valid,
            Status::Invalid,
            Status::Forbidden,
            Status::InvalidAncestor,
        ];
        for status in statuses {
            check_canonical(&StoredHeader { header, sequence, status });
        }
        let mut muhash = MuHash3072::new();
        muhash.insert(&sats.to_le_bytes());
        check_canonical(&StoredTip {
            hash: header.hash(),
            utxo_count: sequence,
            utxo_total: Amount::from_sat(sats),
            muhash: muhash.into(),
        });
    }

    #[test]
    fn no_bytes_make_stored_records_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _coin = decode::<Coin>(&bytes);
        let _undo = decode::<Undo>(&bytes);
        let _header = decode::<StoredHeader>(&bytes);
        let _tip = decode::<StoredTip>(&bytes);
    }
}

#[test]
fn unknown_status_is_refused() {
    assert!(decode::<Status>(&[5]).is_ok(), "the last one known");
    assert!(decode::<Status>(&[6]).is_err());
}

/// Counts what it is asked, then does it.
#[derive(Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl SignatureVerifier for Counting {
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        self.0.fetch_add(1, Ordering::Relaxed);
        SequentialVerifier.verify(check)
    }

    fn of_block<'a>(&'a self, block: &'a Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, block))
    }
}

/// ```text
/// 0 ── a1 ── a2
///  └── b1 ── b2 ── b3
/// ```
#[test]
fn signatures_of_a_block_are_checked_once() {
    let mut a = Branch::new(&params());
    let first = pay(&[(allocation(0), TEN)], &[TEN]);
    let second = pay(&[(first.outpoint(0), TEN)], &[TEN]);
    let a1 = a.mine(&[first, second]);
    let a2 = a.mine(&[]);
    let mut b = a.fork(0, 1);
    b.mine_empty(3);

    let asked = Arc::new(AtomicUsize::new(0));
    let mut state = open();
    state.set_verifier(Box::new(Counting(Arc::clone(&asked))));
    connect(&mut state, &a1);
    connect(&mut state, &a2);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    for block in &b.blocks[1..] {
        accept(&mut state, block);
    }
    assert_eq!(state.tip().hash, b.tip().hash());
    a.mine_empty(2);
    accept(&mut state, a.at(3));
    accept(&mut state, a.at(4));
    assert_eq!(state.tip().hash, a.tip().hash());
    // Going back to a1 and a2 asks nothing again.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn first_wrong_signature_is_named() {
    let mut wrong = [0, 1, 2].map(|number| pay(&[(allocation(number), TEN)], &[TEN]));
    for tx in &mut wrong[1..] {
        tx.inputs[0].witness.0[0][9] ^= 1;
    }
    let mut state = open();
    let block = Arc::new(Branch::new(&params()).next(&wrong));
    let Acceptance::Invalid(error) = accept(&mut state, &block) else {
        panic!("wrong signatures");
    };
    let message = error.to_string();
    assert!(
        message.contains("transaction 2") && message.contains("input 0"),
        "{message}"
    );
}
