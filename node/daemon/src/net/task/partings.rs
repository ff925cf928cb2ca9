//! Sending peers away: at once or when an answer has arrived, for a while or
//! for a fresh start.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use minichain_protocol::input::Peer;

use super::{Delivery, Task};

/// Peers sent away.
#[derive(Debug, Default)]
pub struct Partings {
    /// Refused until then.
    kept_away: BTreeMap<PeerId, Instant>,
    /// Still connected, to part from at that time, and for how long.
    leaving: BTreeMap<PeerId, (Instant, Option<Duration>)>,
    /// Still connected, and not to be looked for once they are gone.
    dismissed: BTreeSet<PeerId>,
}

impl Partings {
    /// The operator parts from a connected peer.
    pub fn dismissed(&mut self, id: PeerId) {
        self.dismissed.insert(id);
    }

    /// When the first leaves or is forgiven.
    pub fn due(&self) -> Option<Instant> {
        let leaving = self.leaving.values().map(|(at, _)| at);
        leaving.chain(self.kept_away.values()).min().copied()
    }
}

/// Peers refused at once; the one due back first is forgiven beyond that.
const KEPT_AWAY_MAX: usize = 1_024;
/// A connection that broke earlier was none: the other side is full, or only
/// probed us.
const LOST_AGE_MIN: Duration = Duration::from_secs(2);
/// Time an answer gets to arrive before its connection is closed.
const LINGER: Duration = Duration::from_millis(200);
/// Time before a peer sent away without blame is dialled again.
const REDIAL_DELAY: Duration = Duration::from_secs(1);

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// Closes all connections to a peer. An answer it was just given first has
    /// time to arrive: it may say why they part.
    pub(super) fn disconnect(&mut self, peer: Peer, keep_away: Option<Duration>) {
        let Some(id) = self.peers.id(peer) else {
            return;
        };
        let now = Instant::now();
        let answered = self.peers.answered_at(&id);
        let at = answered.map_or(now, |answered| answered + LINGER);
        if at <= now {
            self.part(id, keep_away);
        } else {
            self.partings.leaving.insert(id, (at, keep_away));
        }
    }

    /// Where to look for a peer that is connected still, should it get lost;
    /// none where it is not looked for.
    pub(super) fn whereabouts(
        &self,
        id: &PeerId,
        connection: ConnectionId,
    ) -> Option<Vec<Multiaddr>> {
        let age = self.peers.age(id, Instant::now())?;
        let is_ours = self.config.discovery || self.peers.is_dialled(id);
        let partings = &self.partings;
        let is_sent_away = partings.kept_away.contains_key(id) || partings.dismissed.contains(id);
        let is_guest = self.probing.is_guest(connection);
        let is_lost = age >= LOST_AGE_MIN && !is_sent_away && !is_guest;
        is_lost.then(|| {
            if is_ours {
                self.peers.dialable(id)
            } else {
                Vec::new()
            }
        })
    }

    /// A leaving peer went by itself.
    pub(super) fn on_left(&mut self, id: &PeerId) {
        self.partings.dismissed.remove(id);
        if let Some((_, Some(time))) = self.partings.leaving.remove(id) {
            self.keep_away(*id, time);
        }
    }

    /// Does what is due.
    pub(super) fn part_and_forgive(&mut self, now: Instant) {
        let partings = &mut self.partings;
        let due = partings.leaving.extract_if(.., |_, (at, _)| *at <= now);
        let due: Vec<_> = due.collect();
        let until = partings.kept_away.iter();
        let forgiven: Vec<_> = until
            .filter(|(_, until)| **until <= now)
            .map(|(id, _)| *id)
            .collect();
        for (id, (_, keep_away)) in due {
            self.part(id, keep_away);
        }
        for id in forgiven {
            self.forgive(&id);
        }
    }

    /// Closes all connections to a peer and refuses it for a while.
    pub(super) fn keep_away(&mut self, id: PeerId, time: Duration) {
        let kept_away = &self.partings.kept_away;
        if kept_away.len() >= KEPT_AWAY_MAX {
            let first = kept_away.iter().min_by_key(|(_, until)| **until);
            if let Some(first) = first.map(|(id, _)| *id) {
                self.forgive(&first);
            }
        }
        self.partings.kept_away.insert(id, Instant::now() + time);
        self.dialer.remove(&id);
        self.book.remove(&id);
        let behaviour = self.swarm.behaviour_mut();
        if let Some(kad) = behaviour.kad.as_mut() {
            kad.inner.remove_peer(&id);
        }
        behaviour.blocked.block_peer(id);
    }

    /// Closes all connections to a peer and dials it again, where we may: with
    /// explicit edges only, nobody is dialled who was not.
    pub(super) fn start_afresh(&mut self, id: PeerId, delay: Duration) {
        if self.partings.dismissed.contains(&id) {
            return;
        }
        if self.config.discovery || self.peers.is_dialled(&id) {
            let addresses = self.peers.dialable(&id);
            self.dialer.want_back(id, addresses, Instant::now() + delay);
        }
        // Fails only when the peer is gone already.
        let _gone = self.swarm.disconnect_peer_id(id);
    }

    fn part(&mut self, id: PeerId, keep_away: Option<Duration>) {
        match keep_away {
            Some(time) => self.keep_away(id, time),
            None => self.start_afresh(id, REDIAL_DELAY),
        }
    }

    pub(super) fn forgive(&mut self, id: &PeerId) {
        self.partings.kept_away.remove(id);
        self.swarm.behaviour_mut().blocked.unblock_peer(*id);
    }
}
