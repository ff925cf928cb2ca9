//! A client library written for Bitcoin Core drives a node, unmodified.

use std::str::FromStr as _;

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, Network};
use corepc_regtest_client::v30::{Client, SetBanCommand, TemplateRequest, TemplateRules};
use corepc_regtest_client::{Auth, Error};
use minichain_chain::codec::encode;
use minichain_chain::hex;

use crate::spend::{funds, payment};
use crate::support::{EASY_GENESIS, Node, minichain};

/// The easy network under a name and with addresses that the library knows.
fn regtest(dir: &std::path::Path) -> Node {
    let genesis = EASY_GENESIS.replace("network: easy", "network: regtest\n  address_prefix: bcrt");
    Node::start_command(minichain(&[]), dir, &genesis)
}

fn client(node: &Node) -> Client {
    let cookie = Auth::CookieFile(node.data_dir.join(".cookie"));
    Client::new_with_auth(&node.rpc_url, cookie).expect("a cookie")
}

fn miner() -> Address {
    let text = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";
    let address = Address::from_str(text).expect("an address");
    address.require_network(Network::Regtest).expect("regtest")
}

#[test]
fn chain_is_mined_read_and_steered() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = regtest(dir.path());
    let client = client(&node);
    let hashes = client.generate_to_address(3, &miner()).expect("mined");
    let hashes = hashes.into_model().expect("hashes").0;
    assert_eq!(hashes.len(), 3);

    let info = client.get_blockchain_info().expect("an answer");
    let info = info.into_model().expect("Core's shape");
    assert_eq!((info.chain, info.blocks), (Network::Regtest, 3));
    assert_eq!(client.get_block_count().expect("a number").0, 3);
    let best = client.get_best_block_hash().expect("a hash").into_model();
    assert_eq!(best.expect("a hash").0, hashes[2]);
    let third = client.get_block_hash(3).expect("a hash").into_model();
    assert_eq!(third.expect("a hash").0, hashes[2]);

    let block = client.get_block(hashes[0]).expect("Bitcoin's bytes");
    assert_eq!(block.block_hash(), hashes[0]);
    assert!(block.check_merkle_root());
    assert_eq!(
        block.txdata[0].output[0].script_pubkey,
        miner().script_pubkey()
    );
    let shown = client.get_block_verbose_one(hashes[0]).expect("an answer");
    let shown = shown.into_model().expect("Core's shape");
    assert_eq!((shown.height, shown.confirmations), (1, 3));
    let header = client.get_block_header(&hashes[1]).expect("an answer");
    assert_eq!(
        header.into_model().expect("a header").0.block_hash(),
        hashes[1]
    );
    let header = client
        .get_block_header_verbose(&hashes[1])
        .expect("an answer");
    assert_eq!(header.into_model().expect("Core's shape").height, 2);
    let tips = client.get_chain_tips().expect("an answer").into_model();
    assert_eq!(tips.expect("Core's shape").0.len(), 1);
    let stats = client
        .get_block_stats_by_height(2, None)
        .expect("an answer");
    assert_eq!(
        stats.into_model().expect("Core's shape").block_hash,
        Some(hashes[1])
    );

    client.invalidate_block(hashes[1]).expect("an answer");
    assert_eq!(client.get_block_count().expect("a number").0, 1);
    client.reconsider_block(hashes[1]).expect("an answer");
    let tip = client.wait_for_block_height(3).expect("an answer");
    assert_eq!(tip.into_model().expect("Core's shape").hash, hashes[2]);
}

#[test]
fn payment_is_sent_seen_and_mined() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = regtest(dir.path());
    let client = client(&node);
    let bytes = encode(&payment(funds(&node), 7 * 100_000_000, 10_000));
    let transaction: bitcoin::Transaction =
        deserialize_hex(&hex::encode(&bytes)).expect("Bitcoin's bytes");
    assert_eq!(serialize_hex(&transaction), hex::encode(&bytes));
    let tried = client.test_mempool_accept(std::slice::from_ref(&transaction));
    let tried = tried
        .expect("an answer")
        .into_model()
        .expect("Core's shape");
    assert!(tried.results[0].allowed, "{tried:?}");
    let txid = client.send_raw_transaction(&transaction).expect("sent");
    let txid = txid.into_model().expect("an id").0;
    assert_eq!(txid, transaction.compute_txid());
    let waiting = client.get_raw_mempool().expect("an answer").into_model();
    assert_eq!(waiting.expect("ids").0, [txid]);
    let request = TemplateRequest {
        rules: vec![TemplateRules::Segwit],
        ..TemplateRequest::default()
    };
    let template = client.get_block_template(&request).expect("an answer");
    let template = template.into_model().expect("Core's shape");
    assert_eq!(template.transactions[0].txid, txid);
    let raw = client.get_raw_transaction(txid).expect("an answer");
    assert_eq!(raw.into_model().expect("a transaction").0, transaction);

    client.generate_to_address(1, &miner()).expect("mined");
    let coin = client.get_tx_out(txid, 0).expect("an answer");
    let coin = coin.into_model().expect("Core's shape");
    assert_eq!(coin.tx_out, transaction.output[0]);
    assert_eq!(coin.confirmations, 1);
}

#[test]
fn node_describes_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = regtest(dir.path());
    let client = client(&node);
    let network = client.get_network_info().expect("an answer").into_model();
    assert!(
        network
            .expect("Core's shape")
            .subversion
            .contains("minichain")
    );
    let mining = client.get_mining_info().expect("an answer").into_model();
    let mining = mining.expect("Core's shape");
    let next = mining.next.expect("every chain goes on");
    assert_eq!((mining.blocks, next.height), (0, 1));
    client.get_net_totals().expect("Core's shape");
    assert_eq!(client.get_connection_count().expect("a number").0, 0);
    client
        .set_ban("10.1.0.0/16", SetBanCommand::Add)
        .expect("banned");
    let bans = client.list_banned().expect("Core's shape").0;
    assert_eq!(bans[0].address, "10.1.0.0/16");
    client.clear_banned().expect("an answer");
    assert!(client.list_banned().expect("Core's shape").0.is_empty());
    assert!((client.get_difficulty().expect("a number").0 - 1.0).abs() < 1e-9);
    let address = client.validate_address(&miner()).expect("an answer");
    assert!(address.is_valid && address.is_witness);
    assert!(client.uptime().expect("a number") < 3_600);
    assert!(client.help().expect("a text").contains("getblockhash"));
    assert!(client.stop().expect("a text").contains("stopping"));
}

#[test]
fn refusals_arrive_as_the_errors_of_core() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = regtest(dir.path());
    let code = |error: Error| {
        let text = format!("{error:?}");
        let (_, rest) = text.split_once("code: ").expect("an error of the node");
        let number = rest.split(',').next().expect("a number");
        number.parse::<i32>().expect("a number")
    };
    let client = client(&node);
    assert_eq!(code(client.get_block_hash(99).expect_err("too high")), -8);
    let unknown = bitcoin::BlockHash::from_str(&"00".repeat(32)).expect("a hash");
    assert_eq!(code(client.get_block(unknown).expect_err("unknown")), -5);
    let missing = client.call::<serde_json::Value>("getchaintxstats", &[]);
    assert_eq!(code(missing.expect_err("no such method")), -32_601);
    let wrong = Auth::UserPass("somebody".into(), "guess".into());
    let stranger = Client::new_with_auth(&node.rpc_url, wrong).expect("a client");
    assert!(stranger.get_block_count().is_err());
}
