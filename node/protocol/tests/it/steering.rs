//! The chain steered by hand.

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::state::SteerError;
use minichain_protocol::event::{Event, Source};
use minichain_protocol::input::{Call, Input, SteeringOrder};
use minichain_protocol::output::{Answer, DisconnectReason, Output, Topic, Verdict};

use crate::support::chain::{Maker, allocated, params, pay, solve};
use crate::support::lone::{Lone, headers_of, status_of};

fn steer(lone: &mut Lone, hash: BlockHash, order: SteeringOrder) -> Answer {
    let call = Call(7);
    lone.feed(Input::ChainSteered { call, hash, order });
    let answer = lone.outputs.iter().find_map(|output| match output {
        Output::Answer { call: to, answer } if *to == call => Some(answer.clone()),
        _ => None,
    });
    answer.expect("every call is answered")
}

fn template(lone: &mut Lone) -> Block {
    let mut last = None;
    for output in &lone.outputs {
        if let Output::Mine { template } = output {
            last = Some(template.block.clone());
        }
    }
    last.expect("there is work out")
}

fn mine(lone: &mut Lone) -> Arc<Block> {
    lone.now_ms += 5_000;
    let block = solve(template(lone));
    lone.feed(Input::BlockMined {
        block: Arc::clone(&block),
    });
    block
}

#[test]
fn invalidated_block_gives_its_payments_back_and_work_begins_below_it() {
    let mut lone = Lone::with(params(), true);
    let first = mine(&mut lone);
    let payment = pay(allocated(&params(), 0), 0, 1, 1_000);
    lone.feed(Input::TransactionSubmitted {
        call: Call(1),
        transaction: Arc::clone(&payment),
    });
    lone.pass_ms(10_000);
    let second = mine(&mut lone);
    assert!(lone.node.mempool().is_empty());
    lone.outputs.clear();

    let answer = steer(&mut lone, second.hash(), SteeringOrder::Invalidate);
    assert_eq!(answer, Answer::ChainSteered);
    assert_eq!(lone.node.state().tip().hash, first.hash());
    assert!(lone.node.mempool().contains(&payment.txid()));
    assert_eq!(template(&mut lone).header.previous, first.hash());
    let told = lone.outputs.iter().any(|output| {
        matches!(output, Output::Event(Event::TipChanged { tip, disconnected, connected, source, .. })
            if *tip == first.hash() && disconnected.len() == 1 && connected.is_empty()
                && *source == Source::Local)
    });
    assert!(told, "{:?}", lone.outputs);

    let answer = steer(&mut lone, second.hash(), SteeringOrder::Reconsider);
    assert_eq!(answer, Answer::ChainSteered);
    assert_eq!(lone.node.state().tip().hash, second.hash());
    assert!(lone.node.mempool().is_empty());
}

#[test]
fn change_is_durable_before_it_is_told() {
    let mut lone = Lone::with(params(), true);
    let block = mine(&mut lone);
    lone.outputs.clear();
    steer(&mut lone, block.hash(), SteeringOrder::Invalidate);
    let place = |is_it: fn(&Output) -> bool| lone.outputs.iter().position(is_it);
    let durable = place(|output| matches!(output, Output::Persist { urgent: true }));
    let told = place(|output| matches!(output, Output::Event(Event::TipChanged { .. })));
    assert!(durable.expect("it is kept") < told.expect("it is told"));
}

#[test]
fn senseless_orders_are_answered_and_change_nothing() {
    let mut lone = Lone::new();
    let hash = BlockHash::from_bytes([3; 32]);
    for order in [SteeringOrder::Invalidate, SteeringOrder::Reconsider] {
        let error = SteerError::Unknown { hash };
        let answer = steer(&mut lone, hash, order);
        assert_eq!(answer, Answer::SteeringRefused { error });
        lone.outputs.clear();
    }
    let genesis = params().genesis_hash();
    let answer = steer(&mut lone, genesis, SteeringOrder::Invalidate);
    let error = SteerError::Genesis;
    assert_eq!(answer, Answer::SteeringRefused { error });
}

/// A node that took three blocks from a peer and whose operator then called the
/// second one invalid.
fn steered(maker: &mut Maker) -> (Lone, Vec<Arc<Block>>) {
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(maker);
    let blocks = maker.mine(3);
    for block in &blocks {
        let verdict = lone.gossip(peer, Topic::Block, block.as_ref());
        assert_eq!(verdict, Verdict::Accept);
    }
    steer(&mut lone, blocks[1].hash(), SteeringOrder::Invalidate);
    assert_eq!(lone.node.state().tip().hash, blocks[0].hash());
    (lone, blocks)
}

#[test]
fn whoever_follows_what_only_the_operator_called_invalid_is_not_blamed() {
    let mut maker = Maker::new(1);
    let (mut lone, blocks) = steered(&mut maker);
    let peer = lone.connect_with(&maker);
    // By status, by gossip of the very block and of one above it, by headers.
    lone.tell_status(peer, &status_of(&maker));
    for block in &blocks[1..] {
        let verdict = lone.gossip(peer, Topic::Block, block.as_ref());
        assert_eq!(verdict, Verdict::Ignore);
    }
    let above = maker.mine(2);
    let verdict = lone.gossip(peer, Topic::Block, above[0].as_ref());
    assert_eq!(verdict, Verdict::Ignore);
    lone.tell_status(peer, &status_of(&maker));
    lone.pass_ms(1_000);
    let all: Vec<_> = blocks.iter().chain(&above).cloned().collect();
    assert!(lone.serve_headers(peer, &headers_of(&all)) > 0);
    lone.pass_ms(1_000);
    assert_eq!(
        lone.serve_headers(peer, &headers_of(&all)),
        0,
        "it is not asked again"
    );
    assert_eq!(lone.disconnects(), vec![]);
    assert_eq!(lone.node.state().tip().hash, blocks[0].hash());

    // Once it is pardoned, the same peer brings all of it.
    steer(&mut lone, blocks[1].hash(), SteeringOrder::Reconsider);
    lone.pass_ms(1_000);
    lone.serve_headers(peer, &headers_of(&all));
    lone.pass_ms(1_000);
    lone.serve_blocks(peer, &all);
    assert_eq!(lone.node.state().tip().hash, above[1].hash());
}

#[test]
fn who_sends_what_truly_breaks_a_rule_is_blamed_even_above_a_block_called_invalid() {
    let mut maker = Maker::new(1);
    let (mut lone, blocks) = steered(&mut maker);
    let peer = lone.connect_with(&maker);
    let mut idle = blocks[2].as_ref().clone();
    idle.header.nonce = idle.header.nonce.wrapping_add(1);
    let is_work = |block: &Block| {
        let limit = maker.state.params().pow_limit;
        minichain_chain::rules::header::check_proof_of_work(&block.header, limit).is_ok()
    };
    while is_work(&idle) {
        idle.header.nonce = idle.header.nonce.wrapping_add(1);
    }
    let verdict = lone.gossip(peer, Topic::Block, &idle);
    assert_eq!(verdict, Verdict::Reject);
    let blamed = vec![(peer, DisconnectReason::InvalidBlock)];
    assert_eq!(lone.disconnects(), blamed);
}
