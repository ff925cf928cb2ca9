//! Several transactions are foretold as they would be taken one by one.

use std::sync::Arc;

use minichain_chain::coins::SequentialVerifier;
use minichain_chain::mempool::{Accepted, Mempool, MempoolError, MempoolLimits};
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_chain::transaction::Transaction;

use crate::common::pay::pay;
use crate::common::{COIN, NOW, allocation, open};

const TEN: u64 = 10 * COIN;

fn payment(number: u32, fee: u64) -> Transaction {
    pay(&[(allocation(number), TEN)], &[TEN - fee])
}

fn child(parent: &Transaction, fee: u64) -> Transaction {
    let value = parent.outputs[0].value.to_sat();
    pay(&[(parent.outpoint(0), value)], &[value - fee])
}

/// One that spends the first outputs of two.
fn joint(one: &Transaction, other: &Transaction, fee: u64) -> Transaction {
    let input = |tx: &Transaction| (tx.outpoint(0), tx.outputs[0].value.to_sat());
    let inputs = [input(one), input(other)];
    pay(&inputs, &[inputs[0].1 + inputs[1].1 - fee])
}

type Answers = Vec<Result<Accepted, MempoolError>>;

fn foretold(pool: &Mempool, state: &State<MemoryStore>, txs: &[Transaction]) -> Answers {
    let shared: Vec<_> = txs.iter().cloned().map(Arc::new).collect();
    let revision = pool.revision();
    let checked = pool.check_all(&shared, state).expect("the store works");
    assert_eq!(pool.revision(), revision, "nothing is taken");
    let signed = checked
        .into_iter()
        .map(|one| one.and_then(|unsigned| unsigned.verify(&SequentialVerifier)));
    signed.collect()
}

/// Asks first and then takes one after the other; the answers must be equal.
fn all_as_foretold(limits: &MempoolLimits, before: &[Transaction], txs: &[Transaction]) -> Answers {
    let state = open();
    let mut pool = Mempool::new(limits.clone());
    let take = |pool: &mut Mempool, tx: &Transaction| {
        let taken = pool.accept(Arc::new(tx.clone()), &state, NOW);
        taken.expect("the store works")
    };
    for tx in before {
        take(&mut pool, tx).expect("it is fine");
    }
    let answers = foretold(&pool, &state, txs);
    let one_by_one: Answers = txs.iter().map(|tx| take(&mut pool, tx)).collect();
    assert_eq!(answers, one_by_one);
    answers
}

fn chain_of(length: usize) -> Vec<Transaction> {
    let mut chain = vec![payment(0, 1_000)];
    while chain.len() < length {
        chain.push(child(&chain[chain.len() - 1], 1_000));
    }
    chain
}

#[test]
fn child_is_fine_behind_its_parent_and_lacks_inputs_before_it() {
    let usual = MempoolLimits::default();
    let (parent, other) = (payment(0, 1_000), payment(1, 1_000));
    let family = [parent.clone(), other.clone(), joint(&parent, &other, 2_000)];
    assert!(
        all_as_foretold(&usual, &[], &family)
            .iter()
            .all(Result::is_ok)
    );
    let turned = [child(&parent, 1_000), parent];
    let answers = all_as_foretold(&usual, &[], &turned);
    assert_eq!(
        answers[0].as_ref().map_err(MempoolError::rule),
        Err("missing_inputs")
    );
    assert!(answers[1].is_ok());
}

#[test]
fn limits_of_families_count_those_before() {
    let usual = MempoolLimits::default();
    let chain = chain_of(27);
    for split in [0, 5, 20] {
        let (before, txs) = chain.split_at(split);
        let answers = all_as_foretold(&usual, before, txs);
        let refused: Vec<_> = answers.iter().filter(|one| one.is_err()).collect();
        assert_eq!(refused.len(), 2, "25 may wait: {refused:?}");
    }
    // By size.
    let size = chain[0].vsize();
    for (ancestor_vbytes_max, descendant_vbytes_max) in
        [(3 * size, 99 * size), (99 * size, 3 * size)]
    {
        let limits = MempoolLimits {
            ancestor_vbytes_max,
            descendant_vbytes_max,
            ..MempoolLimits::default()
        };
        for split in [1, 2] {
            let (before, txs) = chain[..5].split_at(split);
            let answers = all_as_foretold(&limits, before, txs);
            assert_eq!(answers.iter().filter(|one| one.is_ok()).count(), 3 - split);
        }
    }
}

#[test]
fn what_one_would_replace_is_gone_for_those_behind_it() {
    let usual = MempoolLimits::default();
    let old = payment(0, 1_000);
    let young = payment(0, 50_000);
    let txs = [young.clone(), child(&old, 1_000), child(&young, 1_000)];
    let answers = all_as_foretold(&usual, std::slice::from_ref(&old), &txs);
    assert_eq!(
        answers[0].as_ref().map(|one| one.replaced.clone()),
        Ok(vec![old.txid()])
    );
    assert_eq!(
        answers[1].as_ref().map_err(MempoolError::rule),
        Err("missing_inputs")
    );
    assert!(answers[2].is_ok());
}

#[test]
fn wrong_signature_is_found_by_whoever_checks_them() {
    let state = open();
    let pool = Mempool::new(MempoolLimits::default());
    let mut forged = payment(0, 1_000);
    forged.outputs[0].value = forged.outputs[0]
        .value
        .checked_sub(minichain_chain::amount::Amount::from_sat(1))
        .expect("enough");
    let answers = foretold(&pool, &state, &[forged]);
    assert_eq!(
        answers[0].as_ref().map_err(MempoolError::rule),
        Err("invalid_signature")
    );
}
