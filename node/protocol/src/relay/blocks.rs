//! A block arrives by gossip, from the miner or from a local client. These ways
//! and that of requested blocks meet in [`Node::take_block`].

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::UnixMillis;

use super::delay_ms;
use super::judgement::{Announce, Taken};
use crate::chain::Chain;
use crate::event::{Event, Source};
use crate::input::{Call, GossipId, Now, Peer};
use crate::limits::{BLOCK_BYTES_MAX, GOSSIP_AHEAD_MAX, GOSSIP_DEPTH_MAX};
use crate::node::Node;
use crate::output::{Answer, DisconnectReason, Outbox, Output, Topic, Verdict};

/// Where a gossiped block would stand.
enum Place {
    /// Worth a full check.
    Near,
    /// Its body is here.
    Known,
    /// It breaks a rule, as we know from before.
    Invalid,
    /// Too deep below the tip or too high above it.
    Far,
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    pub(super) fn on_block_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        match decode_block(bytes) {
            Ok(block) => {
                let named = (block.hash(), &Arc::new(block));
                self.on_gossiped_block(now, (id, peer), sent_at, named, out)
            }
            Err(detail) => {
                verdict(id, Verdict::Reject, out);
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                Ok(())
            }
        }
    }

    pub(super) fn on_gossiped_block(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        (hash, block): (BlockHash, &Arc<Block>),
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.relay.note_gossiped(hash);
        match self.place(block, hash) {
            Place::Known | Place::Far => {
                verdict(id, Verdict::Ignore, out);
                self.charge_gossip(now, peer, block.total_size(), out);
            }
            Place::Invalid => {
                verdict(id, Verdict::Reject, out);
                let detail = format!("block {hash} breaks a rule");
                self.drop_peer(peer, DisconnectReason::InvalidBlock, detail, out);
            }
            Place::Near => {
                let delay_ms = delay_ms(now, sent_at);
                out.event(Event::BlockArrived {
                    hash,
                    delay_ms,
                    peer,
                });
                let announce = Announce::Verdict(id);
                let source = Source::Gossip(peer);
                let taken = self.take_block(now, (hash, block), source, announce, out)?;
                if matches!(taken, Taken::Refused(..)) {
                    self.charge_gossip(now, peer, block.total_size(), out);
                }
            }
        }
        let is_tip = self.state.tip().hash == hash;
        let is_in_tree = is_tip || self.state.tree().contains(&hash);
        if let Some(state) = self.peers.get_mut(peer).filter(|_| is_in_tree) {
            state.best = Some(hash);
            if !is_tip {
                self.sync.unsettle();
            }
        }
        Ok(())
    }

    pub(crate) fn on_block_mined(
        &mut self,
        now: Now,
        block: &Arc<Block>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        self.miner.on_solved();
        let named = (block.hash(), block);
        self.take_block(now, named, Source::Miner, Announce::Publish, out)?;
        Ok(())
    }

    pub(crate) fn on_block_submitted(
        &mut self,
        now: Now,
        call: Call,
        block: &Arc<Block>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let hash = block.hash();
        let (named, announce) = ((hash, block), Announce::Publish);
        let answer = match self.take_block(now, named, Source::Local, announce, out)? {
            Taken::Kept => Answer::BlockAccepted { hash },
            Taken::Refused(rule, message) => Answer::BlockRefused { rule, message },
        };
        out.push(Output::Answer { call, answer });
        Ok(())
    }

    fn place(&self, block: &Block, hash: BlockHash) -> Place {
        let tree = self.state.tree();
        let tip = self.state.tip();
        match tree.get(&hash) {
            // Only the operator does not want it; others do no wrong.
            Some(_) if tree.is_forbidden(&hash) => return Place::Known,
            Some(entry) if entry.status.is_invalid() => return Place::Invalid,
            Some(entry) if entry.status.has_body() => return Place::Known,
            _ => {}
        }
        let Some(parent) = tree.get(&block.header.previous) else {
            return Place::Near;
        };
        let height = parent.height.0.saturating_add(1);
        let is_deep = height.saturating_add(GOSSIP_DEPTH_MAX) < tip.height.0;
        let is_high = height > tip.height.0.saturating_add(GOSSIP_AHEAD_MAX);
        let has_more_work = parent.chainwork >= tip.chainwork;
        if is_high || (is_deep && !has_more_work) {
            Place::Far
        } else {
            Place::Near
        }
    }
}

fn decode_block(bytes: &[u8]) -> Result<Block, String> {
    if bytes.len() > BLOCK_BYTES_MAX {
        return Err(format!("a block of {} bytes", bytes.len()));
    }
    decode(bytes).map_err(|error| format!("gossiped block: {error}"))
}

pub(super) fn verdict(id: GossipId, verdict: Verdict, out: &mut Outbox) {
    out.push(Output::GossipVerdict {
        id,
        topic: Topic::Block,
        verdict,
    });
}
