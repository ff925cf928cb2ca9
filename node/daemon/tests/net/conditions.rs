//! Links made worse on purpose, and probes that show it.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use minichain_node::net::link_conditioner::{Condition, Table};
use minichain_node::net::{self, Config, Ends, Levers, Outcome, Target, levers};
use minichain_protocol::input::Input;

use crate::support::{Net, PATIENCE, config, edges_only, until};

/// A network side with its levers.
struct Bad {
    net: Net,
    levers: Levers,
}

const CUT: Condition = Condition {
    is_cut: true,
    latency_ms: 0.0,
    jitter_ms: 0.0,
    loss: 0.0,
    rate_bytes_s: None,
};
const FREE: Condition = Condition {
    is_cut: false,
    ..CUT
};
const PROBE: Duration = Duration::from_secs(3);

impl Bad {
    async fn start(config: Config) -> Self {
        let (levers, end) = levers(1);
        let net = Net::start_with(
            config,
            Ends {
                levers: Some(end),
                operator: None,
            },
        )
        .await;
        Self { net, levers }
    }

    fn id(&self) -> PeerId {
        self.net.peer_id().parse().expect("a peer id")
    }

    /// Conditions what this one sends to `other`.
    fn condition(&self, other: &Self, condition: Condition) {
        self.levers
            .condition(Table::from([(other.id(), condition)]));
    }

    async fn probe(&self, peer: PeerId, address: Option<Multiaddr>) -> Outcome {
        let target = Target { peer, address };
        let outcomes = self.levers.probe(vec![target], PROBE, 16).await;
        outcomes.expect("the network side lives").remove(0)
    }

    /// Probes until one takes less than that. A link adds the same every time, a
    /// busy machine does not.
    async fn probes_within(&self, peer: PeerId, limit: Duration) {
        let wait = async { while !self.probe(peer, None).await.is_ok_and(|took| took < limit) {} };
        let wait = tokio::time::timeout(PATIENCE, wait).await;
        assert!(wait.is_ok(), "every probe takes {limit:?} or more");
    }
}

/// A fast chain's settings.
fn fast(config: Config) -> Config {
    Config {
        spacing: Duration::from_secs(1),
        ..config
    }
}

async fn pair() -> (Bad, Bad) {
    let mut a = Bad::start(fast(edges_only(&[]))).await;
    let mut b = Bad::start(fast(edges_only(&[&a.net]))).await;
    a.net.connected().await;
    b.net.connected().await;
    (a, b)
}

#[tokio::test]
async fn latency_of_both_ends_shows_in_the_round_trip_and_goes_with_the_condition() {
    let (a, b) = pair().await;
    let latency = |latency_ms| Condition { latency_ms, ..FREE };
    a.condition(&b, latency(100.0));
    b.condition(&a, latency(150.0));
    for (from, to) in [(&a, &b), (&b, &a)] {
        let slow = from.probe(to.id(), None).await.expect("reachable");
        assert!(slow >= Duration::from_millis(250), "{slow:?}");
        // Nothing is added twice.
        from.probes_within(to.id(), Duration::from_millis(500))
            .await;
    }
    a.levers.condition(Table::new());
    b.levers.condition(Table::new());
    a.probes_within(b.id(), Duration::from_millis(250)).await;
}

#[tokio::test]
async fn a_payload_takes_as_long_as_the_rate_of_the_link_says() {
    let (a, b) = pair().await;
    let carry = async |bytes: usize| {
        let target = Target {
            peer: b.id(),
            address: None,
        };
        let outcomes = a.levers.probe(vec![target], PROBE, bytes).await;
        let mut outcomes = outcomes.expect("the network side runs");
        outcomes.remove(0).expect("reachable")
    };
    let free = carry(net::PAYLOAD_MAX).await;
    a.condition(
        &b,
        Condition {
            rate_bytes_s: Some(100_000),
            ..FREE
        },
    );
    let limited = carry(50_000).await;
    assert!(limited >= Duration::from_millis(400), "{limited:?}");
    // A free link is faster per byte, in the same run.
    let (large, small) = (net::PAYLOAD_MAX as f64, 50_000.0);
    assert!(
        free.as_secs_f64() / large < limited.as_secs_f64() / small,
        "{free:?}"
    );
}

#[tokio::test]
async fn cut_in_either_direction_makes_probes_fail_and_healing_makes_them_pass() {
    let (a, b) = pair().await;
    let address = b.net.address();
    a.condition(&b, CUT);
    assert!(a.probe(b.id(), Some(address.clone())).await.is_err());
    assert!(b.probe(a.id(), Some(a.net.address())).await.is_err());
    a.levers.condition(Table::new());
    a.probe(b.id(), Some(address)).await.expect("healed");
    b.condition(&a, CUT);
    assert!(a.probe(b.id(), None).await.is_err());
}

#[tokio::test]
async fn no_connection_comes_up_over_a_link_cut_in_one_direction() {
    for cut_by_dialler in [true, false] {
        let mut a = Bad::start(fast(edges_only(&[]))).await;
        let b = Bad::start(fast(edges_only(&[]))).await;
        let (cutter, other) = if cut_by_dialler { (&b, &a) } else { (&a, &b) };
        cutter.condition(other, CUT);
        let failed = b.probe(a.id(), Some(a.net.address())).await;
        assert!(failed.is_err(), "{failed:?}");
        assert_eq!((a.net.peers(), b.net.peers()), (0, 0));
        cutter.levers.condition(Table::new());
        b.probe(a.id(), Some(a.net.address()))
            .await
            .expect("reachable");
        // Only the probe wanted the connection: it goes with it.
        let peer = a.net.connected().await;
        a.net.disconnected(peer).await;
        until("the prober is alone again", || b.net.peers() == 0).await;
    }
}

#[tokio::test]
async fn peers_lost_to_a_cut_are_found_again_soon_after_healing_and_gossip_passes() {
    let (mut a, mut b) = pair().await;
    for (from, to) in [(&a, &b), (&b, &a)] {
        from.condition(to, CUT);
    }
    until("both notice", || a.net.peers() + b.net.peers() == 0).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    a.levers.condition(Table::new());
    b.levers.condition(Table::new());
    until("they meet again", || {
        a.net.peers() == 1 && b.net.peers() == 1
    })
    .await;
    gossip_passes(&a.net, &mut b.net, 1).await;
    gossip_passes(&b.net, &mut a.net, 2).await;
}

/// Publishes until it is heard: right after a reconnect nobody listens yet.
async fn gossip_passes(from: &Net, to: &mut Net, salt: u8) {
    for attempt in 0_u8..100 {
        from.command(minichain_node::net::Command::Publish {
            topic: minichain_protocol::output::Topic::Block,
            bytes: vec![salt, attempt],
            sent_at_ms: 1,
        })
        .await;
        let heard = to.drain(Duration::from_millis(200)).await;
        if heard
            .iter()
            .any(|input| matches!(input, Input::GossipReceived { .. }))
        {
            return;
        }
    }
    panic!("gossip is dead");
}

#[tokio::test]
async fn mesh_cut_in_halves_is_whole_again_after_healing() {
    let mut nets = vec![Bad::start(fast(config(&[]))).await];
    for _ in 0..3 {
        let next = Bad::start(fast(config(&[&nets[0].net]))).await;
        nets.push(next);
    }
    let is_mesh = || nets.iter().all(|bad| bad.net.peers() == 3);
    until("all are connected", is_mesh).await;
    for (index, bad) in nets.iter().enumerate() {
        let others = nets.iter().enumerate();
        let cut = others.filter(|(other, _)| (other % 2) != (index % 2));
        bad.levers
            .condition(cut.map(|(_, other)| (other.id(), CUT)).collect());
    }
    until("the halves part", || {
        nets.iter().all(|bad| bad.net.peers() == 1)
    })
    .await;
    for bad in &nets {
        bad.levers.condition(Table::new());
    }
    until("the mesh is whole", is_mesh).await;
}

#[tokio::test]
async fn rate_and_loss_slow_a_probe_down() {
    let (a, b) = pair().await;
    // 16 bytes and their frames at so little a second take a while.
    let slow = Condition {
        rate_bytes_s: Some(400),
        ..FREE
    };
    a.condition(&b, slow);
    let slow = a.probe(b.id(), None).await.expect("reachable");
    assert!(slow >= Duration::from_millis(40), "{slow:?}");
    let lossy = Condition { loss: 0.5, ..FREE };
    a.condition(&b, lossy);
    for _ in 0..40 {
        match a.probe(b.id(), None).await {
            Ok(time) if time < Duration::from_millis(200) => {}
            _ => return,
        }
    }
    panic!("half of all segments are lost, and every probe is fast");
}

#[tokio::test]
async fn probes_run_side_by_side_and_end_in_time_with_reasons() {
    let (a, b) = pair().await;
    let nobody = PeerId::random();
    let stranger = Bad::start(fast(edges_only(&[]))).await;
    // A listener that never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = net_address(&silent);
    let mut targets = vec![
        Target {
            peer: b.id(),
            address: None,
        },
        Target {
            peer: a.id(),
            address: None,
        },
        Target {
            peer: nobody,
            address: None,
        },
        Target {
            peer: nobody,
            address: Some(stranger.net.address()),
        },
    ];
    for _ in 0..20 {
        targets.push(Target {
            peer: PeerId::random(),
            address: Some(silent.clone()),
        });
    }
    // One after the other they would take longer than anybody waits.
    let timeout = PATIENCE / 15;
    let outcomes = tokio::time::timeout(PATIENCE, a.levers.probe(targets, timeout, 16));
    let outcomes = outcomes.await.expect("in time").expect("alive");
    assert_eq!(outcomes.len(), 24);
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    let why = |index: usize| outcomes[index].clone().expect_err("unreachable");
    assert!(why(1).contains("itself"), "{}", why(1));
    assert!(why(2).contains("not connected"), "{}", why(2));
    assert!(
        why(3).contains("cannot connect") || why(3).contains("not connected"),
        "{}",
        why(3)
    );
    assert!(outcomes[4..].iter().all(Result::is_err));
    let reason = format!("no answer within {}s", timeout.as_secs());
    assert!(why(5).contains(&reason), "{}", why(5));
}

fn net_address(listener: &std::net::TcpListener) -> Multiaddr {
    let address = listener.local_addr().expect("an address");
    minichain_node::net::addresses::from_socket(address)
}

#[tokio::test]
async fn nodes_with_and_without_conditioner_understand_each_other() {
    let mut plain = Net::start(edges_only(&[])).await;
    let bad = Bad::start(edges_only(&[&plain])).await;
    plain.connected().await;
    until("the connection stands", || bad.net.peers() == 1).await;
    let id = plain.peer_id().parse().expect("a peer id");
    let why = bad.probe(id, None).await.expect_err("no probes there");
    assert!(why.contains("rpc.admin"), "{why}");

    let mut bad = Bad::start(edges_only(&[])).await;
    let dialler = Net::start(edges_only(&[&bad.net])).await;
    bad.net.connected().await;
    until("the connection stands", || dialler.peers() == 1).await;
}
