//! A block arrives by gossip, from the miner or from a local client. These ways
//! and that of requested blocks meet in [`Node::take_block`].

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hash::BlockHash;
use minichain_chain::store::{Store, StoreError};
use minichain_chain::time::UnixMillis;

use super::judgement::{Announce, Taken};
use crate::event::{Event, Source};
use crate::input::{Call, GossipId, Now, Peer};
use crate::limits::{BLOCK_BYTES_MAX, GOSSIP_AHEAD_MAX, GOSSIP_DEPTH_MAX};
use crate::node::Node;
use crate::output::{Answer, DisconnectReason, Outbox, Output, Topic, Verdict};

/// Longest propagation delay told; beyond it clocks are wrong, not links slow.
const DELAY_MS_MAX: u64 = 600_000;

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

impl<S: Store> Node<S> {
    pub(super) fn on_block_gossip(
        &mut self,
        now: Now,
        (id, peer): (GossipId, Peer),
        sent_at: Option<UnixMillis>,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let block = match decode_block(bytes) {
            Ok(block) => Arc::new(block),
            Err(detail) => {
                verdict(id, Verdict::Reject, out);
                self.drop_peer(peer, DisconnectReason::Malformed, detail, out);
                return Ok(());
            }
        };
        let hash = block.hash();
        self.relay.note_gossiped(hash);
        match self.place(&block, hash) {
            Place::Known | Place::Far => verdict(id, Verdict::Ignore, out),
            Place::Invalid => {
                verdict(id, Verdict::Reject, out);
                let detail = format!("block {hash} breaks a rule");
                self.drop_peer(peer, DisconnectReason::InvalidBlock, detail, out);
            }
            Place::Near => {
                let delay_ms = sent_at.map(|sent| now.unix.saturating_since(sent));
                let delay_ms = delay_ms.map(|delay_ms| delay_ms.min(DELAY_MS_MAX));
                out.event(Event::BlockArrived {
                    hash,
                    delay_ms,
                    peer,
                });
                self.take_block(
                    now,
                    &block,
                    Source::Gossip(peer),
                    Announce::Verdict(id),
                    out,
                )?;
            }
        }
        let is_in_tree = self.state.tree().contains(&hash);
        if let Some(state) = self.peers.get_mut(peer).filter(|_| is_in_tree) {
            state.best = Some(hash);
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
        self.take_block(now, block, Source::Miner, Announce::Publish, out)?;
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
        let answer = match self.take_block(now, block, Source::Local, Announce::Publish, out)? {
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
