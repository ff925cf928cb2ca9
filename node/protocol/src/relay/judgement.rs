//! What follows from the chain's judgement of a block, whichever way it came.

use std::sync::Arc;

use minichain_chain::amount::Amount;
use minichain_chain::block::{Block, Header};
use minichain_chain::codec::encode;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::rules::{BlockError, HeaderError};
use minichain_chain::state::{Acceptance, Change, Moved};
use minichain_chain::store::{Store, StoreError};

use super::blocks::verdict;
use crate::chain::Chain;
use crate::event::{BlockSummary, Event, Source};
use crate::input::{GossipId, Now, Peer};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox, Output, Topic, Verdict};

/// Who awaits to hear what became of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Announce {
    /// Nobody.
    Nothing,
    /// Everybody, if it became the tip.
    Publish,
    /// The transport, for this gossip message.
    Verdict(GossipId),
}

/// What became of a block.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is kept; perhaps it is the tip.
    Kept,
    /// It is not kept: the rule and the sentence.
    Refused(&'static str, String),
}

impl Source {
    fn peer(self) -> Option<Peer> {
        match self {
            Self::Gossip(peer) | Self::Request(peer) => Some(peer),
            Self::Miner | Self::Local => None,
        }
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Lets the chain judge a block and orders what follows from it.
    pub(crate) fn take_block(
        &mut self,
        now: Now,
        (hash, block): (BlockHash, &Arc<Block>),
        source: Source,
        announce: Announce,
        out: &mut Outbox,
    ) -> Result<Taken, StoreError> {
        let taken = match self.state.accept_block(hash, block, now.seconds())? {
            Acceptance::TipChanged {
                disconnected,
                connected,
                rejected,
            } => {
                let change = Change {
                    disconnected,
                    connected,
                    rejected,
                };
                self.on_first_step(now, change, ((hash, block), source), announce, out)?;
                Taken::Kept
            }
            Acceptance::SideBranch { rejected } => {
                let taken = self.on_stored(hash, true, source, announce, out);
                tell_rejected(rejected, source, out);
                taken
            }
            Acceptance::AwaitingParents => self.on_stored(hash, false, source, announce, out),
            Acceptance::Orphan { missing } => self.on_orphan(hash, missing, source, announce, out),
            Acceptance::Duplicate => {
                tell(announce, Verdict::Ignore, block, out);
                Taken::Refused("duplicate", format!("block {hash} is known already"))
            }
            Acceptance::LowWork => {
                tell(announce, Verdict::Ignore, block, out);
                let message = format!("block {hash} is on a branch with too little work to keep");
                Taken::Refused("low_work", message)
            }
            Acceptance::TooNew { ahead_s } => {
                tell(announce, Verdict::Ignore, block, out);
                let message = format!(
                    "block {hash} is {ahead_s} s ahead of the clock here; compare the clocks"
                );
                Taken::Refused("too_new", message)
            }
            Acceptance::Mutated(error) => {
                let broken = (error.rule(), error.to_string());
                self.on_refused(hash, broken, source, announce, out)
            }
            Acceptance::Invalid(error) if self.is_forbidden(&block.header, &error) => {
                tell(announce, Verdict::Ignore, block, out);
                Taken::Refused(error.rule(), error.to_string())
            }
            Acceptance::Invalid(error) => {
                out.push(Output::Persist { urgent: false });
                let broken = (error.rule(), error.to_string());
                self.on_refused(hash, broken, source, announce, out)
            }
        };
        let entry = self.state.tree().get(&hash);
        match entry.filter(|entry| entry.status.has_body()) {
            Some(entry) => {
                let is_tip = self.state.tip().hash == hash;
                self.sync.on_body(hash, entry.height, is_tip);
            }
            None => self.sync.stir(),
        }
        Ok(taken)
    }

    /// Whether a header is refused for no other fault than that the operator
    /// called it, or a block below it, invalid.
    pub(crate) fn is_forbidden(&self, header: &Header, error: &BlockError) -> bool {
        let tree = self.state.tree();
        match error {
            BlockError::Header(HeaderError::KnownInvalid) => tree.is_forbidden(&header.hash()),
            BlockError::Header(HeaderError::ParentInvalid { parent }) => tree.is_forbidden(parent),
            _ => false,
        }
    }

    /// Follows the chain step by step as far as it goes, and then tells what
    /// became of the block.
    fn on_first_step(
        &mut self,
        now: Now,
        change: Change,
        (named, source): ((BlockHash, &Arc<Block>), Source),
        announce: Announce,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if !self.state.can_advance() {
            self.on_tip_changed(now, &change, (named, source), announce, out)?;
            tell_rejected(change.rejected, source, out);
            return Ok(());
        }
        let mut next = Some(change);
        while let Some(change) = next {
            if !change.connected.is_empty() {
                let silent = Announce::Nothing;
                self.on_tip_changed(now, &change, (named, source), silent, out)?;
            }
            tell_rejected(change.rejected, source, out);
            next = self.state.advance()?;
        }
        if !matches!(announce, Announce::Nothing) {
            out.push(Output::Persist { urgent: true });
            let (hash, block) = named;
            tell(announce, self.verdict_on(&hash), block, out);
        }
        Ok(())
    }

    /// A tip change may in theory leave the very block aside that caused it.
    fn verdict_on(&self, hash: &BlockHash) -> Verdict {
        if self.state.is_active(hash) {
            Verdict::Accept
        } else {
            Verdict::Ignore
        }
    }

    pub(super) fn on_tip_changed(
        &mut self,
        now: Now,
        change: &Change,
        ((hash, block), source): ((BlockHash, &Arc<Block>), Source),
        announce: Announce,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let is_bulk = self.sync.is_bulk();
        let is_awaited = !matches!(announce, Announce::Nothing);
        out.push(Output::Persist {
            urgent: is_awaited || !is_bulk,
        });
        self.mempool.on_tip_changed(
            &change.disconnected,
            &change.connected,
            &self.state,
            now.seconds(),
        )?;
        tell(announce, self.verdict_on(&hash), block, out);
        let tip = self.state.tip();
        out.event(Event::TipChanged {
            tip: tip.hash,
            height: tip.height,
            chainwork: tip.chainwork,
            disconnected: self.summaries(&change.disconnected)?,
            connected: self.summaries(&change.connected)?,
            source,
        });
        if matches!(source, Source::Miner) {
            let fees = self.fees_of(block, tip.height);
            let (hash, height) = (tip.hash, tip.height);
            out.event(Event::BlockMined { hash, height, fees });
        }
        self.tell_confirmed(now, &change.connected, out)?;
        self.miner.on_tip_changed();
        self.after_tip_changed(now, &change.disconnected, out)?;
        if matches!(source, Source::Request(_)) && !is_bulk {
            self.tell_tip(now);
        }
        Ok(())
    }

    fn on_stored(
        &mut self,
        hash: BlockHash,
        is_side_branch: bool,
        source: Source,
        announce: Announce,
        out: &mut Outbox,
    ) -> Taken {
        out.push(Output::Persist { urgent: false });
        if let Announce::Verdict(id) = announce {
            verdict(id, Verdict::Ignore, out);
        }
        if let Some(entry) = self.state.tree().get(&hash) {
            let height = entry.height;
            out.event(Event::BlockStored {
                hash,
                height,
                is_side_branch,
                source,
            });
        }
        Taken::Kept
    }

    fn on_orphan(
        &mut self,
        hash: BlockHash,
        missing: BlockHash,
        source: Source,
        announce: Announce,
        out: &mut Outbox,
    ) -> Taken {
        if let Announce::Verdict(id) = announce {
            verdict(id, Verdict::Ignore, out);
        }
        let message = format!("the parent {missing} of block {hash} is not known here");
        match source {
            Source::Gossip(peer) => {
                if let Some(state) = self.peers.get_mut(peer) {
                    state.sent_orphan = true;
                }
                self.sync.stir();
                out.event(Event::OrphanReceived {
                    hash,
                    missing,
                    peer,
                });
            }
            Source::Miner => out.event(Event::Fault {
                message: message.clone(),
            }),
            // Headers of weak branches may be forgotten while bodies travel.
            Source::Request(_) | Source::Local => {}
        }
        Taken::Refused("orphan", message)
    }

    /// Refuses a block for good and sends away who sent it.
    fn on_refused(
        &mut self,
        hash: BlockHash,
        (rule, message): (&'static str, String),
        source: Source,
        announce: Announce,
        out: &mut Outbox,
    ) -> Taken {
        if let Announce::Verdict(id) = announce {
            verdict(id, Verdict::Reject, out);
        }
        out.event(Event::BlockRejected {
            hash,
            rule,
            message: message.clone(),
            source,
        });
        if let Some(peer) = source.peer() {
            let detail = format!("block {hash}: {message}");
            self.drop_peer(peer, DisconnectReason::InvalidBlock, detail, out);
        }
        Taken::Refused(rule, message)
    }

    fn tell_confirmed(
        &mut self,
        now: Now,
        connected: &[Moved],
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        let mut waited_ms = Vec::new();
        for moved in connected {
            let block = moved.block(&self.state)?;
            waited_ms.extend(self.relay.waits.end(&block, now.monotonic_ms));
        }
        if !waited_ms.is_empty() {
            out.event(Event::TransactionsConfirmed { waited_ms });
        }
        Ok(())
    }

    fn summaries(&self, blocks: &[Moved]) -> Result<Vec<BlockSummary>, StoreError> {
        let summaries = blocks.iter().map(|moved| self.summary(moved));
        summaries.filter_map(Result::transpose).collect()
    }

    fn summary(&self, moved: &Moved) -> Result<Option<BlockSummary>, StoreError> {
        let tree = self.state.tree();
        let Some(entry) = tree.get(&moved.hash()) else {
            return Ok(None);
        };
        let Some(parent) = tree.get(&entry.header.previous) else {
            return Ok(None);
        };
        let block = moved.block(&self.state)?;
        Ok(Some(BlockSummary {
            hash: entry.hash,
            height: entry.height,
            time: block.header.time,
            interval_s: block.header.time.since(parent.header.time),
            transactions: u32::try_from(block.transactions.len()).unwrap_or(u32::MAX),
            size: block.total_size(),
            weight: block.weight(),
            fees: self.fees_of(&block, entry.height),
        }))
    }

    /// What the coinbase takes beyond the subsidy.
    fn fees_of(&self, block: &Block, height: Height) -> Amount {
        let outputs = block
            .transactions
            .first()
            .map(|coinbase| coinbase.outputs.as_slice());
        let values = outputs
            .unwrap_or_default()
            .iter()
            .map(|output| output.value);
        let taken = Amount::checked_sum(values).unwrap_or(Amount::ZERO);
        taken
            .checked_sub(self.state.params().subsidy(height))
            .unwrap_or(Amount::ZERO)
    }
}

/// Tells of blocks that were kept and now turned out to break a rule. Who sent
/// them is not known any more; who follows them is sent away at its next status.
pub(super) fn tell_rejected(
    rejected: Vec<(BlockHash, BlockError)>,
    source: Source,
    out: &mut Outbox,
) {
    for (hash, error) in rejected {
        let (rule, message) = (error.rule(), error.to_string());
        out.event(Event::BlockRejected {
            hash,
            rule,
            message,
            source,
        });
    }
}

/// Passes on what was decided to whoever awaits it.
fn tell(announce: Announce, decided: Verdict, block: &Arc<Block>, out: &mut Outbox) {
    match announce {
        Announce::Verdict(id) => verdict(id, decided, out),
        Announce::Publish if decided == Verdict::Accept => {
            out.push(Output::Publish {
                topic: Topic::Block,
                bytes: encode(block.as_ref()),
            });
        }
        Announce::Publish | Announce::Nothing => {}
    }
}
