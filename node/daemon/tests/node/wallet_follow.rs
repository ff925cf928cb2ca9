//! How a wallet follows its node: with more addresses than one call takes, and
//! when the node goes away on the way.

use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use minichain_api::rpc::SCAN_OBJECTS_MAX;
use minichain_wallet::contents::Contents;
use minichain_wallet::file::{Cost, Key, Sealed};
use minichain_wallet::keyring::{Branch, Keyring, Place};
use serde_json::json;

use crate::support::{Node, shown};
use crate::wallet_file::{PASSWORD, Wallet, fund, mine};

const COIN: i64 = 100_000_000;
const SCAN: &str = "\"scanblocks\"";
const BLOCK: &str = "\"getblock\"";

/// The wallet's file with so many addresses given out.
fn give_out(wallet: &Wallet<'_>, count: u32) -> Contents {
    let bytes = std::fs::read(&wallet.file).expect("a file");
    let sealed = Sealed::parse(&bytes).expect("a wallet");
    let (_, contents) = sealed.open(PASSWORD).expect("its password");
    let mut contents = Contents::from_bytes(&contents).expect("contents");
    contents.used = [count, 0];
    let key = Key::derive(PASSWORD, Cost::default(), [7; 16]).expect("a key");
    let bytes = key.seal(&contents.to_bytes(), [9; 24]);
    std::fs::write(&wallet.file, bytes).expect("a file");
    contents
}

#[test]
fn more_addresses_than_one_call_takes_are_all_looked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let most = u32::try_from(SCAN_OBJECTS_MAX).expect("not that many");
    let contents = give_out(&wallet, most + 500);
    let mut keyring = Keyring::new(&contents.phrase.seed("")[..], Vec::new()).expect("keys");
    keyring.restore_used(contents.used).expect("numbers");
    let address = |index| {
        let branch = Branch::Receive;
        let place = Place { branch, index };
        let address = keyring.address(place, &contents.network.prefix);
        address.expect("an address").to_string()
    };
    // The later block pays the earlier address.
    fund(&node, &address(most + 400), 2.0);
    mine(&node, 1);
    fund(&node, &address(3), 1.0);
    mine(&node, 1);
    assert_eq!(wallet.balance(), [3 * COIN, 0, 0]);
    let history = wallet.json("history", &[]);
    let sums = |at: usize| history[at]["net_sats"].clone();
    assert_eq!((sums(0), sums(1)), (json!(2 * COIN), json!(COIN)));
    fund(&node, &address(most + 499), 4.0);
    assert_eq!(wallet.balance(), [3 * COIN, 4 * COIN, 0]);
}

#[test]
fn what_was_seen_before_the_node_went_away_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let node = Node::start(dir.path(), "");
    let (wallet, _) = Wallet::new(&node, dir.path());
    let own = wallet.address(&[]);
    fund(&node, &own, 1.0);
    mine(&node, 1);
    let paid_at = node.height();
    fund(&node, &own, 2.0);
    mine(&node, 1);
    let between = Between::new(&node.rpc_url, 1);
    let balance = |between: &Between| {
        let words = ["--url", between.url.as_str()];
        wallet.run("balance", &words, PASSWORD, "")
    };
    let output = balance(&between);
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    let patient = Between::new(&node.rpc_url, usize::MAX);
    let output = balance(&patient);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let first = patient.starts().first().copied();
    assert_eq!(first, Some(paid_at + 1), "not from the beginning");
    assert_eq!(wallet.balance(), [3 * COIN, 0, 0]);
}

/// Stands between a wallet and a node, and hangs up after some blocks.
struct Between {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Between {
    fn new(url: &str, blocks: usize) -> Self {
        let node: SocketAddr = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(node).expect("the node listens");
                let all = Arc::clone(&all);
                std::thread::spawn(move || carry(client, server, &all, blocks));
            }
        });
        Self { url, heard }
    }

    /// Heights that scans began at.
    fn starts(&self) -> Vec<u64> {
        let heard = self.heard.lock().expect("no panic there");
        let text = heard.concat();
        let scans = text.split(SCAN).skip(1);
        let starts = scans.filter_map(|scan| {
            let after = scan.split("],").nth(1)?;
            after.split(',').next()?.parse().ok()
        });
        starts.collect()
    }
}

/// Carries bytes both ways until more than `blocks` were asked for in all.
fn carry(mut client: TcpStream, server: TcpStream, heard: &Mutex<Vec<String>>, blocks: usize) {
    let mut to_client = client.try_clone().expect("a socket");
    let mut from_server = server.try_clone().expect("a socket");
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut server = server;
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let mut heard = heard.lock().expect("no panic there");
        heard.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
        let is_over = heard.concat().matches(BLOCK).count() > blocks;
        drop(heard);
        if is_over || server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
