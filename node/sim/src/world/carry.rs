//! A node gets an input; its orders are carried out.

use minichain_chain::store::StoreError;
use minichain_protocol::input::{Input, Peer};
use minichain_protocol::output::{Outbox, Output};

use super::World;
use super::due::Due;
use super::mining::number;
use crate::queue::Micros;

/// Something a node told.
#[derive(Clone, Debug)]
pub struct Told {
    /// When.
    pub at: Micros,
    /// Which node.
    pub place: usize,
    /// What.
    pub event: minichain_protocol::event::Event,
}

impl World {
    /// Gives a node an input and carries out its orders.
    pub(super) fn feed(&mut self, place: usize, input: Input) {
        let host = &mut self.hosts[place];
        let clock = host.clock(self.epoch_ms, self.now);
        let Some(node) = host.node.as_mut() else {
            return;
        };
        let mut out = std::mem::take(&mut self.outbox);
        let result = node.handle(clock, input, &mut out);
        for output in out.drain() {
            self.carry_out(place, output);
            // A program that has ended does nothing more.
            if !self.is_running(place) {
                break;
            }
        }
        self.outbox = out;
        if let Err(error) = result {
            self.on_broken_store(place, &error);
        }
    }

    fn carry_out(&mut self, place: usize, output: Output) {
        match output {
            Output::Persist { urgent } => self.persist(place, urgent),
            Output::Publish { topic, bytes } => self.publish(place, topic, bytes),
            Output::GossipVerdict { verdict, .. } => self.judge(place, verdict),
            Output::Request {
                id,
                peer,
                bytes,
                timeout_ms,
                kind,
                ..
            } => self.ask(place, peer, id, bytes, (kind, timeout_ms)),
            Output::Respond { id, bytes, .. } => self.respond(place, id, bytes),
            Output::Refuse { id } => self.refuse(place, id),
            Output::Disconnect { peer, reason } => {
                self.disconnect(place, conn_of(peer), reason.is_misbehaviour());
            }
            Output::Mine { template } => self.mine(place, Some(template)),
            Output::StopMining => self.mine(place, None),
            Output::Answer { call, answer } => {
                self.hosts[place].answers.insert(call, answer);
            }
            Output::WakeAt { monotonic_ms } => self.wake_at(place, monotonic_ms),
            Output::Event(event) => {
                self.trace.told(self.now, number(place), &event);
                self.watch(place, &event);
                if self.is_recording {
                    let at = self.now;
                    self.told.push(Told { at, place, event });
                }
            }
        }
    }

    fn persist(&mut self, place: usize, is_urgent: bool) {
        let (now, patience) = (self.now, self.pace.commit);
        let host = &mut self.hosts[place];
        let Some(node) = host.node.as_mut() else {
            return;
        };
        let is_due = host
            .dirty_since
            .is_some_and(|since| since + patience <= now);
        if is_urgent || is_due {
            if host.disk_state.is_full {
                return self.on_full_disk(place);
            }
            host.disk_state.commits += 1;
            node.chain_mut().commit();
            host.dirty_since = None;
        } else {
            host.dirty_since.get_or_insert(now);
        }
    }

    fn wake_at(&mut self, place: usize, monotonic_ms: u64) {
        let host = &mut self.hosts[place];
        let at = host.started_at + monotonic_ms.saturating_mul(1_000);
        host.wake_at = Some(at);
        let at = at.max(self.now);
        // A later one in the queue is found to be late when its time comes.
        if host.wake_queued.is_none_or(|queued| at < queued) {
            host.wake_queued = Some(at);
            self.queue.push(at, Due::Wake(number(place)));
        }
    }

    pub(super) fn on_wake(&mut self, place: usize) {
        let host = &mut self.hosts[place];
        if host.wake_queued != Some(self.now) {
            return;
        }
        host.wake_queued = None;
        let Some(at) = host.wake_at else {
            return;
        };
        if at > self.now {
            host.wake_queued = Some(at);
            self.queue.push(at, Due::Wake(number(place)));
            return;
        }
        host.wake_at = None;
        self.feed(place, Input::Woke);
    }

    fn on_broken_store(&mut self, place: usize, error: &StoreError) {
        let what = format!("the store of {} broke: {error}", self.name(place));
        self.violated(place, crate::check::Rule::Fault, what);
    }

    /// An outbox to work with.
    pub(super) fn new_outbox() -> Outbox {
        Outbox::default()
    }
}

pub(super) fn conn_of(peer: Peer) -> u32 {
    u32::try_from(peer.0).unwrap_or(u32::MAX)
}
