//! When a node mines, and on what.

use std::sync::Arc;

use minichain_chain::template::Template;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Call, Input};
use minichain_protocol::limits::{BULK_SYNC_BLOCKS, SYNC_PATIENCE_MS, TEMPLATE_INTERVAL_MS};
use minichain_protocol::output::{Answer, Output, Topic, Verdict};
use minichain_protocol::wire::Response;

use crate::support::chain::{Maker, allocated, params, pay, solve};
use crate::support::lone::{Lone, headers_of, status_of};

fn miner() -> Lone {
    Lone::with(params(), true)
}

fn templates(lone: &mut Lone) -> Vec<Arc<Template>> {
    let mut templates = Vec::new();
    lone.outputs.retain(|output| match output {
        Output::Mine { template } => {
            templates.push(Arc::clone(template));
            false
        }
        _ => true,
    });
    templates
}

fn stops(lone: &Lone) -> usize {
    lone.outputs
        .iter()
        .filter(|output| matches!(output, Output::StopMining))
        .count()
}

#[test]
fn a_lone_node_mines_at_once_and_publishes_what_it_finds() {
    let mut lone = miner();
    let first = templates(&mut lone).remove(0);
    assert_eq!(first.height.0, 1);
    lone.now_ms = 5_000;
    let block = solve(first.block.clone());
    lone.feed(Input::BlockMined {
        block: Arc::clone(&block),
    });
    let order: Vec<&str> = lone
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Persist { urgent: true } => Some("persist"),
            Output::Publish {
                topic: Topic::Block,
                ..
            } => Some("publish"),
            Output::Event(Event::TipChanged { .. }) => Some("tip"),
            Output::Event(Event::BlockMined { .. }) => Some("mined"),
            Output::Mine { .. } => Some("mine"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["persist", "publish", "tip", "mined", "mine"]);
    assert_eq!(lone.node.state().tip().hash, block.hash());
    assert_eq!(templates(&mut lone)[0].block.header.previous, block.hash());
}

#[test]
fn a_node_that_was_not_told_to_mine_does_not() {
    let mut lone = Lone::new();
    lone.feed(Input::MiningSwitched { enabled: true });
    lone.pass_ms(60_000);
    assert!(templates(&mut lone).is_empty());
    assert!(!lone.node.is_mining());
}

#[test]
fn mining_stops_and_starts_on_order() {
    let mut lone = miner();
    templates(&mut lone);
    lone.feed(Input::MiningSwitched { enabled: false });
    assert_eq!(stops(&lone), 1);
    lone.pass_ms(60_000);
    assert!(templates(&mut lone).is_empty());
    lone.feed(Input::MiningSwitched { enabled: true });
    assert_eq!(templates(&mut lone).len(), 1);
}

#[test]
fn a_template_is_renewed_for_its_time_and_never_twice_the_same() {
    let mut lone = miner();
    let first = templates(&mut lone).remove(0);
    lone.pass_ms(4_999);
    assert!(templates(&mut lone).is_empty());
    lone.pass_ms(1);
    let second = templates(&mut lone).remove(0);
    assert!(second.block.header.time > first.block.header.time);
    assert_ne!(
        second.block.transactions[0].txid(),
        first.block.transactions[0].txid()
    );
}

#[test]
fn a_new_transaction_renews_the_template_soon_but_not_at_once() {
    let mut lone = miner();
    templates(&mut lone);
    let transaction = pay(allocated(&params(), 0), 0, 1, 10_000);
    lone.feed(Input::TransactionSubmitted {
        call: Call(1),
        transaction: Arc::clone(&transaction),
    });
    assert!(templates(&mut lone).is_empty());
    lone.pass_ms(TEMPLATE_INTERVAL_MS);
    let renewed = templates(&mut lone).remove(0);
    assert_eq!(renewed.block.transactions[1], *transaction);
    assert_eq!(renewed.fees.to_sat(), 10_000);
}

#[test]
fn a_block_of_another_renews_the_template_at_once() {
    let mut maker = Maker::new(1);
    let mut lone = miner();
    lone.now_ms = 5_000;
    let peer = lone.connect_with(&maker);
    templates(&mut lone);
    let block = maker.next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, block.as_ref()),
        Verdict::Accept
    );
    assert_eq!(templates(&mut lone)[0].block.header.previous, block.hash());
}

#[test]
fn a_node_far_behind_does_not_mine_until_it_has_caught_up() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(50);
    let mut lone = miner();
    lone.now_ms = 1_000_000;
    templates(&mut lone);
    let peer = lone.connect_with(&maker);
    assert_eq!(stops(&lone), 1, "the claim alone pauses it");
    templates(&mut lone);
    lone.serve_headers(peer, &headers_of(&blocks));
    assert!(!lone.node.is_mining());
    lone.serve_blocks(peer, &blocks);
    let first = templates(&mut lone).remove(0);
    assert_eq!(first.block.header.previous, maker.tip());
}

#[test]
fn a_node_one_block_behind_goes_on_mining() {
    let mut maker = Maker::new(1);
    maker.mine(BULK_SYNC_BLOCKS as usize - 1);
    let mut lone = miner();
    lone.now_ms = 1_000_000;
    lone.connect_with(&maker);
    assert_eq!(stops(&lone), 0);
    assert!(lone.node.is_mining());
}

#[test]
fn empty_claims_stop_mining_only_once() {
    let mut maker = Maker::new(1);
    maker.mine(50);
    let mut lone = miner();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    assert!(!lone.node.is_mining());
    for id in lone.take_header_requests(peer) {
        lone.respond(peer, id, &Response::Headers(Vec::new()));
    }
    assert!(lone.node.is_mining());
    maker.mine(1);
    lone.tell_status(peer, &status_of(&maker));
    assert_eq!(
        lone.take_header_requests(peer).len(),
        1,
        "it gets its chance"
    );
    assert!(lone.node.is_mining(), "but nobody waits for it");
}

#[test]
fn withheld_bodies_do_not_stop_mining_for_ever() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(50);
    let mut lone = miner();
    lone.now_ms = 1_000_000;
    let peer = lone.connect_with(&maker);
    lone.serve_headers(peer, &headers_of(&blocks));
    assert!(!lone.node.is_mining());
    lone.pass_ms(SYNC_PATIENCE_MS);
    assert!(lone.node.is_mining());
}

#[test]
fn a_submitted_block_is_judged_and_answered() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(2);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let answer = |lone: &mut Lone, number: usize| {
        let block = Arc::clone(&blocks[number]);
        lone.feed(Input::BlockSubmitted {
            call: Call(1),
            block,
        });
        let answers: Vec<Answer> = lone
            .outputs
            .drain(..)
            .filter_map(|output| match output {
                Output::Answer { answer, .. } => Some(answer),
                _ => None,
            })
            .collect();
        assert_eq!(answers.len(), 1);
        answers[0].clone()
    };
    let orphan = answer(&mut lone, 1);
    assert!(
        matches!(orphan, Answer::BlockRefused { rule: "orphan", .. }),
        "{orphan:?}"
    );
    assert_eq!(
        answer(&mut lone, 0),
        Answer::BlockAccepted {
            hash: blocks[0].hash()
        }
    );
    let again = answer(&mut lone, 0);
    assert!(
        matches!(
            again,
            Answer::BlockRefused {
                rule: "duplicate",
                ..
            }
        ),
        "{again:?}"
    );
    assert_eq!(
        answer(&mut lone, 1),
        Answer::BlockAccepted {
            hash: blocks[1].hash()
        }
    );
}
