//! One exchange in an interval tells both ends of a connection all they need.

use minichain_protocol::input::{Input, Peer, RequestFailure};
use minichain_protocol::limits::{
    POLLED_INTERVALS_MAX, STANDING_PROTOCOL_VERSION, STATUS_FAILURES_MAX,
};
use minichain_protocol::output::{DisconnectReason, Topic, Verdict};
use minichain_protocol::wire::{Request, Response, Standing};

use crate::support::chain::{Maker, SPACING_S, allocated, params, pay};
use crate::support::lone::{Lone, standing_of, status_of};

const POLL_MS: u64 = SPACING_S as u64 * 1_000;

/// A node with a peer that has told its status and its mempool.
fn met() -> (Lone, Peer, Maker) {
    let (mut lone, maker) = (Lone::new(), Maker::new(1));
    let peer = lone.connect();
    for (id, request) in lone.take_requests(peer) {
        assert!(matches!(request, Request::Status(_)), "{request:?}");
        lone.respond(peer, id, &Response::Status(status_of(&maker)));
    }
    // What follows the first status is told elsewhere.
    for (id, _) in lone.take_requests(peer) {
        let failure = RequestFailure::TimedOut;
        lone.feed(Input::RequestFailed { id, peer, failure });
    }
    lone.pass_ms(POLL_MS / 2);
    assert_eq!(lone.take_requests(peer), vec![]);
    (lone, peer, maker)
}

/// The peer polls; returns the answer.
fn poll(lone: &mut Lone, peer: Peer, standing: Standing) -> Standing {
    match lone.request(peer, &Request::Standing(standing)) {
        Some(Response::Standing(standing)) => standing,
        other => unreachable!("answered {other:?}"),
    }
}

/// The polls put to the peer since the last look.
fn polls(lone: &mut Lone, peer: Peer) -> usize {
    let asked = lone.take_requests(peer);
    let is_poll = |request: &Request| matches!(request, Request::Standing(_));
    assert!(
        asked.iter().all(|(_, request)| is_poll(request)),
        "{asked:?}"
    );
    asked.len()
}

#[test]
fn a_peer_that_polls_need_not_be_polled() {
    let (mut lone, peer, maker) = met();
    let equal = standing_of(&maker, lone.node.mempool().digest());
    for _ in 1..POLLED_INTERVALS_MAX {
        poll(&mut lone, peer, equal.clone());
        lone.pass_ms(POLL_MS - 1);
        assert_eq!(polls(&mut lone, peer), 0);
    }
}

#[test]
fn a_peer_that_falls_silent_is_polled_an_interval_later() {
    let (mut lone, peer, maker) = met();
    let equal = standing_of(&maker, lone.node.mempool().digest());
    poll(&mut lone, peer, equal);
    lone.pass_ms(POLL_MS * 5 / 4);
    assert_eq!(polls(&mut lone, peer), 1);
}

#[test]
fn a_peer_that_only_asks_is_found_out() {
    let (mut lone, peer, maker) = met();
    let equal = standing_of(&maker, lone.node.mempool().digest());
    let mut failures = 0;
    for _ in 0..POLLED_INTERVALS_MAX + 2 * u64::from(STATUS_FAILURES_MAX) {
        if lone.node.has_peer(peer) {
            poll(&mut lone, peer, equal.clone());
        }
        lone.pass_ms(POLL_MS * 5 / 4);
        for (id, _) in lone.take_requests(peer) {
            failures += 1;
            let failure = RequestFailure::TimedOut;
            lone.feed(Input::RequestFailed { id, peer, failure });
        }
    }
    assert_eq!(failures, STATUS_FAILURES_MAX);
    let dropped = vec![(peer, DisconnectReason::Unresponsive)];
    assert_eq!(lone.disconnects(), dropped);
}

#[test]
fn equal_mempools_cost_no_question_and_others_one() {
    let (mut lone, peer, maker) = met();
    let payment = pay(allocated(&params(), 1), 1, 0, 1_000);
    let verdict = lone.gossip(peer, Topic::Transaction, payment.as_ref());
    assert_eq!(verdict, Verdict::Accept);
    let digest = lone.node.mempool().digest();
    let told = poll(&mut lone, peer, standing_of(&maker, digest));
    assert_eq!(told.pool, digest);
    assert_eq!(lone.take_requests(peer), vec![]);
    poll(&mut lone, peer, standing_of(&maker, [9; 32]));
    let asked = lone.take_requests(peer);
    let is_inventory = |request: &Request| matches!(request, Request::Inventory(_));
    assert!(asked.len() == 1 && is_inventory(&asked[0].1), "{asked:?}");
}

#[test]
fn an_answer_tells_of_another_mempool_too() {
    let (mut lone, peer, maker) = met();
    lone.pass_ms(POLL_MS);
    let mut asked = lone.take_requests(peer);
    let (id, request) = asked.pop().expect("a poll");
    let Request::Standing(told) = request else {
        unreachable!("asked {request:?}");
    };
    assert_eq!(told.pool, lone.node.mempool().digest());
    let other = Response::Standing(standing_of(&maker, [9; 32]));
    lone.respond(peer, id, &other);
    let asked = lone.take_requests(peer);
    let is_inventory = |request: &Request| matches!(request, Request::Inventory(_));
    assert!(asked.len() == 1 && is_inventory(&asked[0].1), "{asked:?}");
}

#[test]
fn a_peer_of_an_older_version_is_polled_as_ever() {
    let (mut lone, maker) = (Lone::new(), Maker::new(1));
    let peer = lone.connect();
    let mut status = status_of(&maker);
    status.protocol_version = STANDING_PROTOCOL_VERSION - 1;
    for _ in 0..3 {
        let asked = lone.take_requests(peer);
        assert!(!asked.is_empty());
        for (id, request) in asked {
            match request {
                Request::Status(_) => lone.respond(peer, id, &Response::Status(status.clone())),
                Request::Inventory(_) => {
                    let failure = RequestFailure::TimedOut;
                    lone.feed(Input::RequestFailed { id, peer, failure });
                }
                other => unreachable!("asked {other:?}"),
            }
        }
        // It tells its status as well, and is polled all the same.
        lone.tell_status(peer, &status);
        lone.pass_ms(POLL_MS * 5 / 4);
    }
    assert_eq!(lone.disconnects(), vec![]);
}
