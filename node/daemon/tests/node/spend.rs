//! A funded account pays, by any client that can sign.

use minichain_api::rpc::{BlockInfo, BlockTransaction, TxOutInfo, code};
use minichain_chain::amount::Amount;
use minichain_chain::codec::encode;
use minichain_chain::hash::Txid;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::transaction::{OutPoint, Transaction, TxIn, TxOut, Witness};
use serde_json::{Value, json};

use crate::support::{Node, wait_for};

/// Sats of one.
pub const COIN: u64 = 100_000_000;
/// What the genesis block says of alice's key.
pub const ALICE_SEED: [u8; 32] = [1; 32];

/// Alice's thousand coins in the genesis block.
pub fn funds(node: &Node) -> OutPoint {
    let genesis = node.call("getblockhash", json!([0]));
    let block = node.call("getblock", json!([genesis, 2]));
    let block: BlockInfo = serde_json::from_value(block).expect("a block");
    let BlockTransaction::Full(transaction) = &block.tx[0] else {
        panic!("verbosity 2")
    };
    OutPoint {
        txid: transaction.txid.parse::<Txid>().expect("an id"),
        vout: 0,
    }
}

/// Alice pays `sats` to somebody and burns the rest as fee, but for the change.
pub fn payment(from: OutPoint, sats: u64, fee: u64) -> Transaction {
    let alice = dev_account_key(&ALICE_SEED, "alice");
    let bob = dev_account_key(&[2; 32], "bob");
    let lock = |key: [u8; 32]| Script::p2tr(&key);
    let output = |sats, script_pubkey| TxOut {
        value: Amount::from_sat(sats),
        script_pubkey,
    };
    let spent = output(1_000 * COIN, lock(alice.output_key()));
    let mut transaction = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: from,
            script_sig: Script::new(),
            sequence: u32::MAX,
            witness: Witness::new(),
        }],
        outputs: vec![
            output(sats, lock(bob.output_key())),
            output(1_000 * COIN - sats - fee, lock(alice.output_key())),
        ],
        lock_time: 0,
    };
    sign_all_inputs(&mut transaction, &[spent], &alice, &[3; 32]).expect("one input, one output");
    transaction
}

fn send(node: &Node, transaction: &Transaction) -> Result<Value, (i64, String)> {
    node.try_call(
        "sendrawtransaction",
        json!([hex::encode(&encode(transaction))]),
    )
}

#[test]
fn payment_waits_and_is_then_mined() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let funds = funds(&node);
    let transaction = payment(funds, 25 * COIN, 10_000);
    let txid = transaction.txid().to_string();
    assert_eq!(send(&node, &transaction), Ok(json!(txid)));
    assert_eq!(
        send(&node, &transaction),
        Ok(json!(txid)),
        "handing it in again is no error"
    );
    assert_eq!(node.call("getrawmempool", json!([])), json!([txid]));
    let info = node.call("getmempoolinfo", json!([]));
    assert_eq!(
        (&info["size"], &info["total_fee"]),
        (&json!(1), &json!(0.0001))
    );
    assert!(info["usage"].as_u64() > info["bytes"].as_u64(), "{info}");

    let look = |node: &Node, txid: &str, n: u32, with_mempool: bool| {
        let found = node.call("gettxout", json!([txid, n, with_mempool]));
        serde_json::from_value::<Option<TxOutInfo>>(found).expect("an output or null")
    };
    let spent = funds.txid.to_string();
    assert_eq!(look(&node, &spent, 0, true), None, "spent by what waits");
    assert!(
        look(&node, &spent, 0, false).is_some(),
        "not yet spent in the chain"
    );
    let waiting = look(&node, &txid, 0, true).expect("waits");
    assert_eq!(waiting.confirmations, 0);
    assert!((waiting.value - 25.0).abs() < 1e-9 && !waiting.coinbase);
    assert_eq!(look(&node, &txid, 0, false), None);
    assert_eq!(look(&node, &txid, 2, true), None, "it has two outputs");
    let double = send(&node, &payment(funds, 24 * COIN, 10_000));
    assert_eq!(
        double.expect_err("the coins are promised").0,
        i64::from(code::VERIFY_REJECTED)
    );
    node.stop();

    // What waits is kept over a clean end.
    let node = Node::start(dir.path(), "");
    assert_eq!(node.call("getrawmempool", json!([])), json!([txid]));
    let richer = payment(funds, 25 * COIN, 90_000);
    let replaced = send(&node, &richer).expect("it pays more");
    assert_eq!(node.call("getrawmempool", json!([])), json!([replaced]));
    node.stop();

    let transaction = richer;
    let txid = transaction.txid().to_string();
    let miner = Node::start_miner(dir.path());
    let found = wait_for("the payment in a block", || {
        look(&miner, &txid, 0, false).filter(|output| output.confirmations > 0)
    });
    assert!((found.value - 25.0).abs() < 1e-9);
    assert_eq!(look(&miner, &spent, 0, false), None);
    wait_for("an empty mempool", || {
        (miner.call("getrawmempool", json!([])) == json!([])).then_some(())
    });
    let again = send(&miner, &transaction).expect_err("already in the chain");
    assert!(
        [code::ALREADY_IN_UTXO_SET, code::VERIFY]
            .map(i64::from)
            .contains(&again.0),
        "{again:?}"
    );
}

#[test]
fn bad_payments_are_refused_with_the_rule() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let funds = funds(&node);
    let nowhere = OutPoint {
        txid: Txid::from_bytes([9; 32]),
        vout: 0,
    };
    let missing = send(&node, &payment(nowhere, COIN, 10_000)).expect_err("no such coins");
    assert_eq!(missing.0, i64::from(code::VERIFY), "{missing:?}");
    let mut forged = payment(funds, COIN, 10_000);
    forged.outputs[0].value = Amount::from_sat(2 * COIN);
    forged.outputs[1].value = Amount::from_sat(1);
    let forged = send(&node, &forged).expect_err("the signature does not fit");
    assert_eq!(forged.0, i64::from(code::VERIFY_REJECTED), "{forged:?}");
    let cheap = send(&node, &payment(funds, COIN, 0)).expect_err("no fee");
    assert_eq!(cheap.0, i64::from(code::VERIFY_REJECTED), "{cheap:?}");
    assert_eq!(node.call("getrawmempool", json!([])), json!([]));
}
