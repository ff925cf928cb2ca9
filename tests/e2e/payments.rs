//! A devnet's accounts and a person's wallet, told once for every engine.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use minichain_tests::network::{Network, wait_until};
use minichain_tests::programs::program;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);
const COIN: i64 = 100_000_000;

/// Confirmed and unconfirmed base units of an account.
fn account(network: &Network, name: &str) -> (String, i64, i64) {
    let answer = network.must(&["accounts", "--json"]);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let accounts = answer["accounts"].as_array().expect("accounts");
    let found = accounts.iter().find(|account| account["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no account {name} in {answer}"));
    let sats = |key: &str| found[key].as_i64().expect("a number");
    let address = found["address"].as_str().expect("an address").to_owned();
    (address, sats("confirmed_sats"), sats("unconfirmed_sats"))
}

/// A person's wallet at one of the network's nodes.
struct Wallet<'a> {
    network: &'a Network,
    node: &'static str,
    folder: TempDir,
}

impl Wallet<'_> {
    fn run(&self, words: &[&str]) -> Output {
        let node = self.network.node(self.node);
        let text = |key: &str| node.status[key].as_str().expect("a text").to_owned();
        let auth = text("rpc_auth");
        let (user, password) = auth.split_once(':').expect("user and password");
        let file = self.folder.path().join("a.wallet");
        Command::new(program("minichain"))
            .arg("wallet")
            .args(words)
            .args(["--json", "--url", &text("rpc_url"), "--user", user])
            .args([Path::new("--wallet"), &file])
            .env("MINICHAIN_RPC_PASSWORD", password)
            .env("MINICHAIN_WALLET_PASSWORD", "a password")
            .env_remove("MINICHAIN_CONFIG")
            .output()
            .expect("minichain runs")
    }

    fn must(&self, words: &[&str]) -> Value {
        let out = self.run(words);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "wallet {words:?}: {said}");
        serde_json::from_slice(&out.stdout).expect("JSON")
    }

    /// Confirmed and unconfirmed base units.
    fn balance(&self) -> (i64, i64) {
        let answer = self.must(&["balance"]);
        let sats = |key: &str| answer[key].as_i64().expect("a number");
        (sats("confirmed_sats"), sats("unconfirmed_sats"))
    }
}

/// Accounts pay each other and a wallet, which pays back through another node.
pub fn accounts_and_wallets_pay_each_other(engine: &'static str) {
    let network = Network::up(
        engine,
        &["--nodes", "3", "--miners", "1", "--block-time", "1s"],
    );
    let (_, alice, _) = account(&network, "alice");
    let (bob_address, bob, _) = account(&network, "bob");
    assert_eq!((alice, bob), (100_000 * COIN, 100_000 * COIN));

    let sent = network.must(&[
        "send", "--from", "alice", "--to", "bob", "--amount", "1.5", "--wait", "1", "--json",
    ]);
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    let fee = sent["fee_sats"].as_i64().expect("a fee");
    assert!(
        sent["confirmations"].as_i64() >= Some(1) && fee > 0,
        "{sent}"
    );
    assert_eq!(sent["address"], json!(bob_address));
    assert_eq!(account(&network, "bob").1, bob + COIN * 3 / 2);
    assert_eq!(account(&network, "alice").1, alice - COIN * 3 / 2 - fee);

    let wallet = Wallet {
        network: &network,
        node: "observer-0",
        folder: TempDir::new().expect("a folder"),
    };
    let made = wallet.must(&["new"]);
    let address = made["address"].as_str().expect("an address");
    network.must(&["faucet", address, "10", "--node", "bootstrap-0"]);
    wait_until(PATIENCE, || match wallet.balance() {
        (confirmed, 0) if confirmed == 10 * COIN => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let paid = wallet.must(&["send", &bob_address, "2", "--wait", "1"]);
    let fee = paid["fee_sats"].as_i64().expect("a fee");
    assert_eq!(wallet.balance(), (8 * COIN - fee, 0));
    assert_eq!(account(&network, "bob").1, bob + COIN * 7 / 2);
    let history = wallet.must(&["history"]);
    assert_eq!(
        (&history[0]["kind"], &history[1]["kind"]),
        (&json!("received"), &json!("sent"))
    );
    assert!(history[1]["confirmations"].as_i64() >= Some(1), "{history}");
    assert_eq!(history[1]["paid_to"][0]["address"], json!(bob_address));
    network.wait_until_agreed(1, PATIENCE);
    let shown = network.must(&["accounts"]);
    assert!(shown.contains("100003.5"), "{shown}");
}

/// What cannot be paid is refused, with what there is.
pub fn bad_payments_of_accounts_are_refused(engine: &'static str) {
    let network = Network::up(engine, &["--nodes", "1", "--miners", "1"]);
    let (address, ..) = account(&network, "bob");
    let mistyped = address.replacen("1p", "1q", 1);
    let send = |from: &str, to: &str, amount: &str| {
        let words = ["send", "--from", from, "--to", to, "--amount", amount];
        let out = network.devnet(&words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        (out.status.code(), said)
    };
    for (from, to, amount, code, wanted) in [
        (
            "mallory",
            "bob",
            "1",
            2,
            "there are alice, bob, carol, faucet",
        ),
        ("alice", "mallory", "1", 2, "neither an account"),
        ("alice", &mistyped, "1", 2, "neither an account"),
        ("alice", "bob", "100000", 1, "needed with the fee"),
        ("alice", "bob", "0.000001", 1, "dust"),
        ("alice", "bob", "0", 2, "more than 0"),
    ] {
        let (got, said) = send(from, to, amount);
        assert_eq!(got, Some(code), "{from} {to} {amount}: {said}");
        assert!(said.contains(wanted), "{from} {to} {amount}: {said}");
    }
    let out = network.devnet(&["accounts", "--node", "nobody"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(
        account(&network, "alice").1,
        100_000 * COIN,
        "nothing was paid"
    );
}
