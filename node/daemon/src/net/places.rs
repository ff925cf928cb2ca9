//! Who has a place among the connections that came in.
//!
//! Identities cost nothing, addresses do. While there is room everybody is let
//! in, however many come from one address, as the nodes of a network on one
//! machine do. Without room, who comes from an address or a network of addresses
//! with fewer places gets the youngest place of the one with most. See decision
//! 0021.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::addresses;

mod origin;

pub use origin::host;
use origin::{Origin, yields};

/// The part of the network side that counts connections by where they come from.
#[derive(Debug)]
pub struct Places {
    config: Config,
    /// Handshakes of those who dialled us.
    pending: BTreeMap<ConnectionId, Origin>,
    inbound: BTreeMap<ConnectionId, Guest>,
    outbound: BTreeSet<ConnectionId>,
    /// Made room for others; still to be told of their end.
    evicted: BTreeSet<ConnectionId>,
    orders: VecDeque<(PeerId, ConnectionId)>,
}

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Connections at most.
    pub all_max: usize,
    /// Of these, such as others dialled.
    pub inbound_max: usize,
    /// Handshakes of others at once.
    pub pending_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Guest {
    peer: PeerId,
    origin: Origin,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NoPlace {
    /// Every place is taken, and none by an address that has more than its share.
    #[error("every place is taken")]
    Full,
    /// Too many of the handshakes under way are with this address.
    #[error("too many handshakes with this address are under way")]
    Hasty,
}

/// Connections on their way out for others at once.
const EVICTED_MAX: usize = 16;

impl Places {
    /// All free.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            pending: BTreeMap::new(),
            inbound: BTreeMap::new(),
            outbound: BTreeSet::new(),
            evicted: BTreeSet::new(),
            orders: VecDeque::new(),
        }
    }

    /// Whether a connection that ended had made room for another; asked once.
    pub fn take_evicted(&mut self, connection: ConnectionId) -> bool {
        self.evicted.remove(&connection)
    }

    /// No address may have more handshakes under way than could still be begun,
    /// so some can always be begun by others.
    fn begin(&mut self, connection: ConnectionId, origin: Origin) -> Result<(), NoPlace> {
        let free = self.config.pending_max.saturating_sub(self.pending.len());
        let pending = self.pending.values();
        let own = pending.filter(|other| other.host == origin.host).count();
        if own >= free {
            return Err(NoPlace::Hasty);
        }
        self.pending.insert(connection, origin);
        Ok(())
    }

    /// Finds a place for who came in, or makes one.
    fn seat(&mut self, origin: Origin) -> Result<(), NoPlace> {
        let others = self.config.all_max.saturating_sub(self.outbound.len());
        let staying = self.staying().count();
        if staying < others.min(self.config.inbound_max) {
            return Ok(());
        }
        if self.evicted.len() >= EVICTED_MAX {
            return Err(NoPlace::Full);
        }
        let places = self.staying().map(|(id, guest)| (id, guest.origin));
        let Some(connection) = yields(places, origin) else {
            return Err(NoPlace::Full);
        };
        if let Some(guest) = self.inbound.get(&connection) {
            tracing::info!(
                peer = %guest.peer, from = %guest.origin.host, to = %origin.host,
                reason = "crowding",
                "peer sent away: its address has more places than others, and none was free"
            );
            self.orders.push_back((guest.peer, connection));
            self.evicted.insert(connection);
        }
        Ok(())
    }

    fn staying(&self) -> impl Iterator<Item = (ConnectionId, &Guest)> {
        let inbound = self.inbound.iter().map(|(id, guest)| (*id, guest));
        inbound.filter(|(id, _)| !self.evicted.contains(id))
    }

    fn has_room(&self) -> bool {
        self.staying().count() + self.outbound.len() < self.config.all_max
    }
}

impl NetworkBehaviour for Places {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let origin = Origin::of(addresses::to_socket(remote));
        self.begin(connection, origin)
            .map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&connection);
        self.seat(Origin::of(addresses::to_socket(remote)))
            .map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if self.has_room() {
            Ok(dummy::ConnectionHandler)
        } else {
            Err(ConnectionDenied::new(NoPlace::Full))
        }
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(opened) => {
                let connection = opened.connection_id;
                if opened.endpoint.is_dialer() {
                    self.outbound.insert(connection);
                    return;
                }
                let remote = opened.endpoint.get_remote_address();
                let guest = Guest {
                    peer: opened.peer_id,
                    origin: Origin::of(addresses::to_socket(remote)),
                };
                self.inbound.insert(connection, guest);
            }
            FromSwarm::ConnectionClosed(closed) => {
                self.inbound.remove(&closed.connection_id);
                self.outbound.remove(&closed.connection_id);
            }
            FromSwarm::ListenFailure(failed) => {
                self.pending.remove(&failed.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        // Whoever fills the queue polls right after.
        match self.orders.pop_front() {
            Some((peer_id, connection)) => Poll::Ready(ToSwarm::CloseConnection {
                peer_id,
                connection: CloseConnection::One(connection),
            }),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests;
