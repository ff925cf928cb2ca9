//! Requests under way, in both directions.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use libp2p::request_response::{self, OutboundFailure, OutboundRequestId, ResponseChannel};
use minichain_protocol::input::{InboundRequest, OutboundRequest, Peer, RequestFailure};

/// Requests under way.
#[derive(Debug, Default)]
pub struct Exchange {
    next: u64,
    inbound: BTreeMap<InboundRequest, Inbound>,
    outbound: BTreeMap<OutboundRequestId, Outbound>,
    unread: Unread,
}

/// What becomes of an answer.
#[derive(Debug)]
pub enum Answering {
    /// It goes there.
    Send(Peer, ResponseChannel<Vec<u8>>),
    /// Nobody waits for it any more.
    Late,
    /// The peer must first read the ones it has; it may ask again.
    Refused,
    /// The peer goes on asking for what it does not read.
    Unread(Peer),
}

#[derive(Debug)]
struct Inbound {
    transport_id: request_response::InboundRequestId,
    peer: Peer,
    channel: ResponseChannel<Vec<u8>>,
}

/// A request of ours under way.
#[derive(Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The core's number.
    pub id: OutboundRequest,
    /// Who was asked.
    pub peer: Peer,
    /// When to give up.
    pub deadline: Instant,
}

mod unread;

use unread::Unread;

/// Peers' requests that may wait for an answer. The core answers at once, so
/// only a flood comes near.
const INBOUND_MAX: usize = 1_024;

impl Exchange {
    /// Numbers a peer's request; none when too many wait, and the request is
    /// dropped.
    pub fn received(
        &mut self,
        transport_id: request_response::InboundRequestId,
        peer: Peer,
        channel: ResponseChannel<Vec<u8>>,
    ) -> Option<InboundRequest> {
        if self.inbound.len() >= INBOUND_MAX {
            return None;
        }
        let id = InboundRequest(self.next);
        self.next += 1;
        self.inbound.insert(
            id,
            Inbound {
                transport_id,
                peer,
                channel,
            },
        );
        Some(id)
    }

    /// What becomes of an answer of this length.
    pub fn answer(&mut self, id: InboundRequest, len: usize) -> Answering {
        let Some(inbound) = self.inbound.remove(&id) else {
            return Answering::Late;
        };
        match self.unread.add(inbound.transport_id, inbound.peer, len) {
            unread::Outcome::Fits => Answering::Send(inbound.peer, inbound.channel),
            unread::Outcome::Refused => Answering::Refused,
            unread::Outcome::Hopeless => Answering::Unread(inbound.peer),
        }
    }

    /// Leaves a request without an answer.
    pub fn refuse(&mut self, id: InboundRequest) {
        self.inbound.remove(&id);
    }

    /// A peer has read an answer.
    pub fn delivered(&mut self, transport_id: request_response::InboundRequestId) {
        self.unread.remove(transport_id, true);
    }

    /// A peer's request failed before its answer was out.
    pub fn inbound_failed(&mut self, transport_id: request_response::InboundRequestId) {
        self.unread.remove(transport_id, false);
        self.inbound
            .retain(|_, inbound| inbound.transport_id != transport_id);
    }

    /// Notes a request of ours.
    pub fn sent(&mut self, transport_id: OutboundRequestId, outbound: Outbound) {
        self.outbound.insert(transport_id, outbound);
    }

    /// Takes a request of ours that came to its end; none when it was given up
    /// before.
    pub fn ended(&mut self, transport_id: OutboundRequestId) -> Option<Outbound> {
        self.outbound.remove(&transport_id)
    }

    /// Takes all requests to a peer that is gone, and forgets its own.
    pub fn peer_gone(&mut self, peer: Peer) -> Vec<Outbound> {
        self.inbound.retain(|_, inbound| inbound.peer != peer);
        self.unread.forget(peer);
        self.outbound
            .extract_if(.., |_, outbound| outbound.peer == peer)
            .map(|(_, o)| o)
            .collect()
    }

    /// When the time of the first request is up.
    pub fn due(&self) -> Option<Instant> {
        self.outbound.values().map(|one| one.deadline).min()
    }

    /// Takes all requests whose time is up.
    pub fn expired(&mut self, now: Instant) -> Vec<Outbound> {
        self.outbound
            .extract_if(.., |_, o| o.deadline <= now)
            .map(|(_, o)| o)
            .collect()
    }
}

/// Whether the peer announced a longer answer than any may be.
pub fn is_too_long(failure: &OutboundFailure) -> bool {
    matches!(failure, OutboundFailure::Io(error) if error.kind() == io::ErrorKind::InvalidData)
}

/// The core's word for libp2p's failure.
pub fn failure(failure: &OutboundFailure) -> RequestFailure {
    match failure {
        OutboundFailure::Timeout => RequestFailure::TimedOut,
        OutboundFailure::UnsupportedProtocols => RequestFailure::Unsupported,
        OutboundFailure::DialFailure | OutboundFailure::ConnectionClosed => {
            RequestFailure::Disconnected
        }
        // A peer that ends the stream refuses; one that sends too much breaks
        // the bounds. Anything else is the connection on its way down.
        OutboundFailure::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset => RequestFailure::BadResponse,
            io::ErrorKind::TimedOut => RequestFailure::TimedOut,
            _ => RequestFailure::Disconnected,
        },
    }
}
