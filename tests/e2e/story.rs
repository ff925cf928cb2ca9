//! What must hold on every engine, told once.

use std::time::Duration;

use minichain_tests::network::{Network, wait_until};
use minichain_tests::spend::Account;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);

/// Three nodes, two of which mine, come to one chain.
pub fn three_nodes_agree_at_height_5(engine: &'static str) {
    let network = Network::up(
        engine,
        &["--nodes", "3", "--miners", "2", "--block-time", "1s"],
    );
    let roles: Vec<(String, String)> = network
        .nodes()
        .into_iter()
        .map(|node| (node.name, node.role))
        .collect();
    let expected = [
        ("bootstrap-0", "bootstrap"),
        ("miner-0", "miner"),
        ("miner-1", "miner"),
    ];
    assert_eq!(
        roles,
        expected.map(|(name, role)| (name.into(), role.into()))
    );
    let height = network.wait_until_agreed(5, PATIENCE);
    assert!(height >= 5);
    assert_supply_follows_the_schedule(&network);
}

/// The coins in existence are the allocations and 50 a block.
fn assert_supply_follows_the_schedule(network: &Network) {
    let node = network.node("bootstrap-0");
    let genesis: Value = node.rpc.must("gettxoutsetinfo", &json!(["muhash", 0]));
    assert_eq!(genesis["height"], 0);
    let allocated = genesis["total_sats"].as_u64().expect("a sum");
    assert_eq!(
        allocated,
        1_300_000 * 100_000_000,
        "alice, bob, carol and the faucet"
    );
    let now: Value = node.rpc.must("gettxoutsetinfo", &json!([]));
    let height = now["height"].as_u64().expect("a height");
    let expected = allocated + height * 50 * 100_000_000;
    assert_eq!(
        now["total_sats"].as_u64(),
        Some(expected),
        "supply at height {height}"
    );
}

/// A transfer handed to one node is mined and seen by all.
pub fn transfer_is_mined_and_seen_by_every_node(engine: &'static str) {
    let network = Network::up(
        engine,
        &["--nodes", "3", "--miners", "1", "--block-time", "1s"],
    );
    let alice = Account::of(&network, "alice");
    let bob = Account::of(&network, "bob");
    let entrance = network.node("observer-0");
    let payment = alice.pay(&bob, 150_000_000, 1_000);
    let txid: String = entrance
        .rpc
        .must("sendrawtransaction", &json!([payment.hex]));
    assert_eq!(txid, payment.txid);
    for node in network.nodes() {
        wait_until(PATIENCE, || {
            let output: Value = node.rpc.call("gettxout", &json!([txid, 0, false]))?;
            match output["confirmations"].as_u64() {
                Some(1..) if output["value"].as_f64() == Some(1.5) => Ok(()),
                _ => Err(format!("{}: gettxout says {output}", node.name)),
            }
        });
    }
    let again: Result<Value, String> = entrance
        .rpc
        .call("sendrawtransaction", &json!([payment.hex]));
    assert!(
        again
            .expect_err("spent coins cannot be spent again")
            .contains("\"code\":-27")
    );
    network.wait_until_agreed(1, PATIENCE);
}

/// A node that was killed and started again has the blocks it missed.
pub fn killed_node_catches_up(engine: &'static str, kill: impl Fn(&Network, &str)) {
    let network = Network::up(
        engine,
        &["--nodes", "3", "--miners", "1", "--block-time", "1s"],
    );
    network.wait_until_agreed(2, PATIENCE);
    kill(&network, "observer-0");
    let miner = network.node("miner-0");
    let before: u32 = miner.rpc.must("getblockcount", &json!([]));
    wait_until(PATIENCE, || {
        let now: u32 = miner.rpc.call("getblockcount", &json!([]))?;
        if now >= before + 3 {
            Ok(())
        } else {
            Err(format!("at {now}"))
        }
    });
    let said = network.must(&["up", "--nodes", "3", "--miners", "1", "--block-time", "1s"]);
    assert!(
        said.contains("observer-0"),
        "up does not name what it brought back:\n{said}"
    );
    network.wait_until_agreed(before + 3, PATIENCE);
}

/// The second `up` finds nothing to do and says so.
pub fn up_twice_changes_nothing(engine: &'static str) {
    let wish = ["up", "--nodes", "2", "--miners", "1", "--block-time", "1s"];
    let network = Network::new(engine);
    network.must(&wish);
    let before = identities(&network);
    let out = network.devnet(&wish);
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said).to_lowercase();
    assert!(out.status.success(), "{said}");
    assert!(
        said.contains("nothing to do"),
        "the second up does not say so:\n{said}"
    );
    assert_eq!(identities(&network), before);
}

/// What would differ if a node had been made or started anew.
fn identities(network: &Network) -> Vec<(String, String, String)> {
    let started =
        |node: &minichain_tests::network::Node| -> u64 { node.rpc.must("uptime", &json!([])) };
    let nodes = network.nodes();
    let uptimes: Vec<u64> = nodes.iter().map(started).collect();
    assert_eq!(uptimes.len(), 2);
    let peer_id = |node: &minichain_tests::network::Node| -> String {
        let info: Value = node.rpc.must("getnetworkinfo", &json!([]));
        info["peerid"].as_str().expect("a peer id").to_owned()
    };
    nodes
        .iter()
        .map(|node| {
            (
                node.name.clone(),
                peer_id(node),
                node.status["rpc_url"].to_string(),
            )
        })
        .collect()
}

/// Two networks of one machine do not meet.
pub fn two_networks_run_side_by_side(engine: &'static str) {
    let wish = ["--nodes", "2", "--miners", "1", "--block-time", "1s"];
    let first = Network::up(engine, &wish);
    let second = Network::up(engine, &wish);
    first.wait_until_agreed(2, PATIENCE);
    second.wait_until_agreed(2, PATIENCE);
    let genesis =
        |network: &Network| -> String { network.nodes()[0].rpc.must("getblockhash", &json!([0])) };
    assert_ne!(genesis(&first), genesis(&second));
    for network in [&first, &second] {
        for node in network.nodes() {
            let peers: Vec<Value> = node.rpc.must("getpeerinfo", &json!([]));
            assert_eq!(
                peers.len(),
                1,
                "{} of {}: {peers:?}",
                node.name,
                network.name
            );
        }
    }
}
