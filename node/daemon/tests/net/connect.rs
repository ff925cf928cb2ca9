//! Who finds whom.

use std::net::TcpListener;
use std::time::Duration;

use minichain_node::net::{self, Command, Config, Delivery, Ends, addresses};
use minichain_protocol::input::{Direction, Input};
use tokio::sync::mpsc;

use crate::support::{Net, PATIENCE, config, edges_only, free_port, until};

/// Long enough for anything that is going to happen on loopback.
const QUIET: Duration = Duration::from_secs(3);

/// ```text
/// a ◄── b ◄── c      then also a ── c
/// ```
#[tokio::test]
async fn three_that_know_one_neighbour_each_all_connect() {
    let a = Net::start(config(&[])).await;
    let b = Net::start(config(&[&a])).await;
    let c = Net::start(config(&[&b])).await;
    until("everyone has two peers", || {
        [&a, &b, &c].iter().all(|net| net.peers() == 2)
    })
    .await;
}

#[tokio::test]
async fn on_all_interfaces_only_the_address_that_peers_see_is_told() {
    let everywhere = |config: Config| Config {
        listen: "0.0.0.0".parse().expect("address"),
        ..config
    };
    let port = free_port();
    let bootstrap = vec![addresses::parse(&format!("127.0.0.1:{port}")).expect("address")];
    let a = Net::start(Config {
        port,
        ..everywhere(config(&[]))
    })
    .await;
    let b = Net::start(Config {
        bootstrap,
        ..everywhere(config(&[]))
    })
    .await;
    until("a and b are connected", || b.peers() == 1).await;
    let b_port = addresses::to_socket(&b.address()).expect("socket").port();
    let bootstrap = vec![addresses::parse(&format!("127.0.0.1:{b_port}")).expect("address")];
    let dir = tempfile::tempdir().expect("temp dir");
    let file = dir.path().join("peers.json");
    let c = Config {
        bootstrap,
        peers_file: Some(file.clone()),
        ..config(&[])
    };
    let addresses = |book: &str| -> Vec<String> {
        let lines = book.lines().filter(|line| line.contains("/tcp/"));
        lines.map(str::to_owned).collect()
    };
    let has_met = |c: &Net| [&a, &b, c].iter().all(|net| net.peers() == 2);
    let book = book_of(&c, has_met, |book| addresses(book).len() == 2).await;
    assert!(
        addresses(&book)
            .iter()
            .all(|line| line.contains("/ip4/127.0.0.1/")),
        "{book}"
    );
}

#[tokio::test]
async fn without_discovery_only_the_given_edges_exist() {
    let a = Net::start(edges_only(&[])).await;
    let b = Net::start(edges_only(&[&a])).await;
    let c = Net::start(edges_only(&[&b])).await;
    until("b has two peers", || b.peers() == 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!((a.peers(), b.peers(), c.peers()), (1, 2, 1));
}

#[tokio::test]
async fn a_neighbour_that_comes_up_late_is_found() {
    let port = free_port();
    let address = addresses::parse(&format!("127.0.0.1:{port}")).expect("address");
    let early = Config {
        bootstrap: vec![address],
        ..config(&[])
    };
    let mut early = Net::start(early).await;
    assert!(early.drain(Duration::from_secs(1)).await.is_empty());
    let _late = Net::start(Config {
        port,
        ..config(&[])
    })
    .await;
    early.connected().await;
}

#[tokio::test]
async fn a_neighbour_may_be_given_by_name() {
    let a = Net::start(config(&[])).await;
    let port = addresses::to_socket(&a.address()).expect("socket").port();
    let name = addresses::parse(&format!("localhost:{port}")).expect("address");
    let mut b = Net::start(Config {
        bootstrap: vec![name],
        ..config(&[])
    })
    .await;
    b.connected().await;
}

#[tokio::test]
async fn both_sides_dialling_at_once_make_one_peer() {
    let (first, second) = (free_port(), free_port());
    let to = |port: u16| vec![addresses::parse(&format!("127.0.0.1:{port}")).expect("address")];
    let a = Config {
        port: first,
        bootstrap: to(second),
        ..edges_only(&[])
    };
    let b = Config {
        port: second,
        bootstrap: to(first),
        ..edges_only(&[])
    };
    let (mut a, mut b) = tokio::join!(Net::start(a), Net::start(b));
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    // Nothing may flap, even when the second connection came a little late.
    tokio::time::sleep(Duration::from_secs(8)).await;
    for (net, peer) in [(&mut a, at_a), (&mut b, at_b)] {
        let inputs = net.drain(Duration::ZERO).await;
        let flaps = inputs.iter().filter(|input| is_change(input)).count();
        assert_eq!(flaps, 0, "{inputs:?}");
        assert!(net.handle.view.borrow().connections.contains_key(&peer));
    }
}

#[tokio::test]
async fn another_network_is_left_alone() {
    let mut a = Net::start(config(&[])).await;
    let mut b = Net::start(Config {
        network: "other".into(),
        ..config(&[&a])
    })
    .await;
    let at_a = a.connected().await;
    let at_b = b.connected().await;
    a.disconnected(at_a).await;
    b.disconnected(at_b).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!((a.peers(), b.peers()), (0, 0));
}

#[tokio::test]
async fn our_own_address_as_neighbour_does_no_harm() {
    let port = free_port();
    let own = addresses::parse(&format!("127.0.0.1:{port}")).expect("address");
    let mut a = Net::start(Config {
        port,
        bootstrap: vec![own],
        ..config(&[])
    })
    .await;
    assert!(a.drain(QUIET).await.is_empty());
}

#[tokio::test]
async fn a_peer_kept_away_stays_away_for_its_time() {
    let mut a = Net::start(edges_only(&[])).await;
    let mut b = Net::start(edges_only(&[&a])).await;
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    let keep_away = Some(QUIET);
    let start = tokio::time::Instant::now();
    a.command(Command::Disconnect {
        peer: at_a,
        keep_away,
    })
    .await;
    a.disconnected(at_a).await;
    b.disconnected(at_b).await;
    let again = a.connected().await;
    assert!(start.elapsed() >= QUIET);
    assert_ne!(again, at_a, "a number is never used twice");
}

#[tokio::test]
async fn a_peer_sent_away_without_blame_comes_back() {
    let mut a = Net::start(config(&[])).await;
    let mut b = Net::start(config(&[&a])).await;
    let (at_a, at_b) = (a.connected().await, b.connected().await);
    a.command(Command::Disconnect {
        peer: at_a,
        keep_away: None,
    })
    .await;
    a.disconnected(at_a).await;
    b.disconnected(at_b).await;
    a.connected().await;
}

#[tokio::test]
async fn a_restarted_node_finds_its_network_without_a_bootstrap() {
    let dir = tempfile::tempdir().expect("temp dir");
    let file = dir.path().join("peers.json");
    let a = Net::start(config(&[])).await;
    let b = Config {
        peers_file: Some(file.clone()),
        ..config(&[&a])
    };
    let again = Config {
        bootstrap: Vec::new(),
        ..b.clone()
    };
    let a_id = a.peer_id();
    let has_met = |b: &Net| b.peers() == 1;
    let text = book_of(&b, has_met, |book| book.contains(&a_id)).await;
    assert!(text.contains(&a_id), "{text}");
    let mut b = Net::start(again).await;
    b.connected().await;
}

#[tokio::test]
async fn the_view_tells_who_is_connected() {
    let a = Net::start(edges_only(&[])).await;
    let b = Net::start(edges_only(&[&a])).await;
    let has_ping = |net: &Net| {
        net.handle
            .view
            .borrow()
            .connections
            .values()
            .any(|peer| peer.ping_ms.is_some())
    };
    until("both have pinged", || has_ping(&a) && has_ping(&b)).await;
    let (at_a, at_b) = (
        a.handle.view.borrow().clone(),
        b.handle.view.borrow().clone(),
    );
    assert_eq!((at_a.counts(), at_b.counts()), ((1, 0), (0, 1)));
    let (of_b, of_a) = (
        at_a.connections.values().next(),
        at_b.connections.values().next(),
    );
    let (of_b, of_a) = (of_b.expect("a peer"), of_a.expect("a peer"));
    assert_eq!((&of_b.peer_id, &of_a.peer_id), (&b.peer_id(), &a.peer_id()));
    assert_eq!(
        (of_b.direction, of_a.direction),
        (Direction::Inbound, Direction::Outbound)
    );
    assert_eq!(of_a.address, addresses::display(&a.address()));
    assert!(of_a.since_unix_s > 1_700_000_000);
    assert!(at_a.addresses.contains(&a.address().to_string()));
}

#[tokio::test]
async fn an_occupied_port_is_an_error_that_names_it() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = holder.local_addr().expect("address");
    let (sender, _inbox) = mpsc::channel::<Delivery>(1);
    let error = net::start(
        Config {
            port: address.port(),
            ..config(&[])
        },
        Ends::default(),
        sender,
    )
    .await
    .expect_err("the port is taken")
    .to_string();
    assert!(
        error.contains(&address.to_string()) && error.contains("--port"),
        "{error}"
    );
}

#[tokio::test]
async fn places_are_limited() {
    let full = Net::start(Config {
        max_peers: 2,
        ..config(&[])
    })
    .await;
    let others = [
        Net::start(edges_only(&[&full])).await,
        Net::start(edges_only(&[&full])).await,
        Net::start(edges_only(&[&full])).await,
        Net::start(edges_only(&[&full])).await,
    ];
    until("the places are taken", || full.peers() == 2).await;
    let end = tokio::time::Instant::now() + QUIET;
    while tokio::time::Instant::now() < end {
        assert!(full.peers() <= 2);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(others.iter().filter(|net| net.peers() > 0).count() <= 3);
}

#[tokio::test]
async fn eight_behind_one_bootstrap_find_each_other() {
    let hub = Net::start(config(&[])).await;
    let mut nets = Vec::new();
    for _ in 0..7 {
        nets.push(Net::start(config(&[&hub])).await);
    }
    let wait = async {
        while !nets.iter().all(|net| net.peers() == 7) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, wait).await;
    let counts: Vec<_> = nets.iter().map(Net::peers).collect();
    assert!(done.is_ok(), "{counts:?}");
}

/// The address book after a life in which the node has met others. It is written
/// when a life ends, and what it shall hold is told some time after meeting: so
/// lives follow each other until all of it stands there.
async fn book_of(
    config: &Config,
    has_met: impl Fn(&Net) -> bool,
    is_full: impl Fn(&str) -> bool,
) -> String {
    let file = config.peers_file.as_deref().expect("it keeps a book");
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let net = Net::start(config.clone()).await;
        until("the others are met", || has_met(&net)).await;
        net.stop().await;
        let book = std::fs::read_to_string(file).unwrap_or_default();
        if is_full(&book) || tokio::time::Instant::now() > end {
            return book;
        }
    }
}

fn is_change(input: &Input) -> bool {
    matches!(
        input,
        Input::PeerConnected { .. } | Input::PeerDisconnected { .. }
    )
}
