//! Each test breaks one rule of blocks and only that one.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::rules::RULES;
use minichain_chain::rules::block::{BlockError, check_reward};
use minichain_chain::state::Acceptance;
use minichain_chain::store::Status;
use minichain_chain::transaction::{Transaction, TxIn, TxOut, Witness};

use crate::common::pay::pay;
use crate::common::{
    Branch, COIN, accept, allocation, coinbase, commit_and_solve, commit_transactions,
    commit_witnesses, connect, open, params, solve,
};

const TEN: u64 = 10 * COIN;

fn payment(number: u32) -> Transaction {
    pay(&[(allocation(number), TEN)], &[TEN])
}

fn good_block() -> Block {
    Branch::new(&params()).next(&[payment(0), payment(1)])
}

/// The block condemns its header for ever.
fn invalid(block: Block) -> BlockError {
    let block = Arc::new(block);
    let mut state = open();
    let acceptance = accept(&mut state, &block);
    let Acceptance::Invalid(error) = acceptance else {
        panic!("expected an invalid block, got {acceptance:?}");
    };
    assert!(!error.is_mutation());
    assert!(RULES.contains(&error.rule()));
    let entry = state
        .tree()
        .get(&block.hash())
        .expect("the header is remembered");
    assert_eq!(entry.status, Status::Invalid);
    error
}

/// The body is refused; the real one, `good`, still connects.
fn mutated(block: Block, good: &Block) -> BlockError {
    assert_eq!(block.hash(), good.hash(), "only the body differs");
    let mut state = open();
    let acceptance = accept(&mut state, &Arc::new(block));
    let Acceptance::Mutated(error) = acceptance else {
        panic!("expected a mutated body, got {acceptance:?}");
    };
    assert!(error.is_mutation());
    assert!(RULES.contains(&error.rule()));
    connect(&mut state, &Arc::new(good.clone()));
    error
}

fn changed(change: impl FnOnce(&mut Block)) -> Block {
    let mut block = good_block();
    change(&mut block);
    commit_and_solve(&mut block);
    block
}

#[test]
fn body_must_not_be_empty() {
    let good = good_block();
    let empty = Block {
        header: good.header,
        transactions: Vec::new(),
    };
    assert_eq!(mutated(empty, &good).rule(), "block_empty");
}

#[test]
fn merkle_root_must_match() {
    let good = good_block();
    let mut other = good.clone();
    other.transactions.pop();
    assert_eq!(mutated(other, &good).rule(), "merkle_root");
}

/// CVE-2012-2459: with three transactions the last is hashed with itself, so
/// repeating it gives a body with the same root.
#[test]
fn repeated_transactions_do_not_condemn_the_header() {
    let good = good_block();
    assert_eq!(good.transactions.len(), 3);
    let mut repeated = good.clone();
    repeated.transactions.push(payment(1));
    assert_eq!(mutated(repeated, &good).rule(), "merkle_mutated");
}

/// The four transactions' tree has a row of two inner nodes. Their 64 bytes,
/// read as a transaction, have the same root as the block.
#[test]
fn inner_nodes_read_as_a_transaction_do_not_condemn_the_header() {
    // Search for hashes that read as a transaction is 2^40 work; the check
    // looks only at sizes, so any list of 64-byte transactions will do.
    let script = minichain_chain::script::Script(vec![0x6a, 1, 2, 3]);
    let output = TxOut {
        value: Amount::ZERO,
        script_pubkey: script,
    };
    let mut forged = payment(0);
    forged.outputs = vec![output];
    assert_eq!(forged.base_size(), 64);
    let good = good_block();
    let block = Block {
        header: good.header,
        transactions: vec![forged],
    };
    assert_eq!(mutated(block, &good).rule(), "inner_nodes");
}

#[test]
fn first_transaction_must_be_a_coinbase() {
    let mut block = good_block();
    block.transactions.remove(0);
    commit_transactions(&mut block);
    solve(&mut block.header);
    assert_eq!(invalid(block).rule(), "coinbase_missing");
}

#[test]
fn second_coinbase_is_refused() {
    let height = minichain_chain::height::Height(1);
    let block = changed(|block| block.transactions.push(coinbase(height, 9, Amount::ZERO)));
    assert_eq!(invalid(block), BlockError::CoinbaseExtra { index: 3 });
    assert_eq!(
        BlockError::CoinbaseExtra { index: 3 }.rule(),
        "coinbase_extra"
    );
}

#[test]
fn reserved_witness_value_must_be_32_bytes() {
    let good = good_block();
    for items in [vec![], vec![vec![0; 31]], vec![vec![0; 32], vec![0; 32]]] {
        let mut other = good.clone();
        other.transactions[0].inputs[0].witness = Witness(items);
        assert_eq!(mutated(other, &good).rule(), "witness_reserved");
    }
}

#[test]
fn witnesses_must_be_the_committed_ones() {
    let good = good_block();
    let mut other = good.clone();
    other.transactions[1].inputs[0].witness.0[0][0] ^= 1;
    assert_eq!(mutated(other, &good).rule(), "witness_commitment");
    // Padding that would make the block too heavy is found out as well.
    let mut padded = good.clone();
    padded.transactions[1].inputs[0]
        .witness
        .0
        .push(vec![0; 50_000]);
    assert_eq!(mutated(padded, &good).rule(), "witness_commitment");
}

#[test]
fn witnesses_need_a_commitment() {
    let mut good = Branch::new(&params()).next(&[]);
    good.transactions[0].inputs[0].witness = Witness::new();
    good.transactions[0].outputs.truncate(1);
    commit_transactions(&mut good);
    solve(&mut good.header);
    let mut other = good.clone();
    other.transactions[0].inputs[0].witness = Witness(vec![vec![0; 32]]);
    assert_eq!(mutated(other, &good).rule(), "witness_unexpected");
}

#[test]
fn weight_is_limited_and_may_be_reached() {
    let padded = |weight: u64| {
        changed(|block| {
            let data = |length: usize| TxOut {
                value: Amount::ZERO,
                script_pubkey: minichain_chain::script::Script(vec![0x6a; length]),
            };
            block.transactions[0].outputs.push(data(0x1000));
            commit_witnesses(block);
            // Four units a byte; the padding's own length field stays as long.
            let missing = usize::try_from((weight - block.weight()) / 4).expect("small");
            block.transactions[0].outputs[1] = data(0x1000 + missing);
        })
    };
    let max = u64::from(params().block_weight_max);
    let full = padded(max);
    assert!(full.weight() > max - 4 && full.weight() <= max);
    connect(&mut open(), &Arc::new(full));
    let over = padded(max + 4);
    assert!(over.weight() > max);
    assert_eq!(invalid(over).rule(), "block_too_heavy");
}

#[test]
fn two_transactions_must_not_spend_one_output() {
    let rival = pay(&[(allocation(0), TEN)], &[TEN - 1]);
    let block = changed(|block| block.transactions.push(rival));
    let error = invalid(block);
    assert_eq!(error, BlockError::DoubleSpend(allocation(0)));
    assert_eq!(error.rule(), "double_spend");
}

#[test]
fn coinbase_must_start_with_the_height() {
    let height = minichain_chain::height::Height(2);
    let block = changed(|block| {
        block.transactions[0] = coinbase(height, 0, Amount::from_sat(1));
    });
    let error = invalid(block);
    let expected = minichain_chain::height::Height(1);
    assert_eq!(
        error,
        BlockError::CoinbaseHeight {
            expected,
            found: Some(height)
        }
    );
    assert_eq!(error.rule(), "coinbase_height");

    let block = changed(|block| {
        block.transactions[0].inputs[0].script_sig.0 = vec![0x4c, 0x01, 0x01];
    });
    assert_eq!(
        invalid(block),
        BlockError::CoinbaseHeight {
            expected,
            found: None
        }
    );
}

#[test]
fn coinbase_takes_subsidy_and_fees_at_most() {
    let branch = Branch::new(&params());
    let with_fee = pay(&[(allocation(0), TEN)], &[TEN - 7]);
    let subsidy = 50 * COIN;
    let block = |sats| branch.next_taking(Amount::from_sat(sats), std::slice::from_ref(&with_fee));
    connect(&mut open(), &Arc::new(block(subsidy + 7)));
    connect(&mut open(), &Arc::new(block(1)));
    let error = invalid(block(subsidy + 8));
    let (claimed, allowed) = (Amount::from_sat(subsidy + 8), Amount::from_sat(subsidy + 7));
    assert_eq!(error, BlockError::RewardTooHigh { claimed, allowed });
    assert_eq!(error.rule(), "reward_too_high");
}

#[test]
fn fees_must_be_in_range() {
    let tx = coinbase(minichain_chain::height::Height(1), 0, Amount::ZERO);
    let too_much = Amount::from_sat(minichain_chain::amount::MAX_MONEY.to_sat() + 1);
    let error = check_reward(&tx, Amount::ZERO, too_much).expect_err("out of range");
    assert_eq!(error.rule(), "fees_range");
}

#[test]
fn labels_are_distinct_and_snake_case() {
    let mut labels = RULES.to_vec();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), RULES.len());
    let is_fit =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    assert!(RULES.iter().all(|label| label.bytes().all(is_fit)));
}

#[test]
fn one_transaction_alone_is_a_whole_block() {
    let mut good = Branch::new(&params()).next(&[]);
    // Without other witnesses the commitment may be left out.
    good.transactions[0].inputs[0].witness = Witness::new();
    good.transactions[0].outputs.truncate(1);
    commit_transactions(&mut good);
    solve(&mut good.header);
    connect(&mut open(), &Arc::new(good));
}

#[test]
fn coinbase_outputs_obey_the_script_rule() {
    let block = changed(|block| {
        block.transactions[0].outputs[0].script_pubkey =
            minichain_chain::script::Script(vec![0x51]);
    });
    let error = invalid(block);
    assert_eq!(error.rule(), "output_script");
    assert!(matches!(error, BlockError::Transaction { index: 0, .. }));
}

#[test]
fn spending_the_same_block_s_coinbase_is_too_early() {
    let branch = Branch::new(&params());
    let mut block = branch.next(&[]);
    // The commitment changes the coinbase's name, so it has to be there first.
    let early = |outpoint| pay(&[(outpoint, 50 * COIN)], &[50 * COIN]);
    block.transactions[0].outputs.truncate(1);
    let spend = early(block.transactions[0].outpoint(0));
    let bare = Transaction {
        inputs: vec![TxIn {
            witness: Witness::new(),
            ..block.transactions[0].inputs[0].clone()
        }],
        ..block.transactions[0].clone()
    };
    assert_eq!(bare.txid(), block.transactions[0].txid());
    block.transactions = vec![bare, spend];
    block.transactions[1].inputs[0].witness = Witness::new();
    commit_transactions(&mut block);
    solve(&mut block.header);
    assert_eq!(invalid(block).rule(), "coinbase_immature");
}
