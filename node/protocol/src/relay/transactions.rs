//! A transaction arrives by gossip or from a local client, or comes back from a
//! block that left the chain.

use std::collections::VecDeque;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::Txid;
use minichain_chain::mempool::MempoolError;
use minichain_chain::store::{Store, StoreError};
use minichain_chain::transaction::Transaction;

use crate::event::Event;
use crate::input::{Call, GossipId, Now, Peer};
use crate::limits::{REBROADCAST_MAX, REBROADCAST_MS, TRANSACTION_BYTES_MAX};
use crate::node::Node;
use crate::output::{Answer, DisconnectReason, Outbox, Output, Topic, Verdict};

impl<S: Store> Node<S> {
    pub(super) fn on_transaction_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let transaction = match decode_transaction(bytes) {
            Ok(transaction) => Arc::new(transaction),
            Err(detail) => {
                verdict(id, Verdict::Reject, out);
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                return Ok(());
            }
        };
        // While many blocks are missing most inputs are unknown here.
        if self.sync.is_bulk() {
            verdict(id, Verdict::Ignore, out);
            return Ok(());
        }
        match self.admit(&transaction, out)? {
            Ok(txid) => {
                verdict(id, Verdict::Accept, out);
                self.admit_children(txid, out)?;
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
        let answer = match self.admit(transaction, out)? {
            Ok(_) => {
                publish(transaction, out);
                self.own(now, txid);
                self.admit_children(txid, out)?;
                Answer::TransactionAccepted { txid }
            }
            // Whoever hands it in again wants it announced again.
            Err(MempoolError::AlreadyKnown { .. }) => {
                publish(transaction, out);
                self.own(now, txid);
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
        if self
            .relay
            .rebroadcast_ms
            .is_none_or(|due_ms| now.monotonic_ms < due_ms)
        {
            return;
        }
        let mempool = &self.mempool;
        self.relay.own.retain(|txid| mempool.contains(txid));
        for txid in &self.relay.own {
            if let Some(transaction) = mempool.get(txid) {
                publish(transaction, out);
            }
        }
        let is_idle = self.relay.own.is_empty();
        self.relay.rebroadcast_ms = (!is_idle).then_some(now.monotonic_ms + REBROADCAST_MS);
    }

    /// Looks after the transactions of blocks that left the chain, and those
    /// that waited for inputs which may have come.
    pub(super) fn after_tip_changed(
        &mut self,
        now: Now,
        disconnected: &[Arc<Block>],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.tell_mempool(out);
        let left = disconnected
            .iter()
            .flat_map(|block| block.transactions.iter().skip(1));
        let returned: Vec<Txid> = left
            .map(Transaction::txid)
            .filter(|txid| self.mempool.contains(txid))
            .collect();
        // The other side of a healed partition may never have seen them.
        for txid in returned.into_iter().take(REBROADCAST_MAX) {
            if let Some(transaction) = self.mempool.get(&txid) {
                publish(transaction, out);
            }
            self.own(now, txid);
        }
        if !self.sync.is_bulk() {
            self.retry_orphans(out)?;
        }
        Ok(())
    }

    /// Tries all that wait for their inputs; those still without wait on.
    fn retry_orphans(&mut self, out: &mut Outbox) -> Result<(), StoreError> {
        for waiting in self.relay.orphans.take_all() {
            match self.admit(&waiting.transaction, out)? {
                Ok(_) => publish(&waiting.transaction, out),
                Err(MempoolError::MissingInputs { .. }) => self.relay.orphans.put_back(waiting),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Tries the waiting children of `parent`, their children, and so on.
    fn admit_children(&mut self, parent: Txid, out: &mut Outbox) -> Result<(), StoreError> {
        let mut parents = VecDeque::from([parent]);
        while let Some(parent) = parents.pop_front() {
            for child in self.relay.orphans.take_children(&parent) {
                if let Ok(txid) = self.admit(&child, out)? {
                    publish(&child, out);
                    parents.push_back(txid);
                }
            }
        }
        Ok(())
    }

    /// Offers a transaction to the mempool and tells if it was taken.
    fn admit(
        &mut self,
        transaction: &Arc<Transaction>,
        out: &mut Outbox,
    ) -> Result<Result<Txid, MempoolError>, StoreError> {
        match self.mempool.accept(Arc::clone(transaction), &self.state)? {
            Ok(accepted) => {
                let txid = accepted.txid;
                let (fee, vsize) = (accepted.fee, accepted.vsize);
                out.event(Event::TransactionAccepted { txid, fee, vsize });
                self.tell_mempool(out);
                self.miner.on_mempool_changed();
                Ok(Ok(txid))
            }
            Err(error) => Ok(Err(error)),
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

    /// From now on this node announces a transaction until it is confirmed.
    fn own(&mut self, now: Now, txid: Txid) {
        if self.relay.own.len() < REBROADCAST_MAX {
            self.relay.own.insert(txid);
            let due_ms = now.monotonic_ms + REBROADCAST_MS;
            self.relay.rebroadcast_ms.get_or_insert(due_ms);
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
fn tell_rejected(transaction: &Transaction, error: &MempoolError, out: &mut Outbox) {
    if !matches!(error, MempoolError::AlreadyKnown { .. }) {
        let (txid, reason, message) = (transaction.txid(), error.rule(), error.to_string());
        out.event(Event::TransactionRejected {
            txid,
            reason,
            message,
        });
    }
}

fn publish(transaction: &Arc<Transaction>, out: &mut Outbox) {
    let bytes = encode(transaction.as_ref());
    out.push(Output::Publish {
        topic: Topic::Transaction,
        bytes,
    });
}
