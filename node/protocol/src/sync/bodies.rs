//! Bodies: who is asked for which blocks, and what happens when they do not
//! come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::store::{Store, StoreError};
use rand_core::Rng;

use crate::chain::Chain;
use crate::event::{Event, Source};
use crate::input::{Now, Peer};
use crate::limits::{BLOCKS_MAX, DOWNLOAD_WINDOW, STALL_MS_MAX, STALL_MS_MIN, STALLS_MAX};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox};
use crate::peers::PeerState;
use crate::relay::Announce;
use crate::requests::{BlockRequest, Purpose};
use crate::wire::{GetBlocks, Request};

/// Blocks in one request: half of what may be in flight from a peer, so that
/// it always has a question waiting while an answer travels.
const BLOCKS_PER_REQUEST: usize = BLOCKS_MAX / 2;

/// A peer that may be asked for blocks.
struct Candidate {
    peer: Peer,
    /// Blocks it may still be asked for.
    spare: usize,
    /// It stalled lately; others come first.
    is_spared: bool,
    /// Up to here its chain is the target's.
    shared: Height,
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Spreads the missing blocks over the peers that have them, lowest first.
    pub(super) fn ask_bodies(&mut self, now: Now, out: &mut Outbox) {
        let mut candidates = self.body_candidates(now);
        let wanted = self.unasked_bodies(&candidates);
        let mut wanted = wanted.as_slice();
        while let Some(&(height, _)) = wanted.first() {
            let Some(candidate) = self.pick(&mut candidates, height) else {
                return;
            };
            let fits = wanted
                .iter()
                .take_while(|(height, _)| *height <= candidate.shared);
            let count = fits.count().min(BLOCKS_PER_REQUEST).min(candidate.spare);
            let (batch, rest) = wanted.split_at(count);
            candidate.spare -= count;
            let peer = candidate.peer;
            self.send_get_blocks(now, peer, batch, out);
            wanted = rest;
        }
    }

    /// Passes over peers that have owed blocks for too long.
    pub(crate) fn expire_stalled(&mut self, now: Now, out: &mut Outbox) {
        let mut overdue = BTreeMap::<Peer, BTreeSet<BlockHash>>::new();
        for (peer, request) in self.requests.blocks_mut() {
            if !request.is_stalled && request.stall_at_ms <= now.monotonic_ms {
                request.is_stalled = true;
                overdue.entry(peer).or_default().extend(&request.hashes);
            }
        }
        for (peer, hashes) in overdue {
            self.release(peer, &hashes);
            self.on_stall(now, peer, hashes.len(), out);
        }
    }

    pub(crate) fn on_blocks(
        &mut self,
        now: Now,
        peer: Peer,
        mut request: BlockRequest,
        blocks: Vec<Arc<Block>>,
        out: &mut Outbox,
    ) -> Result<(), StoreError> {
        if !request.is_stalled {
            self.release(peer, &request.hashes);
        }
        if blocks.is_empty() {
            self.on_refusal(now, peer, request.hashes.len(), out);
            return Ok(());
        }
        for block in blocks {
            let hash = block.hash();
            if !request.hashes.remove(&hash) {
                let detail = format!("sent block {hash}, which was not asked for");
                self.drop_peer(peer, DisconnectReason::WrongAnswer, detail, out);
                return Ok(());
            }
            let named = (hash, &block);
            self.take_block(now, named, Source::Request(peer), Announce::Nothing, out)?;
            self.sync.stall_ms = (self.sync.stall_ms * 85 / 100).max(STALL_MS_MIN);
            if !self.peers.contains(peer) {
                return Ok(());
            }
        }
        self.sync.progress_ms = now.monotonic_ms;
        if let Some(state) = self.peers.get_mut(peer) {
            state.stalls = 0;
            state.blocks_spared_ms = now.monotonic_ms;
            state.blocks_retry_ms = now.monotonic_ms;
        }
        Ok(())
    }

    pub(crate) fn on_blocks_failed(
        &mut self,
        now: Now,
        peer: Peer,
        request: &BlockRequest,
        out: &mut Outbox,
    ) {
        if !request.is_stalled {
            self.release(peer, &request.hashes);
            self.on_refusal(now, peer, request.hashes.len(), out);
        }
    }

    /// Lets others be asked for what this peer was asked for.
    fn release(&mut self, peer: Peer, hashes: &BTreeSet<BlockHash>) {
        for hash in hashes {
            if self.sync.in_flight.get(hash) == Some(&peer) {
                self.sync.in_flight.remove(hash);
            }
        }
        if let Some(state) = self.peers.get_mut(peer) {
            state.blocks_in_flight = state.blocks_in_flight.saturating_sub(hashes.len());
        }
        self.sync.stir();
    }

    /// Waits a while before this peer is asked again: it answers fast, but
    /// without blocks.
    fn on_refusal(&mut self, now: Now, peer: Peer, blocks: usize, out: &mut Outbox) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.blocks_retry_ms = now.monotonic_ms + self.sync.stall_ms;
        }
        self.on_stall(now, peer, blocks, out);
    }

    /// Prefers others to this peer for a while; sends it away if that happens
    /// too often and there are others.
    fn on_stall(&mut self, now: Now, peer: Peer, blocks: usize, out: &mut Outbox) {
        let stall_ms = self.sync.stall_ms;
        let is_only_peer = self.peers.ready().count() <= 1;
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        if now.monotonic_ms < state.blocks_spared_ms {
            // Another request of the same bad while.
            return;
        }
        self.sync.stall_ms = (stall_ms * 2).min(STALL_MS_MAX);
        state.stalls += 1;
        state.blocks_spared_ms = now.monotonic_ms + stall_ms;
        let stalls = state.stalls;
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        out.event(Event::PeerStalled { peer, blocks });
        if stalls >= STALLS_MAX && !is_only_peer {
            let detail = format!("held back blocks {stalls} times in a row");
            self.drop_peer(peer, DisconnectReason::Unresponsive, detail, out);
        }
    }

    fn body_candidates(&self, now: Now) -> Vec<Candidate> {
        let Some(target) = self.sync.target else {
            return Vec::new();
        };
        let may = |state: &PeerState| state.blocks_retry_ms <= now.monotonic_ms;
        let able = self.peers.ready().filter(|(_, state)| may(state));
        let candidates = able.filter_map(|(peer, state)| {
            let shared = self.state.tree().fork_point(&state.best?, &target)?.height;
            let spare = BLOCKS_MAX.saturating_sub(state.blocks_in_flight);
            let is_spared = state.blocks_spared_ms > now.monotonic_ms;
            Some(Candidate {
                peer,
                spare,
                is_spared,
                shared,
            })
        });
        candidates.collect()
    }

    /// Missing blocks inside the window that nobody was asked for, as many as
    /// the candidates can take.
    fn unasked_bodies(&self, candidates: &[Candidate]) -> Vec<(Height, BlockHash)> {
        let Some(lowest) = self.sync.missing.keys().next() else {
            return Vec::new();
        };
        let top = Height(lowest.0.saturating_add(DOWNLOAD_WINDOW));
        let count = candidates.iter().map(|candidate| candidate.spare).sum();
        let window = self
            .sync
            .missing
            .range(..top)
            .map(|(height, hash)| (*height, *hash));
        let unasked = window.filter(|(_, hash)| !self.sync.in_flight.contains_key(hash));
        unasked.take(count).collect()
    }

    /// The candidate with most room that has the block at `height`; equals are
    /// drawn by lot. One that stalled is asked only if nobody else has it.
    fn pick<'a>(
        &mut self,
        candidates: &'a mut [Candidate],
        height: Height,
    ) -> Option<&'a mut Candidate> {
        let has = |candidate: &Candidate| candidate.shared >= height;
        let is_spared = candidates.iter().filter(|c| has(c)).all(|c| c.is_spared);
        let may = |candidate: &Candidate| {
            has(candidate) && candidate.is_spared == is_spared && candidate.spare > 0
        };
        let most = candidates
            .iter()
            .filter(|c| may(c))
            .map(|c| c.spare)
            .max()?;
        let equals = candidates.iter_mut().filter(|c| may(c) && c.spare == most);
        let mut equals: Vec<_> = equals.collect();
        let lot = usize::try_from(self.rng.next_u32()).unwrap_or_default() % equals.len();
        Some(equals.swap_remove(lot))
    }

    fn send_get_blocks(
        &mut self,
        now: Now,
        peer: Peer,
        batch: &[(Height, BlockHash)],
        out: &mut Outbox,
    ) {
        let hashes: Vec<BlockHash> = batch.iter().map(|(_, hash)| *hash).collect();
        let stall_at_ms = now.monotonic_ms + self.sync.stall_ms;
        let asked = hashes.iter().copied().collect();
        let purpose = Purpose::Blocks(BlockRequest {
            hashes: asked,
            stall_at_ms,
            is_stalled: false,
        });
        self.sync
            .in_flight
            .extend(hashes.iter().map(|hash| (*hash, peer)));
        if let Some(state) = self.peers.get_mut(peer) {
            state.blocks_in_flight += hashes.len();
        }
        self.ask(peer, &Request::Blocks(GetBlocks { hashes }), purpose, out);
    }
}
