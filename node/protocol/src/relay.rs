//! Gossip: what comes in gets exactly one verdict, what is ours goes out.
//!
//! A verdict is Accept only for what this node has checked wholly: a block that
//! became the tip, a transaction in the mempool. A block on a weaker branch or
//! behind a missing one is kept but not passed on, because its coins were not
//! checked and its receivers would blame us; who needs it asks for it. Reject
//! is only for what can never become valid.

mod blocks;
mod judgement;
mod orphans;
mod transactions;

use std::collections::{BTreeSet, VecDeque};

use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::UnixMillis;

pub(crate) use self::judgement::Announce;
use self::orphans::Orphans;
use crate::input::{GossipId, Now, Peer};
use crate::limits::GOSSIP_SEEN_MAX;
use crate::node::Node;
use crate::output::{Outbox, Output, Topic, Verdict};

/// What gossip needs to remember.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    seen: BTreeSet<BlockHash>,
    /// The same, oldest first.
    seen_order: VecDeque<BlockHash>,
    orphans: Orphans,
    /// Unconfirmed transactions that this node answers for.
    own: BTreeSet<Txid>,
    rebroadcast_ms: Option<u64>,
    /// Transactions and virtual bytes in the mempool as last told.
    mempool_told: (u64, u64),
}

impl Relay {
    /// Whether a block came by gossip lately, from whomever.
    pub fn was_gossiped(&self, hash: &BlockHash) -> bool {
        self.seen.contains(hash)
    }

    /// When our own transactions are announced again.
    pub fn next_rebroadcast_ms(&self) -> Option<u64> {
        self.rebroadcast_ms
    }

    fn note_gossiped(&mut self, hash: BlockHash) {
        if self.seen.insert(hash) {
            self.seen_order.push_back(hash);
        }
        if self.seen_order.len() > GOSSIP_SEEN_MAX
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

impl<S: Store> Node<S> {
    pub(crate) fn on_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        topic: Topic,
        sent_at: Option<UnixMillis>,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if !self.peers.contains(peer) {
            out.push(Output::GossipVerdict {
                id,
                topic,
                verdict: Verdict::Ignore,
            });
            return Ok(());
        }
        match topic {
            Topic::Block => self.on_block_gossip(now, (id, peer), sent_at, bytes, out),
            Topic::Transaction => self.on_transaction_gossip(now, (id, peer), bytes, out),
        }
    }
}
