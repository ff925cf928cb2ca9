//! Mempools are compared with peers, and what is lacking is fetched.
//!
//! Gossip tells of a transaction once. Whoever was behind a cut then, or was
//! restarted since, would wait for its owner to announce it again. So a node
//! asks for the names of what waits with a peer when the peer's standing tells
//! of another mempool, and behind a status that does not tell. The question
//! carries a digest of its own mempool; equal ones cost one short answer. A cut that no transport notices needs no other sign: the
//! next status that comes through brings the comparison.
//!
//! One question is open with one peer at a time, and a transaction is asked of
//! one peer at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use minichain_chain::codec::Encode;
use minichain_chain::hash::Txid;
use minichain_chain::mempool::MempoolError;
use minichain_chain::store::{Store, StoreError};
use minichain_chain::transaction::Transaction;

use super::transactions::{publish, tell_rejected};
use crate::chain::Chain;
use crate::input::{Now, Peer, RequestFailure};
use crate::limits::{
    COMPARISON_MS_MAX, FETCHED_GOSSIPED_MAX, INVENTORY_MAX, INVENTORY_TOTAL_MAX,
    POOL_PROTOCOL_VERSION, REFUSED_MAX, TRANSACTIONS_BYTES_MAX, TRANSACTIONS_MAX,
};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox};
use crate::requests::Purpose;
use crate::wire::{GetInventory, GetTransactions, Inventory, Request};

/// What the comparisons with all peers share.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// Our digest and the revision of the mempool it is of.
    digest: Option<(u64, [u8; 32])>,
    /// Transactions asked for, and of whom.
    asked: BTreeMap<Txid, Peer>,
    /// Something of a peer's was refused on the present tip.
    has_refused: bool,
}

/// How far the comparison with one peer is.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// A question is open.
    is_open: bool,
    /// It does not know these questions although its version says so.
    is_deaf: bool,
    /// Not begun anew before.
    due_ms: u64,
    /// Names it told and we lack, parents first.
    lacking: VecDeque<Txid>,
    /// Where its names go on; 0: it told all.
    next: u64,
    /// Names it told in this comparison.
    told: usize,
    /// Something was lacking and did not come.
    is_partial: bool,
    /// What it has and we refused, on the present tip.
    refused: BTreeSet<Txid>,
}

impl Pools {
    pub fn forget_peer(&mut self, gone: Peer) {
        self.asked.retain(|_, peer| *peer != gone);
    }
}

impl Comparison {
    fn refuse(&mut self, txid: Txid) {
        if self.refused.len() >= REFUSED_MAX {
            self.refused.clear();
        }
        self.refused.insert(txid);
    }

    /// Ends it. The more names it took, the later the next one.
    fn end(&mut self, now_ms: u64, poll_ms: u64) {
        let pages_ms = poll_ms.saturating_mul(self.told as u64) / INVENTORY_MAX as u64;
        let pause_ms = if self.is_partial { 0 } else { pages_ms };
        *self = Self {
            due_ms: now_ms + poll_ms / 2 + pause_ms.min(COMPARISON_MS_MAX),
            refused: std::mem::take(&mut self.refused),
            ..Self::default()
        };
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Begins a comparison with a peer that just answered, if one is due.
    pub(crate) fn compare_pools(&mut self, now: Now, peer: Peer, out: &mut Outbox) {
        let is_bulk = self.sync.is_bulk();
        let Some(state) = self.peers.get(peer) else {
            return;
        };
        let comparison = &state.comparison;
        let is_due = !comparison.is_open && comparison.due_ms <= now.monotonic_ms;
        let is_able = state.speaks(POOL_PROTOCOL_VERSION) && !comparison.is_deaf;
        // While many blocks are missing most inputs are unknown here.
        if is_due && is_able && !is_bulk {
            self.ask_inventory(peer, 0, out);
        }
    }

    /// The chain changed: what was refused may fit now, and after a reorg
    /// everybody may lack something.
    pub(super) fn compare_after_tip_change(&mut self, is_reorg: bool) {
        let has_refused = std::mem::take(&mut self.relay.pools.has_refused);
        if !has_refused && !is_reorg {
            return;
        }
        for (_, state) in self.peers.ready_mut() {
            state.comparison.refused.clear();
            if is_reorg {
                state.comparison.due_ms = 0;
            }
        }
    }

    /// Digest of our mempool, kept while that is the same.
    pub(crate) fn pool_digest(&mut self) -> [u8; 32] {
        let revision = self.mempool.revision();
        match self.relay.pools.digest {
            Some((of, digest)) if of == revision => digest,
            _ => {
                let digest = self.mempool.digest();
                self.relay.pools.digest = Some((revision, digest));
                digest
            }
        }
    }

    fn ask_inventory(&mut self, peer: Peer, from: u64, out: &mut Outbox) {
        let digest = self.pool_digest();
        let request = Request::Inventory(GetInventory { digest, from });
        self.ask(peer, &request, Purpose::Inventory { from }, out);
        if let Some(state) = self.peers.get_mut(peer) {
            state.comparison.is_open = true;
        }
    }

    pub(crate) fn on_inventory(
        &mut self,
        now: Now,
        peer: Peer,
        from: u64,
        inventory: &Inventory,
        out: &mut Outbox,
    ) {
        if inventory.next != 0 && (inventory.next <= from || inventory.txids.is_empty()) {
            let detail = "its list of waiting transactions does not go on";
            self.drop_peer(peer, DisconnectReason::WrongAnswer, detail, out);
            return;
        }
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        let comparison = &mut state.comparison;
        comparison.told += inventory.txids.len();
        let is_enough = comparison.told >= INVENTORY_TOTAL_MAX;
        comparison.next = if is_enough { 0 } else { inventory.next };
        comparison.lacking = inventory.txids.iter().copied().collect();
        self.go_on_comparing(now, peer, out);
    }

    /// Asks for what is lacking, then for further names, then ends.
    fn go_on_comparing(&mut self, now: Now, peer: Peer, out: &mut Outbox) {
        let poll_ms = self.timing.status_poll_ms;
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        let comparison = &mut state.comparison;
        comparison.is_open = false;
        let mut txids = Vec::new();
        while txids.len() < TRANSACTIONS_MAX
            && let Some(txid) = comparison.lacking.pop_front()
        {
            let is_here = self.mempool.contains(&txid) || self.relay.orphans.contains(&txid);
            if is_here || comparison.refused.contains(&txid) {
                continue;
            }
            if self.relay.pools.asked.contains_key(&txid) {
                comparison.is_partial = true;
            } else if !txids.contains(&txid) {
                txids.push(txid);
            }
        }
        if !txids.is_empty() {
            comparison.is_open = true;
            self.ask_transactions(peer, txids, out);
        } else if comparison.next != 0 {
            let from = comparison.next;
            self.ask_inventory(peer, from, out);
        } else {
            comparison.end(now.monotonic_ms, poll_ms);
        }
    }

    fn ask_transactions(&mut self, peer: Peer, txids: Vec<Txid>, out: &mut Outbox) {
        let asked: BTreeSet<_> = txids.iter().copied().collect();
        let entries = asked.iter().map(|txid| (*txid, peer));
        self.relay.pools.asked.extend(entries);
        let request = Request::Transactions(GetTransactions { txids });
        self.ask(peer, &request, Purpose::Transactions(asked), out);
    }

    pub(crate) fn on_transactions(
        &mut self,
        now: Now,
        peer: Peer,
        mut asked: BTreeSet<Txid>,
        transactions: &[Arc<Transaction>],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        for txid in &asked {
            self.relay.pools.asked.remove(txid);
        }
        let is_few = asked.len() <= FETCHED_GOSSIPED_MAX;
        let mut bytes = 0;
        for transaction in transactions {
            bytes += transaction.encoded_len();
            if bytes > TRANSACTIONS_BYTES_MAX || !asked.remove(&transaction.txid()) {
                let detail = "sent transactions that were not asked for, or too many";
                self.drop_peer(peer, DisconnectReason::WrongAnswer, detail, out);
                return Ok(());
            }
            if !self.on_fetched(now, peer, transaction, is_few, out)? {
                return Ok(());
            }
        }
        if let Some(state) = self.peers.get_mut(peer) {
            state.comparison.is_partial |= !asked.is_empty();
        }
        self.tell_orphans(out);
        self.go_on_comparing(now, peer, out);
        Ok(())
    }

    /// Takes a transaction that was asked for; whether its sender is still
    /// worth listening to.
    fn on_fetched(
        &mut self,
        now: Now,
        peer: Peer,
        transaction: &Arc<Transaction>,
        is_gossiped_on: bool,
        out: &mut Outbox,
    ) -> Result<bool, StoreError> {
        let txid = transaction.txid();
        let error = match self.admit(now, transaction, out)? {
            Ok(_) => {
                if is_gossiped_on {
                    publish(transaction, out);
                }
                self.admit_children(now, txid, out)?;
                return Ok(true);
            }
            Err(MempoolError::AlreadyKnown { .. }) => return Ok(true),
            Err(error) => error,
        };
        tell_rejected(transaction, &error, out);
        if error.is_never_valid() {
            let detail = format!("transaction {txid}: {error}");
            self.drop_peer(peer, DisconnectReason::InvalidTransaction, detail, out);
            return Ok(false);
        }
        if matches!(error, MempoolError::MissingInputs { .. }) {
            let now_ms = now.monotonic_ms;
            self.relay.orphans.insert(Arc::clone(transaction), now_ms);
        }
        if !self.relay.orphans.contains(&txid)
            && let Some(state) = self.peers.get_mut(peer)
        {
            state.comparison.refuse(txid);
            self.relay.pools.has_refused = true;
        }
        Ok(true)
    }

    /// A question about the mempool brought no answer. That is no reason to
    /// part; another status will come first.
    pub(crate) fn on_comparison_failed(&mut self, now: Now, peer: Peer, failure: RequestFailure) {
        self.relay.pools.forget_peer(peer);
        let poll_ms = self.timing.status_poll_ms;
        if let Some(state) = self.peers.get_mut(peer) {
            state.comparison.end(now.monotonic_ms, poll_ms);
            state.comparison.due_ms = now.monotonic_ms;
            state.comparison.is_deaf = failure == RequestFailure::Unsupported;
        }
    }
}
