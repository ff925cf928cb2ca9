//! `minichain wallet` against nodes that run as processes.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use minichain_api::rpc::method;
use serde_json::{Value, json};

use crate::support::{Node, minichain, shown, wait_for};

const COIN: i64 = 100_000_000;
/// Of every wallet here.
pub const PASSWORD: &str = "correct horse";

/// A wallet's file and the node it asks.
pub struct Wallet<'a> {
    /// Asked by the address in its data folder's cookie.
    pub node: &'a Node,
    /// The file.
    pub file: PathBuf,
}

impl<'a> Wallet<'a> {
    /// A new wallet, and what `new` said.
    pub fn new(node: &'a Node, dir: &Path) -> (Self, Value) {
        let wallet = Self {
            node,
            file: dir.join("a.wallet"),
        };
        let made = wallet.json("new", &[]);
        (wallet, made)
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &str, words: &[&str], password: &str, input: &str) -> Output {
        let mut args = vec!["wallet", command];
        let dir = self.node.data_dir.to_str().expect("a name");
        if command != "export" {
            args.extend(["--data-dir", dir]);
        }
        args.extend(["--wallet", self.file.to_str().expect("a name")]);
        args.extend(words);
        let mut child = minichain(&args)
            .env("MINICHAIN_WALLET_PASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It may end without reading.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    /// The answer of a command that must succeed.
    pub fn json(&self, command: &str, words: &[&str]) -> Value {
        let output = self.run(command, &[words, &["--json"]].concat(), PASSWORD, "");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{command} {}",
            shown(&output)
        );
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// What a command says that must end with `code`.
    pub fn refused(&self, command: &str, words: &[&str], code: i32) -> String {
        let output = self.run(command, words, PASSWORD, "");
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?} {}",
            shown(&output)
        );
        String::from_utf8(output.stderr).expect("text")
    }

    /// An address to be paid at.
    pub fn address(&self, words: &[&str]) -> String {
        let answer = self.json("address", words);
        answer["address"].as_str().expect("an address").to_owned()
    }

    /// Confirmed, unconfirmed and immature base units.
    pub fn balance(&self) -> [i64; 3] {
        let answer = self.json("balance", &[]);
        let sats = |key: &str| answer[key].as_i64().expect("a number");
        ["confirmed_sats", "unconfirmed_sats", "immature_sats"].map(sats)
    }
}

/// Pays an address; its block is still to come.
pub fn fund(node: &Node, address: &str, coins: f64) -> String {
    let own = node.call(method::GET_NEW_ADDRESS, json!([]));
    node.call(method::GENERATE_TO_ADDRESS, json!([4, own]));
    let txid = node.call(method::SEND_TO_ADDRESS, json!([address, coins]));
    txid.as_str().expect("an id").to_owned()
}

/// Blocks that pay nobody here.
pub fn mine(node: &Node, count: u32) -> Vec<String> {
    let own = node.call(method::GET_NEW_ADDRESS, json!([]));
    let hashes = node.call(method::GENERATE_TO_ADDRESS, json!([count, own]));
    serde_json::from_value(hashes).expect("hashes")
}

fn two_nodes(dir: &Path) -> (Node, Node) {
    std::fs::create_dir_all(dir.join("a")).expect("a folder");
    std::fs::create_dir_all(dir.join("b")).expect("a folder");
    let mut first = Node::start(&dir.join("a"), "");
    let ready = first.wait_for_log("ready");
    let addresses = ready["addresses"].as_str().expect("addresses");
    let port = addresses
        .split('/')
        .skip_while(|part| *part != "tcp")
        .nth(1)
        .expect("a port")
        .trim();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let more = format!("p2p: {{port: 0, discovery: false, bootstrap: [\"127.0.0.1:{port}\"]}}\n");
    let second = Node::start(&dir.join("b"), &more);
    let peers = || first.call(method::GET_CONNECTION_COUNT, json!([]));
    wait_for("a connection", || (peers() != json!(0)).then_some(()));
    (first, second)
}

#[test]
fn a_person_is_paid_through_another_node() {
    let dir = tempfile::tempdir().expect("a folder");
    let (payer, own) = two_nodes(dir.path());
    let (wallet, made) = Wallet::new(&own, dir.path());
    let words = made["phrase"].as_str().expect("words");
    assert_eq!(words.split(' ').count(), 24);
    let metadata = std::fs::metadata(&wallet.file).expect("a file");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let address = wallet.address(&[]);
    assert_eq!(made["address"], json!(address), "nobody has paid it yet");

    let paid = fund(&payer, &address, 10.0);
    wait_for("the payment to come", || {
        (wallet.balance() == [0, 10 * COIN, 0]).then_some(())
    });
    let waiting = &wallet.json("history", &[])[0];
    let shown = (&waiting["txid"], &waiting["confirmations"]);
    assert_eq!(shown, (&json!(paid), &json!(0)));
    let why = wallet.refused("send", &[&address, "1", "--yes"], 1);
    assert!(why.contains("10 wait for their block"), "{why}");
    mine(&payer, 2);
    own.wait_for_height(6);
    assert_eq!(wallet.balance(), [10 * COIN, 0, 0]);
    let next = wallet.address(&[]);
    assert_ne!(next, address, "a paid address is not given out again");
}

#[test]
fn a_person_pays_through_another_node() {
    let dir = tempfile::tempdir().expect("a folder");
    let (payer, own) = two_nodes(dir.path());
    let (wallet, _) = Wallet::new(&own, dir.path());
    fund(&payer, &wallet.address(&[]), 10.0);
    mine(&payer, 2);
    own.wait_for_height(6);
    let to = payer.call(method::GET_NEW_ADDRESS, json!([]));
    let to = to.as_str().expect("an address");
    let sent = wallet.json("send", &[to, "2.5", "--fee-rate", "2.5"]);
    let number = |key: &str| sent[key].as_i64().expect("a number");
    let (fee, change, size) = (number("fee_sats"), number("change_sats"), number("vsize"));
    assert_eq!(number("amount_sats") + fee + change, 10 * COIN);
    assert!(fee * 2 >= size * 5 && fee <= size * 3, "{sent}");
    assert_eq!(wallet.balance(), [0, change, 0]);
    let txid = sent["txid"].as_str().expect("an id");
    wait_for("the payment at the other node", || {
        let entry = payer.try_call(method::GET_MEMPOOL_ENTRY, json!([txid]));
        entry.ok()
    });
    mine(&payer, 1);
    own.wait_for_height(7);
    assert_eq!(wallet.balance(), [change, 0, 0]);
    let history = wallet.json("history", &[]);
    let row = |at: usize, key: &str| history[at][key].clone();
    let shown = |at: usize| (row(at, "kind"), row(at, "confirmations"));
    assert_eq!(shown(0), (json!("received"), json!(3)));
    assert_eq!(shown(1), (json!("sent"), json!(1)));
    assert_eq!(row(1, "net_sats"), json!(change - 10 * COIN));
    assert_eq!(row(1, "fee_sats"), json!(fee));
    let paid_to = json!([{"address": to, "amount_sats": 5 * COIN / 2}]);
    assert_eq!(row(1, "paid_to"), paid_to);
    assert_eq!(wallet.json("history", &["--limit", "1"])[0], history[1]);
    let first = wallet.json("list", &[])[0].clone();
    let sums = (&first["received_sats"], &first["unspent_sats"]);
    assert_eq!(sums, (&json!(10 * COIN), &json!(0)));
}

#[test]
fn the_phrase_brings_everything_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, made) = Wallet::new(&node, dir.path());
    for coins in [1.0, 2.0, 3.0] {
        let address = wallet.address(&[]);
        fund(&node, &address, coins);
        mine(&node, 1);
    }
    let exported = wallet.run("export", &[], PASSWORD, "");
    let words = String::from_utf8(exported.stdout).expect("words");
    assert_eq!(json!(words.trim_end()), made["phrase"]);

    let again = Wallet {
        node: &node,
        file: dir.path().join("b.wallet"),
    };
    let output = again.run("import", &[], "another password", &words);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let of = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).expect("JSON");
    let list = of(&again.run("list", &["--json"], "another password", ""));
    // Found by their payments; the one that waits was only given out.
    assert_eq!(list, wallet.json("list", &[]));
    let balance = of(&again.run("balance", &["--json"], "another password", ""));
    assert_eq!(balance["confirmed_sats"], json!(6 * COIN));
    let late = Wallet {
        node: &node,
        file: dir.path().join("c.wallet"),
    };
    let born = (node.height() - 1).to_string();
    let output = late.run("import", &["--birthday", &born], PASSWORD, &words);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(
        late.balance()[0],
        3 * COIN,
        "earlier blocks are not looked at"
    );
    let why = late.refused("import", &[], 2);
    assert!(why.contains("exists already"), "{why}");
    late.refused("new", &[], 2);
    assert_eq!(late.balance()[0], 3 * COIN);
}

#[test]
fn wrong_passwords_and_damaged_files_change_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let good = std::fs::read(&wallet.file).expect("a file");
    for command in ["balance", "export", "address", "history"] {
        let output = wallet.run(command, &[], "wrong horse", "");
        assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(why.contains("wrong password"), "{why}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(std::fs::read(&wallet.file).expect("a file"), good);
    let mut newer = good.clone();
    newer[8] = 9;
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    for (bytes, wanted) in [
        (&good[..90], "damaged"),
        (&flipped, "damaged"),
        (&newer, "version 9"),
        (b"", "no minichain wallet"),
        (b"{\"keys\": 1}", "no minichain wallet"),
    ] {
        std::fs::write(&wallet.file, bytes).expect("a file");
        let why = wallet.refused("balance", &[], 2);
        assert!(why.contains(wanted), "{why}");
        assert_eq!(std::fs::read(&wallet.file).expect("a file"), bytes);
    }
    std::fs::remove_file(&wallet.file).expect("a file");
    let why = wallet.refused("balance", &[], 2);
    assert!(why.contains("minichain wallet new"), "{why}");
}

#[test]
fn bad_payments_are_refused_before_anything_is_sent() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let own = wallet.address(&[]);
    fund(&node, &own, 5.0);
    mine(&node, 1);
    let mut mistyped = own.clone();
    mistyped.replace_range(20..21, if &own[20..21] == "q" { "p" } else { "q" });
    let foreign = minichain_chain::address::Address::new(
        "bcrt",
        minichain_chain::params::dev_account_key(&[1; 32], "x").output_key(),
    );
    let foreign = foreign.expect("a prefix").to_string();
    for (words, code, wanted) in [
        (&[own.as_str(), "6"][..], 1, "5 coins can be spent"),
        (&[&own, "5"], 1, "needed with the fee"),
        (&[&own, "0.00000329"], 1, "dust"),
        (&[&own, "0"], 2, "nothing to pay"),
        (&[&own, "1.123456789"], 2, "decimals"),
        (&[&mistyped, "1"], 2, "checksum"),
        (&[&foreign, "1"], 2, "network prefix"),
        (&["nonsense", "1"], 2, "not an address"),
        (&[&own, "1", "--fee-rate", "0.01"], 2, "below the least"),
        (&[&own, "1", "--fee-rate", "free"], 2, "fee rate"),
    ] {
        let why = wallet.refused("send", words, code);
        assert!(why.contains(wanted), "{words:?}: {why}");
    }
    assert_eq!(node.call(method::GET_RAW_MEMPOOL, json!([])), json!([]));
    let sent = wallet.json("send", &[&own, "all", "--yes"]);
    assert_eq!(sent["change_sats"], Value::Null);
    let whole = sent["amount_sats"].as_i64().expect("a number");
    assert_eq!(wallet.balance(), [0, whole, 0]);
    mine(&node, 1);
    assert_eq!(wallet.balance(), [whole, 0, 0]);
    assert_eq!(wallet.json("history", &[])[1]["kind"], json!("moved"));
}

#[test]
fn a_lost_branch_is_taken_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let own = wallet.address(&[]);
    let rewards = node.call(method::GENERATE_TO_ADDRESS, json!([3, own]));
    assert_eq!(wallet.balance(), [50 * COIN, 0, 100 * COIN]);
    node.call(method::INVALIDATE_BLOCK, json!([rewards[1]]));
    assert_eq!(wallet.balance(), [0, 0, 50 * COIN]);
    mine(&node, 5);
    assert_eq!(wallet.balance(), [50 * COIN, 0, 0]);
    assert_eq!(
        wallet.json("history", &[]).as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_node_of_another_network_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(&dir.path().join("a"), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let genesis = crate::support::EASY_GENESIS.replace("network: easy", "network: other");
    let other = Node::start_command(minichain(&[]), &dir.path().join("b"), &genesis);
    let elsewhere = Wallet {
        node: &other,
        file: wallet.file.clone(),
    };
    let why = elsewhere.refused("balance", &[], 2);
    assert!(why.contains("belongs to network easy"), "{why}");
    drop(other);
    let output = minichain(&[
        "wallet",
        "balance",
        "--url",
        "http://127.0.0.1:9/",
        "--user",
        "x",
    ])
    .args([
        "--password",
        "y",
        "--wallet",
        wallet.file.to_str().expect("a name"),
    ])
    .env("MINICHAIN_WALLET_PASSWORD", PASSWORD)
    .output()
    .expect("the program starts");
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
}

#[test]
fn addresses_are_given_out_up_to_the_gap() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, made) = Wallet::new(&node, dir.path());
    assert_eq!(made["address"], json!(wallet.address(&[])));
    let mut last = String::new();
    for _ in 1..20 {
        last = wallet.address(&["--new"]);
    }
    assert_eq!(wallet.address(&[]), last);
    let why = wallet.refused("address", &["--new"], 1);
    assert!(why.contains("20 addresses in a row"), "{why}");
    fund(&node, &last, 1.0);
    mine(&node, 1);
    assert_ne!(wallet.address(&["--new"]), last);
}

#[test]
fn the_password_is_asked_for_or_read_from_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let file = dir.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
    let export = |more: &[&str]| {
        let mut args = vec![
            "wallet",
            "export",
            "--wallet",
            wallet.file.to_str().expect("a name"),
        ];
        args.extend(more);
        minichain(&args).output().expect("the program starts")
    };
    let output = export(&["--password-file", file.to_str().expect("a name")]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let output = export(&[]);
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(
        shown(&output).contains("--password-file"),
        "{}",
        shown(&output)
    );
}
