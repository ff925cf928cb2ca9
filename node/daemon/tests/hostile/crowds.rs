//! Many at once: connections that say nothing, and one foe under many names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::bridge;
use crate::foe::{Foe, RUNTIME, polite};
use crate::support::wait_for;
use crate::victim::{NOISE_MB, Neighbour, Victim};

/// Connections at once, and how often each is made anew.
const CALLERS: u64 = 300;
const CALLS: u64 = 10;

/// Connects from one address, says nothing, and waits until it is hung up on.
fn call_in_silence(target: SocketAddr, ended: &Arc<AtomicU64>) -> JoinSet<()> {
    let source = "127.0.0.1:0".parse().expect("an address");
    let mut callers = JoinSet::new();
    let _inside = RUNTIME.enter();
    for _ in 0..CALLERS {
        let ended = Arc::clone(ended);
        callers.spawn(async move {
            for _ in 0..CALLS {
                // Refused, reset or closed: all are ends.
                if let Ok(mut stream) = bridge::connect(source, target).await {
                    let _cut = stream.read_to_end(&mut Vec::new()).await;
                }
                ended.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    callers
}

#[test]
fn thousands_of_silent_connections_leave_room_for_others() {
    let victim = Victim::start();
    let ended = Arc::default();
    let _callers = call_in_silence(victim.address(), &ended);
    wait_for("them to hold what they can", || {
        (ended.load(Ordering::SeqCst) >= CALLERS).then_some(())
    });
    let way = bridge::from("127.0.0.2", victim.address());
    let neighbour = Neighbour::by(way);
    neighbour.converges_with(&victim);
    wait_for("all of them to be hung up on", || {
        (ended.load(Ordering::SeqCst) >= CALLERS * CALLS).then_some(())
    });
    neighbour.converges_with(&victim);
    let sent = format!("{} connections", CALLERS * CALLS);
    let how = "hung up on after 2 s, or at once beyond 64 handshakes of one address";
    victim.stayed_within(NOISE_MB, "silent connections", &sent, how);
}

/// Of 16 places others may have twelve.
const FEW: &str = "p2p: {port: 0, discovery: false, max_peers: 16, target_peers: 4}\n";
const PLACES: usize = 12;
const NAMES: usize = 18;

#[test]
fn who_comes_from_another_address_gets_a_place_among_many_names_of_one_foe() {
    let victim = Victim::with_blocks(FEW, &[]);
    let names = (0..NAMES).map(|_| Foe::start(&victim, polite(&victim)));
    let names: Vec<Foe> = names.collect();
    wait_for("one foe to hold every place", || {
        (victim.peers().len() == PLACES).then_some(())
    });
    let way = bridge::from("127.0.0.2", victim.address());
    let neighbour = Neighbour::by(way);
    neighbour.converges_with(&victim);
    let lines = victim.node.log_lines();
    let crowding = lines.iter().filter(|line| line["reason"] == "crowding");
    assert!(crowding.count() > 0, "one made room");
    // They go on knocking.
    for _ in 0..3 {
        std::thread::sleep(Duration::from_secs(1));
        neighbour.converges_with(&victim);
        let peers = victim.peers();
        assert!(peers.len() <= PLACES);
        let foes = names.iter().filter(|foe| {
            let is_it = |peer: &Value| peer["peerid"] == foe.id;
            peers.iter().any(is_it)
        });
        assert!(foes.count() < PLACES, "one place is the neighbour's");
    }
    let sent = format!("{NAMES} identities for {PLACES} places");
    let how = "`crowding`: the youngest makes room for another address";
    victim.stayed_within(NOISE_MB, "eclipse from one address", &sent, how);
}

/// More than one server has places for.
const SILENT: usize = 200;

#[test]
fn silent_and_dripping_clients_keep_nobody_from_asking() {
    let victim = Victim::start();
    let neighbour = Neighbour::of(&victim);
    let servers = [&victim.node.rpc_url, &victim.node.metrics_url].map(|url| {
        let address = url.strip_prefix("http://").expect("plain HTTP");
        address.parse::<SocketAddr>().expect("an address")
    });
    let mut clients = JoinSet::new();
    let inside = RUNTIME.enter();
    for number in 0..2 * SILENT {
        let source = "127.0.0.1:0".parse().expect("an address");
        let target = servers[number % 2];
        clients.spawn(async move {
            let Ok(mut stream) = bridge::connect(source, target).await else {
                return;
            };
            // One in two says nothing, the others a letter a second.
            for byte in b"POST / HTTP/1.1\r\nhost: x\r\nx: ".iter().cycle() {
                let is_dripping = number % 4 < 2;
                if is_dripping && stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    drop(inside);
    std::thread::sleep(Duration::from_secs(1));
    neighbour.converges_with(&victim);
    assert!(victim.node.call("getblockcount", json!([])).is_u64());
    assert_eq!(victim.node.page("/health").0, 200);
    let sent = format!("{SILENT} clients of each server");
    let how = "closed after 20 s, 2 s while half of the places are taken";
    victim.stayed_within(NOISE_MB, "silent HTTP clients", &sent, how);
}
