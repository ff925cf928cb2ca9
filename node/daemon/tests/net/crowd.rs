//! Many nodes: each finds enough others, and none holds on to all.

use std::time::Duration;

use minichain_node::net::Config;
use tokio::sync::mpsc;

use crate::support::{Net, config, edges_only, free_port, until};

const NODES: usize = 20;
const TARGET: u32 = 3;
/// Time in which looks around would have connected everybody with everybody.
const SETTLE: Duration = Duration::from_secs(6);

/// Nobody reads what it tells, which must not hold it up.
fn unread(mut net: Net) -> Net {
    let (_, nothing) = mpsc::channel(1);
    let mut inbox = std::mem::replace(&mut net.inbox, nothing);
    tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    net
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_around_leaves_no_more_connections_than_are_looked_for() {
    let few = |bootstrap: &[&Net]| Config {
        target_peers: TARGET,
        ..config(bootstrap)
    };
    let hub = unread(Net::start(few(&[])).await);
    let mut nets = Vec::new();
    for _ in 1..NODES {
        nets.push(unread(Net::start(few(&[&hub])).await));
    }
    let peers = || nets.iter().map(Net::peers);
    until("everybody has enough peers", || {
        peers().all(|count| count >= TARGET as usize)
    })
    .await;
    tokio::time::sleep(SETTLE).await;
    // Each edge was looked for by one of its ends.
    let most = 2 * (NODES - 1) * TARGET as usize;
    assert!(most < NODES * (NODES - 1), "a full mesh would pass");
    let held = || hub.peers() + peers().sum::<usize>();
    let counts = || peers().collect::<Vec<_>>();
    assert!(held() <= most, "{} and {:?}", hub.peers(), counts());
}

/// Connections that come in, more than are looked for.
const GUESTS: usize = 8;

/// ```text
/// guests ──► node          then also node ──► three of the hub's others
///             └──► hub ◄── others
/// ```
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_full_of_guests_still_finds_peers_of_its_own_and_no_more_than_it_needs() {
    let modest = |target_peers: u32, bootstrap: &[&Net]| Config {
        target_peers,
        ..config(bootstrap)
    };
    let [port, hub_port] = [free_port(), free_port()];
    let at = |port: u16| vec![format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("one")];
    let full = Config {
        port,
        bootstrap: at(hub_port),
        ..modest(4, &[])
    };
    let node = unread(Net::start(full).await);
    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        guests.push(unread(Net::start(edges_only(&[&node])).await));
    }
    until("guests fill it", || node.peers() == GUESTS).await;
    let hub = Config {
        port: hub_port,
        ..modest(0, &[])
    };
    let hub = unread(Net::start(hub).await);
    let mut others = Vec::new();
    for _ in 0..6 {
        others.push(unread(Net::start(modest(1, &[&hub])).await));
    }
    let dialled = || node.handle.view.borrow().counts().1;
    until("it has peers of its own", || dialled() >= 4).await;
    tokio::time::sleep(SETTLE).await;
    assert_eq!((node.peers(), dialled()), (GUESTS + 4, 4));
}

/// ```text
/// three ──► hub, which has nobody left to dial
/// ```
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn star_whose_hub_only_others_dial_comes_to_rest() {
    let hub = unread(Net::start(edges_meshed(&[])).await);
    let mut nets = Vec::new();
    for _ in 0..3 {
        nets.push(unread(Net::start(edges_meshed(&[&hub])).await));
    }
    let all = || nets.iter().all(|net| net.peers() == 3) && hub.peers() == 3;
    until("everybody has everybody", all).await;
    let since = |net: &Net| -> Vec<u64> {
        let view = net.handle.view.borrow();
        let connections = view.connections.keys();
        connections.map(|peer| peer.0).collect()
    };
    let before: Vec<_> = nets.iter().chain([&hub]).map(since).collect();
    tokio::time::sleep(SETTLE).await;
    let after: Vec<_> = nets.iter().chain([&hub]).map(since).collect();
    assert_eq!(before, after, "nobody is dialled who is there");
}

/// Few are wanted, so that only the wish for peers of its own goes on.
fn edges_meshed(bootstrap: &[&Net]) -> Config {
    Config {
        target_peers: 3,
        ..config(bootstrap)
    }
}
