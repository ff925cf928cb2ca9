//! JSON-RPC and the pages of a node that mines.

use std::io::Write as _;
use std::process::{Command, Stdio};

use minichain_api::metric;
use minichain_api::rpc::{
    BlockInfo, BlockTransaction, BlockchainInfo, ChainTip, HeaderInfo, MempoolInfo, MiningInfo,
    NetworkInfo, PeerInfo, TxOutSetInfo, code, method,
};
use minichain_chain::block::Block;
use minichain_chain::{codec, hex};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{Node, basic, get, post, wait_for};

fn parsed<T: DeserializeOwned>(node: &Node, method: &str, params: Value) -> T {
    let result = node.call(method, params);
    serde_json::from_value(result.clone())
        .unwrap_or_else(|error| panic!("{method}: {error}: {result}"))
}

/// A node that mined at least three blocks and mines no more.
fn grown(dir: &std::path::Path) -> Node {
    let miner = Node::start_miner(dir);
    miner.wait_for_height(3);
    miner.stop();
    Node::start(dir, "")
}

#[test]
fn chain_methods_tell_one_story() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = grown(dir.path());
    let info: BlockchainInfo = parsed(&node, method::GET_BLOCKCHAIN_INFO, json!([]));
    assert_eq!((info.chain.as_str(), info.spacing), ("easy", 1));
    assert!(info.blocks >= 3 && info.headers == info.blocks);
    assert_eq!(
        (info.chainwork.len(), info.target.len(), info.bits.len()),
        (64, 64, 8)
    );
    assert!((info.difficulty - 1.0).abs() < 1e-9, "the rule is fixed");
    assert!(!info.initialblockdownload);
    assert_eq!(
        json!(info.bestblockhash),
        node.call(method::GET_BEST_BLOCK_HASH, json!([]))
    );
    assert_eq!(
        json!(info.genesishash),
        node.call(method::GET_BLOCK_HASH, json!([0]))
    );
    let tips: Vec<ChainTip> = parsed(&node, method::GET_CHAIN_TIPS, json!([]));
    assert_eq!((tips[0].status.as_str(), tips[0].branchlen), ("active", 0));
    assert_eq!(
        (&tips[0].hash, &tips[0].chainwork),
        (&info.bestblockhash, &info.chainwork)
    );
    let set: TxOutSetInfo = parsed(&node, method::GET_TXOUTSET_INFO, json!([]));
    assert_eq!(
        (set.height, &set.bestblock, set.muhash.len()),
        (info.blocks, &info.bestblockhash, 64)
    );
    let then: TxOutSetInfo = parsed(&node, method::GET_TXOUTSET_INFO, json!(["muhash", 2]));
    assert_eq!(
        (then.height, then.total_sats),
        (2, (1_000 + 100) * 100_000_000)
    );
    assert_ne!(then.muhash, set.muhash);
    let now = json!(["muhash", info.bestblockhash]);
    assert_eq!(
        parsed::<TxOutSetInfo>(&node, method::GET_TXOUTSET_INFO, now),
        set
    );
    assert_eq!(
        set.total_sats,
        (1_000 + 50 * u64::from(info.blocks)) * 100_000_000
    );
}

#[test]
fn blocks_come_in_every_verbosity() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = grown(dir.path());
    let hash = node.call(method::GET_BLOCK_HASH, json!([2]));
    let ids: BlockInfo = parsed(&node, method::GET_BLOCK, json!([hash]));
    let full: BlockInfo = parsed(
        &node,
        method::GET_BLOCK,
        json!({"blockhash": hash, "verbosity": 2}),
    );
    let raw = node.call(method::GET_BLOCK, json!([hash, 0]));
    let bytes = hex::decode(raw.as_str().expect("text")).expect("hexadecimal");
    let block: Block = codec::decode(&bytes).expect("a block");
    assert_eq!(json!(block.hash().to_string()), hash);
    assert_eq!((ids.size, ids.weight), (bytes.len() as u64, block.weight()));
    let BlockTransaction::Id(id) = &ids.tx[0] else {
        panic!("verbosity 1 shows ids")
    };
    let BlockTransaction::Full(transaction) = &full.tx[0] else {
        panic!("2 shows all")
    };
    assert_eq!(id, &transaction.txid);
    assert!(transaction.vin[0].coinbase.is_some());
    let address = transaction.vout[0]
        .script_pub_key
        .address
        .clone()
        .expect("taproot");
    assert!(address.starts_with("mini1p"), "{address}");

    let header: HeaderInfo = parsed(&node, method::GET_BLOCK_HEADER, json!([hash]));
    assert_eq!(header, ids.header);
    assert_eq!((header.height, header.n_tx), (2, 1));
    assert_eq!(
        json!(header.previousblockhash),
        node.call(method::GET_BLOCK_HASH, json!([1]))
    );
    assert_eq!(
        json!(header.nextblockhash),
        node.call(method::GET_BLOCK_HASH, json!([3]))
    );
    assert_eq!(
        header.confirmations,
        i64::try_from(node.height()).expect("small") - 1
    );
    let raw = node.call(method::GET_BLOCK_HEADER, json!([hash, false]));
    assert_eq!(raw, hex::encode(&bytes[..80]));
    let genesis: HeaderInfo = parsed(
        &node,
        method::GET_BLOCK_HEADER,
        json!([node.call(method::GET_BLOCK_HASH, json!([0]))]),
    );
    assert_eq!((genesis.height, genesis.previousblockhash), (0, None));
}

#[test]
fn network_mempool_and_mining_are_described() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start_miner(dir.path());
    node.wait_for_height(2);
    let network: NetworkInfo = parsed(&node, method::GET_NETWORK_INFO, json!([]));
    assert!(network.subversion.starts_with("minichain/"), "{network:?}");
    assert!(
        network.peerid.starts_with("12D3Koo") && network.connections == 0,
        "{network:?}"
    );
    assert!(
        network.multiaddrs.iter().any(|one| one.contains("/tcp/")),
        "{network:?}"
    );
    assert_eq!(
        parsed::<Vec<PeerInfo>>(&node, method::GET_PEER_INFO, json!([])),
        []
    );
    let mempool: MempoolInfo = parsed(&node, method::GET_MEMPOOL_INFO, json!([]));
    assert_eq!(
        mempool,
        MempoolInfo {
            loaded: true,
            maxmempool: 33_554_432,
            mempoolminfee: 0.000_001,
            minrelaytxfee: 0.000_001,
            incrementalrelayfee: 0.000_001,
            fullrbf: true,
            ..MempoolInfo::default()
        }
    );
    assert_eq!(node.call(method::GET_RAW_MEMPOOL, json!([])), json!([]));
    let mining: MiningInfo = parsed(&node, method::GET_MINING_INFO, json!([]));
    assert!(
        mining.mining && mining.blocksfound >= 2 && mining.hashes >= 2,
        "{mining:?}"
    );
    assert!((mining.hashrate - 60.0).abs() < 1e-9);
    assert!(mining.address.expect("it mines").starts_with("mini1p"));
    assert!(node.call(method::UPTIME, json!([])).is_u64());
    let help = node.call(method::HELP, json!([]));
    let help = help.as_str().expect("text");
    assert!(method::ALL.iter().all(|name| help.contains(name)), "{help}");
    let one = node.call(method::HELP, json!(["gettxout"]));
    assert!(
        one.as_str()
            .expect("text")
            .starts_with("gettxout txid n [include_mempool]"),
        "{one}"
    );
}

#[test]
fn mistakes_have_the_codes_of_core() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let unknown = "11".repeat(32);
    for (name, params, code) in [
        ("getblok", json!([]), code::METHOD_NOT_FOUND),
        (method::GET_BLOCK_HASH, json!([]), code::MISC),
        (method::GET_BLOCK_HASH, json!([99]), code::INVALID_PARAMETER),
        (method::GET_BLOCK_HASH, json!(["0"]), code::TYPE),
        (method::GET_BLOCK_HASH, json!([0, 1]), code::MISC),
        (
            method::GET_BLOCK_HASH,
            json!({"hieght": 0, "height": 0}),
            code::INVALID_PARAMETER,
        ),
        (
            method::GET_BLOCK,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (method::GET_BLOCK, json!(["zz"]), code::INVALID_PARAMETER),
        (
            method::GET_BLOCK_HEADER,
            json!([unknown]),
            code::INVALID_ADDRESS_OR_KEY,
        ),
        (
            method::GET_TXOUTSET_INFO,
            json!(["hash_serialized_3"]),
            code::INVALID_PARAMETER,
        ),
        (
            method::SEND_RAW_TRANSACTION,
            json!(["zz"]),
            code::DESERIALIZATION,
        ),
        (
            method::SEND_RAW_TRANSACTION,
            json!(["00"]),
            code::DESERIALIZATION,
        ),
        (method::HELP, json!(["getblok"]), code::INVALID_PARAMETER),
    ] {
        let (found, message) = node.try_call(name, params.clone()).expect_err(name);
        assert_eq!(found, i64::from(code), "{name} {params}: {message}");
        assert!(!message.is_empty());
    }
    assert_eq!(
        node.call(method::GET_TXOUT, json!([unknown, 0])),
        Value::Null
    );
}

#[test]
fn envelopes_follow_their_version() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (status, text) = node.post(r#"{"method": "getblockcount", "id": "a"}"#);
    assert_eq!(
        (status, serde_json::from_str::<Value>(&text).expect("JSON")),
        (200, json!({"result": 0, "error": null, "id": "a"}))
    );
    let (status, text) = node.post(r#"{"method": "nonsense", "id": "a"}"#);
    assert_eq!(status, 404, "{text}");
    assert_eq!(node.post("nonsense").0, 500);
    assert_eq!(
        node.post(r#"{"jsonrpc": "2.0", "method": "getblockcount"}"#),
        (204, String::new())
    );
    let batch = r#"[{"jsonrpc": "2.0", "method": "getblockcount", "id": 1},
        {"jsonrpc": "2.0", "method": "getblockcount"}, 5,
        {"jsonrpc": "2.0", "method": "nonsense", "id": 2}]"#;
    let (status, text) = node.post(batch);
    let answers: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, answers.len()), (200, 3), "{text}");
    assert_eq!(answers[0]["result"], 0);
    assert_eq!(answers[1]["error"]["code"], code::INVALID_REQUEST);
    assert_eq!(answers[2]["error"]["code"], code::METHOD_NOT_FOUND);
    let many = vec![r#"{"method": "getblockcount"}"#; 101].join(",");
    assert_eq!(node.post(&format!("[{many}]")).0, 400);
}

#[test]
fn door_opens_only_to_those_who_may() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(
        dir.path(),
        "rpc: {port: 0, user: alice, password: wonderland}\n",
    );
    assert!(!dir.path().join(".cookie").exists());
    let body = r#"{"method": "getblockcount"}"#;
    let good = basic("alice:wonderland");
    assert_eq!(
        post(&node.rpc_url, &[("authorization", &good)], body).0,
        200
    );
    for bad in [
        basic("alice:wonderlan"),
        basic("alice:"),
        basic(""),
        "Basic !".into(),
        "x".into(),
    ] {
        assert_eq!(
            post(&node.rpc_url, &[("authorization", &bad)], body).0,
            401,
            "{bad}"
        );
    }
    let (status, text) = post(&node.rpc_url, &[], body);
    assert_eq!(status, 401, "{text}");
    assert!(text.contains("user and password"), "{text}");
    // A foreign page that points its own name at this address.
    let rebound = [("authorization", good.as_str()), ("host", "evil.example")];
    assert_eq!(post(&node.rpc_url, &rebound, body).0, 403);
    let local = [("authorization", good.as_str()), ("host", "localhost:1")];
    assert_eq!(post(&node.rpc_url, &local, body).0, 200);
    assert_eq!(get(&node.rpc_url).0, 401);
}

#[test]
fn only_small_posts_to_the_root_are_calls() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let cookie = node.cookie_header();
    let headers = [("authorization", cookie.as_str())];
    assert_eq!(
        post(&format!("{}/wallet", node.rpc_url), &headers, "{}").0,
        404
    );
    let large = format!("\"{}\"", "x".repeat(4 << 20));
    assert_eq!(post(&node.rpc_url, &headers, &large).0, 413);
    assert_eq!(node.height(), 0, "the server goes on");
}

#[test]
fn metrics_and_health_are_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start_miner(dir.path());
    node.wait_for_height(2);
    let (status, text) = wait_for("metrics that saw two blocks", || {
        Some(node.page("/metrics")).filter(|(_, text)| {
            text.lines().any(|line| {
                let height = line.strip_prefix("minichain_chain_height_blocks ");
                height.is_some_and(|height| height.parse::<f64>().is_ok_and(|height| height >= 2.0))
            })
        })
    });
    assert_eq!(status, 200);
    for one in metric::ALL {
        assert!(
            text.contains(&format!("# HELP {} ", one.name)),
            "{}",
            one.name
        );
    }
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).expect("a name");
        let is_declared = metric::ALL.iter().any(|one| one.name == name);
        assert!(is_declared || name.starts_with("process_"), "{name}");
    }
    let (status, text) = node.page("/health");
    let health: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, &health["status"]), (200, &json!("ok")), "{text}");
    assert!(
        health["height"].as_u64().is_some_and(|height| height >= 2),
        "{text}"
    );
    assert_eq!(node.page("/").0, 404);
}

#[test]
fn promtool_has_nothing_against_the_metrics() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start_miner(dir.path());
    node.wait_for_height(2);
    let (_, text) = node.page("/metrics");
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series <= 300, "{series} series");
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(child) => child,
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "promtool must be here in CI: {error}; Debian has it in the package prometheus"
            );
            eprintln!("\n*** SKIPPED: no promtool here ({error}) ***\n");
            return;
        }
    };
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("promtool reads");
    drop(input);
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn switched_off_servers_do_not_listen() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut node = Node::start(dir.path(), "rpc: {enabled: false}\n");
    assert_eq!(node.rpc_url, "off");
    node.wait_for_log("ready");
    assert_eq!(node.page("/health").0, 200);
    node.stop();
}
