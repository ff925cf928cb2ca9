//! Whom to dial, and when: the configured peers for as long as the node runs,
//! peers that were connected and got lost, peers sent away for a fresh start,
//! and known peers while too few are connected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};

use super::book::Book;
use super::dice::Dice;
use super::operator::{ADDED_MAX, Refusal};
use super::pace::Pace;

mod backoff;
mod candidate;
mod due;
mod edge;

use backoff::Backoff;
use candidate::Candidate;
use edge::Edge;
pub use edge::cause;

/// Decides whom to dial.
#[derive(Debug)]
pub struct Dialer {
    edges: Vec<Edge>,
    next_edge: u64,
    candidates: BTreeMap<PeerId, Candidate>,
    in_flight: BTreeMap<ConnectionId, Aim>,
    /// Peers wanted back that may be connected or dialled anew at once.
    wanted_max: usize,
    pace: Pace,
    dice: Dice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    Edge(u64),
    Candidate(PeerId),
}

/// Why a peer was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motive {
    /// Its address is configured or added.
    Edge,
    /// Peers were looked for, or it was our choice before.
    Choice,
    /// It had come in by itself and got lost: its choice, not ours.
    Return,
}

/// A bootstrap that comes up late is found within this time.
const EDGE_WAIT_MAX: Duration = Duration::from_secs(5);
/// Known peers never reached are tried this seldom on a slow chain.
const CANDIDATE_WAIT_MAX: Duration = Duration::from_secs(15);
/// Failures after which a peer is no longer wanted back at any price.
const WANTED_BACK_MAX: u32 = 5;
/// Known peers dialled at once.
const DIALLING_MAX: usize = 8;

impl Dialer {
    /// Dials `bootstrap` from `now` on. Waits are spread by chance that follows
    /// from `seed`.
    pub fn new(bootstrap: &[Multiaddr], pace: Pace, seed: u64, now: Instant) -> Self {
        let mut dialer = Self {
            edges: Vec::new(),
            next_edge: 0,
            candidates: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            wanted_max: usize::MAX,
            pace,
            dice: Dice::new(seed),
        };
        for address in bootstrap {
            dialer.add_edge(address.clone(), now);
        }
        dialer
    }

    /// Dials an address from `now` on, as if it were configured; who is
    /// connected there need not be.
    ///
    /// # Errors
    /// When it is dialled already, or too many are.
    pub fn add(
        &mut self,
        address: Multiaddr,
        there: Option<PeerId>,
        now: Instant,
    ) -> Result<(), Refusal> {
        if self.edges.iter().any(|edge| edge.is_named(&address)) {
            return Err(Refusal::AlreadyAdded);
        }
        if self.edges.len() >= ADDED_MAX {
            return Err(Refusal::TooManyAdded);
        }
        self.add_edge(address, now);
        if let Some(edge) = self.edges.last_mut() {
            edge.peer = edge.peer.or(there);
        }
        Ok(())
    }

    /// Leaves a configured or added address alone.
    ///
    /// # Errors
    /// When it is none.
    pub fn remove_edge(&mut self, address: &Multiaddr) -> Result<(), Refusal> {
        let edges = self.edges.len();
        self.edges.retain(|edge| !edge.is_named(address));
        if self.edges.len() == edges {
            return Err(Refusal::NotAdded);
        }
        Ok(())
    }

    fn add_edge(&mut self, address: Multiaddr, now: Instant) {
        let backoff = Backoff::new(now, self.pace.redial, EDGE_WAIT_MAX);
        self.edges.push(Edge::new(self.next_edge, address, backoff));
        self.next_edge += 1;
    }

    /// Takes over what the book knows.
    pub fn add_known(&mut self, book: &Book, now: Instant) {
        for (peer, addresses) in book.peers() {
            self.add_candidate(peer, addresses.to_vec(), false, now);
        }
    }

    /// Notes where a connected peer listens, and whether it is known only because
    /// it came in. A configured address among them needs no dialling while the
    /// peer is connected.
    pub fn on_identified(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        came_in: bool,
        now: Instant,
    ) {
        for edge in self
            .edges
            .iter_mut()
            .filter(|edge| addresses.contains(&edge.address))
        {
            edge.peer = Some(peer);
        }
        if !addresses.is_empty() {
            self.add_candidate(peer, addresses, came_in, now);
        }
    }

    /// A connected peer is gone by no wish of ours: it is dialled soon and
    /// steadily, whether or not others are connected, since a cut may heal any
    /// time.
    pub fn on_lost(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, now: Instant) {
        let edges = self.edges.iter_mut();
        for edge in edges.filter(|edge| edge.peer == Some(peer)) {
            edge.backoff.lost(now, &mut self.dice);
        }
        let is_leaving =
            |candidate: &Candidate| candidate.is_wanted_back && candidate.backoff.next_at > now;
        if addresses.is_empty() || self.candidates.get(&peer).is_some_and(is_leaving) {
            return;
        }
        self.add_candidate(peer, addresses, true, now);
        if let Some(candidate) = self.candidates.get_mut(&peer) {
            candidate.is_wanted_back = true;
            candidate.backoff.lost(now, &mut self.dice);
        }
    }

    /// Dials a peer again at a time, whether or not others are connected.
    pub fn want_back(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, at: Instant) {
        if !addresses.is_empty() {
            self.add_candidate(peer, addresses, true, at);
        }
        if let Some(candidate) = self.candidates.get_mut(&peer) {
            candidate.is_wanted_back = true;
            candidate.backoff.next_at = at;
        }
    }

    /// Forgets a peer that is kept away.
    pub fn remove(&mut self, peer: &PeerId) {
        self.candidates.remove(peer);
    }

    /// Whether the peer is dialled for its own sake, not only to have enough.
    pub fn wants(&self, peer: &PeerId) -> bool {
        let is_edge = self.edges.iter().any(|edge| edge.peer == Some(*peer));
        let candidate = self.candidates.get(peer);
        is_edge || candidate.is_some_and(|candidate| candidate.is_wanted_back)
    }

    /// Dials to known peers by our own choice that are under way.
    pub fn looking(&self) -> usize {
        let candidates = self.candidates.values();
        candidates.filter(|one| one.is_looked_for()).count()
    }

    /// Dials to known peers that are under way, whyever.
    pub fn dialling(&self) -> usize {
        let candidates = self.candidates.values();
        candidates.filter(|one| one.backoff.is_dialling).count()
    }

    /// Bounds how many peers wanted back are dialled at once.
    pub fn limit_wanted(&mut self, wanted_max: usize) {
        self.wanted_max = wanted_max;
    }

    /// A dial led to a connection with `peer`; why it was begun. What protocols
    /// begin is our choice.
    pub fn on_connected(&mut self, connection: ConnectionId, peer: PeerId, now: Instant) -> Motive {
        match self.in_flight.remove(&connection) {
            Some(Aim::Edge(number)) => {
                // Removed meanwhile?
                let mut edges = self.edges.iter_mut();
                let Some(edge) = edges.find(|edge| edge.number == number) else {
                    return Motive::Choice;
                };
                if edge.backoff.failures > 0 {
                    tracing::info!(address = %edge.address, %peer, "bootstrap peer reached");
                }
                edge.peer = Some(peer);
                edge.backoff.connected(now, &mut self.dice);
                Motive::Edge
            }
            Some(Aim::Candidate(peer)) => {
                let Some(candidate) = self.candidates.get_mut(&peer) else {
                    return Motive::Choice;
                };
                candidate.backoff.connected(now, &mut self.dice);
                candidate.motive
            }
            None => Motive::Choice,
        }
    }

    /// A dial failed. Returns a peer that was given up for good.
    pub fn on_failed(
        &mut self,
        connection: ConnectionId,
        error: &DialError,
        now: Instant,
    ) -> Option<PeerId> {
        match self.in_flight.remove(&connection)? {
            Aim::Edge(number) => {
                let mut edges = self.edges.iter_mut();
                if let Some(edge) = edges.find(|edge| edge.number == number) {
                    edge.on_failed(error, now, &mut self.dice);
                }
                None
            }
            Aim::Candidate(peer) => {
                let candidate = self.candidates.get_mut(&peer)?;
                // Another dial to the same peer was under way: no failure.
                if matches!(error, DialError::DialPeerConditionFalse(_)) {
                    candidate.backoff.postpone(now);
                    return None;
                }
                // Someone else lives there now.
                if matches!(error, DialError::WrongPeerId { .. }) {
                    self.candidates.remove(&peer);
                    return Some(peer);
                }
                candidate.backoff.fail(now, &mut self.dice);
                candidate.is_wanted_back &=
                    candidate.backoff.failures < WANTED_BACK_MAX || candidate.backoff.is_lost(now);
                if !candidate.backoff.is_hopeless(now) {
                    return None;
                }
                self.candidates.remove(&peer);
                Some(peer)
            }
        }
    }

    fn add_candidate(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        came_in: bool,
        at: Instant,
    ) {
        let (redial, max) = (
            self.pace.redial,
            (self.pace.redial * 5).min(CANDIDATE_WAIT_MAX),
        );
        let backoff = || Backoff::new(at, redial, max);
        let candidate = self
            .candidates
            .entry(peer)
            .or_insert_with(|| Candidate::new(came_in, backoff()));
        candidate.came_in &= came_in;
        candidate.is_at(addresses);
        // The book is bounded, and so is this copy of it.
        while self.candidates.len() > CANDIDATES_MAX {
            self.forget_worst(&peer);
        }
    }

    /// Makes room: first go those that came in, then those only known by their
    /// own word, then those that failed most often.
    fn forget_worst(&mut self, newest: &PeerId) {
        let others = self.candidates.iter().filter(|(peer, _)| *peer != newest);
        let worst =
            others.max_by_key(|(_, one)| (one.came_in, !one.is_wanted_back, one.backoff.failures));
        if let Some(peer) = worst.map(|(peer, _)| *peer) {
            self.candidates.remove(&peer);
        }
    }
}

/// A little more than the book holds.
const CANDIDATES_MAX: usize = 300;

#[cfg(test)]
mod tests;
