//! Who has seen what, and copies that are settled when they are sent.
//!
//! In a flood every connection carries up to two copies of a message, and all but
//! one of those that reach a node find that it is there. Where that is certain when
//! a copy is sent, it takes its time and its bytes on the way, keeps others behind it
//! and goes into the digest, but does not wait in the queue: its arrival could change
//! nothing. It is certain in two cases.
//!
//! - The receiver has seen the message, and will not have forgotten it.
//! - An earlier copy is in the queue for it, on a connection that is open at a node
//!   that runs. Such a copy is kept in a list until the earlier one has come. If a
//!   connection closes or a node is frozen before that, all that is in these lists
//!   goes into the queue, and nothing is certain any more.

use super::World;
use super::due::{Due, Passage};
use super::gossip::Message;
use super::host::Condition;
use crate::queue::{MILLI, Micros};

const NEVER: u32 = u32::MAX;

/// What a node knows of a message, by the time since anybody first saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// When it first saw it, in milliseconds.
    seen_ms: u32,
    /// When the first copy that is certain to reach it does, in microseconds.
    due: u32,
}

/// A copy that comes behind another, and when.
pub(super) type Later = (Micros, Passage);

impl Sight {
    pub const NONE: Self = Self {
        seen_ms: NEVER,
        due: NEVER,
    };
}

impl Message {
    /// Whether a node has ever seen it.
    pub fn was_seen_by(&self, place: usize) -> bool {
        let sight = self.sights.get(place);
        sight.is_some_and(|sight| sight.seen_ms != NEVER)
    }

    /// Whether a copy that reaches a node then is sure to change nothing; where it
    /// is the first to come, it is waited for.
    fn settles(&mut self, place: usize, at: Micros, memory: Micros, is_sure: bool) -> bool {
        let Some(sight) = self.sights.get_mut(place) else {
            return false;
        };
        if sight.seen_ms != NEVER {
            return at < self.first_at + u64::from(sight.seen_ms) * MILLI + memory;
        }
        let Ok(since) = u32::try_from(at - self.first_at) else {
            return false;
        };
        if !is_sure {
            return false;
        }
        let is_behind = sight.due <= since;
        if !is_behind {
            sight.due = since;
        }
        is_behind && u64::from(since - sight.due) + MILLI < memory
    }
}

impl World {
    /// Whether a node has not seen the message lately; it has from now on.
    pub(super) fn is_news(&mut self, place: usize, message: u32) -> bool {
        let (now, memory) = (self.now, self.gossip.memory);
        let message = &mut self.messages[message as usize];
        if message.sights.len() <= place {
            message.sights.resize(place + 1, Sight::NONE);
        }
        let seen_ms = message.sights[place].seen_ms;
        let seen_at = message.first_at + u64::from(seen_ms) * MILLI;
        if seen_ms != NEVER && now < seen_at + memory {
            return false;
        }
        message.seers += usize::from(seen_ms == NEVER);
        let since_ms = (now - message.first_at) / MILLI;
        let since_ms = u32::try_from(since_ms).unwrap_or(NEVER - 1);
        message.sights[place].seen_ms = since_ms.min(NEVER - 1);
        message.last_at = now;
        true
    }

    pub(super) fn has_seen(&self, place: usize, message: u32) -> bool {
        self.messages[message as usize].was_seen_by(place)
    }

    /// Whether every node there is has seen it.
    pub(super) fn all_have_seen(&self, message: u32) -> bool {
        self.messages[message as usize].seers == self.hosts.len()
    }

    /// Whether it matters what else a node hears between the first copy and its
    /// verdict, or between word of a message and the message.
    pub(super) fn listens(&self) -> bool {
        self.gossip.announces || !self.cpu.is_free()
    }

    /// Whether copies can be settled when they are sent. While anything is cut all
    /// of them arrive, so that what gets through is counted where it arrives.
    pub(super) fn can_settle(&self) -> bool {
        self.settles && self.cuts.is_free() && !self.listens()
    }

    /// Sends a copy to an end of a connection; it waits in the queue only if its
    /// arrival may change something.
    pub(super) fn send_or_settle(&mut self, message: u32, conn: u32, end: usize) {
        let size = self.messages[message as usize].size;
        let at = self.convey(conn, end, size);
        let link = &self.conns[conn as usize];
        let (place, is_open) = (link.ends[end] as usize, link.open[end]);
        let is_sure = is_open && self.ports[place].condition == Condition::Up;
        let end = u8::try_from(end).unwrap_or_default();
        let passage = Passage { message, conn, end };
        let (memory, due) = (self.gossip.memory, Due::Gossip(passage));
        let known = &mut self.messages[message as usize];
        if known.settles(place, at, memory, is_sure) {
            if !known.was_seen_by(place) {
                known.later.push((at, passage));
            }
            self.trace.settled(at, due.trace());
        } else {
            known.in_flight += 1;
            self.queue.push(at, due);
        }
    }

    /// A copy is no longer under way.
    pub(super) fn landed(&mut self, message: u32) {
        let message = &mut self.messages[message as usize];
        message.in_flight = message.in_flight.saturating_sub(1);
        // Nothing is waited for, so nothing comes behind it.
        if message.in_flight == 0 {
            message.later = Vec::new();
        }
    }

    /// What was certain to arrive may not: whatever was settled because of it
    /// arrives by itself.
    pub(super) fn unsettle(&mut self) {
        for number in &self.message_order {
            let message = &mut self.messages[*number as usize];
            if message.in_flight == 0 {
                continue;
            }
            for sight in &mut message.sights {
                sight.due = NEVER;
            }
            for (at, passage) in std::mem::take(&mut message.later) {
                if at >= self.now {
                    message.in_flight += 1;
                    self.trace.unsettled();
                    self.queue.push(at, Due::Gossip(passage));
                }
            }
        }
    }
}
