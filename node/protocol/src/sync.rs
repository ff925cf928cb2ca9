//! Catching up: headers first from the peer that claims most work, then bodies
//! from all that have them.

mod bodies;
mod headers;

use std::collections::BTreeMap;

use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::store::Store;

use crate::chain::Chain;
use crate::event::Event;
use crate::input::{Now, Peer};
use crate::limits::{BULK_SYNC_BLOCKS, STALL_MS_MIN, SYNC_PATIENCE_MS};
use crate::node::Node;
use crate::output::{Outbox, Output};
use crate::peers::HeadersAsked;

/// How far a node is behind what it knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncSnapshot {
    /// It fetches blocks in bulk, or headers it was promised.
    pub is_initial_download: bool,
    /// Height of the best header.
    pub header_height: Height,
    /// Blocks known by header and wanted.
    pub blocks_missing: u32,
    /// Of these, asked for.
    pub blocks_in_flight: u32,
}

/// What is wanted and from whom it was asked.
#[derive(Debug)]
pub(crate) struct Sync {
    /// Something changed that may allow a new question.
    is_stirred: bool,
    /// There was nothing to ask when last looked, nor will there be as long as
    /// only the tip moves to blocks that come by themselves.
    is_settled: bool,
    /// When to look again though nothing changes.
    deadline_ms: Option<u64>,
    /// The header with most work among those that peers have.
    target: Option<BlockHash>,
    /// Bodies missing on the way to the target.
    missing: BTreeMap<Height, BlockHash>,
    /// Bodies asked for and not given up.
    in_flight: BTreeMap<BlockHash, Peer>,
    /// The count last told in an event.
    in_flight_told: u32,
    /// How long a peer may owe blocks, by present experience.
    stall_ms: u64,
    is_bulk: bool,
    /// When a wanted body last came.
    progress_ms: u64,
    /// Until then promises of peers that never kept one stop no miner.
    distrust_until_ms: u64,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            is_stirred: false,
            is_settled: false,
            deadline_ms: None,
            target: None,
            missing: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            in_flight_told: 0,
            stall_ms: STALL_MS_MIN,
            is_bulk: false,
            progress_ms: 0,
            distrust_until_ms: 0,
        }
    }
}

impl Sync {
    /// Has the next [`Node::pursue_sync`] look for new questions.
    pub fn stir(&mut self) {
        self.is_stirred = true;
    }

    /// Whether many blocks are missing.
    pub fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    /// A body is here, and perhaps the tip by now.
    pub fn on_body(&mut self, hash: BlockHash, height: Height, is_tip: bool) {
        if self.is_settled && is_tip {
            return;
        }
        if self.missing.get(&height) == Some(&hash) {
            self.missing.remove(&height);
        }
        self.is_stirred = true;
    }

    /// Whether nothing is to be asked or awaited.
    pub fn is_settled(&self) -> bool {
        self.is_settled && !self.is_stirred
    }

    /// What is known of a peer has changed in a way that may matter one day.
    pub fn unsettle(&mut self) {
        self.is_settled = false;
    }

    /// Bad experience with other connections says nothing about a new one.
    pub fn on_peer_ready(&mut self) {
        self.stall_ms = STALL_MS_MIN;
        self.is_stirred = true;
    }

    pub fn forget_peer(&mut self, gone: Peer) {
        self.in_flight.retain(|_, peer| *peer != gone);
        self.is_stirred = true;
    }

    /// Something of all its parts, for who only wants them read.
    pub fn glance(&self) -> u64 {
        let counts = self.missing.len() + self.in_flight.len();
        let flags = u64::from(self.is_settled) + u64::from(self.target.is_some());
        counts as u64 + flags + self.stall_ms + self.progress_ms
    }

    fn in_flight_count(&self) -> u32 {
        u32::try_from(self.in_flight.len()).unwrap_or(u32::MAX)
    }
}

impl<S: Store, C: Chain<S>> Node<S, C> {
    /// Asks for what is missing, as far as peers are free to be asked.
    pub(crate) fn pursue_sync(&mut self, now: Now, out: &mut Outbox) {
        let is_due = self
            .sync
            .deadline_ms
            .is_some_and(|due_ms| due_ms <= now.monotonic_ms);
        if self.sync.is_stirred || is_due {
            self.sync.is_stirred = false;
            self.ask_headers(now, out);
            self.resolve_claims();
            self.retarget();
            self.update_bulk(now, out);
            self.ask_bodies(now, out);
            self.sync.deadline_ms = self.sync_deadline_ms(now);
            self.sync.is_settled = self.has_nothing_to_ask();
        }
        let blocks = self.sync.in_flight_count();
        if blocks != self.sync.in_flight_told {
            self.sync.in_flight_told = blocks;
            out.event(Event::InFlightChanged { blocks });
        }
    }

    /// Whether every peer's claim is in our tree and nothing is asked, wanted or
    /// awaited. A new tip alone changes none of that: no claim becomes better
    /// than it was.
    fn has_nothing_to_ask(&self) -> bool {
        let (sync, tree) = (&self.sync, self.state.tree());
        let is_quiet = !sync.is_bulk
            && !sync.is_stirred
            && sync.target.is_none()
            && sync.missing.is_empty()
            && sync.in_flight.is_empty()
            && sync.deadline_ms.is_none()
            && self.requests.blocks().next().is_none();
        is_quiet
            && self.peers.ready().all(|(_, state)| {
                let is_known = state.claim().is_some_and(|(tip, ..)| tree.contains(&tip));
                is_known && !state.sent_orphan && state.headers_request.is_none()
            })
    }

    pub(crate) fn next_sync_deadline_ms(&self) -> Option<u64> {
        self.sync.deadline_ms
    }

    /// Whether mining now would likely be in vain: many blocks are missing and
    /// keep coming, or a peer that kept its word so far claims many more.
    pub(crate) fn is_behind(&self, now: Now) -> bool {
        let is_moving = now.monotonic_ms < self.sync.progress_ms + SYNC_PATIENCE_MS;
        let is_trusting = now.monotonic_ms >= self.sync.distrust_until_ms;
        (self.sync.is_bulk && is_moving) || self.awaits_claimed_headers(is_trusting)
    }

    pub(crate) fn sync_snapshot(&self) -> SyncSnapshot {
        SyncSnapshot {
            is_initial_download: self.sync.is_bulk || self.awaits_claimed_headers(true),
            header_height: self.state.tree().best_header().height,
            blocks_missing: u32::try_from(self.sync.missing.len()).unwrap_or(u32::MAX),
            blocks_in_flight: self.sync.in_flight_count(),
        }
    }

    /// Believes peers that they have the tip they claim, once its header is
    /// here.
    fn resolve_claims(&mut self) {
        let tree = self.state.tree();
        let work = |hash| tree.get(&hash).map(|entry| entry.chainwork);
        for (_, state) in self.peers.ready_mut() {
            let claimed = state.claim().map(|(tip, ..)| tip);
            if claimed.and_then(work) > state.best.and_then(work) {
                state.best = claimed;
            }
        }
    }

    /// Picks the target anew and, if it moved, lists what is missing.
    fn retarget(&mut self) {
        let tree = self.state.tree();
        let tip_work = self.tip_work();
        let known = self
            .peers
            .ready()
            .filter_map(|(_, state)| tree.get(&state.best?));
        let better = known.filter(|entry| entry.chainwork > tip_work && !entry.status.is_invalid());
        let best = better.max_by_key(|entry| (entry.chainwork, entry.hash));
        let target = best.map(|entry| entry.hash);
        if target != self.sync.target {
            self.sync.target = target;
            self.sync.missing = target
                .map(|hash| self.missing_toward(hash))
                .unwrap_or_default();
        }
    }

    /// Bodies missing between the active chain and `target`.
    fn missing_toward(&self, target: BlockHash) -> BTreeMap<Height, BlockHash> {
        let tree = self.state.tree();
        let fork = tree
            .fork_point(&self.state.tip().hash, &target)
            .map(|entry| entry.hash);
        let way_down = std::iter::successors(tree.get(&target), |entry| tree.parent(entry));
        let branch = way_down.take_while(|entry| Some(entry.hash) != fork);
        let lacking = branch.filter(|entry| !entry.status.has_body());
        lacking.map(|entry| (entry.height, entry.hash)).collect()
    }

    fn update_bulk(&mut self, now: Now, out: &mut Outbox) {
        let missing = self.sync.missing.len();
        let tip = self.state.tip().height;
        if !self.sync.is_bulk && missing >= BULK_SYNC_BLOCKS as usize {
            let to = self.sync.missing.keys().next_back().copied().unwrap_or(tip);
            self.sync.is_bulk = true;
            self.sync.progress_ms = now.monotonic_ms;
            out.event(Event::SyncStarted { from: tip, to });
        } else if self.sync.is_bulk && missing == 0 && !self.continues_headers() {
            self.sync.is_bulk = false;
            out.push(Output::Persist { urgent: true });
            out.event(Event::SyncFinished { height: tip });
            self.tell_tip(now);
        }
    }

    /// The next moment at which waiting becomes asking.
    fn sync_deadline_ms(&self, now: Now) -> Option<u64> {
        let asked = self.requests.blocks().filter(|request| !request.is_stalled);
        let stalls = asked.map(|request| request.stall_at_ms);
        let pauses = self.pauses_ms().filter(|end_ms| *end_ms > now.monotonic_ms);
        let patience = self
            .sync
            .is_bulk
            .then_some(self.sync.progress_ms + SYNC_PATIENCE_MS);
        let patience = patience.filter(|end_ms| *end_ms > now.monotonic_ms);
        stalls.chain(pauses).chain(patience).min()
    }

    /// When peers that are being spared may be asked again.
    fn pauses_ms(&self) -> impl Iterator<Item = u64> {
        let wants_blocks = !self.sync.missing.is_empty();
        self.peers.ready().flat_map(move |(_, state)| {
            let blocks = wants_blocks.then_some(state.blocks_retry_ms);
            let headers = self.wants_headers(state).then_some(state.headers_retry_ms);
            let patience = state.headers_request.map(HeadersAsked::patience_end_ms);
            [blocks, headers, patience].into_iter().flatten()
        })
    }
}
