//! What a node knows of each peer, and the status exchange that opens every
//! connection and is repeated about once in a block interval.

mod budget;
mod exchange;
mod silence;

use std::collections::BTreeMap;

use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;

use self::budget::Budget;
use self::silence::Silence;
use crate::input::{Direction, OutboundRequest, Peer};
use crate::relay::Comparison;
use crate::wire::Status;

/// What is known of a peer, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerSnapshot {
    /// Which connection.
    pub peer: Peer,
    /// Who dialled.
    pub direction: Direction,
    /// When it opened, in milliseconds of the monotonic clock.
    pub connected_ms: u64,
    /// What it last claimed of itself; none before the first exchange.
    pub status: Option<Status>,
    /// The height of its first claim.
    pub starting_height: Option<Height>,
    /// The last block it is known to have whose header is here.
    pub best: Option<BlockHash>,
    /// When it last told, in milliseconds of the monotonic clock.
    pub status_ms: Option<u64>,
    /// Blocks asked of it and not yet received.
    pub blocks_in_flight: u32,
}

/// Everything known of one peer.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub direction: Direction,
    pub connected_ms: u64,
    /// The last claim and when it came; none: not ready.
    pub status: Option<(Status, u64)>,
    /// When the first claim came.
    pub ready_ms: u64,
    /// The height of that claim.
    pub starting_height: Option<Height>,
    /// Changed by [`Peers::poll_mut`], as is the next.
    pub status_request: Option<OutboundRequest>,
    pub next_poll_ms: u64,
    /// When it was last polled.
    pub polled_ms: u64,
    pub status_failures: u32,
    /// A header of our tree that the peer is known to have, the last learned.
    pub best: Option<BlockHash>,
    /// The claimed tip for which its headers were already asked.
    pub asked_tip: Option<BlockHash>,
    /// Claims in a row whose headers did not bring the work claimed.
    pub broken_claims: u32,
    /// It once told of a tip that we did not have, and brought its headers.
    pub has_kept_claim: bool,
    /// It gossiped a block whose parent is not known.
    pub sent_orphan: bool,
    pub headers_request: Option<HeadersAsked>,
    /// Not asked for headers before.
    pub headers_retry_ms: u64,
    /// Headers in a row that led to less work than the tip had.
    pub low_work_headers: u32,
    /// Blocks asked of it and neither received nor given up.
    pub blocks_in_flight: usize,
    /// Others are asked for blocks first until then.
    pub blocks_spared_ms: u64,
    /// Not asked for blocks before.
    pub blocks_retry_ms: u64,
    /// Stalls in a row.
    pub stalls: u32,
    pub budget: Budget,
    pub silence: Silence,
    pub comparison: Comparison,
}

/// A headers request in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadersAsked {
    pub sent_ms: u64,
    /// The peer's last answer was full, so there is more.
    pub is_continuation: bool,
}

impl PeerState {
    fn new(direction: Direction, now_ms: u64) -> Self {
        Self {
            direction,
            connected_ms: now_ms,
            status: None,
            ready_ms: now_ms,
            starting_height: None,
            status_request: None,
            next_poll_ms: now_ms,
            polled_ms: now_ms,
            status_failures: 0,
            best: None,
            asked_tip: None,
            broken_claims: 0,
            has_kept_claim: false,
            sent_orphan: false,
            headers_request: None,
            headers_retry_ms: 0,
            low_work_headers: 0,
            blocks_in_flight: 0,
            blocks_spared_ms: 0,
            blocks_retry_ms: 0,
            stalls: 0,
            budget: Budget::new(now_ms),
            silence: Silence::default(),
            comparison: Comparison::default(),
        }
    }

    /// A promise was not kept.
    pub fn broke_claim(&mut self) {
        self.broken_claims += 1;
        self.has_kept_claim = false;
    }

    pub fn is_ready(&self) -> bool {
        self.status.is_some()
    }

    /// Whether it told that it speaks a version or a later one.
    pub fn speaks(&self, version: u32) -> bool {
        let told = self.status.as_ref();
        told.is_some_and(|(status, _)| status.protocol_version >= version)
    }

    /// The tip it claims, with its height and work.
    pub fn claim(&self) -> Option<(BlockHash, Height, Chainwork)> {
        let (status, _) = self.status.as_ref()?;
        Some((status.tip, status.height, status.chainwork))
    }
}

/// All peers, in the order they connected.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    table: BTreeMap<Peer, PeerState>,
    /// When the next peer is to be polled, if that has been looked up since
    /// that changed for any of them.
    next_poll_ms: Option<Option<u64>>,
    /// When a peer was last sent away for its silence.
    silence_dropped_ms: Option<u64>,
}

impl Peers {
    pub fn contains(&self, peer: Peer) -> bool {
        self.table.contains_key(&peer)
    }

    pub fn get(&self, peer: Peer) -> Option<&PeerState> {
        self.table.get(&peer)
    }

    pub fn get_mut(&mut self, peer: Peer) -> Option<&mut PeerState> {
        self.table.get_mut(&peer)
    }

    /// Something of what an input from a peer changes, for who only wants it read.
    pub fn glance(&self, peer: Peer) -> u64 {
        let best = self.get(peer).map(|state| state.best.is_some());
        u64::from(best.unwrap_or_default())
    }

    /// As [`Peers::get_mut`], for who changes when the peer is to be polled.
    pub fn poll_mut(&mut self, peer: Peer) -> Option<&mut PeerState> {
        self.next_poll_ms = None;
        self.table.get_mut(&peer)
    }

    pub fn insert(&mut self, peer: Peer, state: PeerState) {
        self.next_poll_ms = None;
        self.table.insert(peer, state);
    }

    pub fn remove(&mut self, peer: Peer) {
        self.next_poll_ms = None;
        self.table.remove(&peer);
    }

    /// An answer came, so the peer may be polled again at its time.
    pub fn end_poll(&mut self, peer: Peer) {
        let Some(state) = self.table.get_mut(&peer) else {
            return;
        };
        state.status_request = None;
        state.status_failures = 0;
        if let Some(next_ms) = &mut self.next_poll_ms {
            let own_ms = state.next_poll_ms;
            *next_ms = Some(next_ms.map_or(own_ms, |next_ms| next_ms.min(own_ms)));
        }
    }

    /// Has every peer that is ready and not known to have a block polled at once.
    pub fn poll_all_but(&mut self, has: BlockHash, now_ms: u64) {
        self.next_poll_ms = None;
        for (_, state) in self.ready_mut() {
            if state.best != Some(has) {
                state.next_poll_ms = now_ms;
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Peer, &PeerState)> {
        self.table.iter().map(|(peer, state)| (*peer, state))
    }

    pub fn ready(&self) -> impl Iterator<Item = (Peer, &PeerState)> {
        self.iter().filter(|(_, state)| state.is_ready())
    }

    pub fn ready_mut(&mut self) -> impl Iterator<Item = (Peer, &mut PeerState)> {
        let all = self.table.iter_mut().map(|(peer, state)| (*peer, state));
        all.filter(|(_, state)| state.is_ready())
    }

    pub fn snapshots(&self) -> impl Iterator<Item = PeerSnapshot> {
        self.iter().map(|(peer, state)| PeerSnapshot {
            peer,
            direction: state.direction,
            connected_ms: state.connected_ms,
            status: state.status.as_ref().map(|(status, _)| status.clone()),
            starting_height: state.starting_height,
            best: state.best,
            status_ms: state.status.as_ref().map(|(_, at_ms)| *at_ms),
            blocks_in_flight: u32::try_from(state.blocks_in_flight).unwrap_or(u32::MAX),
        })
    }

    /// When the next peer is to be polled.
    pub fn next_poll_ms(&mut self) -> Option<u64> {
        let table = &self.table;
        *self.next_poll_ms.get_or_insert_with(|| {
            let idle = table
                .values()
                .filter(|state| state.status_request.is_none());
            idle.map(|state| state.next_poll_ms).min()
        })
    }
}
