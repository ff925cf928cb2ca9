//! What waits on one side of a cut reaches the other by request.

#![expect(clippy::panic, reason = "helpers of tests stop the test")]

use std::sync::Arc;

use minichain_chain::hash::Txid;
use minichain_chain::transaction::Transaction;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Input, OutboundRequest, Peer, RequestFailure};
use minichain_protocol::limits::{
    INVENTORY_MAX, POOL_PROTOCOL_VERSION, TRANSACTIONS_BYTES_MAX, TRANSACTIONS_TIMEOUT_MS,
};
use minichain_protocol::output::{DisconnectReason, Output, Topic, Verdict};
use minichain_protocol::wire::{GetInventory, GetTransactions, Inventory, Request, Response};

use crate::support::chain::{ACCOUNTS, Maker, SPACING_S, allocated, first_output, params, pay};
use crate::support::lone::{Lone, standing_of, status_of};
use crate::support::network::Network;

/// A status poll with its jitter, and a moment for the answers.
const SOON_MS: u64 = (SPACING_S as u64 * 1_000) * 5 / 4 + 1_000;

/// Digest of a mempool that no node of these tests has.
const OTHER_POOL: [u8; 32] = [9; 32];

/// Payments that each spend the one before.
fn chain_of(count: usize, account: usize) -> Vec<Arc<Transaction>> {
    let mut payments = vec![pay(allocated(&params(), account), account, account, 10_000)];
    while payments.len() < count {
        let last = &payments[payments.len() - 1];
        payments.push(pay(first_output(last), account, account, 10_000));
    }
    payments
}

fn have(network: &Network, places: &[usize], payments: &[Arc<Transaction>]) -> bool {
    let has = |place: &usize| {
        let pool = network.hosts[*place].node.mempool();
        payments
            .iter()
            .all(|payment| pool.contains(&payment.txid()))
    };
    places.iter().all(has)
}

fn line(seed: u64, nodes: usize) -> Network {
    let mut network = Network::new(seed);
    for place in 0..nodes {
        network.add(None);
        if place > 0 {
            network.link(place - 1, place);
        }
    }
    network.run_ms(2_000);
    network
}

//   0──1 ╳ 2──3      the cut is too short for anybody to notice
#[test]
fn what_waits_behind_a_cut_is_everywhere_soon_after_the_heal() {
    for seed in 0..20 {
        let mut network = line(seed, 4);
        network.partition(&[&[0, 1], &[2, 3]]);
        let stranded = chain_of(20, 1);
        for payment in &stranded {
            network.submit(0, Arc::clone(payment));
        }
        let other = chain_of(3, 2);
        for payment in &other {
            network.submit(3, Arc::clone(payment));
        }
        network.run_ms(3_000);
        assert!(!have(&network, &[2], &stranded[..1]));
        network.heal();
        // A status or an answer of a moment ago may have been lost in the cut.
        network.run_until(2 * SOON_MS + 5_000, "all wait everywhere", |network| {
            have(network, &[0, 1, 2, 3], &stranded) && have(network, &[0, 1, 2, 3], &other)
        });
        assert!(network.hosts.iter().all(|host| host.dropped.is_empty()));
    }
}

#[test]
fn a_node_that_joins_learns_what_waits() {
    let mut network = line(7, 2);
    let payments = chain_of(25, 1);
    for payment in &payments {
        network.submit(0, Arc::clone(payment));
    }
    network.run_ms(1_000);
    let late = network.add(None);
    network.link(1, late);
    network.run_until(1_000, "it has all", |network| {
        have(network, &[late], &payments)
    });
}

#[test]
fn lost_messages_delay_what_waits_but_do_not_keep_it_away() {
    for seed in 20..30 {
        let mut network = line(seed, 3);
        network.loss_per_mille = 150;
        let payments = chain_of(10, 3);
        for payment in &payments {
            network.submit(0, Arc::clone(payment));
        }
        network.run_until(120_000, "the far end has all", |network| {
            have(network, &[2], &payments)
        });
    }
}

/// A node with a peer that was asked for its status.
fn polled() -> (Lone, Peer, Maker) {
    let (mut lone, maker) = (Lone::new(), Maker::new(1));
    let peer = lone.connect();
    answer_status(&mut lone, peer, &maker);
    (lone, peer, maker)
}

/// Lets the next poll come and answers it.
fn poll_again(lone: &mut Lone, peer: Peer, maker: &Maker) {
    lone.take_requests(peer);
    lone.pass_ms(SOON_MS);
    answer_status(lone, peer, maker);
}

/// The peer answers polls; its mempool is another one.
fn answer_status(lone: &mut Lone, peer: Peer, maker: &Maker) {
    for (id, request) in lone.take_requests(peer) {
        match request {
            Request::Status(_) => lone.respond(peer, id, &Response::Status(status_of(maker))),
            Request::Standing(_) => {
                let standing = standing_of(maker, OTHER_POOL);
                lone.respond(peer, id, &Response::Standing(standing));
            }
            _ => {}
        }
    }
}

/// The only question about the pool that is open.
fn asked_inventory(lone: &mut Lone, peer: Peer) -> (OutboundRequest, GetInventory) {
    let mut asked = lone.take_requests(peer);
    let (id, request) = asked.pop().expect("a question");
    match request {
        Request::Inventory(get) if asked.is_empty() => (id, get),
        other => panic!("asked {other:?} and {asked:?}"),
    }
}

fn asked_transactions(lone: &mut Lone, peer: Peer) -> (OutboundRequest, Vec<Txid>) {
    let mut asked = lone.take_requests(peer);
    let (id, request) = asked.pop().expect("a question");
    match request {
        Request::Transactions(get) if asked.is_empty() => (id, get.txids),
        other => panic!("asked {other:?} and {asked:?}"),
    }
}

/// The peer tells that these wait with it.
fn tell(lone: &mut Lone, peer: Peer, txids: &[Txid], next: u64) {
    let (id, _) = asked_inventory(lone, peer);
    let txids = txids.to_vec();
    lone.respond(peer, id, &Response::Inventory(Inventory { txids, next }));
}

fn names(payments: &[Arc<Transaction>]) -> Vec<Txid> {
    payments.iter().map(|payment| payment.txid()).collect()
}

#[test]
fn equal_pools_cost_one_short_question_and_answer() {
    let (mut lone, peer, _) = polled();
    for payment in chain_of(20, 1) {
        let verdict = lone.gossip(peer, Topic::Transaction, payment.as_ref());
        assert_eq!(verdict, Verdict::Accept);
    }
    let digest = lone.node.mempool().digest();
    let equal = Request::Inventory(GetInventory { digest, from: 0 });
    let (txids, next) = (Vec::new(), 0);
    let nothing = Some(Response::Inventory(Inventory { txids, next }));
    assert_eq!(lone.request(peer, &equal), nothing);
    let digest = [0; 32];
    let other = Request::Inventory(GetInventory { digest, from: 0 });
    let Some(Response::Inventory(all)) = lone.request(peer, &other) else {
        panic!("no inventory");
    };
    assert_eq!((all.txids, all.next), (names(&chain_of(20, 1)), 0));
}

#[test]
fn an_inventory_goes_on_where_it_ended() {
    let (mut lone, peer, _) = polled();
    let payments = chain_of(5, 1);
    for payment in &payments {
        lone.gossip(peer, Topic::Transaction, payment.as_ref());
    }
    let digest = [0; 32];
    let later = Request::Inventory(GetInventory { digest, from: 3 });
    let Some(Response::Inventory(rest)) = lone.request(peer, &later) else {
        panic!("no inventory");
    };
    assert_eq!((rest.txids, rest.next), (names(&payments[3..]), 0));
    let (txids, next) = (Vec::new(), 0);
    let beyond = Request::Inventory(GetInventory {
        digest,
        from: u64::MAX,
    });
    let nothing = Some(Response::Inventory(Inventory { txids, next }));
    assert_eq!(lone.request(peer, &beyond), nothing);
}

#[test]
fn what_is_lacking_is_asked_for_and_gossiped_on() {
    let (mut lone, peer, _) = polled();
    let payments = chain_of(3, 1);
    lone.gossip(peer, Topic::Transaction, payments[0].as_ref());
    tell(&mut lone, peer, &names(&payments), 0);
    let (id, txids) = asked_transactions(&mut lone, peer);
    assert_eq!(txids, names(&payments[1..]));
    lone.outputs.clear();
    let answer = Response::Transactions(payments[1..].to_vec());
    lone.respond(peer, id, &answer);
    assert_eq!(lone.node.mempool().len(), 3);
    let is_published = |output: &&Output| {
        matches!(
            output,
            Output::Publish {
                topic: Topic::Transaction,
                ..
            }
        )
    };
    assert_eq!(lone.outputs.iter().filter(is_published).count(), 2);
    assert_eq!(lone.take_requests(peer), vec![]);
}

#[test]
fn a_long_inventory_is_fetched_page_by_page() {
    let (mut lone, peer, maker) = polled();
    let strange = |number: usize| {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
        Txid::from_bytes(bytes)
    };
    let page: Vec<_> = (0..INVENTORY_MAX).map(strange).collect();
    tell(&mut lone, peer, &page, 9_000);
    let mut asked = Vec::new();
    while asked.len() < page.len() {
        let (id, txids) = asked_transactions(&mut lone, peer);
        asked.extend(txids);
        lone.respond(peer, id, &Response::Transactions(Vec::new()));
    }
    assert_eq!(asked, page);
    let (id, get) = asked_inventory(&mut lone, peer);
    assert_eq!(get.from, 9_000);
    let (txids, next) = (vec![strange(INVENTORY_MAX)], 9_000);
    let stuck = Response::Inventory(Inventory { txids, next });
    lone.respond(peer, id, &stuck);
    let dropped = vec![(peer, DisconnectReason::WrongAnswer)];
    assert_eq!(lone.disconnects(), dropped);
    assert_eq!(lone.node.mempool().len(), 0);
    drop(maker);
}

#[test]
fn a_list_without_end_ends() {
    let (mut lone, peer, maker) = polled();
    let known = chain_of(1, 1);
    lone.gossip(peer, Topic::Transaction, known[0].as_ref());
    let page = vec![known[0].txid(); INVENTORY_MAX];
    let mut pages = 0;
    for next in 1..1_000 {
        tell(&mut lone, peer, &page, next);
        pages += 1;
        if !has_question(&lone) {
            break;
        }
    }
    assert_eq!(pages, 50);
    // Such a long list is not asked for again so soon.
    poll_again(&mut lone, peer, &maker);
    assert_eq!(lone.take_requests(peer), vec![]);
    assert_eq!(lone.disconnects(), vec![]);
}

fn has_question(lone: &Lone) -> bool {
    let is_request = |output: &Output| matches!(output, Output::Request { .. });
    lone.outputs.iter().any(is_request)
}

#[test]
fn a_peer_of_an_older_version_is_never_asked() {
    let (mut lone, maker) = (Lone::new(), Maker::new(1));
    let peer = lone.connect();
    for _ in 0..3 {
        for (id, request) in lone.take_requests(peer) {
            assert!(matches!(request, Request::Status(_)), "{request:?}");
            let mut status = status_of(&maker);
            status.protocol_version = POOL_PROTOCOL_VERSION - 1;
            lone.respond(peer, id, &Response::Status(status));
        }
        lone.pass_ms(SOON_MS);
    }
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn a_peer_that_does_not_know_the_question_is_kept_and_not_asked_again() {
    let (mut lone, peer, maker) = polled();
    let (id, _) = asked_inventory(&mut lone, peer);
    let failure = RequestFailure::Unsupported;
    lone.feed(Input::RequestFailed { id, peer, failure });
    poll_again(&mut lone, peer, &maker);
    assert_eq!(lone.take_requests(peer), vec![]);
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn a_question_without_an_answer_is_put_again_behind_the_next_status() {
    let (mut lone, peer, maker) = polled();
    let (id, _) = asked_inventory(&mut lone, peer);
    let failure = RequestFailure::TimedOut;
    lone.feed(Input::RequestFailed { id, peer, failure });
    assert_eq!(lone.take_requests(peer), vec![]);
    poll_again(&mut lone, peer, &maker);
    asked_inventory(&mut lone, peer);
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn a_transaction_is_asked_of_one_peer_and_then_of_another() {
    let (mut lone, first, maker) = polled();
    let second = lone.connect();
    answer_status(&mut lone, second, &maker);
    let payments = chain_of(2, 1);
    tell(&mut lone, first, &names(&payments), 0);
    tell(&mut lone, second, &names(&payments), 0);
    let (id, _) = asked_transactions(&mut lone, first);
    assert_eq!(lone.take_requests(second), vec![]);
    lone.now_ms += TRANSACTIONS_TIMEOUT_MS;
    let (peer, failure) = (first, RequestFailure::TimedOut);
    lone.feed(Input::RequestFailed { id, peer, failure });
    answer_status(&mut lone, second, &maker);
    tell(&mut lone, second, &names(&payments), 0);
    let (id, txids) = asked_transactions(&mut lone, second);
    assert_eq!(txids, names(&payments));
    lone.respond(second, id, &Response::Transactions(payments));
    assert_eq!(lone.node.mempool().len(), 2);
}

#[test]
fn what_was_refused_is_asked_for_again_only_on_another_tip() {
    let (mut lone, peer, mut maker) = polled();
    let kept = pay(allocated(&params(), 1), 1, 2, 10_000);
    let refused = pay(allocated(&params(), 1), 1, 3, 10_000);
    lone.gossip(peer, Topic::Transaction, kept.as_ref());
    tell(&mut lone, peer, &[refused.txid()], 0);
    let (id, _) = asked_transactions(&mut lone, peer);
    let answer = Response::Transactions(vec![Arc::clone(&refused)]);
    lone.respond(peer, id, &answer);
    let is_told = |event: &&Event| matches!(event, Event::TransactionRejected { txid, .. } if *txid == refused.txid());
    assert_eq!(lone.events().into_iter().filter(is_told).count(), 1);
    poll_again(&mut lone, peer, &maker);
    tell(&mut lone, peer, &[refused.txid()], 0);
    assert_eq!(lone.take_requests(peer), vec![]);
    let block = maker.mine(1).remove(0);
    lone.gossip(peer, Topic::Block, block.as_ref());
    poll_again(&mut lone, peer, &maker);
    tell(&mut lone, peer, &[refused.txid()], 0);
    let (_, txids) = asked_transactions(&mut lone, peer);
    assert_eq!(txids, [refused.txid()]);
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn transactions_nobody_asked_for_drop_their_sender() {
    let (mut lone, peer, _) = polled();
    let [wanted, other] = [1, 2].map(|account| pay(allocated(&params(), account), account, 3, 900));
    tell(&mut lone, peer, &[wanted.txid()], 0);
    let (id, _) = asked_transactions(&mut lone, peer);
    let answer = Response::Transactions(vec![Arc::clone(&wanted), other]);
    lone.respond(peer, id, &answer);
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::WrongAnswer)]
    );
}

#[test]
fn a_fetched_transaction_that_can_never_be_valid_drops_its_sender() {
    let (mut lone, peer, _) = polled();
    let mut forged = pay(allocated(&params(), 1), 1, 2, 10_000).as_ref().clone();
    forged.inputs[0].witness.0[0][5] ^= 1;
    tell(&mut lone, peer, &[forged.txid()], 0);
    let (id, _) = asked_transactions(&mut lone, peer);
    let answer = Response::Transactions(vec![Arc::new(forged)]);
    lone.respond(peer, id, &answer);
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::InvalidTransaction)]
    );
    assert_eq!(lone.node.mempool().len(), 0);
}

#[test]
fn an_answer_of_the_wrong_kind_drops_its_sender() {
    let (mut lone, peer, _) = polled();
    let (id, _) = asked_inventory(&mut lone, peer);
    lone.respond(peer, id, &Response::Headers(Vec::new()));
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::WrongAnswer)]
    );
}

#[test]
fn only_what_waits_is_given_and_each_once() {
    let (mut lone, peer, _) = polled();
    let payments = chain_of(2, 1);
    lone.gossip(peer, Topic::Transaction, payments[0].as_ref());
    let (waiting, lacking) = (payments[0].txid(), payments[1].txid());
    let txids = vec![waiting, lacking, waiting];
    let get = Request::Transactions(GetTransactions { txids });
    let expected = Response::Transactions(vec![Arc::clone(&payments[0])]);
    assert_eq!(lone.request(peer, &get), Some(expected));
    const { assert!(TRANSACTIONS_BYTES_MAX < minichain_protocol::limits::RESPONSE_BYTES_MAX) };
    const { assert!(ACCOUNTS > 3) };
}
