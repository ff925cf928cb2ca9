//! Kademlia that asks when it is told to, and not by itself.
//!
//! While it knows fewer than twenty nodes, libp2p's walks through every bucket
//! whenever it comes to know one more, and no setting ends that. A node asked
//! some 140 questions so while a network of a hundred came up, and wanted to dial
//! four times as many nodes, which the gate refused. The walks are ended here as
//! soon as they show; [`kad::Behaviour::get_n_closest_peers`] is left alone.

use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::kad::store::MemoryStore;
use libp2p::kad::{self, QueryInfo};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

type Inner = kad::Behaviour<MemoryStore>;

/// libp2p's Kademlia without the walks it begins by itself.
pub struct Kademlia {
    /// The table, and lookups that are wanted.
    pub inner: Inner,
}

impl Kademlia {
    /// Ends what nobody asked for. What a walk asks at its very begin is sent by
    /// then: three nodes at most.
    fn end_walks(&mut self) {
        for mut query in self.inner.iter_queries_mut() {
            if matches!(query.info(), QueryInfo::Bootstrap { .. }) {
                query.finish();
            }
        }
    }
}

impl NetworkBehaviour for Kademlia {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = kad::Event;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner
            .handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner
            .handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner
            .on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.end_walks();
        self.inner.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libp2p::StreamProtocol;
    use libp2p::swarm::{DialError, DialFailure};

    use super::*;

    /// As many as libp2p takes for few.
    const KNOWN: u16 = 12;

    fn with_known_nodes() -> Inner {
        let me = PeerId::random();
        let settings = kad::Config::new(StreamProtocol::new("/test/kad/1"));
        let mut kademlia = Inner::with_config(me, MemoryStore::new(me), settings);
        for port in 1..=KNOWN {
            let address = format!("/ip4/127.0.0.1/tcp/{port}");
            kademlia.add_address(&PeerId::random(), address.parse().expect("an address"));
        }
        kademlia
    }

    /// Dials that it wants while every one fails, until it rests.
    fn dials<B: NetworkBehaviour<ToSwarm = kad::Event>>(kademlia: &mut B) -> usize {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut wanted = 0;
        while let Poll::Ready(event) = kademlia.poll(&mut context) {
            let ToSwarm::Dial { opts } = event else {
                continue;
            };
            wanted += 1;
            kademlia.on_swarm_event(FromSwarm::DialFailure(DialFailure {
                peer_id: opts.get_peer_id(),
                error: &DialError::Aborted,
                connection_id: opts.connection_id(),
            }));
        }
        wanted
    }

    /// Longer than libp2p waits after the last node that it has come to know.
    async fn a_while() {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_that_nobody_asked_for_ends_where_it_begins() {
        let mut alone = with_known_nodes();
        let mut ours = Kademlia {
            inner: with_known_nodes(),
        };
        assert_eq!((dials(&mut alone), dials(&mut ours)), (0, 0));
        a_while().await;
        assert!(dials(&mut alone) > usize::from(KNOWN), "it walks by itself");
        assert!((1..=3).contains(&dials(&mut ours)));
        a_while().await;
        assert_eq!(dials(&mut ours), 0, "it does not go on later");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_for_asks_everybody() {
        let mut ours = Kademlia {
            inner: with_known_nodes(),
        };
        ours.inner.get_closest_peers(PeerId::random());
        assert_eq!(dials(&mut ours), usize::from(KNOWN));
    }
}
