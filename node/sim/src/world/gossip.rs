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
use super::settle::{Later, Sight};
use crate::queue::{Micros, SECOND};

/// A stamp, and what gossipsub's envelope and the name of a topic take.
const ENVELOPE_BYTES: u64 = 8 + 56;
/// A message id and its envelope.
const HAVE_BYTES: u64 = 20 + 48;
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
    /// What each node knows of it.
    pub sights: Vec<Sight>,
    /// Nodes that have seen it.
    pub seers: usize,
    /// Copies that will come too late to matter.
    pub later: Vec<Later>,
    /// Until when each node asks nobody else for it; empty where nothing is
    /// announced.
    pub asked_until: Vec<Micros>,
    /// Copies under way or waiting, those left out that were settled when sent.
    pub in_flight: u32,
    pub last_at: Micros,
    /// Signed inputs.
    pub inputs: u64,
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
            sights: vec![Sight::NONE; self.hosts.len()],
            seers: 0,
            later: Vec::new(),
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
            message.sights = Vec::new();
            message.later = Vec::new();
            message.content = Carried::Raw(Vec::new());
            self.free_messages.push(oldest);
        }
    }

    /// Sends to the mesh, but not to where it came from.
    fn spread(&mut self, place: usize, message: u32, from: Option<u32>) {
        if self.gossip.announces && self.hosts[place].setup.pushes {
            self.push(place, message);
        }
        let known = &self.messages[message as usize];
        let (topic, serial) = (topic_index(known.topic), known.serial);
        let (announces, listens) = (self.gossip.announces, self.listens());
        let can_settle = self.can_settle();
        let conns = std::mem::take(&mut self.hosts[place].conns);
        self.look_ahead(&conns);
        for &conn in &conns {
            let link = &self.conns[conn as usize];
            let end = link.end_of(place);
            // Whoever sent it meanwhile has it.
            let has_it = from == Some(conn) || (listens && link.heard[end] == serial);
            if !link.mesh[topic] || has_it {
                continue;
            }
            match (announces, can_settle) {
                (true, _) => self.pass(message, conn, 1 - end, Due::Have),
                (false, false) => self.pass(message, conn, 1 - end, Due::Gossip),
                (false, true) => self.send_or_settle(message, conn, 1 - end),
            }
        }
        let has_others = self.hosts[place].mesh[topic] < conns.len();
        self.hosts[place].conns = conns;
        if has_others {
            self.plan_beat(place, message);
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

    pub(super) fn on_gossip(&mut self, passage: Passage) {
        self.landed(passage.message);
        let Some(place) = self.arrived(passage.conn, passage.end) else {
            return;
        };
        if self.listens() {
            let serial = self.messages[passage.message as usize].serial;
            self.conns[passage.conn as usize].heard[usize::from(passage.end)] = serial;
        }
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
