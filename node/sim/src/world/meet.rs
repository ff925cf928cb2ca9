//! How connections come about and end.

use std::collections::BTreeSet;

use minichain_protocol::input::{Direction, Input, Peer};

use super::World;
use super::due::{Due, Place};
use super::host::Condition;
use super::mining::number;
use super::wire::{Cable, Conn};
use crate::queue::{Micros, SECOND};
use crate::random::Stream;
use crate::setup::Peering;

impl World {
    /// Whom a node dials when it starts.
    fn wanted_by(&self, place: Place) -> Vec<Place> {
        let all = 0..self.hosts.len();
        match &self.peering {
            Peering::Everybody => all.filter(|other| *other != place).collect(),
            Peering::Edges(edges) => {
                let own = edges.iter().filter(|(from, _)| *from == place);
                own.map(|(_, to)| *to).collect()
            }
            Peering::Random { outbound } => {
                let mut chance = Stream::new(self.seed, "peers", &[place as u64]);
                let others = self.hosts.len().saturating_sub(1);
                let mut chosen = BTreeSet::new();
                while chosen.len() < (*outbound).min(others) {
                    let drawn = chance.below(self.hosts.len() as u64);
                    let drawn = usize::try_from(drawn).unwrap_or_default();
                    if drawn != place {
                        chosen.insert(drawn);
                    }
                }
                chosen.into_iter().collect()
            }
        }
    }

    /// Has a node that starts dial.
    pub(super) fn dial_all(&mut self, place: Place) {
        for other in self.wanted_by(place) {
            self.queue
                .push(self.now, Due::Dial(number(place), number(other)));
        }
    }

    /// Has a node dial another one from now on, where connections are given one
    /// by one; elsewhere it finds its peers by itself.
    pub fn join(&mut self, from: Place, to: Place) {
        self.trace.changed(self.now, &format!("join {from} {to}"));
        if let Peering::Edges(edges) = &mut self.peering {
            edges.push((from, to));
            let dial = Due::Dial(number(from), number(to));
            self.queue.push(self.now, dial);
        }
    }

    /// The connection that both nodes believe in.
    fn shared(&self, a: Place, b: Place) -> Option<u32> {
        let conns = self.hosts[a].conns.iter().copied();
        let mut common = conns.filter(|conn| self.conns[*conn as usize].joins(a, b));
        common.find(|conn| self.conns[*conn as usize].open == [true; 2])
    }

    fn can_meet(&self, from: Place, to: Place) -> bool {
        let are_up = [from, to].map(|place| self.ports[place].condition == Condition::Up);
        are_up == [true; 2] && !self.is_cut(from, to) && !self.is_cut(to, from)
    }

    pub(super) fn on_dial(&mut self, from: Place, to: Place) {
        let has_begun = |place: Place| self.ports[place].condition != Condition::Removed;
        let is_up = self.ports[from].condition == Condition::Up;
        if !is_up || !has_begun(to) || self.shared(from, to).is_some() {
            return;
        }
        if let Some(until) = self.banned_until(from, to) {
            let dial = Due::Dial(number(from), number(to));
            self.queue.push(until, dial);
            return;
        }
        if !self.can_meet(from, to) {
            self.redial(from, to, false);
            return;
        }
        let trip = self.one_way(from, to) + self.one_way(to, from);
        let ready = self.now + trip * self.links.handshake_trips;
        self.queue
            .push(ready, Due::Opened(number(from), number(to)));
    }

    /// One-way latency as it is now, faults included.
    fn one_way(&mut self, from: Place, to: Place) -> Micros {
        let bare = self.bare_latency("dial-bare", from, to);
        match self.condition_of(from, to) {
            Some(condition) => {
                bare + condition.hold_up(64, self.link_chance(number(from), number(to)))
            }
            None => bare,
        }
    }

    /// Dials a lost peer again: soon after the loss, then steadily.
    pub(super) fn redial(&mut self, from: Place, to: Place, is_fresh: bool) {
        let pace = self.pace.redial;
        let chance = self.chances.of("redial", from, to);
        let wait = match is_fresh {
            true => chance.below(pace / 4 + 1),
            false => pace * 3 / 4 + chance.below(pace / 2 + 1),
        };
        self.queue
            .push(self.now + wait, Due::Dial(number(from), number(to)));
    }

    pub(super) fn on_opened(&mut self, from: Place, to: Place) {
        if self.shared(from, to).is_some() {
            return;
        }
        if !self.can_meet(from, to) {
            match self.ports[from].condition {
                Condition::Up => self.redial(from, to, false),
                // It tries again once it is thawed.
                Condition::Paused => {
                    let dial = Due::Dial(number(from), number(to));
                    self.hosts[from].inbox.push(dial);
                }
                // A program that starts dials anew.
                Condition::Down | Condition::Removed => {}
            }
            return;
        }
        // Whoever still believes in an old connection learns better now.
        for place in [from, to] {
            let conns = self.hosts[place].conns.clone();
            for conn in conns {
                if self.conns[conn as usize].joins(from, to) {
                    self.close_end(conn, place, true);
                }
            }
        }
        let conn = number(self.conns.len());
        let paths = [self.path(to, from), self.path(from, to)];
        let ends = [number(from), number(to)];
        self.conns.push(Conn::new(ends, &paths, self.now));
        self.cables.push(Cable::new(paths, self.now));
        let sides = [(from, Direction::Outbound), (to, Direction::Inbound)];
        for (place, _) in sides {
            self.hosts[place].conns.push(conn);
        }
        self.graft_new(conn);
        for (place, direction) in sides {
            let peer = Peer(u64::from(conn));
            self.feed(place, Input::PeerConnected { peer, direction });
        }
    }

    /// A node closes a connection by itself.
    pub(super) fn disconnect(&mut self, place: Place, conn: u32, is_for_good: bool) {
        let Some(link) = self.conns.get(conn as usize) else {
            return;
        };
        let end = link.end_of(place);
        let other = link.ends[1 - end] as usize;
        if !link.open[end] {
            return;
        }
        if is_for_good {
            self.ban(place, other);
        }
        self.close_end(conn, place, false);
        self.say_goodbye(conn, end);
        let wait = match is_for_good {
            true => self.pace.ban,
            false => SECOND,
        };
        self.queue
            .push(self.now + wait, Due::Dial(number(place), number(other)));
    }

    /// Lets the other end know, as far as anything gets through.
    pub(super) fn say_goodbye(&mut self, conn: u32, end: usize) {
        let link = &self.conns[conn as usize];
        let (from, to) = (link.ends[end] as usize, link.ends[1 - end] as usize);
        if !link.open[1 - end] {
            return;
        }
        if self.is_cut(from, to) {
            self.watch_silence(conn);
            return;
        }
        let goodbye = Due::Closed {
            conn,
            end: u8::try_from(1 - end).unwrap_or_default(),
        };
        self.send(conn, 1 - end, 64, goodbye);
    }

    /// Has the ends notice when pings stay without answer.
    pub(super) fn watch_silence(&mut self, conn: u32) {
        let (now, silence, ping) = (self.now, self.pace.silence, self.pace.ping);
        let cable = &mut self.cables[conn as usize];
        cable.cut_since.get_or_insert(now);
        cable.mark += 1;
        let mark = cable.mark;
        let ends = self.conns[conn as usize].ends.map(|end| end as usize);
        let ago = self.chances.of("ping", ends[0], ends[1]).below(ping + 1);
        let at = now + silence.saturating_sub(ago);
        self.queue.push(at, Due::Silent { conn, mark });
    }

    pub(super) fn on_silent(&mut self, conn: u32, mark: u32) {
        if self.cables[conn as usize].mark != mark {
            return;
        }
        for end in 0..2 {
            let link = &self.conns[conn as usize];
            let (place, other) = (link.ends[end] as usize, link.ends[1 - end] as usize);
            let is_open = link.open[end];
            if is_open && self.ports[place].condition == Condition::Up {
                self.close_end(conn, place, true);
                self.after_loss(conn, place, other);
            } else if is_open && self.ports[place].condition == Condition::Paused {
                let end = u8::try_from(end).unwrap_or_default();
                self.hosts[place].inbox.push(Due::Closed { conn, end });
            }
        }
        self.lose_held(conn);
    }

    /// What waited for a cut to end is gone with the connection.
    fn lose_held(&mut self, conn: u32) {
        for (_, _, due) in std::mem::take(&mut self.cables[conn as usize].held) {
            self.lose(due);
        }
    }

    pub(super) fn on_closed(&mut self, conn: u32, end: u8) {
        let link = &self.conns[conn as usize];
        let end = usize::from(end);
        let (place, other) = (link.ends[end] as usize, link.ends[1 - end] as usize);
        if link.open[end] && self.ports[place].condition == Condition::Up {
            self.close_end(conn, place, true);
            self.after_loss(conn, place, other);
        }
    }

    /// Whoever dialled before dials again, and so does whoever dials that one by
    /// its configuration, though the other was faster this time; where everybody
    /// wants everybody, both do.
    fn after_loss(&mut self, conn: u32, place: Place, other: Place) {
        let dialled = self.conns[conn as usize].ends[0] as usize == place;
        let is_wanted = match &self.peering {
            Peering::Everybody => true,
            _ => dialled || self.wanted_by(place).contains(&other),
        };
        if is_wanted {
            self.redial(place, other, true);
        }
    }

    /// One end forgets a connection; `tell`s the node.
    pub(super) fn close_end(&mut self, conn: u32, place: Place, tell: bool) {
        let end = self.conns[conn as usize].end_of(place);
        if !self.conns[conn as usize].open[end] {
            return;
        }
        self.unsettle();
        self.conns[conn as usize].open[end] = false;
        for topic in 0..2 {
            self.set_mesh(conn, topic, false);
        }
        self.hosts[place].conns.retain(|one| *one != conn);
        if self.conns[conn as usize].open == [false; 2] {
            self.lose_held(conn);
        }
        self.drop_requests(place, conn, tell);
        if tell {
            let peer = Peer(u64::from(conn));
            self.feed(place, Input::PeerDisconnected { peer });
        }
    }

    fn ban(&mut self, place: Place, other: Place) {
        let pair = (place.min(other), place.max(other));
        self.bans.insert(pair, self.now + self.pace.ban);
    }

    fn banned_until(&mut self, a: Place, b: Place) -> Option<Micros> {
        let pair = (a.min(b), a.max(b));
        let until = *self.bans.get(&pair)?;
        if until <= self.now {
            self.bans.remove(&pair);
            return None;
        }
        Some(until)
    }
}

impl Conn {
    fn joins(&self, a: Place, b: Place) -> bool {
        let ends = self.ends.map(|end| end as usize);
        ends == [a, b] || ends == [b, a]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::params;
    use crate::setup::{NodeSetup, Setup};
    use crate::world::Loss;

    #[test]
    fn a_peer_that_misbehaved_is_kept_away_for_a_while_and_not_for_ever() {
        let nodes = vec![NodeSetup::default(), NodeSetup::default()];
        let mut setup = Setup::new(1, params(), nodes);
        setup.pace.ban = 50 * SECOND;
        let mut world = World::new(setup).expect("a world");
        world.run_until(5 * SECOND);
        let conn = world.hosts[0].conns[0];
        world.disconnect(0, conn, true);
        world.run_until(54 * SECOND);
        assert!(world.peers_of(0).is_empty());
        world.run_until(60 * SECOND);
        assert!(world.peers_of(0).contains(&1));
    }

    #[test]
    fn who_is_configured_to_dial_dials_again_though_the_other_was_faster_last_time() {
        let nodes = vec![NodeSetup::default(), NodeSetup::default()];
        let mut setup = Setup::new(1, params(), nodes);
        setup.peering = Peering::Edges(vec![(0, 1)]);
        let mut world = World::new(setup).expect("a world");
        world.run_until(5 * SECOND);
        let conn = world.hosts[0].conns[0];
        // Each drops the other, the one that is not configured first.
        for place in [1, 0] {
            world.disconnect(place, conn, false);
        }
        world.run_until(8 * SECOND);
        let again = world.hosts[0].conns[0];
        assert_eq!(world.conns[again as usize].ends, [1, 0], "who dialled");
        world.stop(1, Loss::Nothing);
        world.start(1);
        world.run_until(30 * SECOND);
        assert!(world.peers_of(0).contains(&1));
        assert!(world.peers_of(1).contains(&0));
    }
}
