//! Peers that waste what is shared: useless gossip, broken bounds, promises.

use minichain_chain::hash::Txid;
use minichain_chain::transaction::OutPoint;
use minichain_protocol::input::{Breach, Input};
use minichain_protocol::limits::{DISTRUST_MS, SERVICE_UNITS_MAX, SERVICE_UNITS_PER_S};
use minichain_protocol::output::{DisconnectReason, Topic, Verdict};
use minichain_protocol::wire::Response;

use crate::support::chain::{Maker, allocated, params, pay};
use crate::support::lone::{Lone, headers_of, status_of};

#[test]
fn a_peer_that_gossips_orphans_without_end_is_dropped_and_one_within_its_share_is_not() {
    let mut lone = Lone::new();
    let maker = Maker::new(1);
    let (modest, greedy) = (lone.connect_with(&maker), lone.connect_with(&maker));
    let (_, output) = allocated(&params(), 0);
    let orphan = pay(
        (
            OutPoint {
                txid: Txid::ZERO,
                vout: 0,
            },
            output,
        ),
        0,
        1,
        1_000,
    );
    for second in 0..3 * SERVICE_UNITS_MAX / SERVICE_UNITS_PER_S {
        lone.now_ms = second * 1_000;
        for _ in 0..SERVICE_UNITS_PER_S {
            let verdict = lone.gossip(modest, Topic::Transaction, orphan.as_ref());
            assert_eq!(verdict, Verdict::Ignore);
        }
    }
    assert_eq!(lone.disconnects(), vec![]);
    for _ in 0..SERVICE_UNITS_MAX {
        lone.gossip(greedy, Topic::Transaction, orphan.as_ref());
    }
    assert_eq!(lone.disconnects(), vec![]);
    lone.gossip(greedy, Topic::Transaction, orphan.as_ref());
    assert_eq!(
        lone.disconnects(),
        vec![(greedy, DisconnectReason::Flooding)]
    );
}

#[test]
fn a_peer_that_gossips_known_blocks_without_end_is_dropped() {
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    // What it asked until now is forgiven.
    lone.now_ms = 1_000;
    let block = maker.next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, block.as_ref()),
        Verdict::Accept
    );
    for _ in 0..SERVICE_UNITS_MAX {
        assert_eq!(
            lone.gossip(peer, Topic::Block, block.as_ref()),
            Verdict::Ignore
        );
    }
    assert_eq!(lone.disconnects(), vec![]);
    lone.gossip(peer, Topic::Block, block.as_ref());
    assert_eq!(lone.disconnects(), vec![(peer, DisconnectReason::Flooding)]);
}

#[test]
fn who_breaks_the_bounds_of_the_transport_is_dropped_by_name() {
    for (breach, reason) in [
        (Breach::QuestionTooLong, DisconnectReason::Malformed),
        (Breach::AnswerTooLong, DisconnectReason::Malformed),
        (Breach::QuestionTooSlow, DisconnectReason::Slow),
        (Breach::AnswersUnread, DisconnectReason::Flooding),
    ] {
        let mut lone = Lone::new();
        let peer = lone.connect();
        lone.feed(Input::PeerBreached { peer, breach });
        assert!(reason.is_misbehaviour());
        assert_eq!(lone.disconnects(), vec![(peer, reason)]);
        lone.feed(Input::PeerBreached { peer, breach });
        assert_eq!(lone.disconnects().len(), 1, "it is gone already");
    }
}

/// Promises a miner 50 blocks and breaks the word.
fn promise_in_vain(lone: &mut Lone, maker: &Maker) {
    let peer = lone.connect_with(maker);
    for id in lone.take_header_requests(peer) {
        lone.respond(peer, id, &Response::Headers(Vec::new()));
    }
    lone.feed(Input::PeerDisconnected { peer });
}

#[test]
fn promises_under_ever_new_names_stop_a_miner_only_once() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(50);
    let mut lone = Lone::with(params(), true);
    lone.now_ms = 1_000_000;
    promise_in_vain(&mut lone, &maker);
    assert!(lone.node.is_mining());
    let second = lone.connect_with(&maker);
    assert_eq!(lone.take_header_requests(second).len(), 1, "it is asked");
    assert!(lone.node.is_mining(), "but nobody waits for it");
    lone.feed(Input::PeerDisconnected { peer: second });

    // Whoever brings headers is waited for.
    let third = lone.connect_with(&maker);
    lone.pass_ms(10_000);
    lone.serve_headers(third, &headers_of(&blocks));
    assert!(!lone.node.is_mining());
    lone.serve_blocks(third, &blocks);
    assert!(lone.node.is_mining());

    // Much later a new name has its chance again.
    lone.pass_ms(DISTRUST_MS);
    maker.mine(50);
    lone.connect_with(&maker);
    assert!(!lone.node.is_mining());
}

#[test]
fn a_promise_kept_in_times_of_broken_ones_earns_no_trust() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(3);
    let mut lone = Lone::with(params(), true);
    lone.now_ms = 1_000_000;
    promise_in_vain(&mut lone, &maker);
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.serve_blocks(peer, &blocks);
    maker.mine(50);
    lone.tell_status(peer, &status_of(&maker));
    assert_eq!(lone.take_header_requests(peer).len(), 1, "it is asked");
    assert!(lone.node.is_mining(), "but nobody waits for it");
}
