//! Catching up, seen from one node whose peers the test plays.

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Input, RequestFailure};
use minichain_protocol::limits::{
    BLOCKS_MAX, DOWNLOAD_WINDOW, GOSSIP_AHEAD_MAX, HEADERS_MAX, STATUS_POLL_MS_MAX,
};
use minichain_protocol::output::{Output, Topic, Verdict};
use minichain_protocol::wire::{GetBlocks, GetHeaders, Request, Response};

use crate::support::chain::Maker;
use crate::support::lone::{Lone, boast, count, headers_of, status_of};

#[test]
fn unknown_parent_triggers_header_sync() {
    let mut maker = Maker::new(1);
    let first = Lone::new().node.status();
    let blocks = maker.mine(3);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect();
    lone.tell_status(peer, &first);
    let verdict = lone.gossip(peer, Topic::Block, blocks[2].as_ref());
    assert_eq!(
        verdict,
        Verdict::Ignore,
        "a missing parent is nobody's fault"
    );
    let missing = blocks[1].hash();
    let orphan = lone.events().into_iter().find_map(|event| match event {
        Event::OrphanReceived { hash, missing, .. } => Some((*hash, *missing)),
        _ => None,
    });
    assert_eq!(orphan, Some((blocks[2].hash(), missing)));
    assert_eq!(lone.serve_headers(peer, &headers_of(&blocks)), 1);
    assert_eq!(lone.serve_blocks(peer, &blocks), 3);
    assert_eq!(lone.node.state().tip().hash, blocks[2].hash());
}

#[test]
fn who_sent_an_orphan_is_asked_for_its_parents_again_when_the_answer_was_lost() {
    let mut maker = Maker::new(1);
    let first = Lone::new().node.status();
    let blocks = maker.mine(2);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect();
    lone.tell_status(peer, &first);
    lone.gossip(peer, Topic::Block, blocks[1].as_ref());
    let asked = lone.take_header_requests(peer);
    let [id] = asked[..] else {
        panic!("asked {} times", asked.len());
    };
    let failure = RequestFailure::TimedOut;
    lone.feed(Input::RequestFailed { id, peer, failure });
    assert_eq!(lone.take_header_requests(peer), [], "not at once");
    lone.pass_ms(STATUS_POLL_MS_MAX);
    assert_eq!(lone.serve_headers(peer, &headers_of(&blocks)), 1);
    assert_eq!(lone.serve_blocks(peer, &blocks), 2);
    assert_eq!(lone.node.state().tip().hash, blocks[1].hash());
}

#[test]
fn headers_are_asked_of_the_peer_with_most_work_and_until_they_end() {
    let mut short = Maker::new(1);
    short.mine(10);
    let mut long = Maker::new(2);
    let blocks = long.mine(HEADERS_MAX + 5);
    let mut lone = Lone::new();
    lone.now_ms = 20_000_000;
    let first = lone.connect();
    let best = lone.connect();
    // Both are known before either is asked: the first answers nothing at once.
    lone.tell_status(best, &status_of(&long));
    lone.tell_status(first, &status_of(&short));
    assert_eq!(
        lone.serve_headers(best, &headers_of(&blocks[..HEADERS_MAX])),
        1
    );
    assert_eq!(
        lone.serve_headers(best, &headers_of(&blocks[HEADERS_MAX..])),
        1
    );
    assert_eq!(lone.node.sync().header_height.0 as usize, HEADERS_MAX + 5);
    assert!(lone.node.sync().is_initial_download);
}

#[test]
fn bodies_are_asked_of_several_peers_and_never_too_many_of_one() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(100);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peers = [(); 3].map(|()| lone.connect_with(&maker));
    assert_eq!(lone.serve_headers(peers[0], &headers_of(&blocks)), 1);
    let mut asked: Vec<BlockHash> = Vec::new();
    for peer in peers {
        let requests = lone.take_block_requests(peer);
        let count: usize = requests.iter().map(|(_, hashes)| hashes.len()).sum();
        assert_eq!(count, BLOCKS_MAX, "each peer has its share");
        asked.extend(requests.into_iter().flat_map(|(_, hashes)| hashes));
    }
    asked.sort();
    let mut lowest: Vec<BlockHash> = blocks
        .iter()
        .take(3 * BLOCKS_MAX)
        .map(|block| block.hash())
        .collect();
    lowest.sort();
    assert_eq!(asked, lowest, "the lowest blocks first, none twice");
}

#[test]
fn blocks_are_fetched_only_so_far_above_the_lowest_missing_one() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(DOWNLOAD_WINDOW as usize + 50);
    let mut lone = Lone::new();
    lone.now_ms = 20_000_000;
    let silent = lone.connect_with(&maker);
    lone.serve_headers(silent, &headers_of(&blocks));
    assert_eq!(count(&lone.take_block_requests(silent)), BLOCKS_MAX);
    let busy = lone.connect_with(&maker);
    let served = lone.serve_blocks(busy, &blocks);
    assert_eq!(served, DOWNLOAD_WINDOW as usize - BLOCKS_MAX);
}

#[test]
fn a_gossiped_block_far_above_the_tip_is_not_kept() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(GOSSIP_AHEAD_MAX as usize + 2);
    let mut lone = Lone::new();
    lone.now_ms = 20_000_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    for (height, is_kept) in [(GOSSIP_AHEAD_MAX, true), (GOSSIP_AHEAD_MAX + 1, false)] {
        let block = &blocks[height as usize - 1];
        assert_eq!(
            lone.gossip(peer, Topic::Block, block.as_ref()),
            Verdict::Ignore
        );
        let entry = lone
            .node
            .state()
            .tree()
            .get(&block.hash())
            .expect("its header is known");
        assert_eq!(entry.status.has_body(), is_kept, "height {height}");
    }
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn a_longer_branch_from_genesis_replaces_ours() {
    let mut ours = Maker::new(1);
    let mut theirs = Maker::new(2);
    let (a, b) = (ours.mine(3), theirs.mine(20));
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&ours);
    lone.serve_headers(peer, &headers_of(&a));
    lone.serve_blocks(peer, &a);
    assert_eq!(lone.node.state().tip().hash, ours.tip());
    let other = lone.connect_with(&theirs);
    lone.serve_headers(other, &headers_of(&b));
    lone.serve_blocks(other, &b);
    assert_eq!(lone.node.state().tip().hash, theirs.tip());
}

#[test]
fn commits_are_gathered_while_many_blocks_are_missing() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(20);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    lone.serve_blocks(peer, &blocks);
    let urgencies = persists(&mut lone);
    let (last, before) = urgencies.split_last().expect("blocks were kept");
    assert!(
        before.len() >= 20 && !before.contains(&true),
        "{urgencies:?}"
    );
    assert!(last, "the end is committed before others are told of it");
    let next = maker.next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, next.as_ref()),
        Verdict::Accept
    );
    assert_eq!(persists(&mut lone), vec![true]);
}

/// Takes out the orders to commit; true where urgent.
fn persists(lone: &mut Lone) -> Vec<bool> {
    let mut urgencies = Vec::new();
    lone.outputs.retain(|output| match output {
        Output::Persist { urgent } => {
            urgencies.push(*urgent);
            false
        }
        _ => true,
    });
    urgencies
}

#[test]
fn a_peer_that_repeats_its_headers_is_not_asked_without_end() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(HEADERS_MAX);
    let mut lone = Lone::new();
    lone.now_ms = 20_000_000;
    let peer = lone.connect();
    lone.tell_status(peer, &boast(&maker, BlockHash::from_bytes([9; 32])));
    let headers = headers_of(&blocks);
    assert_eq!(lone.serve_headers(peer, &headers), 1);
    assert_eq!(
        lone.serve_headers(peer, &headers),
        1,
        "there may be more behind a full answer"
    );
    assert_eq!(lone.serve_headers(peer, &headers), 0);
}

#[test]
fn a_weaker_branch_is_not_fetched() {
    let mut ours = Maker::new(1);
    let mut theirs = Maker::new(2);
    let a = ours.mine(5);
    theirs.mine(4);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&ours);
    lone.serve_headers(peer, &headers_of(&a));
    lone.serve_blocks(peer, &a);
    let other = lone.connect_with(&theirs);
    assert_eq!(lone.take_header_requests(other), vec![]);
}

#[test]
fn headers_that_are_withheld_are_asked_of_another_peer() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(3);
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let liar = lone.connect();
    lone.tell_status(liar, &boast(&maker, BlockHash::from_bytes([9; 32])));
    let requests = lone.take_header_requests(liar);
    assert_eq!(requests.len(), 1);
    let honest = lone.connect_with(&maker);
    assert_eq!(lone.serve_headers(honest, &headers_of(&blocks)), 1);
    assert_eq!(lone.serve_blocks(honest, &blocks), 3);
    // Its claim was empty; the same claim is not believed twice.
    lone.respond(liar, requests[0], &Response::Headers(Vec::new()));
    lone.tell_status(liar, &boast(&maker, BlockHash::from_bytes([9; 32])));
    assert_eq!(lone.take_header_requests(liar), vec![]);
}

#[test]
fn a_headers_request_is_answered_from_the_active_chain() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(20);
    let mut lone = caught_up(&maker, &blocks);
    let peer = lone.connect_with(&maker);
    let known = blocks[4].hash();
    let locator = vec![BlockHash::from_bytes([1; 32]), known];
    let all = Request::Headers(GetHeaders {
        locator: locator.clone(),
        stop: BlockHash::ZERO,
    });
    let answer = lone.request(peer, &all);
    assert_eq!(answer, Some(Response::Headers(headers_of(&blocks[5..]))));
    let some = Request::Headers(GetHeaders {
        locator,
        stop: blocks[9].hash(),
    });
    let answer = lone.request(peer, &some);
    assert_eq!(answer, Some(Response::Headers(headers_of(&blocks[5..10]))));
}

#[test]
fn a_blocks_request_is_answered_in_order_without_unknown_or_repeated_ones() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(20);
    let mut lone = caught_up(&maker, &blocks);
    let peer = lone.connect_with(&maker);
    let unknown = BlockHash::from_bytes([1; 32]);
    let hashes = vec![
        blocks[7].hash(),
        unknown,
        blocks[2].hash(),
        blocks[7].hash(),
    ];
    let answer = lone.request(peer, &Request::Blocks(GetBlocks { hashes }));
    let wanted = vec![Arc::clone(&blocks[7]), Arc::clone(&blocks[2])];
    assert_eq!(answer, Some(Response::Blocks(wanted)));
}

#[test]
fn a_tip_that_came_by_request_is_told_to_the_other_peers() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(2);
    let mut lone = caught_up(&maker, &blocks);
    let [source, other] = [(); 2].map(|()| lone.connect_with(&maker));
    for peer in [source, other] {
        for (id, _) in lone.take_requests(peer) {
            lone.respond(peer, id, &Response::Status(status_of(&maker)));
        }
    }
    let next = maker.mine(1);
    lone.tell_status(source, &status_of(&maker));
    lone.serve_headers(source, &headers_of(&next));
    lone.serve_blocks(source, &next);
    lone.pass_ms(0);
    let told = lone.take_requests(other).into_iter().any(
        |(_, request)| matches!(request, Request::Standing(one) if one.status.tip == maker.tip()),
    );
    assert!(told);
}

/// A node that has these blocks.
fn caught_up(maker: &Maker, blocks: &[Arc<Block>]) -> Lone {
    let mut lone = Lone::new();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(maker);
    lone.serve_headers(peer, &headers_of(blocks));
    lone.serve_blocks(peer, blocks);
    assert_eq!(lone.node.state().tip().hash, maker.tip());
    lone.feed(Input::PeerDisconnected { peer });
    lone.outputs.clear();
    lone
}
