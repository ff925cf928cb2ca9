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
use minichain_chain::state::{Acceptance, FormedBlock};
use minichain_chain::store::{Status, StoredHeader, StoredTip};
use proptest::prelude::*;

use crate::common::pay::{own_output, pay};
use crate::common::{Branch, COIN, NOW, accept, allocation, connect, open, params, solve};

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

    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, Arc::clone(block)))
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

/// ```text
/// 0 ── a1
///  └── b1 ── b2 (wrong signature) ── b3 (takes too much)
/// ```
#[test]
fn of_several_blocks_the_lowest_is_to_blame() {
    let main = Branch::new(&params());
    let mut wrong = pay(&[(allocation(0), TEN)], &[TEN]);
    wrong.inputs[0].witness.0[0][9] ^= 1;
    let mut other = main.fork(0, 1);
    other.mine_empty(1);
    other.mine(&[wrong]);
    other.mine_empty(1);
    let greedy = other
        .fork(2, 1)
        .next_taking(Amount::from_sat(99 * COIN), &[]);
    for top in [other.at(3).clone(), Arc::new(greedy)] {
        let mut state = open();
        let mut main = main.clone();
        let first = main.mine(&[]);
        // Their bodies come from the top down, so that one way leads over all.
        for header in [other.at(1).header, other.at(2).header, top.header] {
            state.accept_header(header, NOW).expect("a store");
        }
        connect(&mut state, &first);
        for block in [&top, other.at(2)] {
            assert_eq!(accept(&mut state, block), Acceptance::AwaitingParents);
        }
        let Acceptance::SideBranch { rejected } = accept(&mut state, other.at(1)) else {
            panic!("the way breaks at its second block");
        };
        let rejected: Vec<_> = rejected
            .iter()
            .map(|(hash, why)| (*hash, why.rule()))
            .collect();
        assert_eq!(rejected, [(other.at(2).hash(), "signature")]);
        assert_eq!(state.tip().hash, first.hash());
    }
}

#[test]
fn a_block_formed_ahead_is_judged_as_any() {
    let branch = Branch::new(&params());
    let good = branch.next(&[pay(&[(allocation(0), TEN)], &[TEN])]);
    let mut mutated = good.clone();
    mutated.transactions[1].inputs[0].witness.0[0][9] ^= 1;
    let mut empty = good.clone();
    empty.transactions.clear();
    let mut foreign = good.clone();
    foreign.header.previous = foreign.hash();
    solve(&mut foreign.header);
    let twice = branch.next(&[
        pay(&[(allocation(1), TEN)], &[TEN]),
        pay(&[(allocation(1), TEN)], &[TEN - 1]),
    ]);
    let (mut here, mut there) = (open(), open());
    for block in [mutated, empty, foreign, twice, good.clone(), good] {
        let block = Arc::new(block);
        let formed = FormedBlock::new(Arc::clone(&block), &params());
        let found = here.accept_formed_block(formed, NOW).expect("a store");
        assert_eq!(found, accept(&mut there, &block));
        assert_eq!(here.tip().hash, there.tip().hash);
    }
    assert_eq!(here.tip().height, Height(1));
}
