//! The node's own wallet, and the methods by which others find their coins.

use std::str::FromStr as _;

use corepc_regtest_client::Auth;
use corepc_regtest_client::v30::Client;
use minichain_api::rpc::{Balances, ScanBlocks, ScanMempool, UnspentInfo, code, method};
use minichain_chain::address::Address;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::spend::{funds, payment};
use crate::support::{EASY_GENESIS, Node, minichain};

const COIN: u64 = 100_000_000;

fn parsed<T: DeserializeOwned>(node: &Node, method: &str, params: Value) -> T {
    let result = node.call(method, params);
    serde_json::from_value(result.clone())
        .unwrap_or_else(|error| panic!("{method}: {error}: {result}"))
}

fn new_address(node: &Node) -> String {
    parsed(node, method::GET_NEW_ADDRESS, json!([]))
}

fn balances(node: &Node) -> (f64, f64, f64) {
    let sums: Balances = parsed(node, method::GET_BALANCES, json!([]));
    let mine = sums.mine;
    (mine.trusted, mine.untrusted_pending, mine.immature)
}

fn generate(node: &Node, count: u32, address: &str) -> Vec<String> {
    parsed(node, method::GENERATE_TO_ADDRESS, json!([count, address]))
}

fn lock_of(account: &str, seed: u8) -> String {
    let key = dev_account_key(&[seed; 32], account);
    let lock = Script::p2tr(&key.output_key());
    format!("raw({})", minichain_chain::hex::encode(lock.as_bytes()))
}

#[test]
fn rewards_mature_are_paid_on_and_come_back_with_a_reorg() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let own = new_address(&node);
    assert_eq!(balances(&node), (0.0, 0.0, 0.0));
    generate(&node, 5, &own);
    // Maturity is 3, and block 6 comes next: rewards up to block 3 may go.
    assert_eq!(balances(&node), (150.0, 0.0, 100.0));
    let other = new_address(&node);
    assert_ne!(other, own);

    let stranger = Address::new("mini", dev_account_key(&[9; 32], "x").output_key());
    let stranger = stranger.expect("a prefix").to_string();
    let txid = node.call(method::SEND_TO_ADDRESS, json!([stranger, 12.5]));
    let fee = node.call(method::GET_MEMPOOL_ENTRY, json!([txid]))["fees"]["base"]
        .as_f64()
        .expect("a fee");
    let (trusted, pending, immature) = balances(&node);
    assert!((trusted - (150.0 - 12.5 - fee)).abs() < 1e-8, "{trusted}");
    assert_eq!((pending, immature), (0.0, 100.0));
    let deep = node.call(method::GET_BALANCE, json!(["*", 1]));
    assert_eq!(deep, json!(100.0), "the change has no confirmation yet");

    let hashes = generate(&node, 1, &stranger);
    let (trusted, _, immature) = balances(&node);
    assert!((trusted - (200.0 - 12.5 - fee)).abs() < 1e-8, "{trusted}");
    assert_eq!(immature, 50.0);
    node.call(method::INVALIDATE_BLOCK, json!([hashes[0]]));
    let (trusted, _, immature) = balances(&node);
    assert!((trusted - (150.0 - 12.5 - fee)).abs() < 1e-8, "{trusted}");
    assert_eq!(immature, 100.0, "the payment waits again");
}

#[test]
fn unspent_outputs_are_listed_as_they_are_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (first, second) = (new_address(&node), new_address(&node));
    generate(&node, 4, &first);
    generate(&node, 3, &second);
    let list = |params: Value| parsed::<Vec<UnspentInfo>>(&node, method::LIST_UNSPENT, params);
    // Of 7 blocks the first 5 are ripe for block 8.
    assert_eq!(list(json!([])).len(), 5);
    let of_second = list(json!([1, 9_999_999, [second]]));
    assert_eq!(of_second.len(), 1);
    assert_eq!(
        (of_second[0].address.as_str(), of_second[0].confirmations),
        (second.as_str(), 3)
    );
    assert!(of_second[0].spendable && of_second[0].safe);
    assert_eq!(list(json!([6])).len(), 2);
    assert_eq!(list(json!([1, 4])).len(), 2);
    let all = json!([1, 9_999_999, [], true, {"include_immature_coinbase": true}]);
    assert_eq!(list(all).len(), 0, "no address, no coin");
    let all = json!([1, 9_999_999, null, true, {"include_immature_coinbase": true}]);
    assert_eq!(list(all).len(), 7);
    let few = json!([1, 9_999_999, null, true, {"maximumCount": 2, "minimumAmount": "50"}]);
    assert_eq!(list(few).len(), 2);
    let none = json!([1, 9_999_999, null, true, {"maximumAmount": 49.9}]);
    assert_eq!(list(none).len(), 0);
}

#[test]
fn mistakes_have_the_codes_of_core() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let own = new_address(&node);
    generate(&node, 3, &own);
    let code_of = |params: Value| {
        let sent = node.try_call(method::SEND_TO_ADDRESS, params.clone());
        sent.expect_err(&params.to_string()).0
    };
    let is = i64::from;
    assert_eq!(
        code_of(json!(["nonsense", 1])),
        is(code::INVALID_ADDRESS_OR_KEY)
    );
    assert_eq!(code_of(json!([own])), is(code::MISC));
    for amount in [
        json!(0),
        json!(-1),
        json!("x"),
        json!(true),
        json!(0.000_000_001),
        json!(3e7),
    ] {
        assert_eq!(code_of(json!([own, amount])), is(code::TYPE), "{amount}");
    }
    assert_eq!(code_of(json!([own, 50])), is(code::INSUFFICIENT_FUNDS));
    assert_eq!(
        code_of(json!([own, 0.000_001])),
        is(code::INSUFFICIENT_FUNDS)
    );
    let with_rate = |rate: Value| json!([own, 1, "", "", false, true, null, "unset", null, rate]);
    assert_eq!(code_of(with_rate(json!(0.05))), is(code::INVALID_PARAMETER));
    assert_eq!(
        code_of(with_rate(json!("many"))),
        is(code::INVALID_PARAMETER)
    );
    let kind = node.try_call(method::GET_NEW_ADDRESS, json!(["", "legacy"]));
    assert_eq!(
        kind.expect_err("one kind").0,
        is(code::INVALID_ADDRESS_OR_KEY)
    );

    // The fee may go off the amount, and its rate may be chosen.
    let all = json!({"address": own, "amount": 50, "subtractfeefromamount": true, "fee_rate": 2,
        "verbose": true});
    let sent = node.call(method::SEND_TO_ADDRESS, all);
    let entry = node.call(method::GET_MEMPOOL_ENTRY, json!([sent["txid"]]));
    let fee = entry["fees"]["base"].as_f64().expect("a fee") * 1e8;
    let size = entry["vsize"].as_f64().expect("a size");
    assert!((2.0..2.1).contains(&(fee / size)), "{fee} for {size}");
}

#[test]
fn keys_outlive_the_process() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let given: Vec<String> = (0..25).map(|_| new_address(&node)).collect();
    // The last lies beyond any gap.
    generate(&node, 4, &given[24]);
    let before = balances(&node);
    node.stop();
    let node = Node::start(dir.path(), "");
    assert_eq!(balances(&node), before);
    assert!(!given.contains(&new_address(&node)));
}

#[test]
fn reward_key_and_public_account_are_the_nodes_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start_miner(dir.path());
    node.wait_for_height(5);
    let (trusted, _, immature) = balances(&node);
    assert!(trusted >= 100.0 && immature >= 50.0, "{trusted} {immature}");
    drop(node);
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(
        dir.path(),
        "mining: {enabled: true, hash_rate: 60, account: alice}\n",
    );
    node.wait_for_height(2);
    assert!(
        balances(&node).0 >= 1_000.0,
        "the genesis allocation needs no maturity"
    );
}

#[test]
fn blocks_and_waiting_payments_of_a_lock_are_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let own = new_address(&node);
    generate(&node, 3, &own);
    let (alice, bob) = (lock_of("alice", 1), lock_of("bob", 2));
    let scan = |objects: Value, from: u32| {
        parsed::<ScanBlocks>(&node, method::SCAN_BLOCKS, json!(["start", objects, from]))
    };
    let genesis = node.call(method::GET_BLOCK_HASH, json!([0]));
    assert_eq!(
        json!(scan(json!([alice]), 0).relevant_blocks),
        json!([genesis])
    );
    assert!(scan(json!([bob]), 0).relevant_blocks.is_empty());

    let spend = payment(funds(&node), 25 * COIN, 10_000);
    let hex = minichain_chain::hex::encode(&minichain_chain::codec::encode(&spend));
    node.call(method::SEND_RAW_TRANSACTION, json!([hex]));
    let waits = |objects: Value| {
        let found: ScanMempool = parsed(&node, method::SCAN_MEMPOOL, json!([objects]));
        found.transactions
    };
    // By what it pays, and by what it spends.
    assert_eq!(waits(json!([bob])), [hex.as_str()]);
    assert_eq!(waits(json!([alice])), [hex.as_str()]);
    assert!(waits(json!([format!("addr({own})")])).is_empty());

    let mined = generate(&node, 1, &own);
    let found = scan(json!([bob, {"desc": alice}]), 1);
    assert_eq!(found.relevant_blocks, mined);
    assert_eq!(
        (found.from_height, found.to_height, found.completed),
        (1, 4, true)
    );
    let found = scan(json!([format!("addr({own})")]), 0);
    assert_eq!(found.relevant_blocks.len(), 4);
    assert!(waits(json!([bob])).is_empty());

    let refused = |params: Value| {
        let scanned = node.try_call(method::SCAN_BLOCKS, params.clone());
        scanned.expect_err(&params.to_string()).0
    };
    assert_eq!(refused(json!(["start"])), i64::from(code::MISC));
    assert_eq!(refused(json!(["start", [alice], 5])), i64::from(code::MISC));
    let bad = json!(["start", ["pkh(02)"]]);
    assert_eq!(refused(bad), i64::from(code::INVALID_ADDRESS_OR_KEY));
    assert_eq!(
        refused(json!(["run", []])),
        i64::from(code::INVALID_PARAMETER)
    );
    assert_eq!(
        node.call(method::SCAN_BLOCKS, json!(["status"])),
        Value::Null
    );
}

#[test]
fn a_client_of_core_uses_the_wallet() {
    let dir = tempfile::tempdir().expect("a folder");
    let genesis = EASY_GENESIS.replace("network: easy", "network: regtest\n  address_prefix: bcrt");
    let node = Node::start_command(minichain(&[]), dir.path(), &genesis);
    let cookie = Auth::CookieFile(node.data_dir.join(".cookie"));
    let client = Client::new_with_auth(&node.rpc_url, cookie).expect("a cookie");
    let own = client.new_address().expect("an address");
    client.generate_to_address(4, &own).expect("mined");
    let balance = client.get_balance().expect("a number").into_model();
    assert_eq!(balance.expect("an amount").0.to_sat(), 100 * COIN);
    let sums = client
        .get_balances()
        .expect("sums")
        .into_model()
        .expect("Core's shape");
    assert_eq!(sums.mine.immature.to_sat(), 100 * COIN);
    let coins = client
        .list_unspent()
        .expect("coins")
        .into_model()
        .expect("Core's shape");
    assert_eq!(coins.0.len(), 2);
    assert!(
        coins
            .0
            .iter()
            .all(|coin| coin.address.clone().assume_checked() == own)
    );
    let amount = bitcoin::Amount::from_str("7.5 BTC").expect("an amount");
    let sent = client.send_to_address(&own, amount).expect("sent");
    let txid = sent.into_model().expect("an id").txid;
    let waiting = client
        .get_raw_mempool()
        .expect("a list")
        .into_model()
        .expect("ids");
    assert_eq!(waiting.0, [txid]);
    assert_eq!(client.get_wallet_info().expect("an answer").tx_count, 5);
}
