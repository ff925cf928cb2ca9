//! A chain mined on call, steered by hand and waited for.

use std::time::{Duration, Instant};

use minichain_api::rpc::{
    AddressInfo, BlockInfo, BlockStats, BlockTemplate, ChainTip, MempoolEntryInfo, RawTransaction,
    TipInfo, TxOutInfo, code, method,
};
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::MerkleRoot;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::merkle::transaction_root;
use minichain_chain::params::dev_account_key;
use minichain_chain::pow::{CompactTarget, Searcher};
use minichain_chain::script::Script;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::spend::{funds, payment};
use crate::support::Node;

const COIN: u64 = 100_000_000;

fn parsed<T: DeserializeOwned>(node: &Node, method: &str, params: Value) -> T {
    let result = node.call(method, params);
    serde_json::from_value(result.clone())
        .unwrap_or_else(|error| panic!("{method}: {error}: {result}"))
}

fn address(name: &str) -> String {
    let key = dev_account_key(&[1; 32], name).output_key();
    Address::new("mini", key).expect("a prefix").to_string()
}

fn generate(node: &Node, count: u32) -> Vec<String> {
    let params = json!([count, address("miner")]);
    parsed(node, method::GENERATE_TO_ADDRESS, params)
}

#[test]
fn blocks_mined_on_call_pay_the_address_and_are_there_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let hashes = generate(&node, 4);
    assert_eq!((hashes.len(), node.height()), (4, 4));
    assert_eq!(
        node.call(method::GET_BLOCK_HASH, json!([4])),
        json!(hashes[3])
    );
    let block: BlockInfo = parsed(&node, method::GET_BLOCK, json!([hashes[0]]));
    let minichain_api::rpc::BlockTransaction::Id(coinbase) = &block.tx[0] else {
        panic!("verbosity 1 shows ids")
    };
    let coin: TxOutInfo = parsed(&node, method::GET_TXOUT, json!([coinbase, 0]));
    assert_eq!(coin.script_pub_key.address, Some(address("miner")));
    assert!(coin.coinbase && coin.confirmations == 4);
    let stats: BlockStats = parsed(&node, method::GET_BLOCK_STATS, json!([4]));
    assert_eq!(
        (&stats.blockhash, stats.txs, stats.totalfee),
        (&hashes[3], 1, 0)
    );
    assert_eq!(stats.subsidy, 50 * COIN);
    let some = node.call(
        method::GET_BLOCK_STATS,
        json!([hashes[3], ["height", "txs"]]),
    );
    assert_eq!(some, json!({"height": 4, "txs": 1}));
    assert_eq!(generate(&node, 0), Vec::<String>::new());
    let few = node.call(
        method::GENERATE_TO_ADDRESS,
        json!([50, address("miner"), 1]),
    );
    assert!(
        few.as_array().expect("a list").len() <= 1,
        "one try finds one block at most"
    );
}

#[test]
fn chain_is_cut_and_put_back_by_hand_and_remembers_it_over_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let old = generate(&node, 3);
    assert_eq!(
        node.call(method::INVALIDATE_BLOCK, json!([old[1]])),
        Value::Null
    );
    assert_eq!(node.height(), 1);
    let tips: Vec<ChainTip> = parsed(&node, method::GET_CHAIN_TIPS, json!([]));
    let invalid = tips.iter().find(|tip| tip.hash == old[2]);
    assert_eq!(invalid.expect("it is kept").status, "invalid");
    let new = generate(&node, 1);
    assert_eq!(node.height(), 2);
    node.stop();

    let node = Node::start(dir.path(), "");
    assert_eq!(
        node.call(method::GET_BEST_BLOCK_HASH, json!([])),
        json!(new[0])
    );
    assert_eq!(
        node.call(method::RECONSIDER_BLOCK, json!([old[2]])),
        Value::Null
    );
    assert_eq!(
        node.call(method::GET_BEST_BLOCK_HASH, json!([])),
        json!(old[2])
    );
    let genesis = node.call(method::GET_BLOCK_HASH, json!([0]));
    let refused = node.try_call(method::INVALIDATE_BLOCK, json!([genesis]));
    assert_eq!(refused.unwrap_err().0, i64::from(code::INVALID_PARAMETER));
}

#[test]
fn waiting_ends_when_it_has_come_or_the_time_is_over() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let first = generate(&node, 1).remove(0);
    let here = TipInfo {
        hash: first.clone(),
        height: 1,
    };
    for (name, params) in [
        (method::WAIT_FOR_BLOCK_HEIGHT, json!([1])),
        (method::WAIT_FOR_BLOCK_HEIGHT, json!([50, 30])),
        (method::WAIT_FOR_BLOCK, json!([first])),
        (method::WAIT_FOR_BLOCK, json!(["00".repeat(32), 30])),
        (method::WAIT_FOR_NEW_BLOCK, json!([30])),
        (method::WAIT_FOR_NEW_BLOCK, json!([0, "00".repeat(32)])),
    ] {
        assert_eq!(parsed::<TipInfo>(&node, name, params), here, "{name}");
    }
    std::thread::scope(|scope| {
        let new = scope.spawn(|| parsed::<TipInfo>(&node, method::WAIT_FOR_NEW_BLOCK, json!([])));
        let high = json!([3]);
        let high = scope.spawn(|| parsed::<TipInfo>(&node, method::WAIT_FOR_BLOCK_HEIGHT, high));
        std::thread::sleep(Duration::from_millis(200));
        let hashes = generate(&node, 2);
        assert!(new.join().expect("no panic").height >= 2);
        assert_eq!(high.join().expect("no panic").hash, hashes[1]);
    });
}

#[test]
fn waiting_calls_do_not_keep_the_node_from_ending() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    std::thread::scope(|scope| {
        let start = Instant::now();
        let wait = scope.spawn(|| {
            let body = r#"{"method": "waitforblockheight", "params": [9]}"#;
            node.post(body)
        });
        std::thread::sleep(Duration::from_millis(200));
        node.call(method::STOP, json!([]));
        let (status, text) = wait.join().expect("no panic");
        assert!(
            status == 200 || text.contains("the node is ending"),
            "{text}"
        );
        assert!(start.elapsed() < crate::support::PATIENCE);
    });
}

#[test]
fn transaction_is_shown_raw_waiting_and_mined() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let transaction = payment(funds(&node), 25 * COIN, 10_000);
    let raw = hex::encode(&encode(&transaction));
    let txid = transaction.txid().to_string();
    let decoded: RawTransaction = parsed(&node, method::DECODE_RAW_TRANSACTION, json!([raw]));
    assert_eq!(decoded.transaction.txid, txid);
    node.call(method::SEND_RAW_TRANSACTION, json!([raw]));
    assert_eq!(
        node.call(method::GET_RAW_TRANSACTION, json!([txid])),
        json!(raw)
    );
    let waiting: RawTransaction = parsed(&node, method::GET_RAW_TRANSACTION, json!([txid, 1]));
    assert_eq!(waiting, decoded);
    let entry: MempoolEntryInfo = parsed(&node, method::GET_MEMPOOL_ENTRY, json!([txid]));
    assert_eq!((entry.ancestorcount, entry.descendantcount), (1, 1));
    assert!((entry.fees.base - 0.000_1).abs() < 1e-12);
    let all = node.call(method::GET_RAW_MEMPOOL, json!([true]));
    assert_eq!(all[&txid]["vsize"], json!(entry.vsize));
    let template: BlockTemplate = parsed(&node, method::GET_BLOCK_TEMPLATE, json!([]));
    assert_eq!((template.transactions[0].fee, template.height), (10_000, 1));
    assert_eq!(template.coinbasevalue, 50 * COIN + 10_000);

    let block = generate(&node, 1).remove(0);
    let gone = node.try_call(method::GET_RAW_TRANSACTION, json!([txid]));
    assert_eq!(gone.unwrap_err().0, i64::from(code::INVALID_ADDRESS_OR_KEY));
    let mined = json!([txid, true, block]);
    let mined: RawTransaction = parsed(&node, method::GET_RAW_TRANSACTION, mined);
    assert_eq!(
        (mined.confirmations, mined.in_active_chain),
        (Some(1), Some(true))
    );
    assert_eq!(mined.blockhash, Some(block));
    let stats: BlockStats = parsed(&node, method::GET_BLOCK_STATS, json!([1]));
    assert_eq!((stats.totalfee, stats.txs, stats.ins), (10_000, 2, 1));
}

/// A block made by the words of a template alone.
fn by_template(template: &BlockTemplate) -> Block {
    let commitment = template
        .default_witness_commitment
        .as_deref()
        .expect("taproot rules");
    let output = |value, script_pubkey| TxOut {
        value: Amount::from_sat(value),
        script_pubkey,
    };
    let coinbase = Transaction {
        version: 2,
        inputs: vec![TxIn {
            previous_output: OutPoint::NULL,
            script_sig: Script::coinbase(Height(template.height), 7, b"outside"),
            sequence: SEQUENCE_FINAL,
            witness: Witness(vec![vec![0; 32]]),
        }],
        outputs: vec![
            output(
                template.coinbasevalue,
                Script::p2tr(&dev_account_key(&[1; 32], "x").output_key()),
            ),
            output(
                0,
                Script::from_bytes(&hex::decode(commitment).expect("hexadecimal")),
            ),
        ],
        lock_time: 0,
    };
    let mut transactions = vec![coinbase];
    for one in &template.transactions {
        let bytes = hex::decode(&one.data).expect("hexadecimal");
        transactions.push(decode(&bytes).expect("a transaction"));
    }
    let mut header = Header {
        version: template.version,
        previous: template.previousblockhash.parse().expect("a hash"),
        merkle_root: transaction_root(&transactions).map_or(MerkleRoot::ZERO, |tree| tree.root),
        time: UnixSeconds(template.curtime),
        bits: CompactTarget(u32::from_str_radix(&template.bits, 16).expect("bits")),
        nonce: 0,
    };
    let mut searcher = Searcher::new(&header).expect("bits that name a target");
    header.nonce = searcher.search(0..u32::MAX).expect("an easy target");
    Block {
        header,
        transactions,
    }
}

#[test]
fn miner_from_outside_needs_nothing_but_the_template() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let transaction = payment(funds(&node), COIN, 5_000);
    node.call(
        method::SEND_RAW_TRANSACTION,
        json!([hex::encode(&encode(&transaction))]),
    );
    let template = json!([{"rules": ["segwit"]}]);
    let template: BlockTemplate = parsed(&node, method::GET_BLOCK_TEMPLATE, template);
    let block = by_template(&template);
    let submit =
        |block: &Block| node.call(method::SUBMIT_BLOCK, json!([hex::encode(&encode(block))]));
    assert_eq!(submit(&block), Value::Null);
    assert_eq!(node.height(), 1);
    assert_eq!(node.call(method::GET_RAW_MEMPOOL, json!([])), json!([]));
    assert_eq!(submit(&block), json!("duplicate"));
    let mut orphan = block.clone();
    orphan.header.previous = minichain_chain::hash::BlockHash::from_bytes([1; 32]);
    let mut searcher = Searcher::new(&orphan.header).expect("bits");
    orphan.header.nonce = searcher.search(0..u32::MAX).expect("an easy target");
    assert_eq!(submit(&orphan), json!("inconclusive-not-best-prevblk"));
    let mut greedy = by_template(&parsed(&node, method::GET_BLOCK_TEMPLATE, json!([])));
    greedy.header.merkle_root = MerkleRoot::ZERO;
    let mut searcher = Searcher::new(&greedy.header).expect("bits");
    greedy.header.nonce = searcher.search(0..u32::MAX).expect("an easy target");
    assert!(submit(&greedy).is_string());
    assert_eq!(node.height(), 1);
}

#[test]
fn addresses_are_told_from_other_texts() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let good = address("alice");
    let info: AddressInfo = parsed(&node, method::VALIDATE_ADDRESS, json!([good]));
    assert!(info.isvalid && info.iswitness == Some(true));
    assert_eq!(info.address, Some(good.clone()));
    let lock = info.script_pub_key.expect("a lock");
    assert!(lock.starts_with("5120") && lock.len() == 68, "{lock}");
    for bad in ["", "mini1p", &good[..good.len() - 1], "bc1pxyz", "\u{0}"] {
        let info: AddressInfo = parsed(&node, method::VALIDATE_ADDRESS, json!([bad]));
        assert!(!info.isvalid && info.error.is_some(), "{bad:?}");
    }
}
