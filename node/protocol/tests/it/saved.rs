//! What waited when a node ended waits again, if it still fits.

use std::sync::Arc;

use minichain_chain::hash::BlockHash;
use minichain_chain::time::UnixSeconds;
use minichain_chain::transaction::Transaction;
use minichain_protocol::event::Event;
use minichain_protocol::input::{Call, Input};
use minichain_protocol::limits::REBROADCAST_MS;
use minichain_protocol::output::{Output, Topic};
use minichain_protocol::saved::{SAVED_VERSION, SavedPool, SavedPoolError, SavedTransaction};

use crate::support::chain::{Maker, allocated, config, first_output, params, pay};
use crate::support::lone::Lone;

fn payment(account: usize) -> Arc<Transaction> {
    pay(allocated(&params(), account), account, 0, 10_000)
}

/// A node with one payment of its own, one of others and a child of that.
fn busy() -> Lone {
    let maker = Maker::new(1);
    let mut lone = Lone::new();
    let peer = lone.connect_with(&maker);
    lone.now_ms = 5_000;
    lone.feed(Input::TransactionSubmitted {
        call: Call(1),
        transaction: payment(1),
    });
    let other = payment(2);
    lone.gossip(peer, Topic::Transaction, other.as_ref());
    let child = pay(first_output(&other), 0, 3, 20_000);
    lone.gossip(peer, Topic::Transaction, child.as_ref());
    lone
}

fn restored(mut lone: Lone, entries: Vec<SavedTransaction>) -> Lone {
    lone.now_ms = 10_000;
    lone.feed(Input::MempoolRestored { entries });
    lone
}

#[test]
fn what_was_saved_waits_again_as_it_did() {
    let before = busy().node.saved_pool();
    let own: Vec<_> = before.entries.iter().map(|entry| entry.is_own).collect();
    assert_eq!(own, [true, false, false]);
    let bytes = before.to_bytes();
    let read = SavedPool::from_bytes(&bytes, params().genesis_hash());
    assert_eq!(read.as_ref(), Ok(&before));
    let mut lone = restored(Lone::new(), before.entries.clone());
    assert_eq!(lone.node.saved_pool(), before);
    lone.outputs.clear();
    lone.pass_ms(REBROADCAST_MS);
    let is_published = |output: &&Output| matches!(output, Output::Publish { .. });
    assert_eq!(lone.outputs.iter().filter(is_published).count(), 1);
}

#[test]
fn every_saved_transaction_is_checked_like_a_new_one() {
    let mut entries = busy().node.saved_pool().entries;
    let mut forged = entries[0].transaction.as_ref().clone();
    forged.inputs[0].witness.0[0][9] ^= 1;
    entries[0].transaction = Arc::new(forged);
    // Without its parent the child has nothing to spend.
    entries.remove(1);
    let lone = restored(Lone::new(), entries);
    assert_eq!(lone.node.mempool().len(), 0);
    let reasons = lone.events().into_iter().filter_map(|event| match event {
        Event::TransactionRejected { reason, .. } => Some(*reason),
        _ => None,
    });
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(reasons, ["invalid_signature", "missing_inputs"]);
}

#[test]
fn time_that_passed_while_the_node_was_down_counts() {
    let mut config = config(false);
    config.mempool.expiry_s = 3_600;
    let mut entries = busy().node.saved_pool().entries;
    entries[0].time = UnixSeconds(1_600_000_000);
    // A clock that was ahead keeps nothing for ever.
    entries[1].time = UnixSeconds(u32::MAX);
    let lone = restored(Lone::configured(config), entries);
    let waiting: Vec<_> = lone.node.saved_pool().entries;
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].transaction, payment(2));
    assert_eq!(waiting[0].time, lone.now().seconds());
}

#[test]
fn bytes_that_were_changed_or_are_of_others_are_refused() {
    let genesis = params().genesis_hash();
    let pool = busy().node.saved_pool();
    let bytes = pool.to_bytes();
    for length in 0..bytes.len() {
        assert!(SavedPool::from_bytes(&bytes[..length], genesis).is_err());
    }
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 4;
        assert!(SavedPool::from_bytes(&changed, genesis).is_err());
    }
    let refused = |bytes: &[u8]| SavedPool::from_bytes(bytes, genesis).expect_err("refused");
    assert_eq!(refused(b"other"), SavedPoolError::Foreign);
    let mut newer = bytes.clone();
    newer[8] += 1;
    let found = SAVED_VERSION + 1;
    assert_eq!(refused(&newer), SavedPoolError::OtherVersion { found });
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(refused(&longer), SavedPoolError::Damaged);
    let found = BlockHash::from_bytes([7; 32]);
    let other = SavedPool {
        genesis: found,
        ..pool
    };
    let expected = SavedPoolError::OtherGenesis { found };
    assert_eq!(refused(&other.to_bytes()), expected);
}
