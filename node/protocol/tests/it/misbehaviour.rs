//! Who breaks the rules is sent away, and who merely has bad luck is not.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::codec::encode;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::merkle::transaction_root;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Input, RequestFailure};
use minichain_protocol::limits::{
    BLOCKS_MAX, REQUEST_BYTES_MAX, SERVICE_UNITS_MAX, STATUS_FAILURES_MAX,
};
use minichain_protocol::output::{DisconnectReason, Topic, Verdict};
use minichain_protocol::wire::{GetBlocks, Request, Response};

use crate::support::chain::{Maker, named_params, solve};
use crate::support::lone::{Lone, headers_of, status_of};

#[test]
fn other_genesis_is_refused_with_both_hashes() {
    let stranger = Maker::with(named_params("other"), 1);
    let mut lone = Lone::new();
    let peer = lone.connect();
    lone.tell_status(peer, &status_of(&stranger));
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::OtherGenesis)]
    );
    let ours = lone.node.status().genesis;
    let theirs = stranger.state.params().genesis_hash();
    let told = Event::PeerOtherGenesis {
        peer,
        ours,
        theirs,
        their_network: "other".into(),
    };
    assert!(lone.events().contains(&&told));
    assert!(lone.node.peers().next().is_none(), "it is forgotten");
}

#[test]
fn a_peer_of_another_genesis_gets_our_status_before_the_goodbye() {
    let stranger = Maker::with(named_params("other"), 1);
    let mut lone = Lone::new();
    let peer = lone.connect();
    let ours = lone.node.status();
    let answer = lone.request(peer, &Request::Status(status_of(&stranger)));
    assert_eq!(answer, Some(Response::Status(ours)));
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::OtherGenesis)]
    );
}

#[test]
fn invalid_block_sender_is_dropped() {
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    let mut greedy = maker.unsolved();
    let reward = &mut greedy.transactions[0].outputs[0].value;
    *reward = Amount::from_sat(reward.to_sat() + 1);
    greedy.header.merkle_root = root_of(&greedy);
    let greedy = solve(greedy);
    assert_eq!(
        lone.gossip(peer, Topic::Block, greedy.as_ref()),
        Verdict::Reject
    );
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::InvalidBlock)]
    );
    assert!(lone.events().into_iter().any(|event| {
        matches!(event, Event::BlockRejected { hash, .. } if *hash == greedy.hash())
    }));
    assert_eq!(lone.node.state().tip().height.0, 0);
    // The next who sends it is refused from memory.
    let again = lone.connect_with(&maker);
    assert_eq!(
        lone.gossip(again, Topic::Block, greedy.as_ref()),
        Verdict::Reject
    );
}

#[test]
fn a_block_with_another_body_than_its_header_says_does_not_taint_the_header() {
    let mut maker = Maker::new(1);
    let block = maker.next();
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let [forger, honest] = [(); 2].map(|()| lone.connect_with(&maker));
    let mut forged = block.as_ref().clone();
    forged.transactions[0].outputs[0].value = Amount::from_sat(1);
    assert_eq!(lone.gossip(forger, Topic::Block, &forged), Verdict::Reject);
    assert_eq!(
        lone.disconnects(),
        vec![(forger, DisconnectReason::InvalidBlock)]
    );
    assert_eq!(
        lone.gossip(honest, Topic::Block, block.as_ref()),
        Verdict::Accept
    );
    assert_eq!(lone.node.state().tip().hash, block.hash());
}

#[test]
fn broken_bytes_get_reject_and_disconnect() {
    let maker = Maker::new(1);
    for topic in [Topic::Block, Topic::Transaction] {
        for bytes in [vec![], vec![0xff; 10], vec![0; 4_000_001]] {
            let mut lone = Lone::new();
            let peer = lone.connect_with(&maker);
            assert_eq!(lone.gossip_bytes(peer, topic, bytes), Verdict::Reject);
            assert_eq!(
                lone.disconnects(),
                vec![(peer, DisconnectReason::Malformed)]
            );
        }
    }
}

#[test]
fn a_broken_request_is_refused_and_its_sender_dropped() {
    let maker = Maker::new(1);
    for bytes in [vec![], vec![9], vec![0; REQUEST_BYTES_MAX + 1]] {
        let mut lone = Lone::new();
        let peer = lone.connect_with(&maker);
        assert_eq!(lone.request_bytes(peer, bytes), None);
        assert_eq!(
            lone.disconnects(),
            vec![(peer, DisconnectReason::Malformed)]
        );
    }
}

#[test]
fn a_broken_or_unfitting_response_drops_its_sender() {
    let maker = Maker::new(1);
    let status = encode(&Response::Status(status_of(&maker)));
    let headers = encode(&Response::Headers(Vec::new()));
    let cases = [
        (vec![0xff], Some(DisconnectReason::Malformed)),
        (headers, Some(DisconnectReason::WrongAnswer)),
        (status, None),
    ];
    for (bytes, reason) in cases {
        let mut lone = Lone::new();
        let peer = lone.connect();
        let (id, _) = lone.take_requests(peer)[0];
        lone.feed(Input::ResponseReceived { id, peer, bytes });
        assert_eq!(
            lone.disconnects(),
            reason
                .map(|reason| (peer, reason))
                .into_iter()
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn an_answer_nobody_asked_for_is_ignored() {
    let maker = Maker::new(1);
    let mut lone = Lone::new();
    let [asked, other] = [(); 2].map(|()| lone.connect());
    let (id, _) = lone.take_requests(asked)[0];
    lone.respond(other, id, &Response::Status(status_of(&maker)));
    assert!(lone.node.peers().all(|peer| peer.status.is_none()));
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn headers_without_connection_or_order_are_a_wrong_answer() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(5);
    let headers = headers_of(&blocks);
    let unconnected = headers[1..].to_vec();
    let shuffled = vec![headers[0], headers[2], headers[1]];
    for answer in [unconnected, shuffled] {
        let mut lone = Lone::new();
        lone.now_ms = 60_000;
        let peer = lone.connect_with(&maker);
        assert_eq!(lone.serve_headers(peer, &answer), 1);
        assert_eq!(
            lone.disconnects(),
            vec![(peer, DisconnectReason::WrongAnswer)]
        );
    }
}

#[test]
fn a_header_without_work_drops_its_sender() {
    let mut maker = Maker::new(1);
    let mut header = maker.mine(1)[0].header;
    let target = header.bits.to_target().expect("a target");
    while target.is_met_by(&header.hash()) {
        header.nonce = header.nonce.wrapping_add(1);
    }
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    assert_eq!(lone.serve_headers(peer, &[header]), 1);
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::InvalidBlock)]
    );
}

#[test]
fn a_block_that_was_not_asked_for_is_a_wrong_answer() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(2);
    let stranger = Maker::new(2).next();
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    let (id, _) = lone.take_block_requests(peer).remove(0);
    lone.respond(peer, id, &Response::Blocks(vec![stranger]));
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::WrongAnswer)]
    );
}

#[test]
fn too_new_block_is_not_punished() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(10);
    let mut lone = Lone::new();
    // The clock here stands at genesis; block 10 is 50 s ahead of it.
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.serve_blocks(peer, &blocks);
    let height = lone.node.state().tip().height.0;
    assert!((1..10).contains(&height), "height {height}");
    let next = &blocks[height as usize];
    assert_eq!(
        lone.gossip(peer, Topic::Block, next.as_ref()),
        Verdict::Ignore
    );
    assert_eq!(lone.disconnects(), vec![]);
    // When the time has come all of them are taken.
    lone.now_ms += 60_000;
    lone.feed(Input::Woke);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.serve_blocks(peer, &blocks);
    assert_eq!(lone.node.state().tip().height.0, 10);
}

#[test]
fn a_peer_that_does_not_tell_its_status_is_dropped_after_some_polls() {
    let mut lone = Lone::new();
    let peer = lone.connect();
    for poll in 1..=STATUS_FAILURES_MAX {
        assert_eq!(lone.disconnects(), vec![]);
        lone.pass_ms(60_000);
        let requests = lone.take_requests(peer);
        assert_eq!(requests.len(), 1, "poll {poll}");
        let failure = RequestFailure::TimedOut;
        lone.feed(Input::RequestFailed {
            id: requests[0].0,
            peer,
            failure,
        });
    }
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::Unresponsive)]
    );
}

#[test]
fn a_peer_without_our_protocol_is_dropped_at_once() {
    let mut lone = Lone::new();
    let peer = lone.connect();
    let (id, _) = lone.take_requests(peer)[0];
    lone.feed(Input::RequestFailed {
        id,
        peer,
        failure: RequestFailure::Unsupported,
    });
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::Unresponsive)]
    );
}

#[test]
fn a_peer_that_asks_without_end_is_dropped() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(1);
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    let hashes = vec![blocks[0].hash(); BLOCKS_MAX];
    let request = Request::Blocks(GetBlocks { hashes });
    for _ in 0..SERVICE_UNITS_MAX - 1 {
        assert!(lone.request(peer, &request).is_some());
    }
    assert_eq!(lone.disconnects(), vec![]);
    assert_eq!(lone.request(peer, &request), None);
    assert_eq!(lone.disconnects(), vec![(peer, DisconnectReason::Flooding)]);
}

#[test]
fn a_peer_whose_tip_breaks_a_rule_is_dropped() {
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let sender = lone.connect_with(&maker);
    let mut greedy = maker.unsolved();
    greedy.transactions[0].outputs[0].value = Amount::from_sat(2_000_000_000_000);
    greedy.header.merkle_root = root_of(&greedy);
    let greedy = solve(greedy);
    lone.gossip(sender, Topic::Block, greedy.as_ref());
    let follower = lone.connect();
    let mut status = status_of(&maker);
    status.tip = greedy.hash();
    lone.tell_status(follower, &status);
    let expected = (follower, DisconnectReason::InvalidBlock);
    assert_eq!(lone.disconnects().last(), Some(&expected));
}

#[test]
fn a_flood_of_headers_with_little_work_is_ended() {
    let mut ours = Maker::new(1);
    let blocks = ours.mine(10);
    let mut lone = Lone::new();
    lone.now_ms = 40_000_000;
    let honest = lone.connect_with(&ours);
    lone.serve_headers(honest, &headers_of(&blocks));
    lone.serve_blocks(honest, &blocks);
    let flooder = lone.connect();
    let mut sent = 0;
    // Ever new branches of nine headers, each with less work than ours.
    for branch in 2..2_000 {
        if !lone.disconnects().is_empty() {
            break;
        }
        let mut low = Maker::new(branch);
        let headers = headers_of(&low.mine(9));
        let mut claim = status_of(&low);
        claim.tip = BlockHash::from_bytes([u8::try_from(branch % 251).expect("small"); 32]);
        claim.chainwork = claim.chainwork + claim.chainwork;
        lone.tell_status(flooder, &claim);
        sent += lone.serve_headers(flooder, &headers);
    }
    assert_eq!(
        lone.disconnects(),
        vec![(flooder, DisconnectReason::LowWork)],
        "after {sent}"
    );
}

#[test]
fn a_dropped_peer_is_ignored_and_still_gets_its_verdicts() {
    let mut maker = Maker::new(1);
    let block = maker.next();
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    lone.gossip_bytes(peer, Topic::Block, vec![1]);
    assert_eq!(
        lone.gossip(peer, Topic::Block, block.as_ref()),
        Verdict::Ignore
    );
    assert_eq!(
        lone.request(peer, &Request::Status(status_of(&maker))),
        None
    );
    assert_eq!(lone.disconnects().len(), 1);
    assert_eq!(lone.node.state().tip().height.0, 0);
}

#[test]
fn a_block_far_below_the_tip_is_not_kept() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(40);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.serve_blocks(peer, &blocks);
    let old = Maker::new(2).next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, old.as_ref()),
        Verdict::Ignore
    );
    assert!(!lone.node.state().tree().contains(&old.hash()));
    let mut rival = Maker::new(3);
    for block in &blocks[..39] {
        rival.accept(block);
    }
    rival.time = maker.time;
    let near = rival.next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, near.as_ref()),
        Verdict::Ignore
    );
    assert!(
        lone.node.state().tree().contains(&near.hash()),
        "a rival of the tip is kept"
    );
    assert_eq!(lone.disconnects(), vec![]);
}

fn root_of(block: &minichain_chain::block::Block) -> MerkleRoot {
    transaction_root(&block.transactions)
        .expect("there is a coinbase")
        .root
}

#[test]
fn events_of_refusals_name_the_rule() {
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    let mut late = maker.unsolved();
    late.header.time = late.header.time.saturating_sub(1_000);
    let late = Arc::clone(&solve(late));
    assert_eq!(
        lone.gossip(peer, Topic::Block, late.as_ref()),
        Verdict::Reject
    );
    let refused = lone.events().into_iter().find_map(|event| match event {
        Event::BlockRejected { rule, message, .. } => Some((*rule, message.clone())),
        _ => None,
    });
    let (rule, message) = refused.expect("a refusal is told");
    assert!(
        !rule.is_empty()
            && rule
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
    );
    assert!(message.len() > rule.len(), "{message}");
}
