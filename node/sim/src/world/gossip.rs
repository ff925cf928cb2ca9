//! Gossip: a mesh for each topic, messages that are passed on after their
//! verdict and not before, and word of them to neighbours outside the mesh.
//!
//! A message is one object that all nodes share. Grafts and prunes take no
//! time; everything else travels.

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hash::{sha256, tagged_hash};
use minichain_chain::time::UnixMillis;
use minichain_protocol::input::{Content, GossipId, Input, Peer};
use minichain_protocol::output::{Topic, Verdict};

use super::World;
use super::due::{Due, Passage};
use super::mining::number;
use crate::queue::{Micros, SECOND};

/// A stamp, and what gossipsub's envelope and the name of a topic take.
const ENVELOPE_BYTES: u64 = 8 + 56;
/// A message id and its envelope.
const HAVE_BYTES: u64 = 20 + 48;
const NEVER: u32 = u32::MAX;
/// How long a node that has asked for a message asks nobody else; the size of
/// Bitcoin Core's time-out for a block of the tip.
const PATIENCE: Micros = 120 * SECOND;

/// A gossip message as all nodes see it.
#[derive(Debug)]
pub(super) struct Message {
    pub id: [u8; 32],
    /// Never used again, unlike its number.
    pub serial: u32,
    pub topic: Topic,
    /// Bytes on the wire.
    pub size: u64,
    pub content: Carried,
    pub sent_at: UnixMillis,
    pub first_at: Micros,
    /// When each node first saw it, milliseconds since the first sight of all.
    pub seen: Vec<u32>,
    /// Until when each node asks nobody else for it; empty where nothing is
    /// announced.
    pub asked_until: Vec<Micros>,
    /// Copies under way or waiting.
    pub in_flight: u32,
    pub last_at: Micros,
    /// Signed inputs.
    pub inputs: u64,
}

impl Message {
    /// Whether a node has ever seen it.
    pub fn was_seen_by(&self, place: usize) -> bool {
        self.seen.get(place).is_some_and(|seen| *seen != NEVER)
    }
}

/// What a message carries.
#[derive(Debug)]
pub(super) enum Carried {
    Decoded(Content),
    /// It does not decode.
    Raw(Vec<u8>),
}

/// The message a node is judging.
pub(super) type Judging = Option<(Passage, Option<Verdict>)>;

impl World {
    pub(super) fn publish(&mut self, place: usize, topic: Topic, bytes: Vec<u8>) {
        if self.withhold(place, topic, &bytes) {
            return;
        }
        let message = self.intern(place, topic, bytes);
        if self.is_news(place, message) {
            self.spread(place, message, None);
        }
    }

    /// The message's number; the same for the same content.
    pub(super) fn intern(&mut self, place: usize, topic: Topic, bytes: Vec<u8>) -> u32 {
        let name: &[u8] = match topic {
            Topic::Block => b"block",
            Topic::Transaction => b"transaction",
        };
        let id = tagged_hash("minichain/sim/gossip", &[name, &sha256(&bytes)]);
        let sent_at = self.hosts[place].clock(self.epoch_ms, self.now).unix;
        if let Some(number) = self.message_ids.get(&id).copied() {
            self.messages[number as usize].sent_at = sent_at;
            return number;
        }
        let ballast = match topic {
            Topic::Block => self.ballast_bytes,
            Topic::Transaction => 0,
        };
        let size = bytes.len() as u64 + ENVELOPE_BYTES + ballast;
        let decoded = match topic {
            Topic::Block => decode(&bytes).map(Content::block),
            Topic::Transaction => decode(&bytes).map(|one| Content::Transaction(Arc::new(one))),
        };
        let content = decoded.map_or(Carried::Raw(bytes), Carried::Decoded);
        let inputs = match &content {
            Carried::Decoded(Content::Block { block, .. }) => signed_inputs(block),
            Carried::Decoded(Content::Transaction(one)) => one.inputs.len() as u64,
            Carried::Raw(_) => 0,
        };
        self.next_message = self.next_message.wrapping_add(1);
        let message = Message {
            id,
            serial: self.next_message,
            topic,
            size,
            content,
            sent_at,
            first_at: self.now,
            seen: vec![NEVER; self.hosts.len()],
            asked_until: Vec::new(),
            in_flight: 0,
            last_at: self.now,
            inputs,
        };
        self.keep_message(message)
    }

    fn keep_message(&mut self, message: Message) -> u32 {
        self.forget_old_messages();
        let id = message.id;
        let number = match self.free_messages.pop() {
            Some(number) => {
                self.messages[number as usize] = message;
                number
            }
            None => {
                self.messages.push(message);
                number(self.messages.len() - 1)
            }
        };
        self.message_ids.insert(id, number);
        self.message_order.push_back(number);
        number
    }

    /// Frees messages that nobody remembers any more.
    fn forget_old_messages(&mut self) {
        while let Some(oldest) = self.message_order.front().copied() {
            let message = &mut self.messages[oldest as usize];
            if message.in_flight > 0 || message.last_at + 2 * self.gossip.memory > self.now {
                return;
            }
            self.message_order.pop_front();
            self.message_ids.remove(&message.id);
            message.seen = Vec::new();
            message.content = Carried::Raw(Vec::new());
            self.free_messages.push(oldest);
        }
    }

    /// Whether a node has not seen the message lately; it has from now on.
    pub(super) fn is_news(&mut self, place: usize, message: u32) -> bool {
        let (now, memory) = (self.now, self.gossip.memory);
        let message = &mut self.messages[message as usize];
        if message.seen.len() <= place {
            message.seen.resize(place + 1, NEVER);
        }
        let seen = message.seen[place];
        let seen_at = message.first_at + u64::from(seen) * 1_000;
        if seen != NEVER && now < seen_at + memory {
            return false;
        }
        let since_ms = (now - message.first_at) / 1_000;
        message.seen[place] = u32::try_from(since_ms).unwrap_or(NEVER - 1).min(NEVER - 1);
        message.last_at = now;
        true
    }

    pub(super) fn has_seen(&self, place: usize, message: u32) -> bool {
        self.messages[message as usize].was_seen_by(place)
    }

    /// Sends to the mesh, but not to where it came from.
    fn spread(&mut self, place: usize, message: u32, from: Option<u32>) {
        if self.gossip.announces && self.hosts[place].setup.pushes {
            self.push(place, message);
        }
        let known = &self.messages[message as usize];
        let (topic, serial) = (topic_index(known.topic), known.serial);
        let (size, due): (u64, fn(Passage) -> Due) = match self.gossip.announces {
            true => (HAVE_BYTES, Due::Have),
            false => (known.size, Due::Gossip),
        };
        let conns = std::mem::take(&mut self.hosts[place].conns);
        self.look_ahead(&conns);
        let mut copies = 0;
        for &conn in &conns {
            let link = &self.conns[conn as usize];
            let end = link.end_of(place);
            // Whoever sent it meanwhile has it.
            let has_it = from == Some(conn) || link.heard[end] == serial;
            if link.mesh[topic] && !has_it {
                let end = u8::from(end == 0);
                let passage = Passage { message, conn, end };
                copies += 1;
                self.send(conn, usize::from(end), size, due(passage));
            }
        }
        self.messages[message as usize].in_flight += copies;
        let has_others = self.hosts[place].mesh[topic] < conns.len();
        self.hosts[place].conns = conns;
        if has_others {
            self.hosts[place].fresh.push(message);
            self.plan_heartbeat(place);
        }
    }

    /// Sends a message to those neighbours that push too, which so have it.
    fn push(&mut self, place: usize, message: u32) {
        let serial = self.messages[message as usize].serial;
        for index in 0..self.hosts[place].conns.len() {
            let conn = self.hosts[place].conns[index];
            let link = &self.conns[conn as usize];
            let end = link.end_of(place);
            let other = link.ends[1 - end] as usize;
            if self.hosts[other].setup.pushes && link.heard[end] != serial {
                self.conns[conn as usize].heard[end] = serial;
                self.pass(message, conn, 1 - end, Due::Gossip);
            }
        }
    }

    /// Sends a message, or word of it, to an end of a connection.
    pub(super) fn pass(&mut self, message: u32, conn: u32, end: usize, due: fn(Passage) -> Due) {
        let passage = Passage {
            message,
            conn,
            end: u8::try_from(end).unwrap_or_default(),
        };
        let due = due(passage);
        let size = match due {
            Due::Gossip(_) => self.messages[message as usize].size,
            _ => HAVE_BYTES,
        };
        self.messages[message as usize].in_flight += 1;
        self.send(conn, end, size, due);
    }

    /// A copy is no longer under way.
    pub(super) fn landed(&mut self, message: u32) {
        let message = &mut self.messages[message as usize];
        message.in_flight = message.in_flight.saturating_sub(1);
    }

    pub(super) fn on_gossip(&mut self, passage: Passage) {
        self.landed(passage.message);
        let Some(place) = self.arrived(passage.conn, passage.end) else {
            return;
        };
        let link = &mut self.conns[passage.conn as usize];
        link.heard[usize::from(passage.end)] = self.messages[passage.message as usize].serial;
        if !self.is_news(place, passage.message) {
            return;
        }
        let message = &self.messages[passage.message as usize];
        let blocks = u64::from(message.topic == Topic::Block);
        let cost = self.cpu.of(blocks, message.inputs, message.size);
        match self.busy_until(place, cost) {
            Some(done) => {
                self.messages[passage.message as usize].in_flight += 1;
                self.queue.push(done, Due::Judged(passage));
            }
            None => self.hand_in(place, passage),
        }
    }

    pub(super) fn on_judged(&mut self, passage: Passage) {
        self.landed(passage.message);
        if let Some(place) = self.arrived(passage.conn, passage.end) {
            self.hand_in(place, passage);
        }
    }

    /// Lets the node judge.
    fn hand_in(&mut self, place: usize, passage: Passage) {
        if self.keep_from(place, passage) {
            return;
        }
        let message = &self.messages[passage.message as usize];
        let (topic, sent_at) = (message.topic, Some(message.sent_at));
        let peer = Peer(u64::from(passage.conn));
        let id = GossipId(self.hosts[place].number());
        let input = match &message.content {
            Carried::Decoded(content) => Input::GossipDecoded {
                id,
                peer,
                sent_at,
                content: content.clone(),
            },
            Carried::Raw(bytes) => Input::GossipReceived {
                id,
                peer,
                topic,
                sent_at,
                bytes: bytes.clone(),
            },
        };
        self.judging = Some((passage, None));
        self.feed(place, input);
        let judged = self.judging.take();
        match judged.and_then(|(_, verdict)| verdict) {
            Some(_) => {}
            None if !self.is_running(place) => {}
            None => {
                let what = format!("{} gave no verdict", self.name(place));
                self.violated(place, crate::check::Rule::Fault, what);
            }
        }
        self.notice(place, passage);
    }

    /// The node's verdict on what it is judging.
    pub(super) fn judge(&mut self, place: usize, verdict: Verdict) {
        let Some((passage, given)) = self.judging.as_mut() else {
            return;
        };
        *given = Some(verdict);
        let (message, conn) = (passage.message, passage.conn);
        if verdict == Verdict::Accept {
            self.spread(place, message, Some(conn));
        }
    }

    pub(super) fn on_have(&mut self, passage: Passage) {
        self.landed(passage.message);
        if self.gossip.announces {
            let serial = self.messages[passage.message as usize].serial;
            let link = &mut self.conns[passage.conn as usize];
            link.heard[usize::from(passage.end)] = serial;
        }
        if let Some(place) = self.arrived(passage.conn, passage.end)
            && !self.has_seen(place, passage.message)
            && self.may_ask(place, passage.message)
        {
            let other = 1 - usize::from(passage.end);
            self.pass(passage.message, passage.conn, other, Due::Want);
        }
    }

    /// Whether a node asks for a message that it is told of: not while a copy
    /// it has asked for is on its way.
    fn may_ask(&mut self, place: usize, message: u32) -> bool {
        if !self.gossip.announces {
            return true;
        }
        let (now, nodes) = (self.now, self.hosts.len());
        let asked_until = &mut self.messages[message as usize].asked_until;
        asked_until.resize(nodes, 0);
        if asked_until[place] > now {
            return false;
        }
        asked_until[place] = now + PATIENCE;
        true
    }

    pub(super) fn on_want(&mut self, passage: Passage) {
        self.landed(passage.message);
        if self.arrived(passage.conn, passage.end).is_some() {
            let other = 1 - usize::from(passage.end);
            self.pass(passage.message, passage.conn, other, Due::Gossip);
        }
    }
}

/// Inputs of a block that are signed: all but the reward's.
pub(super) fn signed_inputs(block: &Block) -> u64 {
    let signed = block.transactions.iter().skip(1);
    signed.map(|one| one.inputs.len() as u64).sum()
}

pub(super) const fn topic_index(topic: Topic) -> usize {
    match topic {
        Topic::Block => 0,
        Topic::Transaction => 1,
    }
}
