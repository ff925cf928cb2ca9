//! Many nodes: each finds enough others, and none holds on to all.

use std::time::Duration;

use minichain_node::net::Config;
use tokio::sync::mpsc;

use crate::support::{Net, config, until};

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
