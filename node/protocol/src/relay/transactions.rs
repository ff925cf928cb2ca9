//! A transaction arrives by gossip or from a local client, or comes back from a
//! block that left the chain.

use std::collections::VecDeque;
use std::sync::Arc;

use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::Txid;
use minichain_chain::mempool::MempoolError;
use minichain_chain::state::Moved;
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::{UnixMillis, UnixSeconds};
use minichain_chain::transaction::Transaction;

use super::delay_ms;
use crate::chain::Chain;
use crate::event::Event;
use crate::input::{Call, GossipId, Now, Peer};
use crate::limits::{EXPIRY_LOOK_MS, REBROADCAST_MAX, TRANSACTION_BYTES_MAX};
use crate::node::Node;
use crate::output::{Answer, DisconnectReason, Outbox, Output, Topic, Verdict};
use crate::saved::SavedTransaction;

impl<S: Store, C: Chain<S>> Node<S, C> {
    pub(super) fn on_transaction_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        match decode_transaction(bytes) {
            Ok(transaction) => {
                let transaction = Arc::new(transaction);
                self.on_gossiped_transaction(now, (id, peer), sent_at, transaction, out)
            }
            Err(detail) => {
                verdict(id, Verdict::Reject, out);
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                Ok(())
            }
        }
    }

    pub(super) fn on_gossiped_transaction(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        transaction: Arc<Transaction>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        // While many blocks are missing most inputs are unknown here.
        if self.sync.is_bulk() {
            verdict(id, Verdict::Ignore, out);
            return Ok(());
        }
        match self.admit(now, &transaction, out)? {
            Ok(txid) => {
                verdict(id, Verdict::Accept, out);
                let delay_ms = delay_ms(now, sent_at);
                out.event(Event::TransactionArrived {
                    txid,
                    delay_ms,
                    peer,
                });
                self.admit_children(now, txid, out)?;
            }
            Err(error) if error.is_never_valid() => {
                verdict(id, Verdict::Reject, out);
                tell_rejected(&transaction, &error, out);
                let detail = format!("transaction {}: {error}", transaction.txid());
                self.drop_peer(peer, DisconnectReason::InvalidTransaction, detail, out);
            }
            Err(error) => {
                verdict(id, Verdict::Ignore, out);
                tell_rejected(&transaction, &error, out);
                if matches!(error, MempoolError::MissingInputs { .. }) {
                    self.relay.orphans.insert(transaction, now.monotonic_ms);
                }
            }
        }
        self.tell_orphans(out);
        Ok(())
    }

    pub(crate) fn on_transaction_submitted(
        &mut self,
        now: Now,
        call: Call,
        transaction: &Arc<Transaction>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let txid = transaction.txid();
        let answer = match self.admit(now, transaction, out)? {
            Ok(_) => {
                publish(transaction, out);
                self.relay.own.insert(txid, now.monotonic_ms);
                self.admit_children(now, txid, out)?;
                self.tell_orphans(out);
                Answer::TransactionAccepted { txid }
            }
            // Whoever hands it in again wants it announced again.
            Err(MempoolError::AlreadyKnown { .. }) => {
                publish(transaction, out);
                self.relay.own.insert(txid, now.monotonic_ms);
                Answer::TransactionAccepted { txid }
            }
            Err(error) => {
                tell_rejected(transaction, &error, out);
                Answer::TransactionRefused { error }
            }
        };
        out.push(Output::Answer { call, answer });
        Ok(())
    }

    /// Announces again what is ours and still waits.
    pub(crate) fn rebroadcast(&mut self, now: Now, out: &mut Outbox) {
        for txid in self.relay.own.take_due(now.monotonic_ms) {
            if let Some(transaction) = self.mempool.get(&txid) {
                publish(transaction, out);
                self.relay.own.insert(txid, now.monotonic_ms);
            }
        }
    }

    /// Takes in what waited when the node last ended, as far as it still fits.
    pub(crate) fn restore_mempool(
        &mut self,
        now: Now,
        entries: Vec<SavedTransaction>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        for saved in entries {
            // What came by a clock ahead of ours would never expire.
            let time = saved.time.min(now.seconds());
            match self.admit_at(now, time, &saved.transaction, out)? {
                Ok(txid) if saved.is_own => self.relay.own.insert(txid, now.monotonic_ms),
                Ok(_) => {}
                Err(error) => tell_rejected(&saved.transaction, &error, out),
            }
        }
        Ok(())
    }

    /// Drops what has waited too long; looks once in a while.
    pub(crate) fn expire_transactions(&mut self, now: Now, out: &mut Outbox) {
        if self.mempool.is_empty() {
            self.relay.expiry_ms = None;
            return;
        }
        let due_ms = self.relay.expiry_ms;
        if due_ms.is_some_and(|due_ms| now.monotonic_ms < due_ms) {
            return;
        }
        self.relay.expiry_ms = Some(now.monotonic_ms + EXPIRY_LOOK_MS);
        if !self.mempool.expire(now.seconds()).is_empty() {
            self.tell_mempool(out);
            self.miner.on_mempool_changed();
        }
    }

    /// Looks after the transactions of blocks that left the chain, and those
    /// that waited for inputs which may have come.
    pub(super) fn after_tip_changed(
        &mut self,
        now: Now,
        disconnected: &[Moved],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.tell_mempool(out);
        self.compare_after_tip_change(!disconnected.is_empty());
        self.announce_returned(now, disconnected, out)?;
        if !self.sync.is_bulk() {
            self.retry_orphans(now, out)?;
            self.tell_orphans(out);
        }
        Ok(())
    }

    /// The other side of a healed partition may never have seen what left the
    /// chain and waits again.
    fn announce_returned(
        &mut self,
        now: Now,
        disconnected: &[Moved],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let mut room = REBROADCAST_MAX;
        for moved in disconnected {
            if room == 0 || self.mempool.is_empty() {
                break;
            }
            let block = moved.block(&self.state)?;
            let left = block.transactions.iter().skip(1);
            let returned = left.filter_map(|tx| self.mempool.get(&tx.txid()).cloned());
            for transaction in returned.take(room) {
                publish(&transaction, out);
                self.relay.own.insert(transaction.txid(), now.monotonic_ms);
                room -= 1;
            }
        }
        Ok(())
    }

    /// Tries all that wait for their inputs; those still without wait on.
    fn retry_orphans(&mut self, now: Now, out: &mut Outbox) -> Result<(), StoreError> {
        for waiting in self.relay.orphans.take_all() {
            match self.admit(now, &waiting.transaction, out)? {
                Ok(txid) => {
                    publish(&waiting.transaction, out);
                    // Those that were tried before it and still wait.
                    self.admit_children(now, txid, out)?;
                }
                Err(MempoolError::MissingInputs { .. }) => self.relay.orphans.put_back(waiting),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tries the waiting children of `parent`, their children, and so on.
    pub(super) fn admit_children(
        &mut self,
        now: Now,
        parent: Txid,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let mut parents = VecDeque::from([parent]);
        while let Some(parent) = parents.pop_front() {
            for child in self.relay.orphans.take_children(&parent) {
                if let Ok(txid) = self.admit(now, &child, out)? {
                    publish(&child, out);
                    parents.push_back(txid);
                }
            }
        }
        Ok(())
    }

    /// Offers a transaction to the mempool and tells if it was taken.
    pub(super) fn admit(
        &mut self,
        now: Now,
        transaction: &Arc<Transaction>,
        out: &mut Outbox,
    ) -> Result<Result<Txid, MempoolError>, StoreError> {
        self.admit_at(now, now.seconds(), transaction, out)
    }

    /// The same for one that came at another time.
    fn admit_at(
        &mut self,
        now: Now,
        time: UnixSeconds,
        transaction: &Arc<Transaction>,
        out: &mut Outbox,
    ) -> Result<Result<Txid, MempoolError>, StoreError> {
        let transaction = Arc::clone(transaction);
        match self.mempool.accept(transaction, &self.state, time)? {
            Ok(accepted) => {
                let txid = accepted.txid;
                let (fee, vsize) = (accepted.fee, accepted.vsize);
                let waits = &mut self.relay.waits;
                waits.begin(txid, now.monotonic_ms, &self.mempool);
                out.event(Event::TransactionAccepted { txid, fee, vsize });
                self.tell_mempool(out);
                self.miner.on_mempool_changed();
                Ok(Ok(txid))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    pub(super) fn tell_orphans(&mut self, out: &mut Outbox) {
        let transactions = u32::try_from(self.relay.orphans.len()).unwrap_or(u32::MAX);
        if self.relay.orphans_told != transactions {
            self.relay.orphans_told = transactions;
            out.event(Event::OrphansChanged { transactions });
        }
    }

    fn tell_mempool(&mut self, out: &mut Outbox) {
        let (transactions, vbytes) = (self.mempool.len() as u64, self.mempool.vbytes());
        if self.relay.mempool_told != (transactions, vbytes) {
            self.relay.mempool_told = (transactions, vbytes);
            out.event(Event::MempoolChanged {
                transactions,
                vbytes,
            });
        }
    }
}

fn decode_transaction(bytes: &[u8]) -> Result<Transaction, String> {
    if bytes.len() > TRANSACTION_BYTES_MAX {
        return Err(format!("a gossiped transaction of {} bytes", bytes.len()));
    }
    decode(bytes).map_err(|error| format!("gossiped transaction: {error}"))
}

fn verdict(id: GossipId, verdict: Verdict, out: &mut Outbox) {
    out.push(Output::GossipVerdict {
        id,
        topic: Topic::Transaction,
        verdict,
    });
}

/// Tells of a refusal; having a transaction already is none.
pub(super) fn tell_rejected(transaction: &Transaction, error: &MempoolError, out: &mut Outbox) {
    if !matches!(error, MempoolError::AlreadyKnown { .. }) {
        let (txid, reason, message) = (transaction.txid(), error.rule(), error.to_string());
        out.event(Event::TransactionRejected {
            txid,
            reason,
            message,
        });
    }
}

pub(super) fn publish(transaction: &Arc<Transaction>, out: &mut Outbox) {
    let bytes = encode(transaction.as_ref());
    out.push(Output::Publish {
        topic: Topic::Transaction,
        bytes,
    });
}
