//! Traffic of peers as `getpeerinfo` tells it, beside what passes on the wire.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use minichain_api::rpc::{NetTotals, PeerInfo};
use minichain_chain::amount::Amount;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::sign_all_inputs;
use minichain_chain::transaction::{Transaction, TxOut};
use serde_json::{Value, json};

use crate::peers::{address, wait_for_peers};
use crate::spend::{ALICE_SEED, COIN, funds, payment};
use crate::support::{Node, wait_for};

/// Outputs of a payment that makes its block a large one.
const OUTPUTS: usize = 2_000;

/// Forwards connections to a node and counts their bytes.
struct Proxy {
    address: SocketAddr,
    /// Bytes to the node and from it.
    passed: Arc<[AtomicU64; 2]>,
}

impl Proxy {
    fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let passed = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let counters = Arc::clone(&passed);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Ok(node) = TcpStream::connect(&target) else {
                    continue;
                };
                let ends = [(&stream, &node), (&node, &stream)];
                for (way, (from, to)) in ends.into_iter().enumerate() {
                    let [from, to] = [from, to].map(|end| end.try_clone().expect("a handle"));
                    let counters = Arc::clone(&counters);
                    std::thread::spawn(move || forward(from, to, &counters[way]));
                }
            }
        });
        Self { address, passed }
    }

    fn passed(&self) -> [u64; 2] {
        [0, 1].map(|way| self.passed[way].load(Ordering::SeqCst))
    }
}

/// Passes bytes on until either end closes, and counts them before.
fn forward(mut from: TcpStream, mut to: TcpStream, passed: &AtomicU64) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let len = from.read(&mut buffer).unwrap_or(0);
        if len == 0 {
            return to.shutdown(Shutdown::Write);
        }
        passed.fetch_add(len as u64, Ordering::SeqCst);
        to.write_all(&buffer[..len])?;
    }
}

/// What two nodes tell of their one connection at a moment when nothing is on
/// its way.
struct Quiet {
    a: PeerInfo,
    b: PeerInfo,
    totals: NetTotals,
    passed: [u64; 2],
}

fn only_peer(node: &Node) -> Option<PeerInfo> {
    let peers = node.call("getpeerinfo", json!([]));
    let mut peers: Vec<PeerInfo> = serde_json::from_value(peers).expect("peers");
    peers.pop().filter(|_| peers.is_empty())
}

fn totals(node: &Node) -> NetTotals {
    let totals = node.call("getnettotals", json!([]));
    serde_json::from_value(totals).expect("totals")
}

/// Waits until both ends tell the same, while nothing passes.
fn wait_for_quiet(a: &Node, b: &Node, proxy: &Proxy) -> Quiet {
    wait_for("both ends to agree", || {
        let passed = proxy.passed();
        let totals = totals(b);
        let [a, b] = [only_peer(a)?, only_peer(b)?];
        let is_told_alike = (a.bytessent, a.bytesrecv) == (b.bytesrecv, b.bytessent);
        (is_told_alike && passed == proxy.passed()).then_some(Quiet {
            a,
            b,
            totals,
            passed,
        })
    })
}

/// Alice pays herself, in very many parts.
fn large_payment(node: &Node) -> Transaction {
    let alice = dev_account_key(&ALICE_SEED, "alice");
    let mut large = payment(funds(node), COIN, COIN);
    let spent = TxOut {
        value: Amount::from_sat(1_000 * COIN),
        script_pubkey: Script::p2tr(&alice.output_key()),
    };
    large.outputs = vec![
        TxOut {
            value: Amount::from_sat(COIN / 100),
            ..spent.clone()
        };
        OUTPUTS
    ];
    let change = 1_000 * COIN - OUTPUTS as u64 * (COIN / 100) - COIN / 100;
    large.outputs.push(TxOut {
        value: Amount::from_sat(change),
        ..spent.clone()
    });
    sign_all_inputs(&mut large, &[spent], &alice, &[3; 32]).expect("one input");
    large
}

/// Has `a` mine a block with the payment; its size, and what `b` had received
/// before.
fn send_large_block(a: &Node, b: &Node) -> (u64, u64) {
    let large = hex::encode(&encode(&large_payment(a)));
    let id = a.call("sendrawtransaction", json!([large]));
    wait_for("the payment to arrive", || {
        let waiting = b.call("getrawmempool", json!([]));
        (waiting == json!([id])).then_some(())
    });
    let before = only_peer(b).expect("a peer").bytesrecv;
    let own = a.call("getnewaddress", json!([]));
    let block = a.call("generatetoaddress", json!([1, own]))[0].clone();
    b.wait_for_height(1);
    let size = a.call("getblock", json!([block]))["size"].as_u64();
    (size.expect("a number"), before)
}

fn now_unix_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

#[test]
fn traffic_of_a_peer_is_what_passes_on_the_wire_and_begins_anew_with_it() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let a = Node::start(dirs[0].path(), "");
    let proxy = Proxy::to(address(&a));
    let b = Node::start(dirs[1].path(), "");
    let connect = || {
        let to = proxy.address.to_string();
        assert_eq!(b.call("addnode", json!([to, "onetry"])), Value::Null);
        wait_for_peers(&a, 1);
        wait_for_peers(&b, 1);
    };
    connect();
    let (size, before) = send_large_block(&a, &b);
    assert!(size > 43 * OUTPUTS as u64, "{size}");
    let seen = wait_for_quiet(&a, &b, &proxy);
    assert!(seen.b.bytesrecv >= before + size, "{:?}", seen.b);
    // Around what is counted the wire has encryption and its handshake.
    let counted = [seen.a.bytesrecv, seen.a.bytessent];
    for (counted, wire) in counted.into_iter().zip(seen.passed) {
        assert!(counted > 0 && counted < wire, "{counted} of {wire}");
    }
    let [_, wire] = seen.passed;
    assert!(
        wire < seen.a.bytessent * 11 / 10,
        "{} of {wire}",
        seen.a.bytessent
    );
    for peer in [&seen.a, &seen.b] {
        for time in [peer.lastsend, peer.lastrecv] {
            assert!((peer.conntime..=now_unix_s()).contains(&time), "{peer:?}");
        }
    }
    assert!(seen.totals.totalbytesrecv >= before + size);
    assert!(seen.totals.totalbytesrecv <= seen.b.bytesrecv);

    // Another connection counts from nothing; the node's own sums go on.
    a.call("disconnectnode", json!(["", seen.a.id]));
    wait_for_peers(&b, 0);
    connect();
    let anew = wait_for_quiet(&a, &b, &proxy);
    assert_ne!(anew.b.id, seen.b.id);
    assert!(anew.b.bytesrecv < size, "{:?}", anew.b);
    let least = seen.b.bytesrecv;
    assert!(anew.totals.totalbytesrecv > least, "{:?}", anew.totals);
}
