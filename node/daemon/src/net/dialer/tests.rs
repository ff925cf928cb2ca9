//! Who is dialled when, with a clock of one's own.

use std::time::{Duration, Instant};

use libp2p::swarm::DialError;
use libp2p::{Multiaddr, PeerId};

use super::{Book, DIALLING_MAX, Dialer, EDGE_WAIT_MAX, FAILURES_MAX, WAIT_MIN, WANTED_BACK_MAX};

const NOBODY: fn(&PeerId) -> bool = |_| false;

fn address(port: u16) -> Multiaddr {
    format!("/ip4/10.0.0.1/tcp/{port}")
        .parse()
        .expect("multiaddr")
}

fn no_answer() -> DialError {
    DialError::Transport(Vec::new())
}

#[test]
fn a_bootstrap_address_is_dialled_bare_until_it_answers_ever_more_slowly() {
    let mut now = Instant::now();
    let mut dialer = Dialer::new(&[address(1)], now);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let dials = dialer.due(now, NOBODY, 0);
        assert_eq!(dials.len(), 1);
        assert_eq!(dials[0].get_peer_id(), None);
        assert!(
            dialer.due(now, NOBODY, 0).is_empty(),
            "one attempt at a time"
        );
        dialer.on_failed(dials[0].connection_id(), &no_answer(), now);
        let failed_at = now;
        while dialer.edges[0].backoff.next_at > now {
            assert!(dialer.due(now, NOBODY, 0).is_empty());
            now += Duration::from_millis(100);
        }
        waits.push(now - failed_at);
    }
    assert_eq!(waits[0], WAIT_MIN);
    assert!(waits.is_sorted());
    assert_eq!(waits[7], EDGE_WAIT_MAX);
}

#[test]
fn a_connected_bootstrap_peer_rests_and_is_dialled_again_at_once_when_gone() {
    let now = Instant::now();
    let mut dialer = Dialer::new(&[address(1)], now);
    let peer = PeerId::random();
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    dialer.on_connected(dial.connection_id(), peer, now);
    let later = now + Duration::from_secs(60);
    assert!(dialer.due(later, |id| *id == peer, 0).is_empty());
    assert_eq!(dialer.due(later, NOBODY, 0).len(), 1);
}

#[test]
fn a_peer_that_hangs_up_at_once_is_dialled_ever_more_slowly() {
    let mut now = Instant::now();
    let mut dialer = Dialer::new(&[address(1)], now);
    let peer = PeerId::random();
    let mut attempts = 0;
    for _ in 0..600 {
        now += Duration::from_millis(100);
        for dial in dialer.due(now, NOBODY, 0) {
            attempts += 1;
            dialer.on_connected(dial.connection_id(), peer, now);
        }
    }
    assert!(
        (10..25).contains(&attempts),
        "{attempts} attempts in a minute"
    );
}

#[test]
fn a_known_peer_whose_place_another_took_is_forgotten() {
    let now = Instant::now();
    let mut dialer = Dialer::new(&[], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(1)], now);
    let dial = dialer.due(now, NOBODY, 1).remove(0);
    let error = DialError::WrongPeerId {
        obtained: PeerId::random(),
        address: address(1),
    };
    assert_eq!(
        dialer.on_failed(dial.connection_id(), &error, now),
        Some(peer)
    );
    assert!(
        dialer
            .due(now + Duration::from_secs(60), NOBODY, 1)
            .is_empty()
    );
}

#[test]
fn a_bootstrap_peer_that_dialled_us_first_is_not_dialled() {
    let now = Instant::now();
    let mut dialer = Dialer::new(&[address(1)], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(2), address(1)], now);
    assert!(dialer.due(now, |id| *id == peer, 0).is_empty());
}

#[test]
fn our_own_address_among_the_bootstrap_peers_is_dialled_once() {
    let now = Instant::now();
    let mut dialer = Dialer::new(&[address(1)], now);
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    let error = DialError::LocalPeerId {
        address: address(1),
    };
    dialer.on_failed(dial.connection_id(), &error, now);
    assert!(
        dialer
            .due(now + Duration::from_secs(3_600), NOBODY, 9)
            .is_empty()
    );
}

#[test]
fn a_pinned_peer_id_is_demanded() {
    let peer = PeerId::random();
    let pinned: Multiaddr = format!("/ip4/10.0.0.1/tcp/1/p2p/{peer}")
        .parse()
        .expect("multiaddr");
    let now = Instant::now();
    let mut dialer = Dialer::new(&[pinned], now);
    assert_eq!(dialer.due(now, NOBODY, 0)[0].get_peer_id(), Some(peer));
}

#[test]
fn known_peers_are_dialled_only_while_peers_are_looked_for_and_few_at_once() {
    let now = Instant::now();
    let mut book = Book::default();
    for port in 1..=100 {
        book.note(PeerId::random(), vec![address(port)], 0);
    }
    let mut dialer = Dialer::new(&[], now);
    dialer.add_known(&book, now);
    assert!(dialer.due(now, NOBODY, 0).is_empty());
    assert_eq!(dialer.due(now, NOBODY, 3).len(), 3);
    assert_eq!(dialer.due(now, NOBODY, 100).len(), DIALLING_MAX - 3);
    assert!(dialer.due(now, NOBODY, 100).is_empty());
}

#[test]
fn a_peer_wanted_back_is_dialled_even_when_enough_are_connected_but_not_for_ever() {
    let mut now = Instant::now();
    let mut dialer = Dialer::new(&[], now);
    let peer = PeerId::random();
    dialer.want_back(peer, vec![address(1)], now + Duration::from_secs(1));
    assert!(dialer.due(now, NOBODY, 0).is_empty(), "not before its time");
    let mut attempts = 0;
    for _ in 0..600 {
        now += Duration::from_secs(1);
        for dial in dialer.due(now, NOBODY, 0) {
            attempts += 1;
            assert_eq!(
                dialer.on_failed(dial.connection_id(), &no_answer(), now),
                None
            );
        }
    }
    assert_eq!(attempts, WANTED_BACK_MAX);
}

#[test]
fn a_known_peer_that_never_answers_is_given_up() {
    let mut now = Instant::now();
    let mut book = Book::default();
    let peer = PeerId::random();
    book.note(peer, vec![address(1)], 0);
    let mut dialer = Dialer::new(&[], now);
    dialer.add_known(&book, now);
    let mut given_up = None;
    let mut attempts = 0;
    while given_up.is_none() {
        now += Duration::from_secs(30);
        let dial = dialer.due(now, NOBODY, 1).remove(0);
        attempts += 1;
        given_up = dialer.on_failed(dial.connection_id(), &no_answer(), now);
    }
    assert_eq!((given_up, attempts), (Some(peer), FAILURES_MAX));
    assert!(
        dialer
            .due(now + Duration::from_secs(3_600), NOBODY, 1)
            .is_empty()
    );
}

#[test]
fn a_peer_kept_away_is_not_dialled() {
    let now = Instant::now();
    let mut dialer = Dialer::new(&[], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(1)], now);
    dialer.remove(&peer);
    assert!(dialer.due(now, NOBODY, 10).is_empty());
}
