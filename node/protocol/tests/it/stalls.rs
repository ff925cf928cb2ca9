//! Peers that hold back, fail or leave while blocks are fetched.

use std::sync::Arc;

use minichain_protocol::event::Event;
use minichain_protocol::input::{Input, RequestFailure};
use minichain_protocol::limits::STALL_MS_MIN;
use minichain_protocol::output::{DisconnectReason, Topic, Verdict};
use minichain_protocol::wire::Response;

use crate::support::chain::Maker;
use crate::support::lone::{Lone, count, headers_of};

#[test]
fn stalling_peer_is_replaced() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(12);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let silent = lone.connect_with(&maker);
    lone.serve_headers(silent, &headers_of(&blocks));
    assert_eq!(count(&lone.take_block_requests(silent)), 12);
    let honest = lone.connect_with(&maker);
    assert_eq!(
        count(&lone.take_block_requests(honest)),
        0,
        "all is asked for already"
    );
    lone.pass_ms(STALL_MS_MIN);
    let stalled = lone
        .events()
        .into_iter()
        .any(|event| matches!(event, Event::PeerStalled { peer, blocks: 12 } if *peer == silent));
    assert!(stalled);
    assert_eq!(
        count(&lone.take_block_requests(silent)),
        0,
        "others come first"
    );
    assert_eq!(lone.serve_blocks(honest, &blocks), 12);
    assert_eq!(lone.node.state().tip().height.0, 12);
}

#[test]
fn a_new_peer_is_given_the_shortest_stall_time_again() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(4);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let silent = lone.connect_with(&maker);
    lone.serve_headers(silent, &headers_of(&blocks));
    lone.pass_ms(STALL_MS_MIN);
    lone.pass_ms(2 * STALL_MS_MIN);
    let other = lone.connect_with(&maker);
    lone.pass_ms(4 * STALL_MS_MIN);
    assert_eq!(count(&lone.take_block_requests(other)), 4);
    // Twice the shortest, for the stall just now; not sixteen times.
    lone.pass_ms(2 * STALL_MS_MIN);
    let stalled =
        |event: &&Event| matches!(event, Event::PeerStalled { peer, .. } if *peer == other);
    assert!(lone.events().iter().any(stalled));
}

#[test]
fn a_peer_that_gossips_a_block_is_asked_for_those_below_it() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(2);
    let start = Lone::new().node.status();
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let withholding = lone.connect_with(&maker);
    lone.serve_headers(withholding, &headers_of(&blocks));
    let gossiping = lone.connect();
    lone.tell_status(gossiping, &start);
    assert_eq!(
        lone.gossip(gossiping, Topic::Block, blocks[1].as_ref()),
        Verdict::Ignore
    );
    lone.feed(Input::PeerDisconnected { peer: withholding });
    assert_eq!(lone.serve_blocks(gossiping, &blocks), 1);
    assert_eq!(lone.node.state().tip().hash, maker.tip());
}

#[test]
fn a_peer_that_stalls_again_and_again_is_sent_away_if_there_is_another() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(8);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let silent = lone.connect_with(&maker);
    lone.connect();
    lone.serve_headers(silent, &headers_of(&blocks));
    // One peer is ready: nobody else to turn to, so it stays.
    for _ in 0..200 {
        lone.pass_ms(1_000);
    }
    assert_eq!(lone.disconnects(), vec![]);
    let other = lone.connect_with(&Maker::new(2));
    for _ in 0..200 {
        lone.pass_ms(1_000);
    }
    assert!(
        lone.disconnects()
            .contains(&(silent, DisconnectReason::Unresponsive))
    );
    assert!(!lone.disconnects().iter().any(|(peer, _)| *peer == other));
}

#[test]
fn stalls_between_honest_answers_do_not_add_up() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(8);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let slow = lone.connect_with(&maker);
    lone.connect_with(&Maker::new(2));
    lone.serve_headers(slow, &headers_of(&blocks));
    for block in &blocks {
        lone.take_block_requests(slow);
        lone.pass_ms(64_000);
        let (id, _) = lone.take_block_requests(slow).remove(0);
        lone.respond(slow, id, &Response::Blocks(vec![Arc::clone(block)]));
    }
    assert_eq!(lone.disconnects(), vec![]);
    assert_eq!(lone.node.state().tip().hash, maker.tip());
}

#[test]
fn a_late_answer_of_a_stalled_peer_is_still_taken() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(4);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let slow = lone.connect_with(&maker);
    lone.serve_headers(slow, &headers_of(&blocks));
    let requests = lone.take_block_requests(slow);
    lone.pass_ms(STALL_MS_MIN);
    for (id, _) in requests {
        lone.respond(slow, id, &Response::Blocks(blocks.clone()));
    }
    assert_eq!(lone.node.state().tip().height.0, 4);
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn the_only_peer_is_asked_again_when_it_stalls_but_not_at_once_when_it_has_nothing() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(4);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let only = lone.connect_with(&maker);
    lone.serve_headers(only, &headers_of(&blocks));
    lone.take_block_requests(only);
    lone.pass_ms(STALL_MS_MIN);
    let again = lone.take_block_requests(only);
    assert_eq!(count(&again), 4, "it has waited long enough");
    lone.respond(only, again[0].0, &Response::Blocks(Vec::new()));
    assert_eq!(count(&lone.take_block_requests(only)), 0);
    lone.pass_ms(2 * STALL_MS_MIN);
    assert_eq!(lone.serve_blocks(only, &blocks), 4);
}

#[test]
fn a_failed_request_is_put_to_another_peer() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(3);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let failing = lone.connect_with(&maker);
    lone.serve_headers(failing, &headers_of(&blocks));
    let other = lone.connect_with(&maker);
    for (id, _) in lone.take_block_requests(failing) {
        let failure = RequestFailure::BadResponse;
        lone.feed(Input::RequestFailed {
            id,
            peer: failing,
            failure,
        });
    }
    assert_eq!(lone.serve_blocks(other, &blocks), 3);
}

#[test]
fn a_peer_that_leaves_has_its_blocks_asked_of_others() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(3);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let leaving = lone.connect_with(&maker);
    lone.serve_headers(leaving, &headers_of(&blocks));
    let other = lone.connect_with(&maker);
    assert_eq!(lone.serve_blocks(other, &blocks), 0);
    lone.feed(Input::PeerDisconnected { peer: leaving });
    assert_eq!(lone.serve_blocks(other, &blocks), 3);
}

//   ours    g─a1─a2─a3
//   theirs  g─b1─b2─b3─b4─…─b20
