//! Requests and their answers.
//!
//! The world knows when an answer will arrive, so a time-out is put into the
//! queue only where none will in time: few things wait.

use minichain_chain::codec::decode;
use minichain_protocol::input::{InboundRequest, Input, OutboundRequest, Peer, RequestFailure};
use minichain_protocol::output::RequestKind;
use minichain_protocol::wire::Response;

use super::World;
use super::carry::conn_of;
use super::due::{Due, Ticket};
use super::gossip::signed_inputs;
use crate::queue::Micros;

/// A length prefix and the stream's own frames.
const FRAME_BYTES: u64 = 24;

/// A request under way.
#[derive(Debug)]
pub(super) struct Request {
    pub serial: u32,
    pub is_open: bool,
    pub conn: u32,
    /// The asker's end.
    pub end: u8,
    pub id: OutboundRequest,
    /// The question, then the answer.
    pub bytes: Vec<u8>,
    pub deadline: Micros,
    pub kind: RequestKind,
    /// A failure is in the queue already.
    pub is_doomed: bool,
}

impl World {
    pub(super) fn ask(
        &mut self,
        place: usize,
        peer: Peer,
        id: OutboundRequest,
        bytes: Vec<u8>,
        (kind, timeout_ms): (RequestKind, u64),
    ) {
        let conn = conn_of(peer);
        let link = self.conns.get(conn as usize);
        let end = link.map(|link| link.end_of(place));
        let Some(end) = end.filter(|end| self.conns[conn as usize].open[*end]) else {
            let ticket = self.open_request((conn, 0), id, kind, Vec::new(), self.now);
            self.hosts[place].asked.insert(id.0, ticket);
            self.fail_at(ticket, self.now, RequestFailure::Disconnected);
            return;
        };
        let other = self.conns[conn as usize].ends[1 - end] as usize;
        let bytes = self.mask((place, other), kind, bytes);
        let deadline = self.now + timeout_ms.saturating_mul(1_000);
        let size = bytes.len() as u64 + FRAME_BYTES;
        let ticket = self.open_request((conn, end), id, kind, bytes, deadline);
        self.hosts[place].asked.insert(id.0, ticket);
        let arrives = self.send(conn, 1 - end, size, Due::Ask(ticket));
        if arrives.is_none_or(|at| at > deadline) {
            self.fail_at(ticket, deadline, RequestFailure::TimedOut);
        }
    }

    fn open_request(
        &mut self,
        (conn, end): (u32, usize),
        id: OutboundRequest,
        kind: RequestKind,
        bytes: Vec<u8>,
        deadline: Micros,
    ) -> Ticket {
        self.next_serial = self.next_serial.wrapping_add(1);
        let serial = self.next_serial;
        let request = Request {
            serial,
            is_open: true,
            conn,
            end: u8::try_from(end).unwrap_or_default(),
            id,
            bytes,
            deadline,
            kind,
            is_doomed: false,
        };
        let slot = match self.free_requests.pop() {
            Some(slot) => {
                self.requests[slot as usize] = request;
                slot
            }
            None => {
                self.requests.push(request);
                super::mining::number(self.requests.len() - 1)
            }
        };
        Ticket { slot, serial }
    }

    fn request(&mut self, ticket: Ticket) -> Option<&mut Request> {
        let request = self.requests.get_mut(ticket.slot as usize)?;
        (request.is_open && request.serial == ticket.serial).then_some(request)
    }

    /// Ends a request; the slot is free again.
    fn close_request(&mut self, ticket: Ticket) -> Option<(u32, u8, OutboundRequest, Vec<u8>)> {
        let request = self.request(ticket)?;
        request.is_open = false;
        let bytes = std::mem::take(&mut request.bytes);
        let told = (request.conn, request.end, request.id, bytes);
        self.free_requests.push(ticket.slot);
        Some(told)
    }

    /// The connection of a request under way, and the asker's end of it.
    pub(super) fn way_of(&self, ticket: Ticket) -> Option<(u32, u8)> {
        let request = self.requests.get(ticket.slot as usize)?;
        let is_it = request.is_open && request.serial == ticket.serial;
        is_it.then_some((request.conn, request.end))
    }

    /// Who asked.
    fn asker(&self, ticket: Ticket) -> Option<usize> {
        let request = self.requests.get(ticket.slot as usize)?;
        let is_it = request.is_open && request.serial == ticket.serial;
        let link = self.conns.get(request.conn as usize).filter(|_| is_it)?;
        Some(link.ends[usize::from(request.end)] as usize)
    }

    pub(super) fn fail_at(&mut self, ticket: Ticket, at: Micros, failure: RequestFailure) {
        let now = self.now;
        if let Some(request) = self.request(ticket).filter(|request| !request.is_doomed) {
            request.is_doomed = true;
            self.queue.push(at.max(now), Due::Fail(ticket, failure));
        }
    }

    /// Sees to it that a request whose way is held up ends in time.
    pub(super) fn doom(&mut self, due: Due) {
        if let Due::Ask(ticket) | Due::Reply(ticket) | Due::Replied(ticket) = due
            && let Some(deadline) = self.request(ticket).map(|request| request.deadline)
        {
            self.fail_at(ticket, deadline, RequestFailure::TimedOut);
        }
    }

    pub(super) fn on_ask(&mut self, ticket: Ticket) {
        let Some(request) = self.request(ticket) else {
            return;
        };
        let (conn, end) = (request.conn, 1 - request.end);
        let bytes = std::mem::take(&mut request.bytes);
        let Some(place) = self.arrived(conn, end) else {
            return;
        };
        if self.is_hiding(place, ticket) {
            self.fail_at(ticket, self.now, RequestFailure::BadResponse);
            return;
        }
        let host = &mut self.hosts[place];
        let inbound = host.number();
        host.unanswered.insert(inbound, ticket);
        let (id, peer) = (InboundRequest(inbound), Peer(u64::from(conn)));
        self.feed(place, Input::RequestReceived { id, peer, bytes });
    }

    pub(super) fn respond(&mut self, place: usize, id: InboundRequest, bytes: Vec<u8>) {
        let Some(ticket) = self.hosts[place].unanswered.remove(&id.0) else {
            return;
        };
        let Some(request) = self.request(ticket) else {
            return;
        };
        let (conn, end, deadline) = (request.conn, usize::from(request.end), request.deadline);
        let kind = request.kind;
        let other = self.conns[conn as usize].ends[end] as usize;
        let bytes = self.mask((place, other), kind, bytes);
        let size = bytes.len() as u64 + FRAME_BYTES + self.ballast_of(kind, &bytes);
        let Some(request) = self.request(ticket) else {
            return;
        };
        request.bytes = bytes;
        let arrives = self.send(conn, end, size, Due::Reply(ticket));
        if arrives.is_none_or(|at| at > deadline) {
            self.fail_at(ticket, deadline, RequestFailure::TimedOut);
        }
    }

    pub(super) fn refuse(&mut self, place: usize, id: InboundRequest) {
        if let Some(ticket) = self.hosts[place].unanswered.remove(&id.0) {
            self.fail_at(ticket, self.now, RequestFailure::BadResponse);
        }
    }

    pub(super) fn on_reply(&mut self, ticket: Ticket) {
        let Some(place) = self.asker(ticket) else {
            return;
        };
        let request = &self.requests[ticket.slot as usize];
        let is_costly = request.kind == RequestKind::Blocks && !self.cpu.is_free();
        let cost = match is_costly {
            true => self.cost_of_blocks(&self.requests[ticket.slot as usize].bytes),
            false => 0,
        };
        match self.busy_until(place, cost) {
            Some(done) => self.queue.push(done, Due::Replied(ticket)),
            None => self.on_replied(ticket),
        }
    }

    /// Bytes that an answer is larger by on the wire.
    fn ballast_of(&self, kind: RequestKind, bytes: &[u8]) -> u64 {
        if self.ballast_bytes == 0 || kind != RequestKind::Blocks {
            return 0;
        }
        match decode(bytes) {
            Ok(Response::Blocks(blocks)) => self.ballast(blocks.len()),
            _ => 0,
        }
    }

    fn ballast(&self, blocks: usize) -> u64 {
        self.ballast_bytes * blocks as u64
    }

    /// What it takes to validate an answer with blocks; nothing, if it is none.
    fn cost_of_blocks(&self, bytes: &[u8]) -> Micros {
        let Ok(Response::Blocks(blocks)) = decode(bytes) else {
            return 0;
        };
        let inputs = blocks.iter().map(|block| signed_inputs(block)).sum();
        let size = bytes.len() as u64 + self.ballast(blocks.len());
        self.cpu.of(blocks.len() as u64, inputs, size)
    }

    pub(super) fn on_replied(&mut self, ticket: Ticket) {
        let Some(place) = self.asker(ticket) else {
            return;
        };
        let Some((conn, end, id, bytes)) = self.close_request(ticket) else {
            return;
        };
        self.hosts[place].asked.remove(&id.0);
        if self.arrived(conn, end).is_some() {
            let peer = Peer(u64::from(conn));
            self.feed(place, Input::ResponseReceived { id, peer, bytes });
        }
    }

    pub(super) fn on_fail(&mut self, ticket: Ticket, failure: RequestFailure) {
        let Some(place) = self.asker(ticket) else {
            return;
        };
        if let Some((conn, _, id, _)) = self.close_request(ticket) {
            self.hosts[place].asked.remove(&id.0);
            let peer = Peer(u64::from(conn));
            self.feed(place, Input::RequestFailed { id, peer, failure });
        }
    }

    /// Ends all requests a node has under way over a connection; `tell`s it.
    pub(super) fn drop_requests(&mut self, place: usize, conn: u32, tell: bool) {
        let on_it = |world: &Self, ticket: &Ticket| {
            let request = world.requests.get(ticket.slot as usize);
            request.is_some_and(|request| request.conn == conn)
        };
        let mut asked: Vec<Ticket> = self.hosts[place].asked.values().copied().collect();
        asked.retain(|ticket| on_it(self, ticket));
        for ticket in asked {
            if tell {
                self.on_fail(ticket, RequestFailure::Disconnected);
            } else if let Some((_, _, id, _)) = self.close_request(ticket) {
                self.hosts[place].asked.remove(&id.0);
            }
        }
        let unanswered = std::mem::take(&mut self.hosts[place].unanswered);
        self.hosts[place].unanswered = unanswered
            .into_iter()
            .filter(|(_, ticket)| !on_it(self, ticket))
            .collect();
    }
}
