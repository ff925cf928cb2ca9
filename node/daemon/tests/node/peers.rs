//! The operator chooses peers by RPC, on whole nodes.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minichain_api::rpc::code;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Node, wait_for};

/// Longer than anybody waits before dialling a lost or configured peer.
const REDIAL: Duration = Duration::from_secs(6);

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// `ip:port` where a node listens for peers.
pub fn address(node: &Node) -> String {
    let info = node.call("getnetworkinfo", json!([]));
    let own = &info["localaddresses"][0];
    format!(
        "{}:{}",
        own["address"].as_str().expect("an address"),
        own["port"]
    )
}

fn peer_id(node: &Node) -> String {
    let info = node.call("getnetworkinfo", json!([]));
    info["peerid"].as_str().expect("a peer id").to_owned()
}

fn peers(node: &Node) -> Vec<Value> {
    let infos = node.call("getpeerinfo", json!([]));
    infos.as_array().expect("a list").clone()
}

/// Waits until so many peers are connected.
pub fn wait_for_peers(node: &Node, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} peers"), || {
        Some(peers(node)).filter(|peers| peers.len() == count)
    })
}

fn refusal(node: &Node, method: &str, params: Value) -> i64 {
    node.try_call(method, params.clone())
        .expect_err(&format!("{method} {params} is refused"))
        .0
}

fn start_dialling(dir: &Path, to: &Node) -> Node {
    let edge = address(to);
    Node::start(
        dir,
        &format!("p2p: {{port: 0, discovery: false, bootstrap: [\"{edge}\"]}}\n"),
    )
}

#[test]
fn one_try_connects_to_an_address_whose_peer_is_unknown() {
    let dirs = [(); 2].map(|()| folder());
    let a = Node::start_miner(dirs[0].path());
    let b = Node::start(dirs[1].path(), "");
    assert_eq!(
        b.call("addnode", json!([address(&a), "onetry"])),
        Value::Null
    );
    let seen = wait_for_peers(&b, 1);
    assert_eq!(seen[0]["peerid"], peer_id(&a));
    assert_eq!(seen[0]["inbound"], false);
    assert_eq!(seen[0]["connection_type"], "manual");
    assert_eq!(seen[0]["network"], "not_publicly_routable");
    let told = wait_for("the status exchange", || {
        let told = peers(&b).remove(0);
        (told["synced_headers"].as_i64() >= Some(0)).then_some(told)
    });
    assert!(told["startingheight"].as_i64() >= Some(0), "{told}");
    assert!(
        told["version"].as_u64() > Some(0) && told["relaytxes"] == true,
        "{told}"
    );
    let back = wait_for_peers(&a, 1);
    assert_eq!(back[0]["connection_type"], "inbound");
    b.wait_for_height(a.height() + 1);
    // Again, and the other way round: nobody is connected twice or anew.
    let number = seen[0]["id"].clone();
    for _ in 0..3 {
        b.call("addnode", json!([address(&a), "onetry"]));
    }
    let named = format!("{}/p2p/{}", address(&b), peer_id(&b));
    a.call("addnode", json!([named, "onetry"]));
    a.call("addnode", json!([address(&b), "onetry"]));
    b.wait_for_height(a.height() + 2);
    let seen = peers(&b);
    assert_eq!((seen.len(), &seen[0]["id"]), (1, &number));
}

#[test]
fn one_try_in_vain_is_no_error_and_is_logged() {
    let dir = folder();
    let mut node = Node::start(dir.path(), "");
    // Nobody listens on a port below those of users.
    assert_eq!(
        node.call("addnode", json!(["127.0.0.1:9", "onetry"])),
        Value::Null
    );
    node.wait_for_log("the peer the operator named was not reached");
    assert_eq!(peers(&node), Vec::<Value>::new());
    for (params, expected) in [
        (json!(["127.0.0.1", "onetry"]), code::INVALID_PARAMETER),
        (json!(["127.0.0.1:1", "twice"]), code::MISC),
        (json!(["127.0.0.1:1"]), code::MISC),
        (json!([5, "add"]), code::TYPE),
        (json!(["127.0.0.1:1", "remove"]), code::NODE_NOT_ADDED),
    ] {
        assert_eq!(refusal(&node, "addnode", params), i64::from(expected));
    }
}

#[test]
fn added_peer_is_dialled_until_it_is_there_and_no_more_once_removed() {
    let dirs = [(); 3].map(|()| folder());
    let a = Node::start(dirs[0].path(), "");
    let b = Node::start(dirs[1].path(), "");
    let named = format!("{}/p2p/{}", address(&a), peer_id(&a));
    b.call("addnode", json!([named, "add"]));
    assert_eq!(
        refusal(&b, "addnode", json!([named, "add"])),
        i64::from(code::NODE_ALREADY_ADDED)
    );
    let first = wait_for_peers(&b, 1);
    // Sent away by either side it is dialled again, under a new number.
    b.call("disconnectnode", json!([address(&a)]));
    wait_for("the peer to be back", || {
        let seen = peers(&b);
        (seen.len() == 1 && seen[0]["id"] != first[0]["id"]).then_some(())
    });
    b.call("addnode", json!([named, "remove"]));
    assert_eq!(peers(&b).len(), 1, "the connection stays");
    b.call("disconnectnode", json!({"nodeid": peers(&b)[0]["id"]}));
    wait_for_peers(&b, 0);
    std::thread::sleep(REDIAL);
    assert_eq!(peers(&b).len(), 0);
}

#[test]
fn disconnected_peer_can_be_named_by_address_id_or_number() {
    let dirs = [(); 2].map(|()| folder());
    let a = Node::start(dirs[0].path(), "");
    let b = Node::start(dirs[1].path(), "");
    let connect = || {
        b.call("addnode", json!([address(&a), "onetry"]));
        wait_for_peers(&a, 1);
        wait_for_peers(&b, 1)[0].clone()
    };
    for round in 0..4 {
        let seen = connect();
        let (node, params) = match round {
            0 => (&b, json!([seen["addr"]])),
            1 => (&b, json!([peer_id(&a)])),
            2 => (&b, json!(["", seen["id"]])),
            // The end of the other side, which it dialled from.
            _ => (&a, json!([peers(&a)[0]["addr"]])),
        };
        assert_eq!(node.call("disconnectnode", params), Value::Null);
        wait_for_peers(&a, 0);
        wait_for_peers(&b, 0);
    }
    for (params, expected) in [
        (json!([address(&a)]), code::NODE_NOT_CONNECTED),
        (json!(["", 99]), code::NODE_NOT_CONNECTED),
        (json!([address(&a), 1]), code::INVALID_PARAMS),
        (json!([]), code::INVALID_PARAMS),
        (json!(["nowhere"]), code::INVALID_PARAMETER),
    ] {
        assert_eq!(refusal(&b, "disconnectnode", params), i64::from(expected));
    }
}

#[test]
fn banned_peer_is_parted_from_and_refused_both_ways_until_the_ban_ends() {
    let dirs = [(); 2].map(|()| folder());
    let a = Node::start(dirs[0].path(), "");
    let b = start_dialling(dirs[1].path(), &a);
    wait_for_peers(&a, 1);
    a.call("setban", json!([peer_id(&b), "add"]));
    wait_for_peers(&a, 0);
    assert_eq!(
        refusal(
            &a,
            "addnode",
            json!([format!("{}/p2p/{}", address(&b), peer_id(&b)), "onetry"])
        ),
        i64::from(code::MISC)
    );
    std::thread::sleep(REDIAL);
    assert_eq!(peers(&a).len(), 0, "b dials and is refused");
    a.call("setban", json!([peer_id(&b), "remove"]));
    wait_for_peers(&a, 1);
    // By the address it comes from, and for a short while.
    a.call("setban", json!(["127.0.0.1", "add", 4]));
    let bans = a.call("listbanned", json!([]));
    assert_eq!(bans[0]["address"], "127.0.0.1/32");
    assert_eq!(bans[0]["ban_duration"], 4);
    wait_for_peers(&a, 0);
    wait_for_peers(&a, 1);
    assert_eq!(a.call("listbanned", json!([])), json!([]));
    // Whoever dials is refused by its own bans.
    b.call("setban", json!(["127.0.0.0/8", "add"]));
    wait_for_peers(&b, 0);
    std::thread::sleep(REDIAL);
    assert_eq!(peers(&b).len(), 0);
    b.call("clearbanned", json!([]));
    wait_for_peers(&b, 1);
}

#[test]
fn bans_outlive_a_restart_and_a_corrupt_list_does_not_stop_the_node() {
    let dir = folder();
    let node = Node::start(dir.path(), "");
    node.call("setban", json!(["10.1.0.0/16", "add", 5_000]));
    node.call("setban", json!(["10.2.0.1", "add"]));
    let before = node.call("listbanned", json!([]));
    node.stop();
    let node = Node::start(dir.path(), "");
    let after = node.call("listbanned", json!([]));
    for (old, new) in before
        .as_array()
        .expect("a list")
        .iter()
        .zip(after.as_array().expect("a list"))
    {
        for field in ["address", "ban_created", "banned_until", "ban_duration"] {
            assert_eq!(old[field], new[field]);
        }
    }
    assert_eq!(after.as_array().expect("a list").len(), 2);
    node.call("clearbanned", json!([]));
    node.stop();
    std::fs::write(dir.path().join("banlist.json"), "{\"banned_nets\":").expect("room");
    let mut node = Node::start(dir.path(), "");
    node.wait_for_log("bans could not be read; nobody is banned until `setban` says so again");
    assert_eq!(node.call("listbanned", json!([])), json!([]));
    assert!(dir.path().join("banlist.corrupt").exists());
}

#[test]
fn senseless_bans_are_refused_with_cores_codes() {
    let dir = folder();
    let node = Node::start(dir.path(), "");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = now.expect("after 1970").as_secs();
    let end = now_s + 1_000;
    node.call("setban", json!(["10.0.0.1", "add", end, true]));
    let bans = node.call("listbanned", json!([]));
    assert_eq!(bans[0]["banned_until"], end);
    assert!(bans[0]["time_remaining"].as_u64().expect("a number") <= 1_000);
    for (params, expected) in [
        (json!(["10.0.0.1", "add"]), code::NODE_ALREADY_ADDED),
        (json!(["10.0.0.2", "remove"]), code::INVALID_IP_OR_SUBNET),
        (json!(["nobody", "add"]), code::INVALID_IP_OR_SUBNET),
        (json!(["10.0.0.0/33", "add"]), code::INVALID_IP_OR_SUBNET),
        (
            json!(["10.0.0.2", "add", now_s - 5, true]),
            code::INVALID_PARAMETER,
        ),
        (json!(["10.0.0.2", "add", -1]), code::INVALID_PARAMETER),
        (json!(["10.0.0.2", "forgive"]), code::MISC),
        (json!(["10.0.0.2"]), code::MISC),
    ] {
        assert_eq!(refusal(&node, "setban", params), i64::from(expected));
    }
}
