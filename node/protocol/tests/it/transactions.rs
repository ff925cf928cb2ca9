//! Payments travel, confirm, collide, and survive a lost branch.

use std::sync::Arc;

use minichain_chain::transaction::Transaction;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Call, Input};
use minichain_protocol::limits::{EXPIRY_LOOK_MS, REBROADCAST_MS};
use minichain_protocol::output::{Answer, DisconnectReason, Output, Topic, Verdict};

use crate::support::chain::{Maker, account_key, allocated, config, first_output, params, pay};
use crate::support::lone::Lone;
use crate::support::network::Network;

fn mesh(seed: u64, miners: usize, observers: usize) -> Network {
    let mut network = Network::new(seed);
    for place in 0..miners + observers {
        network.add((place < miners).then_some(10_000.0));
    }
    network.link_all();
    network.run_ms(1_000);
    network
}

fn has_mined(network: &Network, transaction: &Transaction) -> bool {
    let outpoint = transaction.outpoint(0);
    let has = |coin: Option<_>| coin.is_some();
    network
        .hosts
        .iter()
        .all(|host| has(host.node.state().coin(&outpoint).expect("memory")))
}

#[test]
fn transaction_reaches_all_and_confirms() {
    let mut network = mesh(1, 2, 3);
    network.stop_mining();
    let transaction = pay(allocated(&params(), 2), 2, 3, 10_000);
    network.submit(4, Arc::clone(&transaction));
    network.run_until(1_000, "it is in every mempool", |network| {
        network
            .hosts
            .iter()
            .all(|host| host.node.mempool().contains(&transaction.txid()))
    });
    network.feed(0, Input::MiningSwitched { enabled: true });
    network.run_until(120_000, "it is mined", |network| {
        has_mined(network, &transaction)
    });
    assert!(
        network
            .hosts
            .iter()
            .all(|host| host.node.mempool().is_empty())
    );
}

#[test]
fn a_chain_of_payments_confirms_whatever_order_it_arrives_in() {
    let mut network = mesh(2, 2, 3);
    let parent = pay(allocated(&params(), 1), 1, 2, 10_000);
    let child = pay(first_output(&parent), 2, 3, 10_000);
    network.submit(3, Arc::clone(&parent));
    network.submit(3, Arc::clone(&child));
    network.run_until(120_000, "both are mined", |network| {
        has_mined(network, &child)
    });
}

#[test]
fn a_child_that_comes_first_waits_for_its_parent() {
    let maker = Maker::new(1);
    let parent = pay(allocated(&params(), 1), 1, 2, 10_000);
    let child = pay(first_output(&parent), 2, 3, 10_000);
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    assert_eq!(
        lone.gossip(peer, Topic::Transaction, child.as_ref()),
        Verdict::Ignore
    );
    assert_eq!(lone.node.mempool().len(), 0);
    assert_eq!(
        lone.gossip(peer, Topic::Transaction, parent.as_ref()),
        Verdict::Accept
    );
    assert!(lone.node.mempool().contains(&child.txid()));
    assert_eq!(lone.disconnects(), vec![]);
}

#[test]
fn a_conflicting_payment_that_pays_no_more_is_ignored_and_its_sender_kept() {
    let maker = Maker::new(1);
    let first = pay(allocated(&params(), 1), 1, 2, 10_000);
    let second = pay(allocated(&params(), 1), 1, 3, 10_000);
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    assert_eq!(
        lone.gossip(peer, Topic::Transaction, first.as_ref()),
        Verdict::Accept
    );
    assert_eq!(
        lone.gossip(peer, Topic::Transaction, second.as_ref()),
        Verdict::Ignore
    );
    assert!(!lone.node.mempool().contains(&second.txid()));
    assert_eq!(lone.disconnects(), vec![]);
    assert!(lone.events().into_iter().any(|event| {
        matches!(event, Event::TransactionRejected { txid, .. } if *txid == second.txid())
    }));
}

#[test]
fn a_payment_that_pays_more_takes_the_place_of_the_first_everywhere() {
    let mut network = mesh(8, 0, 4);
    let first = pay(allocated(&params(), 1), 1, 2, 10_000);
    let second = pay(allocated(&params(), 1), 1, 3, 90_000);
    network.submit(1, first);
    network.run_ms(1_000);
    network.submit(2, Arc::clone(&second));
    network.run_until(1_000, "it is the only one everywhere", |network| {
        network
            .hosts
            .iter()
            .all(|host| host.node.mempool().txids().eq([second.txid()]))
    });
}

#[test]
fn conflicting_payments_on_two_ends_leave_exactly_one() {
    let mut network = mesh(3, 2, 3);
    let payments = [2, 3].map(|payee| pay(allocated(&params(), 1), 1, payee, 10_000));
    network.submit(3, Arc::clone(&payments[0]));
    network.submit(4, Arc::clone(&payments[1]));
    network.run_until(120_000, "one is mined", |network| {
        payments.iter().any(|payment| has_mined(network, payment))
    });
    let mined = payments
        .iter()
        .filter(|payment| has_mined(&network, payment));
    assert_eq!(mined.count(), 1);
    assert!(
        network
            .hosts
            .iter()
            .all(|host| host.node.mempool().is_empty())
    );
}

#[test]
fn a_payment_with_a_broken_signature_drops_its_sender() {
    let maker = Maker::new(1);
    let mut forged = pay(allocated(&params(), 1), 1, 2, 10_000).as_ref().clone();
    forged.inputs[0].witness.0[0][5] ^= 1;
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    assert_eq!(
        lone.gossip(peer, Topic::Transaction, &forged),
        Verdict::Reject
    );
    assert_eq!(
        lone.disconnects(),
        vec![(peer, DisconnectReason::InvalidTransaction)]
    );
}

#[test]
fn a_client_learns_why_its_payment_was_refused() {
    let mut lone = Lone::new();
    let stolen = pay(allocated(&params(), 1), 0, 2, 10_000);
    lone.feed(Input::TransactionSubmitted {
        call: Call(7),
        transaction: stolen,
    });
    let refused = lone.outputs.iter().any(|output| {
        matches!(
            output,
            Output::Answer {
                call: Call(7),
                answer: Answer::TransactionRefused { .. }
            }
        )
    });
    assert!(refused);
    assert_ne!(account_key(0).output_key(), account_key(1).output_key());
}

#[test]
fn an_own_payment_is_announced_until_it_is_confirmed() {
    let mut maker = Maker::new(1);
    let payment = pay(allocated(&params(), 1), 1, 2, 10_000);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    lone.feed(Input::TransactionSubmitted {
        call: Call(1),
        transaction: Arc::clone(&payment),
    });
    assert_eq!(published(&mut lone), 1);
    lone.pass_ms(REBROADCAST_MS);
    assert_eq!(published(&mut lone), 1);
    maker
        .pool
        .accept(Arc::clone(&payment), &maker.state, maker.time)
        .expect("memory")
        .expect("valid");
    let block = maker.next();
    assert_eq!(
        lone.gossip(peer, Topic::Block, block.as_ref()),
        Verdict::Accept
    );
    lone.pass_ms(REBROADCAST_MS);
    assert_eq!(published(&mut lone), 0);
}

#[test]
fn each_own_payment_has_its_own_time_to_be_announced_again() {
    let mut lone = Lone::new();
    lone.connect_with(&Maker::new(1));
    for (call, account) in [(1, 1), (2, 2)] {
        let payment = pay(allocated(&params(), account), account, 3, 10_000);
        lone.feed(Input::TransactionSubmitted {
            call: Call(call),
            transaction: payment,
        });
        assert_eq!(published(&mut lone), 1);
        lone.pass_ms(40_000);
    }
    // 80 s after the first, 40 s after the second, which gossip still remembers.
    assert_eq!(published(&mut lone), 1);
    lone.pass_ms(REBROADCAST_MS - 40_000);
    assert_eq!(published(&mut lone), 1);
}

#[test]
fn a_payment_that_nobody_mines_expires() {
    let mut limits = config(false);
    limits.mempool.expiry_s = 100;
    let mut lone = Lone::configured(limits);
    let payment = pay(allocated(&params(), 1), 1, 2, 10_000);
    lone.feed(Input::TransactionSubmitted {
        call: Call(1),
        transaction: payment,
    });
    lone.pass_ms(100_000);
    assert_eq!(lone.node.mempool().len(), 1);
    lone.pass_ms(EXPIRY_LOOK_MS);
    assert_eq!(lone.node.mempool().len(), 0);
}

fn published(lone: &mut Lone) -> usize {
    let before = lone.outputs.len();
    lone.outputs.retain(|output| {
        !matches!(
            output,
            Output::Publish {
                topic: Topic::Transaction,
                ..
            }
        )
    });
    before - lone.outputs.len()
}

//   g─a1(payment)     leaves the chain
//   g─b1─b2           replaces it
#[test]
fn a_payment_of_others_that_lost_its_block_is_announced_from_then_on() {
    let (mut losing, mut winning) = (Maker::new(1), Maker::new(2));
    let payment = pay(allocated(&params(), 1), 1, 2, 10_000);
    let taken = losing
        .pool
        .accept(Arc::clone(&payment), &losing.state, losing.time);
    taken.expect("memory").expect("valid");
    let lost = losing.next();
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&losing);
    assert_eq!(
        lone.gossip(peer, Topic::Block, lost.as_ref()),
        Verdict::Accept
    );
    for (block, verdict) in winning
        .mine(2)
        .iter()
        .zip([Verdict::Ignore, Verdict::Accept])
    {
        assert_eq!(lone.gossip(peer, Topic::Block, block.as_ref()), verdict);
    }
    assert!(lone.node.mempool().contains(&payment.txid()));
    assert_eq!(published(&mut lone), 1);
    lone.pass_ms(REBROADCAST_MS);
    assert_eq!(published(&mut lone), 1);
}

//   side A  g─…─a1(payment)─a2       loses, the payment waits again
//   side B  g─…─b1─b2─b3─…           wins and never saw the payment
#[test]
fn losing_branch_transactions_return() {
    let mut network = Network::new(5);
    for mean_ms in [20_000.0, 20_000.0, 4_000.0, 20_000.0] {
        network.add(Some(mean_ms));
    }
    network.link_all();
    network.run_ms(10_000);
    network.partition(&[&[0, 1], &[2, 3]]);
    let payment = pay(allocated(&params(), 2), 2, 3, 10_000);
    network.submit(0, Arc::clone(&payment));
    let outpoint = payment.outpoint(0);
    network.run_until(400_000, "side A mines it", |network| {
        network.hosts[0]
            .node
            .state()
            .coin(&outpoint)
            .expect("memory")
            .is_some()
    });
    network.run_until(400_000, "side B has more", |network| {
        network.hosts[2].height() > network.hosts[0].height() + 2
    });
    assert!(
        network.hosts[2]
            .node
            .state()
            .coin(&outpoint)
            .expect("memory")
            .is_none()
    );
    network.stop_mining();
    network.heal();
    network.run_until(30_000, "one tip", Network::has_one_tip);
    network.run_until(15_000, "the payment waits everywhere", |network| {
        network
            .hosts
            .iter()
            .all(|host| host.node.mempool().contains(&payment.txid()))
    });
    network.feed(3, Input::MiningSwitched { enabled: true });
    network.run_until(200_000, "the winning side mines it", |network| {
        has_mined(network, &payment)
    });
}

#[test]
fn a_block_frees_waiting_payments_whatever_their_names_are() {
    let grandparent = pay(allocated(&params(), 1), 1, 2, 10_000);
    // The child is tried first: by name it stands before its parent.
    let families = (0_u64..64).map(|step| {
        let parent = pay(first_output(&grandparent), 2, 3, 10_000 + step);
        let child = pay(first_output(&parent), 3, 2, 10_000);
        (parent, child)
    });
    let family = families
        .into_iter()
        .find(|(parent, child)| child.txid() < parent.txid());
    let (parent, child) = family.expect("every second one");
    let mut maker = Maker::new(1);
    let mut lone = Lone::new();
    lone.now_ms = 60_000;
    let peer = lone.connect_with(&maker);
    for orphan in [&child, &parent] {
        let verdict = lone.gossip(peer, Topic::Transaction, orphan.as_ref());
        assert_eq!(verdict, Verdict::Ignore);
    }
    let taken = maker.pool.accept(grandparent, &maker.state, maker.time);
    taken.expect("memory does not fail").expect("it is fine");
    let block = maker.next();
    assert_eq!(block.transactions.len(), 2);
    assert_eq!(
        lone.gossip(peer, Topic::Block, block.as_ref()),
        Verdict::Accept
    );
    let waits = |transaction: &Transaction| lone.node.mempool().contains(&transaction.txid());
    assert!(waits(&parent) && waits(&child));
}
