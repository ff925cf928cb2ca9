//! Who is connected: libp2p's peer ids and connections on one side, the core's
//! peer numbers on the other.
//!
//! A peer may hold two connections for a while, when both sides dial at once.
//! For the core it is one peer: it appears with the first connection and goes
//! with the last.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use minichain_protocol::input::{Direction, Peer};

use super::addresses;
use super::meter::{Meter, PeerMeter};
use super::view::Connection;

/// All connected peers.
#[derive(Debug, Default)]
pub struct Peers {
    relations: BTreeMap<PeerId, Relation>,
    ids: BTreeMap<Peer, PeerId>,
    next: u64,
}

/// One connected peer.
#[derive(Debug)]
struct Relation {
    number: Peer,
    /// Oldest first, never empty.
    links: Vec<Link>,
    since_unix_s: u64,
    traffic: PeerMeter,
    ping: Option<Duration>,
    min_ping: Option<Duration>,
    addresses: Vec<Multiaddr>,
    /// When it was last given an answer.
    answered: Option<Instant>,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    /// libp2p's number.
    pub id: ConnectionId,
    /// The peer's end.
    pub remote: Multiaddr,
    /// Who dialled.
    pub direction: Direction,
    /// Whether we dialled it by the operator's word.
    pub is_manual: bool,
    /// Whether we dialled it by our own choice, and not because the peer had come
    /// in before.
    pub is_chosen: bool,
    /// When it opened.
    pub opened: Instant,
    /// When it last answered a ping, or opened.
    pub heard: Instant,
    /// What passes over it.
    pub meter: Arc<Meter>,
}

/// What a new connection means.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// The peer is new.
    First(Peer),
    /// The peer is connected already, for this long.
    Another {
        /// Age of its oldest connection.
        eldest_age: Duration,
    },
}

/// What a closed connection means.
#[derive(Debug, PartialEq, Eq)]
pub enum Closed {
    /// The peer is gone.
    Last(Peer),
    /// The oldest connection closed; others remain, the next one opened this
    /// much later.
    Eldest {
        /// Time between the two openings.
        gap: Duration,
    },
    /// A younger connection closed; the oldest remains.
    Younger,
    /// The connection was not known.
    Unknown,
}

impl Peers {
    /// Notes a connection.
    pub fn opened(&mut self, id: PeerId, link: Link, now_unix_s: u64) -> Opened {
        if let Some(relation) = self.relations.get_mut(&id) {
            let eldest = relation
                .links
                .first()
                .map_or(link.opened, |eldest| eldest.opened);
            let eldest_age = link.opened.saturating_duration_since(eldest);
            relation.traffic.opened(Arc::clone(&link.meter));
            relation.links.push(link);
            return Opened::Another { eldest_age };
        }
        let number = Peer(self.next);
        self.next += 1;
        self.ids.insert(number, id);
        let mut traffic = PeerMeter::default();
        traffic.opened(Arc::clone(&link.meter));
        let relation = Relation {
            number,
            links: vec![link],
            since_unix_s: now_unix_s,
            traffic,
            ping: None,
            min_ping: None,
            addresses: Vec::new(),
            answered: None,
        };
        self.relations.insert(id, relation);
        Opened::First(number)
    }

    /// Notes a connection's end.
    pub fn closed(&mut self, id: &PeerId, connection: ConnectionId) -> Closed {
        let Some(relation) = self.relations.get_mut(id) else {
            return Closed::Unknown;
        };
        let Some(index) = relation.links.iter().position(|link| link.id == connection) else {
            return Closed::Unknown;
        };
        let gone = relation.links.remove(index);
        relation.traffic.closed(&gone.meter);
        match relation.links.first() {
            None => {
                let number = relation.number;
                self.ids.remove(&number);
                self.relations.remove(id);
                Closed::Last(number)
            }
            Some(next) if index == 0 => Closed::Eldest {
                gap: next.opened.saturating_duration_since(gone.opened),
            },
            Some(_) => Closed::Younger,
        }
    }

    /// Notes a round trip.
    pub fn pinged(
        &mut self,
        id: &PeerId,
        connection: ConnectionId,
        round_trip: Duration,
        now: Instant,
    ) {
        let Some(relation) = self.relations.get_mut(id) else {
            return;
        };
        relation.ping = Some(round_trip);
        let least = relation
            .min_ping
            .map_or(round_trip, |least| least.min(round_trip));
        relation.min_ping = Some(least);
        for link in relation
            .links
            .iter_mut()
            .filter(|link| link.id == connection)
        {
            link.heard = now;
        }
    }

    /// Connections that have not answered a ping for `limit`.
    pub fn silent(&self, now: Instant, limit: Duration) -> Vec<ConnectionId> {
        let links = self.relations.values().flat_map(|relation| &relation.links);
        let is_silent = |link: &&Link| now.saturating_duration_since(link.heard) >= limit;
        links.filter(is_silent).map(|link| link.id).collect()
    }

    /// When the first connection has not answered a ping for `limit`, should
    /// none answer any more.
    pub fn silent_at(&self, limit: Duration) -> Option<Instant> {
        let links = self.relations.values().flat_map(|relation| &relation.links);
        let first = links.map(|link| link.heard).min();
        first.map(|heard| heard + limit)
    }

    /// Notes that the peer is given an answer.
    pub fn answered(&mut self, number: Peer, now: Instant) {
        let relation = self
            .ids
            .get(&number)
            .and_then(|id| self.relations.get_mut(id));
        if let Some(relation) = relation {
            relation.answered = Some(now);
        }
    }

    /// When the peer was last given an answer.
    pub fn answered_at(&self, id: &PeerId) -> Option<Instant> {
        self.relations.get(id)?.answered
    }

    /// Notes where the peer can be dialled.
    pub fn identified(&mut self, id: &PeerId, addresses: Vec<Multiaddr>) {
        if let Some(relation) = self.relations.get_mut(id) {
            relation.addresses = addresses;
        }
    }

    /// The core's number of a connected peer.
    pub fn number(&self, id: &PeerId) -> Option<Peer> {
        self.relations.get(id).map(|relation| relation.number)
    }

    /// Who hides behind a number.
    pub fn id(&self, number: Peer) -> Option<PeerId> {
        self.ids.get(&number).copied()
    }

    /// Whether the peer is connected.
    pub fn contains(&self, id: &PeerId) -> bool {
        self.relations.contains_key(id)
    }

    /// How many peers are connected.
    pub fn len(&self) -> usize {
        self.relations.len()
    }

    /// Every connected peer.
    pub fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.relations.keys().copied()
    }

    /// Where the peer is seen, when it is a numeric address.
    pub fn seen_at(&self, id: &PeerId) -> Option<IpAddr> {
        let link = self.relations.get(id)?.links.first()?;
        addresses::to_socket(&link.remote).map(|socket| socket.ip())
    }

    /// Where the peer can be dialled: the address we dialled, then what it
    /// tells.
    pub fn dialable(&self, id: &PeerId) -> Vec<Multiaddr> {
        let Some(relation) = self.relations.get(id) else {
            return Vec::new();
        };
        let dialled = relation
            .links
            .iter()
            .filter(|link| link.direction == Direction::Outbound);
        let mut found: Vec<Multiaddr> = Vec::new();
        for address in dialled.map(|link| &link.remote).chain(&relation.addresses) {
            let (address, _) = addresses::split_peer_id(address.clone());
            if !found.contains(&address) {
                found.push(address);
            }
        }
        found
    }

    /// Everyone connected from or to an address, or known to listen there.
    pub fn at(&self, address: &Multiaddr) -> Vec<PeerId> {
        let is_there = |(_, relation): &(&PeerId, &Relation)| {
            let mut links = relation.links.iter();
            relation.addresses.contains(address)
                || links.any(|link| addresses::split_peer_id(link.remote.clone()).0 == *address)
        };
        self.relations
            .iter()
            .filter(is_there)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Everyone with a connection from or to an address that is meant.
    pub fn seen_within(&self, is_meant: impl Fn(IpAddr) -> bool) -> Vec<PeerId> {
        let is_seen = |(_, relation): &(&PeerId, &Relation)| {
            let mut sockets = relation
                .links
                .iter()
                .filter_map(|link| addresses::to_socket(&link.remote));
            sockets.any(|socket| is_meant(socket.ip()))
        };
        self.relations
            .iter()
            .filter(is_seen)
            .map(|(id, _)| *id)
            .collect()
    }

    /// For how long the peer has been connected without a break.
    pub fn age(&self, id: &PeerId, now: Instant) -> Option<Duration> {
        let link = self.relations.get(id)?.links.first()?;
        Some(now.saturating_duration_since(link.opened))
    }

    /// Whether we dialled any of the peer's connections.
    pub fn is_dialled(&self, id: &PeerId) -> bool {
        self.relations.get(id).is_some_and(|relation| {
            relation
                .links
                .iter()
                .any(|link| link.direction == Direction::Outbound)
        })
    }

    /// How many peers we dialled.
    pub fn dialled(&self) -> usize {
        self.relations
            .keys()
            .filter(|id| self.is_dialled(id))
            .count()
    }

    /// Whether the peer is here by our own choice.
    pub fn is_chosen(&self, id: &PeerId) -> bool {
        let links = self.relations.get(id).map(|relation| &relation.links);
        links.is_some_and(|links| links.iter().any(|link| link.is_chosen))
    }

    /// How many peers are.
    pub fn chosen(&self) -> usize {
        self.relations
            .keys()
            .filter(|id| self.is_chosen(id))
            .count()
    }

    /// All peers as shown to those who ask.
    pub fn connections(&self) -> BTreeMap<Peer, Connection> {
        let shown = |(id, relation): (&PeerId, &Relation)| {
            let eldest = relation.links.first()?;
            let connection = Connection {
                address: addresses::display(&addresses::split_peer_id(eldest.remote.clone()).0),
                peer_id: id.to_string(),
                direction: eldest.direction,
                is_manual: eldest.is_manual,
                since_unix_s: relation.since_unix_s,
                traffic: relation.traffic.clone(),
                ping_ms: relation.ping.map(|ping| ping.as_secs_f64() * 1e3),
                min_ping_ms: relation.min_ping.map(|ping| ping.as_secs_f64() * 1e3),
            };
            Some((relation.number, connection))
        };
        self.relations.iter().filter_map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use libp2p::PeerId;
    use libp2p::swarm::ConnectionId;
    use minichain_protocol::input::{Direction, Peer};

    use super::{Closed, Link, Opened, Peers};

    fn link(id: usize, direction: Direction, opened: Instant) -> Link {
        let remote = format!("/ip4/10.0.0.1/tcp/{}", 9_000 + id)
            .parse()
            .expect("multiaddr");
        Link {
            id: ConnectionId::new_unchecked(id),
            remote,
            direction,
            is_manual: false,
            is_chosen: direction == Direction::Outbound,
            opened,
            heard: opened,
            meter: Arc::default(),
        }
    }

    #[test]
    fn two_connections_are_one_peer() {
        let (mut peers, id, start) = (Peers::default(), PeerId::random(), Instant::now());
        let first = peers.opened(id, link(1, Direction::Inbound, start), 100);
        assert_eq!(first, Opened::First(Peer(0)));
        let later = start + Duration::from_secs(7);
        let second = peers.opened(id, link(2, Direction::Outbound, later), 107);
        assert_eq!(
            second,
            Opened::Another {
                eldest_age: Duration::from_secs(7)
            }
        );
        assert_eq!(peers.len(), 1);
        assert_eq!(peers.connections()[&Peer(0)].address, "10.0.0.1:9001");
        let links = &peers.relations[&id].links;
        let meters = [0, 1].map(|index| Arc::clone(&links[index].meter));

        let eldest = peers.closed(&id, ConnectionId::new_unchecked(1));
        assert_eq!(
            eldest,
            Closed::Eldest {
                gap: Duration::from_secs(7)
            }
        );
        assert_eq!(
            peers.closed(&id, ConnectionId::new_unchecked(2)),
            Closed::Last(Peer(0))
        );
        assert_eq!(meters.map(|meter| Arc::strong_count(&meter)), [1, 1]);
        assert_eq!(peers.number(&id), None);
        assert_eq!(peers.id(Peer(0)), None);
    }

    #[test]
    fn a_connection_that_answers_no_ping_is_silent() {
        let (mut peers, id, start) = (Peers::default(), PeerId::random(), Instant::now());
        let (limit, second) = (Duration::from_secs(11), Duration::from_secs(1));
        let [first, other] = [1, 2].map(ConnectionId::new_unchecked);
        peers.opened(id, link(1, Direction::Inbound, start), 0);
        peers.opened(id, link(2, Direction::Outbound, start), 0);
        assert!(peers.silent(start + limit - second, limit).is_empty());
        peers.pinged(&id, other, Duration::from_millis(3), start + second);
        assert_eq!(peers.silent(start + limit, limit), [first]);
        assert_eq!(peers.silent(start + limit + second, limit), [first, other]);
        assert_eq!(peers.connections()[&Peer(0)].ping_ms, Some(3.0));
    }

    #[test]
    fn only_whom_we_dialled_by_choice_counts_as_chosen() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let [guest, returned, chosen] = [(); 3].map(|()| PeerId::random());
        peers.opened(guest, link(1, Direction::Inbound, now), 0);
        let back = Link {
            is_chosen: false,
            ..link(2, Direction::Outbound, now)
        };
        peers.opened(returned, back, 0);
        peers.opened(chosen, link(3, Direction::Inbound, now), 0);
        assert_eq!((peers.chosen(), peers.dialled()), (0, 1));
        peers.opened(chosen, link(4, Direction::Outbound, now), 0);
        assert_eq!((peers.chosen(), peers.is_chosen(&chosen)), (1, true));
        peers.closed(&chosen, ConnectionId::new_unchecked(4));
        assert_eq!(peers.chosen(), 0);
    }

    #[test]
    fn a_number_is_never_used_twice() {
        let (mut peers, id) = (Peers::default(), PeerId::random());
        for expected in 0..3 {
            let opened = peers.opened(id, link(1, Direction::Inbound, Instant::now()), 0);
            assert_eq!(opened, Opened::First(Peer(expected)));
            let closed = peers.closed(&id, ConnectionId::new_unchecked(1));
            assert_eq!(closed, Closed::Last(Peer(expected)));
        }
    }

    #[test]
    fn unknown_connections_close_without_effect() {
        let (mut peers, id, now) = (Peers::default(), PeerId::random(), Instant::now());
        assert_eq!(
            peers.closed(&id, ConnectionId::new_unchecked(1)),
            Closed::Unknown
        );
        peers.opened(id, link(1, Direction::Inbound, now), 0);
        peers.opened(id, link(2, Direction::Inbound, now), 0);
        assert_eq!(
            peers.closed(&id, ConnectionId::new_unchecked(3)),
            Closed::Unknown
        );
        assert_eq!(
            peers.closed(&id, ConnectionId::new_unchecked(2)),
            Closed::Younger
        );
        assert!(peers.contains(&id));
    }

    #[test]
    fn an_inbound_port_is_not_dialled_but_told_addresses_are() {
        let (mut peers, id, now) = (Peers::default(), PeerId::random(), Instant::now());
        peers.opened(id, link(1, Direction::Inbound, now), 0);
        assert!(peers.dialable(&id).is_empty());
        let told = "/ip4/10.0.0.1/tcp/9000".parse().expect("multiaddr");
        peers.identified(&id, vec![told]);
        peers.opened(id, link(2, Direction::Outbound, now), 0);
        let texts: Vec<_> = peers
            .dialable(&id)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(texts, ["/ip4/10.0.0.1/tcp/9002", "/ip4/10.0.0.1/tcp/9000"]);
    }
}
