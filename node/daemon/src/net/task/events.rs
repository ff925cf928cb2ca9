//! What the swarm tells, turned into inputs for the core and into upkeep of
//! the connections.

use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::request_response::{
    self, InboundRequestId, Message, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, gossipsub, identify, ping};
use minichain_protocol::input::{Breach, Direction, Input, RequestFailure};
use minichain_protocol::output::Verdict;

use super::super::behaviour::{self, BehaviourEvent};
use super::super::dialer::Motive;
use super::super::exchange::{self, Outbound};
use super::super::peers::{Closed, Link, Opened};
use super::super::sync_codec::Request;
use super::{Delivery, Task, addresses, gossip, unix_s, upkeep};

/// The first of two connections closed, and the other is this much younger:
/// the same, noticed later.
const SIMULTANEOUS: Duration = Duration::from_secs(2);
/// Time before a peer is dialled again for a fresh start.
const REDIAL_DELAY: Duration = Duration::from_millis(500);
/// Peers of another network are refused this long.
const OTHER_NETWORK: Duration = Duration::from_secs(60);

impl<E: From<Delivery> + Send + 'static> Task<E> {
    pub(super) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        if !upkeep::is_routine(&event) {
            self.upkeep.changed();
        }
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.on_opened(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                self.on_closed(&peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                error,
                ..
            } => {
                self.on_probe_dial_failed(connection_id, &error);
                self.on_try_failed(connection_id, &error);
                let given_up = self.dialer.on_failed(connection_id, &error, Instant::now());
                if let Some(peer) = given_up {
                    self.book.remove(&peer);
                }
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                ..
            } => {
                tracing::debug!(from = %send_back_addr, %error, "inbound connection refused");
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(&address),
            SwarmEvent::ExpiredListenAddr { .. } => self.is_view_stale = true,
            SwarmEvent::ListenerClosed {
                reason: Err(error), ..
            }
            | SwarmEvent::ListenerError { error, .. } => {
                tracing::error!(%error, "listening for peers failed");
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            }) => {
                self.on_ping(&peer, connection, result);
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, &info);
            }
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => self.on_gossip(propagation_source, message_id, message),
            BehaviourEvent::Gossip(gossipsub::Event::SlowPeer { peer_id, .. }) => {
                tracing::debug!(peer = %peer_id, "peer reads gossip too slowly");
            }
            BehaviourEvent::Sync(event) => self.on_sync(event),
            BehaviourEvent::Probe(event) => self.on_probe(event),
            _ => {}
        }
    }

    fn on_opened(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        let direction = if endpoint.is_dialer() {
            Direction::Outbound
        } else {
            Direction::Inbound
        };
        let is_tried = self.tries.remove(&connection);
        let dialled = endpoint.is_dialer();
        let motive = dialled.then(|| self.dialer.on_connected(connection, id, now));
        let remote = endpoint.get_remote_address().clone();
        tracing::debug!(peer = %id, %remote, ?direction, "connection opened");
        let link = Link {
            id: connection,
            remote,
            direction,
            is_manual: is_tried || motive == Some(Motive::Edge),
            is_chosen: motive.is_some_and(|motive| motive != Motive::Return),
            opened: now,
            heard: now,
            meter: self.meters.claim(&id, endpoint.get_remote_address()),
        };
        self.is_view_stale = true;
        match self.peers.opened(id, link, unix_s()) {
            Opened::First(peer) => {
                self.look_around_soon();
                self.outlet.push(Input::PeerConnected { peer, direction });
            }
            // Gossipsub tells its topics on a peer's first connection alone:
            // over a second one that replaces it gossip would stay dead both
            // ways.
            Opened::Another { eldest_age } if eldest_age >= self.pace.half_open => {
                tracing::debug!(peer = %id, ?eldest_age, "peer came back over a half-open link");
                self.start_afresh(id, REDIAL_DELAY);
            }
            Opened::Another { .. } => {}
        }
        self.count_peers();
        self.on_probe_connected(id, connection);
    }

    fn on_closed(&mut self, id: &PeerId, connection: ConnectionId) {
        self.is_view_stale = true;
        let is_evicted = self.swarm.behaviour_mut().places.take_evicted(connection);
        // Who made room for others is not wanted back.
        let whereabouts = self.whereabouts(id, connection).filter(|_| !is_evicted);
        self.on_guest_gone(connection);
        match self.peers.closed(id, connection) {
            Closed::Last(peer) => {
                for request in self.exchange.peer_gone(peer) {
                    let failure = RequestFailure::Disconnected;
                    self.outlet.push(Input::RequestFailed {
                        id: request.id,
                        peer,
                        failure,
                    });
                }
                if let Some(addresses) = whereabouts {
                    self.dialer.on_lost(*id, addresses, Instant::now());
                }
                self.on_left(id);
                self.look_around_soon();
                self.outlet.push(Input::PeerDisconnected { peer });
            }
            Closed::Eldest { gap } if gap >= SIMULTANEOUS => {
                tracing::debug!(peer = %id, ?gap, "peer's first connection broke");
                self.start_afresh(*id, REDIAL_DELAY);
            }
            Closed::Eldest { .. } | Closed::Younger | Closed::Unknown => {}
        }
        self.count_peers();
    }

    fn on_ping(
        &mut self,
        peer: &PeerId,
        connection: ConnectionId,
        result: Result<Duration, ping::Failure>,
    ) {
        match result {
            Ok(round_trip) => {
                self.peers
                    .pinged(peer, connection, round_trip, Instant::now());
                self.has_view_aged = true;
            }
            Err(ping::Failure::Unsupported) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "ping failed; closing the connection");
                self.swarm.close_connection(connection);
            }
        }
    }

    fn on_listening(&mut self, address: &Multiaddr) {
        self.is_view_stale = true;
        tracing::debug!(%address, "listening for peers");
        let told = addresses::to_socket(address).and_then(|s| self.advertised.on_listening(s));
        self.tell(told);
    }

    /// Tells everyone a new address of ours.
    fn tell(&mut self, address: Option<Multiaddr>) {
        let Some(address) = address else { return };
        tracing::debug!(%address, "peers can reach this node there");
        self.is_view_stale = true;
        self.swarm.add_external_address(address);
        self.swarm.behaviour_mut().identify.push(self.peers.ids());
    }

    fn on_identified(&mut self, id: PeerId, info: &identify::Info) {
        let expected = behaviour::identify_protocol(&self.config.network);
        if info.protocol_version != expected {
            let theirs: String = info
                .protocol_version
                .chars()
                .filter(char::is_ascii_graphic)
                .take(64)
                .collect();
            tracing::warn!(
                peer = %id, ours = %expected, %theirs,
                "peer belongs to another network; check its `network` in the genesis file"
            );
            return self.keep_away(id, OTHER_NETWORK);
        }
        let observed = addresses::to_socket(&info.observed_addr).map(|socket| socket.ip());
        let told = observed.and_then(|ip| self.advertised.on_observed(ip, id));
        self.tell(told);

        let seen_at = self.peers.seen_at(&id);
        let listens_at = addresses::believable(&info.listen_addrs, seen_at);
        self.peers.identified(&id, listens_at.clone());
        let came_in = !self.peers.is_chosen(&id);
        self.dialer
            .on_identified(id, listens_at.clone(), came_in, Instant::now());
        let dialable = self.peers.dialable(&id);
        self.book.note(id, dialable, seen_at, unix_s());
        let Some(kad) = self.swarm.behaviour_mut().kad.as_mut() else {
            return;
        };
        let speaks_kad = kad
            .inner
            .protocol_names()
            .iter()
            .any(|name| info.protocols.contains(name));
        for address in listens_at.into_iter().filter(|_| speaks_kad) {
            kad.inner.add_address(&id, address);
        }
    }

    fn on_gossip(
        &mut self,
        source: PeerId,
        message_id: gossipsub::MessageId,
        message: gossipsub::Message,
    ) {
        let known = self
            .topics
            .find(&message.topic)
            .zip(self.peers.number(&source));
        let Some((topic, peer)) = known else {
            return self.report_message(&message_id, &source, Verdict::Ignore);
        };
        let (id, overflow) = self.pending.insert(message_id, source);
        if let Some((oldest, from)) = overflow {
            self.report_message(&oldest, &from, Verdict::Ignore);
        }
        let (sent_at, bytes) = gossip::unstamp(message.data);
        self.outlet.push(Input::GossipReceived {
            id,
            peer,
            topic,
            sent_at,
            bytes,
        });
    }

    fn on_sync(&mut self, event: request_response::Event<Request, Vec<u8>>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                Message::Request {
                    request_id,
                    request,
                    channel,
                } => self.on_asked(&peer, request_id, request, channel),
                Message::Response {
                    request_id,
                    response,
                } => {
                    let Some(Outbound { id, peer, .. }) = self.exchange.ended(request_id) else {
                        return;
                    };
                    let bytes = response;
                    self.outlet
                        .push(Input::ResponseReceived { id, peer, bytes });
                }
            },
            request_response::Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => self.on_unanswered(&peer, request_id, &error),
            request_response::Event::InboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                tracing::debug!(%peer, %error, "a peer's request failed");
                self.exchange.inbound_failed(request_id);
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                self.exchange.delivered(request_id);
            }
        }
    }

    fn on_asked(
        &mut self,
        from: &PeerId,
        request_id: InboundRequestId,
        request: Request,
        channel: ResponseChannel<Vec<u8>>,
    ) {
        let Some(peer) = self.peers.number(from) else {
            return;
        };
        match request {
            Request::Whole(bytes) => {
                if let Some(id) = self.exchange.received(request_id, peer, channel) {
                    self.outlet.push(Input::RequestReceived { id, peer, bytes });
                }
            }
            Request::TooLong => self.breached(peer, Breach::QuestionTooLong),
            Request::TooSlow => self.breached(peer, Breach::QuestionTooSlow),
        }
    }

    fn on_unanswered(
        &mut self,
        from: &PeerId,
        request_id: OutboundRequestId,
        error: &OutboundFailure,
    ) {
        tracing::debug!(peer = %from, %error, "request failed");
        let Some(Outbound { id, peer, .. }) = self.exchange.ended(request_id) else {
            return;
        };
        if exchange::is_too_long(error) {
            self.breached(peer, Breach::AnswerTooLong);
        }
        let failure = exchange::failure(error);
        self.outlet.push(Input::RequestFailed { id, peer, failure });
    }
}
