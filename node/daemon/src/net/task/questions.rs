//! Questions to peers and answers to theirs, as the core orders them.

use std::time::{Duration, Instant};

use minichain_protocol::input::{
    Breach, InboundRequest, Input, OutboundRequest, Peer, RequestFailure,
};

use super::super::exchange::{Answering, Outbound};
use super::super::sync_codec::Request;
use super::{Delivery, Task};

impl<E: From<Delivery> + Send + 'static> Task<E> {
    pub(super) fn request(
        &mut self,
        id: OutboundRequest,
        peer: Peer,
        bytes: Vec<u8>,
        timeout: Duration,
    ) {
        let Some(peer_id) = self.peers.id(peer) else {
            let failure = RequestFailure::Disconnected;
            return self.outlet.push(Input::RequestFailed { id, peer, failure });
        };
        let deadline = Instant::now() + timeout;
        let transport_id = self
            .swarm
            .behaviour_mut()
            .sync
            .send_request(&peer_id, Request::Whole(bytes));
        self.exchange
            .sent(transport_id, Outbound { id, peer, deadline });
    }

    pub(super) fn respond(&mut self, id: InboundRequest, bytes: Vec<u8>) {
        match self.exchange.answer(id, bytes.len()) {
            Answering::Send(peer, channel) => {
                self.peers.answered(peer, Instant::now());
                // The peer may have gone meanwhile; nobody is left to tell.
                let _gone = self
                    .swarm
                    .behaviour_mut()
                    .sync
                    .send_response(channel, bytes);
            }
            Answering::Unread(peer) => self.breached(peer, Breach::AnswersUnread),
            Answering::Late | Answering::Refused => {}
        }
    }

    /// Tells the core, which decides what becomes of the peer.
    pub(super) fn breached(&mut self, peer: Peer, breach: Breach) {
        self.outlet.push(Input::PeerBreached { peer, breach });
    }
}
