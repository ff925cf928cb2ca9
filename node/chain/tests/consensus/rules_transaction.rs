//! Each test breaks one rule of transactions and only that one.

use std::sync::Arc;

use minichain_chain::amount::{Amount, MAX_MONEY};
use minichain_chain::rules::RULES;
use minichain_chain::rules::block::BlockError;
use minichain_chain::rules::transaction::{TransactionError, check_amounts, check_form};
use minichain_chain::script::Script;
use minichain_chain::signature::SpendError;
use minichain_chain::state::Acceptance;
use minichain_chain::transaction::{OutPoint, Transaction, TxOut, Witness};

use crate::common::pay::{own_output, pay, sign, unsigned};
use crate::common::{
    Branch, COIN, MATURITY, accept, allocation, commit_and_solve, connect, connect_all, open,
    params,
};

const TEN: u64 = 10 * COIN;

/// Puts a transaction into an otherwise good block.
fn refused(tx: &Transaction) -> TransactionError {
    let branch = Branch::new(&params());
    refused_on(&branch, tx)
}

fn refused_on(branch: &Branch, tx: &Transaction) -> TransactionError {
    let mut state = open();
    connect_all(&mut state, branch);
    let before = state.utxo_info();
    let block = Arc::new(branch.next(std::slice::from_ref(tx)));
    let acceptance = accept(&mut state, &block);
    let Acceptance::Invalid(error) = acceptance else {
        panic!("expected a refusal, got {acceptance:?}");
    };
    assert_eq!(state.utxo_info(), before, "a refused block leaves no trace");
    assert!(RULES.contains(&error.rule()));
    let BlockError::Transaction {
        index: 1,
        txid,
        error,
    } = error
    else {
        panic!("expected an error of transaction 1, got {error:?}");
    };
    assert_eq!(txid, tx.txid());
    error
}

fn connects(branch: &Branch, tx: &Transaction) {
    let mut state = open();
    connect_all(&mut state, branch);
    connect(&mut state, &Arc::new(branch.next(std::slice::from_ref(tx))));
}

fn payment() -> Transaction {
    pay(&[(allocation(0), TEN)], &[TEN])
}

fn resigned(mut tx: Transaction, change: impl FnOnce(&mut Transaction)) -> Transaction {
    change(&mut tx);
    sign(tx, &[(allocation(0), TEN)])
}

#[test]
fn genesis_allocations_are_spendable_at_once() {
    connects(&Branch::new(&params()), &payment());
}

#[test]
fn inputs_must_exist() {
    // A block cannot even be encoded unambiguously with such a transaction,
    // but the rule does not rely on that.
    let mut tx = payment();
    tx.inputs.clear();
    let error = check_form(&tx, 40_000).expect_err("no inputs");
    assert_eq!(error, TransactionError::InputsEmpty);
    assert_eq!(refused(&tx), error);
    assert_eq!(error.rule(), "inputs_empty");
}

#[test]
fn outputs_must_exist() {
    let error = refused(&resigned(payment(), |tx| tx.outputs.clear()));
    assert_eq!(error.rule(), "outputs_empty");
}

#[test]
fn weight_is_limited() {
    let mut tx = payment();
    assert_eq!(check_form(&tx, tx.weight()), Ok(()));
    let error = check_form(&tx, tx.weight() - 1).expect_err("one above the limit");
    assert_eq!(error.rule(), "transaction_too_heavy");
    tx.outputs.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: Script::op_return(&[0; 100]),
    });
    assert_eq!(check_form(&tx, tx.weight()), Ok(()));
}

#[test]
fn two_hashes_are_no_transaction() {
    let four_bytes = TxOut {
        value: Amount::ZERO,
        script_pubkey: Script(vec![0x6a, 1, 2, 3]),
    };
    let tx = unsigned(&[(allocation(0), TEN)], vec![four_bytes]);
    let tx = sign(tx, &[(allocation(0), TEN)]);
    assert_eq!(tx.base_size(), 64);
    assert_eq!(refused(&tx).rule(), "transaction_64_bytes");

    let five_bytes = resigned(tx, |tx| tx.outputs[0].script_pubkey.0.push(4));
    connects(&Branch::new(&params()), &five_bytes);
}

#[test]
fn output_must_be_in_range() {
    let too_much = Amount::from_sat(MAX_MONEY.to_sat() + 1);
    let error = refused(&resigned(payment(), |tx| tx.outputs[0].value = too_much));
    assert_eq!(error.rule(), "output_value_range");
}

#[test]
fn sum_of_outputs_must_be_in_range() {
    let error = refused(&resigned(payment(), |tx| {
        tx.outputs[0].value = MAX_MONEY;
        tx.outputs.push(own_output(1));
    }));
    assert_eq!(error.rule(), "output_sum_range");
}

#[test]
fn input_must_not_repeat() {
    let input = (allocation(0), TEN);
    let error = refused(&pay(&[input, input], &[2 * TEN]));
    assert_eq!(error, TransactionError::InputsDuplicate(allocation(0)));
    assert_eq!(error.rule(), "inputs_duplicate");
}

#[test]
fn null_input_is_for_coinbases() {
    let error = refused(&pay(&[(allocation(0), TEN), (OutPoint::NULL, TEN)], &[TEN]));
    assert_eq!(error, TransactionError::InputNull { index: 1 });
    assert_eq!(error.rule(), "input_null");
}

#[test]
fn outputs_must_be_taproot_or_op_return() {
    let other_scripts = [
        // Anyone can spend.
        Script(vec![0x51]),
        Script::new(),
        // A version 0 witness program, and a taproot one a byte too long.
        Script([&[0, 20][..], &[1; 20]].concat()),
        Script([&[0x51, 33][..], &[1; 33]].concat()),
    ];
    for script in other_scripts {
        let error = refused(&resigned(payment(), |tx| {
            tx.outputs[0].script_pubkey = script;
        }));
        assert_eq!(error.rule(), "output_script");
    }
    let data = resigned(payment(), |tx| {
        tx.outputs[0].script_pubkey = Script::op_return(b"data");
    });
    connects(&Branch::new(&params()), &data);
}

#[test]
fn lock_height_must_be_past() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(4);
    let locked_until = |height| {
        resigned(payment(), |tx| {
            tx.lock_time = height;
            tx.inputs[0].sequence = 0;
        })
    };
    // The next block's height is 5.
    connects(&branch, &locked_until(4));
    let error = refused_on(&branch, &locked_until(5));
    assert_eq!(error, TransactionError::LockTime { lock_time: 5 });
    assert_eq!(error.rule(), "lock_time");
    // A final sequence number switches the lock off.
    connects(&branch, &resigned(payment(), |tx| tx.lock_time = 5));
}

#[test]
fn lock_time_is_measured_by_the_median_of_past_times() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(11);
    let median = branch.at(6).header.time.to_u32();
    let locked_until = |time| {
        resigned(payment(), |tx| {
            tx.lock_time = time;
            tx.inputs[0].sequence = 0;
        })
    };
    connects(&branch, &locked_until(median - 1));
    assert_eq!(
        refused_on(&branch, &locked_until(median)).rule(),
        "lock_time"
    );
}

#[test]
fn spent_output_is_missing() {
    let mut branch = Branch::new(&params());
    branch.mine(&[payment()]);
    let error = refused_on(&branch, &pay(&[(allocation(0), TEN)], &[1]));
    assert_eq!(error, TransactionError::InputMissing(allocation(0)));
    assert_eq!(error.rule(), "input_missing");
}

#[test]
fn unspendable_output_is_no_coin() {
    let data = resigned(payment(), |tx| {
        tx.outputs[0].script_pubkey = Script::op_return(b"data");
    });
    let mut branch = Branch::new(&params());
    branch.mine(std::slice::from_ref(&data));
    let error = refused_on(&branch, &pay(&[(data.outpoint(0), TEN)], &[1]));
    assert_eq!(error.rule(), "input_missing");
}

#[test]
fn output_of_a_later_transaction_is_missing() {
    let first = payment();
    let second = pay(&[(first.outpoint(0), TEN)], &[TEN]);
    let branch = Branch::new(&params());
    let mut state = open();
    let wrong_order = Arc::new(branch.next(&[second.clone(), first.clone()]));
    let Acceptance::Invalid(error) = accept(&mut state, &wrong_order) else {
        panic!("a child before its parent");
    };
    assert_eq!(error.rule(), "input_missing");
    connect(&mut state, &Arc::new(branch.next(&[first, second])));
}

#[test]
fn coinbase_output_must_mature() {
    let mut branch = Branch::new(&params());
    branch.mine_empty(1);
    let reward = branch.tip().transactions[0].outpoint(0);
    let spend = pay(&[(reward, 50 * COIN)], &[50 * COIN]);
    branch.mine_empty(MATURITY - 2);
    // It was made at height 1; the next block's height is the maturity.
    let error = refused_on(&branch, &spend);
    let from = u64::from(1 + MATURITY);
    assert_eq!(
        error,
        TransactionError::CoinbaseImmature {
            outpoint: reward,
            from
        }
    );
    assert_eq!(error.rule(), "coinbase_immature");
    branch.mine_empty(1);
    connects(&branch, &spend);
}

#[test]
fn outputs_must_not_exceed_inputs() {
    let error = refused(&pay(&[(allocation(0), TEN)], &[TEN + 1]));
    let inputs = Amount::from_sat(TEN);
    let outputs = Amount::from_sat(TEN + 1);
    assert_eq!(error, TransactionError::Overspent { inputs, outputs });
    assert_eq!(error.rule(), "overspent");
}

#[test]
fn sum_of_inputs_must_be_in_range() {
    // No chain has such coins; the rule stands by itself.
    let error = check_amounts([MAX_MONEY, Amount::from_sat(1)], &payment());
    assert_eq!(error.map_err(|error| error.rule()), Err("input_sum_range"));
    let error = check_amounts([Amount::from_sat(u64::MAX), MAX_MONEY], &payment());
    assert_eq!(error, Err(TransactionError::InputSumRange));
    let fee = check_amounts([Amount::from_sat(TEN + 5)], &payment());
    assert_eq!(fee, Ok(Amount::from_sat(5)));
}

#[test]
fn signature_must_match() {
    let mut tx = payment();
    tx.inputs[0].witness.0[0][5] ^= 1;
    let error = refused(&tx);
    let expected = SpendError::InvalidSignature;
    assert_eq!(
        error,
        TransactionError::Signature {
            index: 0,
            error: expected
        }
    );
    assert_eq!(error.rule(), "signature");
}

#[test]
fn signature_commits_to_the_outputs() {
    let mut tx = payment();
    tx.outputs[0].value = Amount::from_sat(TEN - 1);
    assert_eq!(refused(&tx).rule(), "signature");
}

#[test]
fn witness_must_be_one_signature_and_the_script_empty() {
    let mut no_witness = payment();
    no_witness.inputs[0].witness = Witness::new();
    let mut padded = payment();
    padded.inputs[0].witness.0.push(vec![0x50]);
    let mut old_script = payment();
    old_script.inputs[0].script_sig = Script(vec![0x51]);
    for tx in [no_witness, padded, old_script] {
        assert_eq!(refused(&tx).rule(), "signature");
    }
}

#[test]
fn coinbase_script_has_2_to_100_bytes() {
    for length in [1, 101] {
        let branch = Branch::new(&params());
        let mut block = branch.next(&[]);
        block.transactions[0].inputs[0]
            .script_sig
            .0
            .resize(length, 0);
        commit_and_solve(&mut block);
        let Acceptance::Invalid(error) = accept(&mut open(), &Arc::new(block)) else {
            panic!("a coinbase script of {length} bytes");
        };
        assert_eq!(error.rule(), "coinbase_script_length");
    }
    for length in [2, 100] {
        let branch = Branch::new(&params());
        let mut block = branch.next(&[]);
        block.transactions[0].inputs[0]
            .script_sig
            .0
            .resize(length, 0);
        commit_and_solve(&mut block);
        connect(&mut open(), &Arc::new(block));
    }
}
