//! The status exchange: at the start of a connection, about once in a block
//! interval, and at once when our tip changed in a way gossip does not tell.
//!
//! Question and answer tell the same of their senders, so one exchange in an
//! interval is enough for both ends of a connection: whoever is polled puts off
//! its own poll. From version 3 on they carry a digest of the mempool too, and
//! mempools are compared only where digests differ.

use minichain_chain::store::Store;
use rand_core::Rng;

use super::PeerState;
use super::silence::TipTold;
use crate::chain::Chain;
use crate::event::Event;
use crate::input::{Breach, Direction, Now, Peer};
use crate::limits::{
    POLLED_INTERVALS_MAX, SILENCE_GRACE_MS, SILENT_POLLS_MAX, STANDING_PROTOCOL_VERSION,
    STATUS_FAILURES_MAX,
};
use crate::node::Node;
use crate::output::{DisconnectReason, Outbox};
use crate::requests::Purpose;
use crate::wire::{Request, Standing, Status};

/// Bytes of useless gossip that cost one unit of service more.
const GOSSIP_BYTES_PER_UNIT: u64 = 16 * 1_024;

impl<S: Store, C: Chain<S>> Node<S, C> {
    pub(crate) fn on_peer_connected(
        &mut self,
        now: Now,
        peer: Peer,
        direction: Direction,
        out: &mut Outbox,
    ) {
        let state = PeerState::new(direction, now.monotonic_ms);
        self.forget_peer(peer);
        self.peers.insert(peer, state);
        self.poll_peer(now, peer, out);
    }

    pub(crate) fn on_peer_disconnected(&mut self, peer: Peer) {
        self.forget_peer(peer);
    }

    /// Sends a peer away that broke the bounds of the transport.
    pub(crate) fn on_breach(&mut self, peer: Peer, breach: Breach, out: &mut Outbox) {
        let (reason, detail) = match breach {
            Breach::QuestionTooLong => (DisconnectReason::Malformed, "a request longer than any"),
            Breach::QuestionTooSlow => (DisconnectReason::Slow, "a request that never arrived"),
            Breach::AnswerTooLong => (DisconnectReason::Malformed, "an answer longer than any"),
            Breach::AnswersUnread => (
                DisconnectReason::Flooding,
                "asked for more and more without reading the answers",
            ),
        };
        self.drop_peer(peer, reason, detail, out);
    }

    /// Frees everything that waits for a peer.
    pub(crate) fn forget_peer(&mut self, peer: Peer) {
        self.peers.remove(peer);
        self.requests.remove_peer(peer);
        self.sync.forget_peer(peer);
        self.relay.forget_peer(peer);
    }

    /// Polls every peer whose time has come.
    pub(crate) fn poll_peers(&mut self, now: Now, out: &mut Outbox) {
        let next_ms = self.peers.next_poll_ms();
        if next_ms.is_none_or(|next_ms| next_ms > now.monotonic_ms) {
            return;
        }
        let is_due = |state: &PeerState| {
            state.status_request.is_none() && state.next_poll_ms <= now.monotonic_ms
        };
        let due = self
            .peers
            .iter()
            .filter(|(_, state)| is_due(state))
            .map(|(peer, _)| peer);
        for peer in due.collect::<Vec<_>>() {
            self.poll_peer(now, peer, out);
        }
    }

    /// Tells our new tip at once to every peer that is not known to have it.
    ///
    /// A tip that came by request spreads this way and not by gossip: gossip
    /// drops a message whose id it has seen, and it has seen every block that
    /// reached us out of order. A status needs no such luck and lets the peer
    /// fetch whole branches.
    pub(crate) fn tell_tip(&mut self, now: Now) {
        let tip = self.state.tip().hash;
        self.peers.poll_all_but(tip, now.monotonic_ms);
    }

    fn poll_peer(&mut self, now: Now, peer: Peer, out: &mut Outbox) {
        let state = self.peers.get(peer);
        let (request, purpose) =
            match state.is_some_and(|state| state.speaks(STANDING_PROTOCOL_VERSION)) {
                true => (Request::Standing(self.standing()), Purpose::Standing),
                false => (Request::Status(self.status()), Purpose::Status),
            };
        let id = self.ask(peer, &request, purpose, out);
        let next_ms = self.draw_next_poll_ms(now);
        if let Some(state) = self.peers.poll_mut(peer) {
            state.status_request = Some(id);
            state.polled_ms = now.monotonic_ms;
            state.next_poll_ms = next_ms;
        }
    }

    fn draw_next_poll_ms(&mut self, now: Now) -> u64 {
        let poll_ms = self.timing.status_poll_ms;
        now.monotonic_ms + poll_ms + self.rng.next_u64() % (poll_ms / 4).max(1)
    }

    /// What it tells peers that know of standings.
    pub(crate) fn standing(&mut self) -> Standing {
        Standing {
            status: self.status(),
            pool: self.pool_digest(),
        }
    }

    /// A peer polls us and gets its answer, so we need not poll it for a while.
    pub(crate) fn on_polled(&mut self, now: Now, peer: Peer, standing: Standing, out: &mut Outbox) {
        let next_ms = self.draw_next_poll_ms(now);
        let patience_ms = POLLED_INTERVALS_MAX * self.timing.status_poll_ms;
        if let Some(state) = self.peers.poll_mut(peer)
            && state.status_request.is_none()
            && state.status_failures == 0
        {
            let next_ms = next_ms.min(state.polled_ms + patience_ms);
            state.next_poll_ms = state.next_poll_ms.max(next_ms);
        }
        self.on_standing(now, peer, standing, out);
    }

    pub(crate) fn on_standing_response(
        &mut self,
        now: Now,
        peer: Peer,
        standing: Standing,
        out: &mut Outbox,
    ) {
        self.peers.end_poll(peer);
        self.on_standing(now, peer, standing, out);
    }

    fn on_standing(&mut self, now: Now, peer: Peer, standing: Standing, out: &mut Outbox) {
        self.on_status(now, peer, standing.status, out);
        if standing.pool != self.pool_digest() {
            self.compare_pools(now, peer, out);
        }
    }

    pub(crate) fn on_status_response(
        &mut self,
        now: Now,
        peer: Peer,
        status: Status,
        out: &mut Outbox,
    ) {
        self.peers.end_poll(peer);
        self.on_status(now, peer, status, out);
        self.compare_pools(now, peer, out);
    }

    pub(crate) fn on_status_failed(&mut self, now: Now, peer: Peer, out: &mut Outbox) {
        let Some(state) = self.peers.poll_mut(peer) else {
            return;
        };
        state.status_request = None;
        state.status_failures += 1;
        state.next_poll_ms = state.next_poll_ms.max(now.monotonic_ms);
        let failures = state.status_failures;
        if failures >= STATUS_FAILURES_MAX {
            let detail = format!("{failures} status requests in a row without an answer");
            self.drop_peer(peer, DisconnectReason::Unresponsive, detail, out);
        }
    }

    /// Charges a peer for gossip of no use here, and sends it away if there is
    /// too much of it. What an honest peer passes on was of use to itself, so it
    /// seldom pays.
    pub(crate) fn charge_gossip(&mut self, now: Now, peer: Peer, bytes: u64, out: &mut Outbox) {
        let units = 1 + bytes / GOSSIP_BYTES_PER_UNIT;
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        if !state.budget.spend(units, now.monotonic_ms) {
            let detail = "gossiped more of no use than its share";
            self.drop_peer(peer, DisconnectReason::Flooding, detail, out);
        }
    }

    /// Takes a peer's claim of itself, told in a question or an answer.
    pub(crate) fn on_status(&mut self, now: Now, peer: Peer, status: Status, out: &mut Outbox) {
        if status.genesis != self.genesis {
            self.part_from_other_genesis(peer, &status, out);
            return;
        }
        let known = self.state.tree().get(&status.tip);
        let is_forbidden = self.state.tree().is_forbidden(&status.tip);
        if known.is_some_and(|entry| entry.status.is_invalid()) && !is_forbidden {
            let detail = format!("its tip {} breaks a rule", status.tip);
            self.drop_peer(peer, DisconnectReason::InvalidBlock, detail, out);
            return;
        }
        let is_known = known.is_some();
        let is_ahead = known.is_none_or(|entry| entry.chainwork > self.tip_work());
        let is_news = !is_known && status.chainwork > self.tip_work();
        let Some(state) = self.peers.get_mut(peer) else {
            return;
        };
        if is_known {
            state.best = Some(status.tip);
            state.sent_orphan = false;
            state.broken_claims = 0;
        }
        let tip = status.tip;
        let height = status.height;
        let was_ready = state.status.is_some();
        let user_agent = (!was_ready).then(|| status.user_agent.as_str().to_owned());
        state.status = Some((status, now.monotonic_ms));
        if let Some(user_agent) = user_agent {
            state.ready_ms = now.monotonic_ms;
            state.starting_height = Some(height);
            self.sync.on_peer_ready();
            out.event(Event::PeerReady {
                peer,
                user_agent,
                tip,
                height,
            });
        }
        // A ready peer that claims what we have, and no more, changes nothing.
        if is_ahead || !was_ready || !self.sync.is_settled() {
            self.sync.stir();
        }
        self.judge_silence(
            peer,
            TipTold {
                tip,
                is_news,
                now_ms: now.monotonic_ms,
            },
            out,
        );
    }

    fn part_from_other_genesis(&mut self, peer: Peer, status: &Status, out: &mut Outbox) {
        if !self.peers.contains(peer) {
            return;
        }
        let (ours, theirs) = (self.genesis, status.genesis);
        let their_network = status.network.as_str().to_owned();
        out.event(Event::PeerOtherGenesis {
            peer,
            ours,
            theirs,
            their_network,
        });
        let detail = format!("its genesis block is {theirs}, ours is {ours}");
        self.drop_peer(peer, DisconnectReason::OtherGenesis, detail, out);
    }

    fn judge_silence(&mut self, peer: Peer, told: TipTold, out: &mut Outbox) {
        let poll_ms = self.timing.status_poll_ms;
        let is_bulk = self.sync.is_bulk();
        let Some(state) = self.peers.table.get_mut(&peer) else {
            return;
        };
        if is_bulk || told.now_ms < state.ready_ms + SILENCE_GRACE_MS {
            state.silence.clear();
            return;
        }
        let was_gossiped = |hash: &_| self.relay.was_gossiped(hash);
        let polls = state.silence.on_status(told, poll_ms, was_gossiped);
        // One at a time: if all fell silent at once, the cause may be ours.
        let last_ms = self.peers.silence_dropped_ms;
        let is_spaced = last_ms.is_none_or(|last_ms| told.now_ms >= last_ms + poll_ms);
        if polls >= SILENT_POLLS_MAX && is_spaced {
            self.peers.silence_dropped_ms = Some(told.now_ms);
            let detail = format!("{polls} new tips in a row that nobody gossiped");
            self.drop_peer(peer, DisconnectReason::GossipSilent, detail, out);
        }
    }
}
