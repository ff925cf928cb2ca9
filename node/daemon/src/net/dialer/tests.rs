//! Who is dialled when, with a clock of one's own.

use std::time::{Duration, Instant};

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, PeerId};

use super::super::dice::Dice;
use super::backoff::{FORGET_AFTER, LOST_PATIENCE, SETTLED, WAIT_MIN};
use super::{
    Book, CANDIDATES_MAX, DIALLING_MAX, Dialer, EDGE_WAIT_MAX, Motive, Pace, WANTED_BACK_MAX,
};

const NOBODY: fn(&PeerId) -> bool = |_| false;

fn address(port: u16) -> Multiaddr {
    format!("/ip4/10.0.0.1/tcp/{port}")
        .parse()
        .expect("multiaddr")
}

/// A dialler of a chain with blocks every second.
fn dialer(bootstrap: &[Multiaddr], now: Instant) -> Dialer {
    Dialer::new(bootstrap, Pace::new(Duration::from_secs(1)), 1, now)
}

fn no_answer() -> DialError {
    DialError::Transport(Vec::new())
}

#[test]
fn a_bootstrap_address_is_dialled_bare_until_it_answers_ever_more_slowly() {
    let mut now = Instant::now();
    let mut dialer = dialer(&[address(1)], now);
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
    let mut dialer = dialer(&[address(1)], now);
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
    let mut dialer = dialer(&[address(1)], now);
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
    let mut dialer = dialer(&[], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(1)], true, now);
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
    let mut dialer = dialer(&[address(1)], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(2), address(1)], true, now);
    assert!(dialer.due(now, |id| *id == peer, 0).is_empty());
}

#[test]
fn our_own_address_among_the_bootstrap_peers_is_dialled_once() {
    let now = Instant::now();
    let mut dialer = dialer(&[address(1)], now);
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
    let mut dialer = dialer(&[pinned], now);
    assert_eq!(dialer.due(now, NOBODY, 0)[0].get_peer_id(), Some(peer));
}

#[test]
fn known_peers_are_dialled_only_while_peers_are_looked_for_and_few_at_once() {
    let now = Instant::now();
    let mut book = Book::default();
    for port in 1..=100 {
        book.note(PeerId::random(), vec![address(port)], None, 0);
    }
    let mut dialer = dialer(&[], now);
    dialer.add_known(&book, now);
    assert!(dialer.due(now, NOBODY, 0).is_empty());
    assert_eq!(dialer.due(now, NOBODY, 3).len(), 3);
    assert_eq!(dialer.due(now, NOBODY, 100).len(), DIALLING_MAX - 3);
    assert!(dialer.due(now, NOBODY, 100).is_empty());
}

#[test]
fn a_peer_wanted_back_is_dialled_even_when_enough_are_connected_but_not_for_ever() {
    let mut now = Instant::now();
    let mut dialer = dialer(&[], now);
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
    book.note(peer, vec![address(1)], None, 0);
    let mut dialer = dialer(&[], now);
    dialer.add_known(&book, now);
    let mut given_up = None;
    let begin = now;
    while given_up.is_none() {
        now += Duration::from_secs(30);
        let dial = dialer.due(now, NOBODY, 1).remove(0);
        given_up = dialer.on_failed(dial.connection_id(), &no_answer(), now);
    }
    assert_eq!(given_up, Some(peer));
    assert!(now - begin >= FORGET_AFTER && now - begin < FORGET_AFTER * 2);
    assert!(
        dialer
            .due(now + Duration::from_secs(3_600), NOBODY, 1)
            .is_empty()
    );
}

/// Lets every dial from `begin` on hang for two seconds, for so long; when
/// the attempts began, after `begin`.
fn attempts_while_cut(dialer: &mut Dialer, begin: Instant, length: Duration) -> Vec<Duration> {
    let (mut attempts, mut hanging) = (Vec::new(), Vec::new());
    let mut now = begin;
    while now < begin + length {
        now += Duration::from_millis(100);
        for dial in dialer.due(now, NOBODY, 0) {
            attempts.push(now - begin);
            hanging.push((now + Duration::from_secs(2), dial.connection_id()));
        }
        for (_, connection) in hanging.extract_if(.., |(ends, _)| *ends <= now) {
            dialer.on_failed(connection, &no_answer(), now);
        }
    }
    attempts
}

#[test]
fn a_lost_peer_is_dialled_steadily_through_a_long_cut_though_enough_are_connected() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    dialer.on_lost(PeerId::random(), vec![address(1)], now);
    let attempts = attempts_while_cut(&mut dialer, now, Duration::from_secs(300));
    assert!(attempts[0] <= Duration::from_millis(400), "{attempts:?}");
    let pauses = attempts.windows(2).map(|pair| pair[1] - pair[0]);
    let longest = pauses.max().expect("attempts");
    assert!(longest <= Duration::from_millis(2_400), "{longest:?}");
    assert!(attempts.len() < 160, "{}", attempts.len());
}

#[test]
fn a_lost_bootstrap_peer_is_dialled_as_steadily_and_only_by_its_address() {
    let mut now = Instant::now();
    let mut dialer = dialer(&[address(1)], now);
    let peer = PeerId::random();
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    dialer.on_connected(dial.connection_id(), peer, now);
    dialer.on_identified(peer, vec![address(1)], true, now);
    now += SETTLED / 2;
    dialer.on_lost(peer, vec![address(1)], now);
    let attempts = attempts_while_cut(&mut dialer, now, Duration::from_secs(5));
    assert_eq!(attempts.len(), 3, "{attempts:?}");
}

#[test]
fn a_lost_peer_that_refuses_is_dialled_about_once_in_a_redial_and_later_more_seldom() {
    let begin = Instant::now();
    let mut dialer = dialer(&[], begin);
    dialer.on_lost(PeerId::random(), vec![address(1)], begin);
    let mut now = begin;
    let (mut early, mut late) = (0, 0);
    while now < begin + LOST_PATIENCE * 2 {
        now += Duration::from_millis(100);
        for dial in dialer.due(now, NOBODY, 0) {
            *if now < begin + LOST_PATIENCE {
                &mut early
            } else {
                &mut late
            } += 1;
            dialer.on_failed(dial.connection_id(), &no_answer(), now);
        }
    }
    assert!((450..800).contains(&early), "{early} in ten minutes");
    assert!(late <= early / 4, "{late} in the next ten minutes");
}

#[test]
fn peers_lost_together_are_not_dialled_in_step() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    for port in 1..=10 {
        dialer.on_lost(PeerId::random(), vec![address(port)], now);
    }
    let attempts = attempts_while_cut(&mut dialer, now, Duration::from_secs(30));
    let at_once = |time: &Duration| attempts.iter().filter(|other| *other == time).count();
    let late = attempts
        .iter()
        .filter(|time| **time > Duration::from_secs(10));
    let most = late.map(at_once).max().expect("attempts");
    assert!(most < 10, "{most} of 10 at one moment");
}

#[test]
fn a_peer_lost_again_right_after_coming_back_is_still_wanted() {
    let mut now = Instant::now();
    let mut dialer = dialer(&[], now);
    let peer = PeerId::random();
    dialer.on_lost(peer, vec![address(1)], now);
    now += Duration::from_secs(1);
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    dialer.on_connected(dial.connection_id(), peer, now);
    assert!(dialer.due(now, |id| *id == peer, 0).is_empty());
    assert!(dialer.wants(&peer));
    let attempts = attempts_while_cut(&mut dialer, now, Duration::from_secs(3));
    assert!(!attempts.is_empty());
    now += SETTLED * 3;
    dialer.due(now, |id| *id == peer, 0);
    now += SETTLED;
    dialer.due(now, |id| *id == peer, 0);
    assert!(!dialer.wants(&peer), "it is back for good");
}

#[test]
fn a_peer_kept_away_is_not_dialled() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(1)], true, now);
    dialer.remove(&peer);
    assert!(dialer.due(now, NOBODY, 10).is_empty());
}

#[test]
fn peers_wanted_back_take_no_place_of_those_looked_for_and_are_not_our_choice() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    let mut dial_of_guest = None;
    for port in 1..=20 {
        let guest = PeerId::random();
        dialer.on_identified(guest, vec![address(port)], true, now);
        dialer.want_back(guest, vec![address(port)], now);
        let dial = dialer.due(now, NOBODY, 0).remove(0);
        dial_of_guest = Some((dial.connection_id(), guest));
    }
    assert_eq!((dialer.looking(), dialer.dialling()), (0, 20));
    let known = PeerId::random();
    dialer.on_identified(known, vec![address(99)], false, now);
    let dials = dialer.due(now, NOBODY, 1);
    assert_eq!(dials.len(), 1);
    assert_eq!(dials[0].get_peer_id(), Some(known));
    let (connection, guest) = dial_of_guest.expect("it was dialled");
    assert_eq!(dialer.on_connected(connection, guest, now), Motive::Return);
    let connection = dials[0].connection_id();
    assert_eq!(dialer.on_connected(connection, known, now), Motive::Choice);
}

#[test]
fn a_chosen_peer_that_got_lost_is_our_choice_again() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    let peer = PeerId::random();
    dialer.on_identified(peer, vec![address(1)], true, now);
    dialer.on_identified(peer, vec![address(1)], false, now);
    dialer.want_back(peer, vec![address(1)], now);
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    let motive = dialer.on_connected(dial.connection_id(), peer, now);
    assert_eq!(motive, Motive::Choice);
}

#[test]
fn who_came_in_makes_room_before_those_known_otherwise() {
    let now = Instant::now();
    let mut dialer = dialer(&[], now);
    let known: Vec<PeerId> = (0..10).map(|_| PeerId::random()).collect();
    for peer in &known {
        dialer.on_identified(*peer, vec![address(1)], false, now);
    }
    for _ in 0..2 * CANDIDATES_MAX {
        let guest = PeerId::random();
        dialer.on_identified(guest, vec![address(2)], true, now);
        dialer.want_back(guest, vec![address(2)], now + LOST_PATIENCE);
    }
    assert_eq!(dialer.candidates.len(), CANDIDATES_MAX);
    assert!(
        known
            .iter()
            .all(|peer| dialer.candidates.contains_key(peer))
    );
}

#[test]
fn nobody_is_dialled_before_the_time_that_was_told() {
    let start = Instant::now();
    let peer = PeerId::random();
    for seed in 0..50 {
        let (mut now, mut dice) = (start, Dice::new(seed));
        let mut dialer = dialer(&[address(1), address(2)], now);
        dialer.add_candidate(peer, vec![address(3)], false, now);
        let mut under_way = Vec::new();
        for _ in 0..200 {
            let is_there = dice.share() < 0.3;
            let is_connected = |id: &PeerId| is_there && *id == peer;
            let looked_for = usize::from(dice.share() < 0.5);
            let told = dialer.due_at(is_connected, looked_for > 0);
            let dials = dialer.due(now, is_connected, looked_for);
            let is_due = told.is_some_and(|at| at <= now);
            assert!(dials.is_empty() || is_due, "seed {seed}: told {told:?}");
            under_way.extend(dials.iter().map(DialOpts::connection_id));
            if dice.share() < 0.5 {
                let ended = under_way.pop();
                ended.map(|id| dialer.on_failed(id, &no_answer(), now));
            }
            if dice.share() < 0.1 {
                dialer.on_lost(peer, vec![address(3)], now);
            }
            now += Duration::from_millis(100);
        }
    }
}

#[test]
fn what_is_under_way_or_not_wanted_is_not_waited_for() {
    let now = Instant::now();
    let mut dialer = dialer(&[address(1)], now);
    let peer = PeerId::random();
    assert_eq!(dialer.due_at(NOBODY, false), Some(now));
    let dial = dialer.due(now, NOBODY, 0).remove(0);
    assert_eq!(dialer.due_at(NOBODY, false), None);
    dialer.on_connected(dial.connection_id(), peer, now);
    assert_eq!(dialer.due_at(|id| *id == peer, false), None);
    assert!(dialer.due_at(NOBODY, false).is_some_and(|at| at > now));
    let known = now + Duration::from_secs(3);
    dialer.add_candidate(PeerId::random(), vec![address(2)], false, known);
    assert_eq!(dialer.due_at(|id| *id == peer, false), None);
    assert_eq!(dialer.due_at(|id| *id == peer, true), Some(known));
}
