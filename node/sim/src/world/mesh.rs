//! The mesh of each topic: who passes messages on to whom, and who is only told
//! what there is.

use super::World;
use super::due::Due;
use super::gossip::topic_index;
use super::host::Condition;
use super::mining::number;
use crate::queue::Micros;

/// A message that a node has accepted since its last heartbeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    place: u32,
    /// How often it had started.
    starts: u32,
    message: u32,
}

impl World {
    fn next_heartbeat(&self, place: usize) -> Micros {
        let heartbeat = self.gossip.heartbeat.max(1);
        let phase = self.hosts[place].started_at % heartbeat;
        let beats = (self.now + heartbeat - phase) / heartbeat;
        beats * heartbeat + phase
    }

    /// Has the node look at its mesh at its next heartbeat.
    pub(super) fn plan_heartbeat(&mut self, place: usize) {
        if self.hosts[place].heartbeat_at.is_none() {
            let at = self.next_heartbeat(place);
            self.hosts[place].heartbeat_at = Some(at);
            self.queue.push(at, Due::Heartbeat(number(place)));
        }
    }

    /// Has the node tell of a message outside the mesh at its next heartbeat.
    /// Nodes with one rhythm do so together: mostly all has been heard by then.
    pub(super) fn plan_beat(&mut self, place: usize, message: u32) {
        let at = self.next_heartbeat(place);
        let fresh = Fresh {
            place: number(place),
            starts: self.hosts[place].starts,
            message,
        };
        let list = self.beats.entry(at).or_default();
        if list.is_empty() {
            self.queue.push(at, Due::Beat);
        }
        list.push(fresh);
    }

    pub(super) fn on_beat(&mut self) {
        for fresh in self.beats.remove(&self.now).unwrap_or_default() {
            self.trace.looked(fresh.place, fresh.message);
            if self.all_have_seen(fresh.message) {
                continue;
            }
            let place = fresh.place as usize;
            let host = &mut self.hosts[place];
            match self.ports[place].condition {
                _ if host.starts != fresh.starts => {}
                Condition::Up => self.tell_outside(place, fresh.message),
                Condition::Paused => host.fresh.push(fresh.message),
                Condition::Down | Condition::Removed => {}
            }
        }
    }

    /// Plans the look at the mesh that a frozen node has missed.
    pub(super) fn plan_lost_heartbeat(&mut self, place: usize) {
        let is_odd = (0..2).any(|topic| self.is_odd(place, topic));
        if is_odd || !self.hosts[place].fresh.is_empty() {
            self.plan_heartbeat(place);
        }
    }

    /// Whether a node has more neighbours in a mesh than it wants, or fewer and
    /// could have another one.
    fn is_odd(&self, place: usize, topic: usize) -> bool {
        let host = &self.hosts[place];
        let degree = host.mesh[topic];
        let could_have = degree < host.conns.len();
        degree > self.gossip.degree_high || degree < self.gossip.degree_low && could_have
    }

    pub(super) fn on_heartbeat(&mut self, place: usize) {
        if self.hosts[place].heartbeat_at != Some(self.now) {
            return;
        }
        self.hosts[place].heartbeat_at = None;
        for topic in 0..2 {
            self.mend_mesh(place, topic);
        }
        let mut fresh = std::mem::take(&mut self.hosts[place].fresh);
        for message in fresh.drain(..) {
            self.tell_outside(place, message);
        }
        self.hosts[place].fresh = fresh;
    }

    /// Tells neighbours outside the mesh, those who would learn by it.
    fn tell_outside(&mut self, place: usize, message: u32) {
        if !self.has_seen(place, message) || self.all_have_seen(message) {
            return;
        }
        let topic = topic_index(self.messages[message as usize].topic);
        self.look_ahead(&self.hosts[place].conns);
        let mut outside = std::mem::take(&mut self.outside);
        let conns = self.hosts[place].conns.iter().copied();
        outside.extend(conns.filter(|conn| !self.conns[*conn as usize].mesh[topic]));
        if outside.len() > self.gossip.lazy {
            self.hosts[place].chance.shuffle(&mut outside);
            outside.truncate(self.gossip.lazy);
        }
        for conn in outside.drain(..) {
            let end = self.conns[conn as usize].end_of(place);
            let other = self.conns[conn as usize].ends[1 - end] as usize;
            if !self.has_seen(other, message) {
                self.pass(message, conn, 1 - end, Due::Have);
            }
        }
        self.outside = outside;
    }

    /// Takes neighbours into the mesh, or lets some go.
    fn mend_mesh(&mut self, place: usize, topic: usize) {
        let degree = self.hosts[place].mesh[topic];
        let wants_in = degree < self.gossip.degree_low;
        if !wants_in && degree <= self.gossip.degree_high {
            return;
        }
        let mut others = self.hosts[place].conns.clone();
        others.retain(|conn| self.conns[*conn as usize].mesh[topic] != wants_in);
        self.hosts[place].chance.shuffle(&mut others);
        others.truncate(self.gossip.degree.abs_diff(degree));
        for conn in others {
            self.set_mesh(conn, topic, wants_in);
        }
    }

    /// Takes a new connection into the mesh where either end wants more.
    pub(super) fn graft_new(&mut self, conn: u32) {
        let ends = self.conns[conn as usize].ends.map(|end| end as usize);
        for topic in 0..2 {
            let low = self.gossip.degree_low;
            if ends.iter().any(|end| self.hosts[*end].mesh[topic] < low) {
                self.set_mesh(conn, topic, true);
            }
        }
    }

    pub(super) fn set_mesh(&mut self, conn: u32, topic: usize, is_in: bool) {
        let link = &mut self.conns[conn as usize];
        if link.mesh[topic] == is_in {
            return;
        }
        link.mesh[topic] = is_in;
        for end in link.ends.map(|end| end as usize) {
            let host = &mut self.hosts[end];
            host.mesh[topic] = match is_in {
                true => host.mesh[topic] + 1,
                false => host.mesh[topic].saturating_sub(1),
            };
            let is_up = self.ports[end].condition == Condition::Up;
            if is_up && self.is_odd(end, topic) {
                self.plan_heartbeat(end);
            }
        }
    }
}
