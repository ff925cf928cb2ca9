//! Lets nobody in, and dials nobody, who is banned; and lets no protocol dial by
//! itself once there are enough peers.
//!
//! Kademlia connects to whomever it asks, and idle connections never close. Were
//! it let, every node would hold a connection to every other, and what peers
//! cost each other would grow with the square of their number.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::addresses;
use super::bans::Bans;

/// The part of the network side that refuses connections by the bans.
#[derive(Debug)]
pub struct Gate {
    /// Who is kept out.
    pub bans: Bans,
    /// How many more connections protocols may begin by themselves, those under
    /// way included.
    pub room: usize,
    /// Dials of protocols that are under way.
    under_way: BTreeSet<ConnectionId>,
    /// The dial that is under way by our own word, which needs no room.
    pub own: Option<ConnectionId>,
}

/// Why a connection was refused.
#[derive(Debug, thiserror::Error)]
#[error("{0} is banned; see `listbanned`")]
pub struct Banned(String);

/// Why a protocol's dial was refused.
#[derive(Debug, thiserror::Error)]
#[error("there are enough peers")]
pub struct Enough;

impl Gate {
    /// Keeps those out who are banned, and has room.
    pub const fn new(bans: Bans) -> Self {
        Self {
            bans,
            room: usize::MAX,
            under_way: BTreeSet::new(),
            own: None,
        }
    }

    /// Whether a peer or an address is banned.
    pub fn bars(&self, peer: Option<&PeerId>, address: Option<&Multiaddr>) -> bool {
        let socket = address.and_then(addresses::to_socket);
        peer.is_some_and(|peer| self.bans.covers_peer(peer))
            || socket.is_some_and(|socket| self.bans.covers_ip(socket.ip()))
    }

    /// Dials of protocols that are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    fn check(
        &self,
        peer: Option<&PeerId>,
        address: Option<&Multiaddr>,
    ) -> Result<(), ConnectionDenied> {
        if !self.bars(peer, address) {
            return Ok(());
        }
        let who = match (peer, address) {
            (_, Some(address)) => address.to_string(),
            (Some(peer), None) => peer.to_string(),
            (None, None) => String::new(),
        };
        Err(ConnectionDenied::new(Banned(who)))
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check(None, Some(remote))
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(Some(&peer), Some(remote))?;
        Ok(dummy::ConnectionHandler)
    }

    /// A peer with one banned address among several may be reached by another.
    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let is_own = self.own == Some(connection);
        if !is_own && self.under_way.len() >= self.room {
            return Err(ConnectionDenied::new(Enough));
        }
        self.check(peer.as_ref(), None)?;
        if let Some(first) = addresses.first()
            && addresses.iter().all(|one| self.bars(None, Some(one)))
        {
            self.check(None, Some(first))?;
        }
        if !is_own {
            self.under_way.insert(connection);
        }
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(Some(&peer), Some(address))?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        let ended = match event {
            FromSwarm::ConnectionEstablished(found) => found.connection_id,
            FromSwarm::DialFailure(failed) => failed.connection_id,
            _ => return,
        };
        self.under_way.remove(&ended);
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
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use libp2p::swarm::{DialError, DialFailure};

    use super::*;

    fn dials(gate: &mut Gate, connection: usize) -> bool {
        let connection = ConnectionId::new_unchecked(connection);
        let peer = Some(PeerId::random());
        gate.handle_pending_outbound_connection(connection, peer, &[], Endpoint::Dialer)
            .is_ok()
    }

    #[test]
    fn dials_under_way_take_the_room_of_further_ones_but_not_of_our_own() {
        let mut gate = Gate::new(Bans::open(None, 0));
        gate.room = 2;
        assert!(dials(&mut gate, 1) && dials(&mut gate, 2));
        assert!(!dials(&mut gate, 3), "two are under way");
        gate.own = Some(ConnectionId::new_unchecked(4));
        assert!(dials(&mut gate, 4));
        gate.own = None;
        assert_eq!(gate.under_way(), 2);
        gate.on_swarm_event(FromSwarm::DialFailure(DialFailure {
            peer_id: None,
            error: &DialError::Aborted,
            connection_id: ConnectionId::new_unchecked(1),
        }));
        assert!(dials(&mut gate, 5), "one has ended");
        assert!(!dials(&mut gate, 6));
    }
}
