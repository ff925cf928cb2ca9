//! Transactions tried without being sent, and coins found by their lock.

use minichain_api::rpc::{MempoolVerdict, ScanResult, code, method};
use minichain_chain::address::Address;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::transaction::Transaction;
use serde_json::{Value, json};

use crate::spend::{funds, payment};
use crate::support::Node;

const COIN: u64 = 100_000_000;

fn hexadecimal(tx: &Transaction) -> String {
    hex::encode(&encode(tx))
}

fn tried(node: &Node, params: Value) -> Vec<MempoolVerdict> {
    let answer = node.call(method::TEST_MEMPOOL_ACCEPT, params);
    serde_json::from_value(answer.clone()).unwrap_or_else(|why| panic!("{why}: {answer}"))
}

fn address(seed: u8, name: &str) -> Address {
    let key = dev_account_key(&[seed; 32], name).output_key();
    Address::new("mini", key).expect("a prefix")
}

fn refusal(node: &Node, method: &str, params: Value) -> i64 {
    node.try_call(method, params.clone())
        .expect_err(&format!("{method} {params} is refused"))
        .0
}

#[test]
fn tried_transaction_is_judged_as_a_sent_one_and_not_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let funds = funds(&node);
    let fine = payment(funds, COIN, 10_000);
    let [verdict] = &tried(&node, json!([[hexadecimal(&fine)]]))[..] else {
        panic!("one verdict")
    };
    assert_eq!(verdict.txid, fine.txid().to_string());
    assert_eq!(verdict.wtxid, fine.wtxid().to_string());
    assert_eq!(
        (verdict.allowed, verdict.vsize),
        (Some(true), Some(fine.vsize()))
    );
    let fees = verdict.fees.as_ref().expect("fees");
    assert!((fees.base - 0.0001).abs() < 1e-12, "{fees:?}");
    assert_eq!(
        fees.effective_includes,
        std::slice::from_ref(&verdict.wtxid)
    );
    assert_eq!(node.call("getrawmempool", json!([])), json!([]));

    let cheap = payment(funds, COIN, 0);
    let mut forged = payment(funds, COIN, 20_000);
    forged.outputs[0].value = forged.outputs[1].value;
    forged.outputs.truncate(1);
    let nowhere = payment(fine.outpoint(7), COIN, 10_000);
    for (tx, reason) in [
        (&cheap, "min relay fee not met"),
        (&forged, "mandatory-script-verify-flag-failed"),
        (&nowhere, "missing-inputs"),
    ] {
        let verdict = &tried(&node, json!([[hexadecimal(tx)]]))[0];
        assert_eq!(verdict.allowed, Some(false), "{verdict:?}");
        assert_eq!(verdict.reject_reason.as_deref(), Some(reason));
        assert!(verdict.reject_details.is_some() && verdict.fees.is_none());
    }
    let generous = payment(funds, COIN, COIN);
    let verdict = &tried(&node, json!([[hexadecimal(&generous)]]))[0];
    assert_eq!(verdict.reject_reason.as_deref(), Some("max-fee-exceeded"));
    let verdict = &tried(&node, json!([[hexadecimal(&generous)], 0]))[0];
    assert_eq!(verdict.allowed, Some(true));
    node.call("sendrawtransaction", json!([hexadecimal(&fine)]));
    let verdict = &tried(&node, json!([[hexadecimal(&fine)]]))[0];
    assert_eq!(
        verdict.reject_reason.as_deref(),
        Some("txn-already-in-mempool")
    );
}

#[test]
fn packages_must_make_sense_as_a_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let funds = funds(&node);
    let (one, other) = (payment(funds, COIN, 10_000), payment(funds, COIN, 20_000));
    // It spends the change, but more than there is.
    let child = payment(one.outpoint(1), COIN, 10_000);
    let [one, other, child] = [&one, &other, &child].map(hexadecimal);
    for (package, why) in [
        (json!([one, one]), "package-contains-duplicates"),
        (json!([one, other]), "conflict-in-package"),
        (json!([child, one]), "package-not-sorted"),
    ] {
        for verdict in tried(&node, json!([package])) {
            assert_eq!(verdict.package_error.as_deref(), Some(why));
            assert_eq!(verdict.allowed, None);
        }
    }
    let verdicts = tried(&node, json!([[one, child]]));
    assert_eq!(verdicts[0].allowed, Some(true));
    assert_eq!(
        verdicts[1].reject_reason.as_deref(),
        Some("bad-txns-in-belowout"),
        "its inputs are found in the package"
    );
    for (params, expected) in [
        (json!([[]]), code::INVALID_PARAMETER),
        (json!([vec![one.clone(); 26]]), code::INVALID_PARAMETER),
        (json!([["00"]]), code::DESERIALIZATION),
        (json!([[one], -1]), code::INVALID_PARAMETER),
        (json!([[one], "much"]), code::INVALID_PARAMETER),
        (json!(["00"]), code::INVALID_PARAMETER),
        (json!([]), code::MISC),
    ] {
        let found = refusal(&node, method::TEST_MEMPOOL_ACCEPT, params);
        assert_eq!(found, i64::from(expected));
    }
}

fn scanned(node: &Node, descriptors: Value) -> ScanResult {
    let answer = node.call(method::SCAN_TXOUTSET, json!(["start", descriptors]));
    serde_json::from_value(answer.clone()).unwrap_or_else(|why| panic!("{why}: {answer}"))
}

#[test]
fn scan_finds_the_coins_of_a_lock_by_address_key_and_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let miner = address(1, "miner");
    node.call(method::GENERATE_TO_ADDRESS, json!([3, miner.to_string()]));
    let paid = payment(funds(&node), 5 * COIN, 10_000);
    node.call("sendrawtransaction", json!([hexadecimal(&paid)]));
    let hashes = node.call(method::GENERATE_TO_ADDRESS, json!([1, miner.to_string()]));
    let info = node.call("gettxoutsetinfo", json!([]));

    let bob = address(2, "bob");
    let found = scanned(&node, json!([format!("addr({bob})")]));
    assert_eq!((found.success, found.height), (true, 4));
    assert_eq!(json!(found.txouts), info["txouts"]);
    assert_eq!(json!(found.bestblock), info["bestblock"]);
    let [coin] = &found.unspents[..] else {
        panic!("one coin: {found:?}")
    };
    assert_eq!((coin.txid.clone(), coin.vout), (paid.txid().to_string(), 0));
    assert_eq!(
        coin.script_pub_key,
        hex::encode(bob.script_pubkey().as_bytes())
    );
    assert_eq!(
        (coin.height, coin.confirmations, coin.coinbase),
        (4, 1, false)
    );
    assert_eq!(json!(coin.blockhash), hashes[0]);
    assert!((coin.amount - 5.0).abs() < 1e-9 && (found.total_amount - 5.0).abs() < 1e-9);
    let key = hex::encode(&bob.output_key());
    assert!(coin.desc.starts_with(&format!("rawtr({key})#")), "{coin:?}");

    let again = [
        json!([coin.desc]),
        json!([format!("raw({})", coin.script_pub_key)]),
        json!([{"desc": format!("rawtr({key})")}]),
        json!([format!("addr({bob})"), coin.desc]),
    ];
    for descriptors in again {
        assert_eq!(scanned(&node, descriptors), found);
    }
    let mined = scanned(&node, json!([format!("addr({miner})")]));
    let heights: Vec<_> = mined.unspents.iter().map(|coin| coin.height).collect();
    assert_eq!(heights.len(), 4);
    assert!(
        (1..=4).all(|height| heights.contains(&height)),
        "{heights:?}"
    );
    assert!(mined.unspents.iter().all(|coin| coin.coinbase));
    assert!(scanned(&node, json!(["raw(51)"])).unspents.is_empty());
}

#[test]
fn scans_without_sense_are_refused_and_none_is_under_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    assert_eq!(
        node.call(method::SCAN_TXOUTSET, json!(["status"])),
        Value::Null
    );
    assert_eq!(node.call(method::SCAN_TXOUTSET, json!(["abort"])), false);
    for (params, expected) in [
        (json!(["look"]), code::INVALID_PARAMETER),
        (json!(["start"]), code::INVALID_PARAMETER),
        (json!(["start", []]), code::INVALID_PARAMETER),
        (
            json!(["start", vec!["raw(51)"; 1_001]]),
            code::INVALID_PARAMETER,
        ),
        (json!(["start", ["pkh(02)"]]), code::INVALID_ADDRESS_OR_KEY),
        (
            json!(["start", ["addr(bc1q)"]]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            json!(["start", [{"desc": "raw(51)", "range": 5}]]),
            code::INVALID_PARAMETER,
        ),
        (json!(["start", [5]]), code::INVALID_PARAMETER),
        (json!([]), code::MISC),
    ] {
        let found = refusal(&node, method::SCAN_TXOUTSET, params);
        assert_eq!(found, i64::from(expected));
    }
}

#[test]
fn coins_at_an_earlier_block_are_told_as_they_were_told_then() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let mut told = vec![node.call("gettxoutsetinfo", json!([]))];
    let paid = payment(funds(&node), 5 * COIN, 10_000);
    for height in 1..6 {
        if height == 3 {
            node.call("sendrawtransaction", json!([hexadecimal(&paid)]));
        }
        let to = address(1, "miner").to_string();
        node.call(method::GENERATE_TO_ADDRESS, json!([1, to]));
        told.push(node.call("gettxoutsetinfo", json!([])));
    }
    for (height, expected) in told.iter().enumerate() {
        let by_height = node.call("gettxoutsetinfo", json!(["muhash", height]));
        assert_eq!(&by_height, expected);
        let hash = expected["bestblock"].clone();
        assert_eq!(
            &node.call("gettxoutsetinfo", json!(["none", hash])),
            expected
        );
    }
}

#[test]
fn proxies_of_the_environment_are_not_asked_for_a_node() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let folder = node.data_dir.to_str().expect("a name");
    let mut command = crate::support::minichain(&["rpc", "--data-dir", folder, "getblockcount"]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    let output = command
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output();
    let output = output.expect("the program starts");
    assert_eq!(output.stdout, b"0\n", "{}", crate::support::shown(&output));
}
