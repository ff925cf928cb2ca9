//! Blocks and headers that break rules, promises that are not kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::encode;
use minichain_chain::hash::{BlockHash, MerkleRoot};
use minichain_chain::height::Height;
use minichain_chain::pow::CompactTarget;
use minichain_chain::script::Script;
use minichain_chain::transaction::TxOut;
use minichain_protocol::output::Topic;
use minichain_protocol::wire::{Request, Response, Status};
use serde_json::Value;

use crate::foe::{Foe, Manner, boastful, plain, polite};
use crate::maker::{Maker, params, rooted, solve};
use crate::support::wait_for;
use crate::victim::{NOISE_MB, Neighbour, Victim, repeat_until};

/// Above any block's weight, below any message's length.
const TOO_MUCH: usize = 1_100_000;

/// A nonce that does not do.
fn unlucky(mut block: Block) -> Block {
    let target = block.header.bits.to_target().expect("a target");
    while target.is_met_by(&block.header.hash()) {
        block.header.nonce += 1;
    }
    block
}

/// The next block, spoilt and then solved.
fn spoilt(maker: &mut Maker, spoil: impl FnOnce(&mut Block)) -> Block {
    let mut block = maker.unsolved();
    spoil(&mut block);
    solve(rooted(block))
}

/// A block for each rule, by the rule's name.
fn forgeries(maker: &mut Maker) -> Vec<(&'static str, Block)> {
    let long_ago = params().genesis_time.saturating_sub(1_000);
    let swapped = {
        let mut block = solve(maker.unsolved());
        block.transactions[0].outputs[0].value = Amount::from_sat(1);
        block
    };
    vec![
        ("proof_of_work", unlucky(maker.unsolved())),
        ("merkle_root", swapped),
        (
            "bits_unexpected",
            spoilt(maker, |block| {
                let CompactTarget(bits) = block.header.bits;
                block.header.bits = CompactTarget(bits - 1);
            }),
        ),
        (
            "time_too_old",
            spoilt(maker, |block| block.header.time = long_ago),
        ),
        (
            "reward_too_high",
            spoilt(maker, |block| {
                let reward = &mut block.transactions[0].outputs[0].value;
                *reward = Amount::from_sat(reward.to_sat() + 1);
            }),
        ),
        (
            "coinbase_extra",
            spoilt(maker, |block| {
                let again = block.transactions[0].clone();
                block.transactions.push(again);
                block.transactions[1].lock_time = 5;
            }),
        ),
        (
            "coinbase_height",
            spoilt(maker, |block| {
                let elsewhere = Script::coinbase(Height(99), 1, b"foe");
                block.transactions[0].inputs[0].script_sig = elsewhere;
            }),
        ),
        (
            "block_too_heavy",
            spoilt(maker, |block| {
                block.transactions[0].outputs.push(TxOut {
                    value: Amount::ZERO,
                    script_pubkey: Script::op_return(&vec![0; TOO_MUCH]),
                });
            }),
        ),
    ]
}

fn refused_rules(victim: &Victim) -> BTreeSet<String> {
    let lines = victim.node.log_lines().into_iter();
    let refused = lines.filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("block refused")
    });
    let rules = refused.filter_map(|line| line["rule"].as_str().map(str::to_owned));
    rules.collect()
}

#[test]
fn block_that_breaks_a_rule_costs_its_sender_the_connection() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(4);
    let victim = Victim::with_blocks("", &blocks);
    let neighbour = Neighbour::of(&victim);
    let forgeries = forgeries(&mut maker);
    let mut gone = Vec::new();
    for (rule, block) in &forgeries {
        let foe = Foe::start(&victim, polite(&victim));
        let is_refused = repeat_until(
            || {
                foe.gossip(Topic::Block, encode(block));
                std::thread::sleep(Duration::from_millis(100));
            },
            || refused_rules(&victim).contains(*rule),
        );
        assert!(is_refused, "{rule}: {:?}", refused_rules(&victim));
        gone.push(foe);
    }
    wait_for("all of them to be sent away", || {
        (victim.partings().len() >= gone.len()).then_some(())
    });
    let partings = victim.partings();
    let is_named = |line: &Value| line["reason"] == "invalid_block";
    assert!(partings.iter().all(is_named), "{partings:?}");
    let ids: Vec<&str> = gone.iter().map(|foe| foe.id.as_str()).collect();
    victim.has_sent_away(&ids, "invalid_block");
    neighbour.converges_with(&victim);
    let sent = forgeries.iter().map(|(rule, _)| format!("`{rule}`"));
    let sent = sent.collect::<Vec<_>>().join(", ");
    victim.stayed_within(NOISE_MB, "invalid blocks", &sent, "`invalid_block`");
}

#[test]
fn body_that_was_not_asked_for_is_a_wrong_answer() {
    let mut maker = Maker::new(1);
    let blocks = maker.mine(4);
    let victim = Victim::with_blocks("", &blocks);
    let neighbour = Neighbour::of(&victim);
    let promised = maker.mine(2);
    let other = Maker::new(2).grow(0);
    let headers: Vec<Header> = promised.iter().map(|block| block.header).collect();
    let claim = boastful(&victim, promised[1].hash(), 6);
    let manner: Manner = Box::new(move |request| {
        let answer = match request {
            Request::Headers(_) => Response::Headers(headers.clone()),
            Request::Blocks(_) => Response::Blocks(vec![other.clone().into()]),
            _ => plain(&claim, request),
        };
        Some(encode(&answer))
    });
    let foe = Foe::start(&victim, manner);
    victim.has_sent_away(&[&foe.id], "wrong_answer");
    neighbour.converges_with(&victim);
    let sent = "another block than asked for";
    victim.stayed_within(NOISE_MB, "unrequested bodies", sent, "`wrong_answer`");
}

const HEIGHT: usize = 120;

/// A branch of headers from genesis, shorter than the chain.
fn branch(number: u64) -> Vec<Header> {
    let genesis = params().genesis_block().header;
    let mut headers: Vec<Header> = Vec::new();
    for step in 1..HEIGHT as u64 {
        let parent = headers.last().unwrap_or(&genesis);
        let mut root = [0; 32];
        root[..8].copy_from_slice(&number.to_le_bytes());
        root[8..16].copy_from_slice(&step.to_le_bytes());
        let header = Header {
            previous: parent.hash(),
            merkle_root: MerkleRoot::from_bytes(root),
            time: parent.time.saturating_add(1),
            ..genesis
        };
        let transactions = Vec::new();
        headers.push(
            solve(Block {
                header,
                transactions,
            })
            .header,
        );
    }
    headers
}

/// A claim that no chain stands behind, new each time.
fn promise(victim: &Status, number: u64) -> Status {
    let mut tip = [9; 32];
    tip[..8].copy_from_slice(&number.to_le_bytes());
    Status {
        tip: BlockHash::from_bytes(tip),
        ..victim.clone()
    }
}

/// Promises ever more, and tells ever new weak headers, which it counts.
fn braggart(claim: Status, sent: Arc<AtomicU64>) -> Manner {
    let mut number = 0;
    Box::new(move |request| {
        number += 1;
        let status = promise(&claim, number);
        let answer = match request {
            Request::Headers(_) => {
                let headers = branch(number);
                sent.fetch_add(headers.len() as u64, Ordering::SeqCst);
                Response::Headers(headers)
            }
            _ => plain(&status, request),
        };
        Some(encode(&answer))
    })
}

#[test]
fn headers_of_ever_new_weak_branches_are_ended() {
    let blocks = Maker::new(1).mine(HEIGHT);
    let victim = Victim::with_blocks("", &blocks);
    let neighbour = Neighbour::of(&victim);
    let claim = boastful(&victim, BlockHash::from_bytes([9; 32]), 500);
    let sent = Arc::new(AtomicU64::new(0));
    let foe = Foe::start(&victim, braggart(claim.clone(), Arc::clone(&sent)));
    let mut number = 1 << 40;
    let is_ended = repeat_until(
        || {
            number += 1;
            foe.ask(encode(&Request::Status(promise(&claim, number))));
            std::thread::sleep(Duration::from_millis(100));
        },
        || !victim.partings().is_empty(),
    );
    assert!(is_ended, "{sent:?} headers");
    victim.has_sent_away(&[&foe.id], "low_work");
    neighbour.converges_with(&victim);
    let sent = sent.load(Ordering::SeqCst);
    let sent = format!("{sent} headers in branches of {}", HEIGHT - 1);
    victim.stayed_within(NOISE_MB, "headers of low work", &sent, "`low_work`");
}
