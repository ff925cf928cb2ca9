//! A peer that comes back under the same identity while its old connection
//! still looks alive: after a kill behind a cut, or a container moved.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use minichain_node::net::{Command, Config};
use minichain_protocol::input::Input;
use minichain_protocol::output::Topic;

use crate::support::{Net, edges_only};

/// Older than any simultaneous dial.
const OLD: Duration = Duration::from_secs(6);

/// Starts a node on a thread of its own that stops moving once connected: its
/// socket stays open, nobody answers on it. The returned sender thaws it.
fn start_and_freeze(config: Config) -> mpsc::Sender<()> {
    let (thaw, thawed) = mpsc::channel();
    let (ready, connected) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let net = runtime.block_on(async {
            let mut net = Net::start(config).await;
            net.connected().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            net
        });
        ready.send(()).expect("the test waits");
        let _ended = thawed.recv();
        drop(net);
    });
    connected
        .recv_timeout(Duration::from_secs(30))
        .expect("connected");
    thaw
}

async fn gossip_passes(from: &Net, to: &mut Net, salt: u8) -> bool {
    for attempt in 0_u8..100 {
        let bytes = vec![salt, attempt];
        from.command(Command::Publish {
            topic: Topic::Block,
            bytes,
            sent_at_ms: 1,
        })
        .await;
        let heard = to.drain(Duration::from_millis(200)).await;
        if heard
            .iter()
            .any(|input| matches!(input, Input::GossipReceived { .. }))
        {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gossip_works_both_ways_after_a_return_over_a_half_open_connection() {
    let mut a = Net::start(edges_only(&[])).await;
    let config = edges_only(&[&a]);
    let again = config.clone();
    let thaw = tokio::task::spawn_blocking(|| start_and_freeze(config))
        .await
        .expect("frozen");
    let old = a.connected().await;
    tokio::time::sleep(OLD).await;

    let mut b = Net::start(again).await;
    a.disconnected(old).await;
    a.connected().await;
    assert!(
        gossip_passes(&a, &mut b, 1).await,
        "from the one that stayed"
    );
    assert!(
        gossip_passes(&b, &mut a, 2).await,
        "from the one that came back"
    );
    drop(thaw);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_stops_answering_is_noticed() {
    let mut a = Net::start(edges_only(&[])).await;
    let config = edges_only(&[&a]);
    let thaw = tokio::task::spawn_blocking(|| start_and_freeze(config))
        .await
        .expect("frozen");
    let peer = a.connected().await;
    a.disconnected(peer).await;
    drop(thaw);
}
