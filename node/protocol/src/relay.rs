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
mod own;
mod pools;
mod seen;
mod steering;
mod transactions;
mod waiting;

use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::UnixMillis;

pub(crate) use self::judgement::Announce;
use self::orphans::Orphans;
use self::own::Own;
pub(crate) use self::pools::Comparison;
use self::pools::Pools;
use self::seen::Seen;
use self::waiting::Waits;
use crate::chain::Chain;
use crate::input::{Content, GossipId, Now, Peer};
use crate::node::Node;
use crate::output::{Outbox, Output, Topic, Verdict};

/// What gossip needs to remember.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    seen: Seen,
    orphans: Orphans,
    /// Unconfirmed transactions that this node answers for.
    own: Own,
    pools: Pools,
    /// When to look for transactions that have waited too long.
    expiry_ms: Option<u64>,
    /// Transactions and virtual bytes in the mempool as last told.
    mempool_told: (u64, u64),
    /// Orphans as last told.
    orphans_told: u32,
    /// Since when transactions wait.
    waits: Waits,
}

/// Longest propagation delay told; beyond it clocks are wrong, not links slow.
const DELAY_MS_MAX: u64 = 600_000;

/// How long gossip was under way, by its first sender's clock and ours.
fn delay_ms(now: Now, sent_at: Option<UnixMillis>) -> Option<u64> {
    sent_at.map(|sent| now.unix.saturating_since(sent).min(DELAY_MS_MAX))
}

impl Relay {
    /// Whether a block came by gossip lately, from whomever.
    pub fn was_gossiped(&self, hash: &BlockHash) -> bool {
        self.seen.contains(hash)
    }

    /// When our own transactions are announced again.
    pub fn next_rebroadcast_ms(&self) -> Option<u64> {
        self.own.next_due_ms()
    }

    /// When transactions that have waited too long are looked for again.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.expiry_ms
    }

    /// Whether this node announces a transaction until it is confirmed.
    pub fn is_own(&self, txid: &Txid) -> bool {
        self.own.contains(txid)
    }

    pub fn forget_peer(&mut self, peer: Peer) {
        self.pools.forget_peer(peer);
    }

    /// Something of all its parts, for who only wants them read.
    pub fn glance(&self) -> u64 {
        let counts = self.orphans.len() as u64 + u64::from(self.orphans_told);
        let due_ms = self.own.next_due_ms().unwrap_or_default();
        counts + due_ms + self.mempool_told.0 + self.seen.glance()
    }

    fn note_gossiped(&mut self, hash: BlockHash) {
        self.seen.insert(hash);
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
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
            Topic::Transaction => self.on_transaction_gossip(now, (id, peer), sent_at, bytes, out),
        }
    }

    pub(crate) fn on_decoded_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        content: Content,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if !self.peers.contains(peer) {
            let topic = match content {
                Content::Block { .. } => Topic::Block,
                Content::Transaction(_) => Topic::Transaction,
            };
            out.push(Output::GossipVerdict {
                id,
                topic,
                verdict: Verdict::Ignore,
            });
            return Ok(());
        }
        match content {
            Content::Block { hash, block } => {
                self.on_gossiped_block(now, (id, peer), sent_at, (hash, &block), out)
            }
            Content::Transaction(transaction) => {
                self.on_gossiped_transaction(now, (id, peer), sent_at, transaction, out)
            }
        }
    }
}
