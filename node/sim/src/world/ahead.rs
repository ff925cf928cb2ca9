//! Reading what will be needed soon. Memory is slow to answer, but answers many
//! questions at a time: what lies scattered over a large world comes several
//! times as fast if it is asked for before it is needed. Nothing follows from
//! what is read here.
//!
//! What is read in one step is found by what was read in the step before, so each
//! step is taken for all that is due soon before the next one.

use std::hint::black_box;

use minichain_protocol::input::Peer;

use super::World;
use super::due::Due;
use super::gossip::Message;
use super::host::Host;
use super::wire::Conn;
use crate::check::Checks;
use crate::queue::{Micros, SOON_MAX};

/// Fewer than that have been looked at before, when they were among more.
const FEW: usize = 8;

/// What of a world is worth asking for.
pub(super) struct Ahead<'a> {
    pub conns: &'a [Conn],
    pub messages: &'a [Message],
    pub hosts: &'a [Host],
    pub checks: &'a Checks,
}

impl Ahead<'_> {
    /// Reads what some things need that will be due soon.
    pub fn look(&self, soon: &[(Micros, Due)]) {
        if soon.len() < FEW {
            return;
        }
        let mut found = [(0, 0); SOON_MAX];
        let news = soon.iter().filter_map(|(_, due)| self.whose_news(*due));
        let mut count = 0;
        for (room, one) in found.iter_mut().zip(news) {
            *room = one;
            count += 1;
        }
        let found = &found[..count];
        let sum = |step: &dyn Fn(usize, u32) -> u64| {
            let all = found.iter().map(|(place, conn)| step(*place, *conn));
            black_box(all.fold(0, u64::wrapping_add))
        };
        sum(&|place, _| self.hosts[place].glance() + self.checks.glance(place));
        sum(&|place, conn| {
            let host = &self.hosts[place];
            let node = host.node.as_ref();
            let node = node.map_or(0, |node| node.glance(Peer(u64::from(conn))));
            u64::from(host.conns.first().copied().unwrap_or_default()).wrapping_add(node)
        });
        sum(&|place, _| read(self.conns, &self.hosts[place].conns));
    }

    /// To whom a message is news, and by which connection it comes.
    fn whose_news(&self, due: Due) -> Option<(usize, u32)> {
        let Due::Gossip(passage) = due else {
            return None;
        };
        let link = &self.conns[passage.conn as usize];
        let place = link.ends[usize::from(passage.end)] as usize;
        let message = &self.messages[passage.message as usize];
        (!message.was_seen_by(place)).then_some((place, passage.conn))
    }
}

impl World {
    /// Reads all of a list of connections.
    pub(super) fn look_ahead(&self, conns: &[u32]) {
        black_box(read(&self.conns, conns));
    }
}

fn read(all: &[Conn], conns: &[u32]) -> u64 {
    let read = conns.iter().map(|conn| all[*conn as usize].ends[0]);
    u64::from(read.fold(0, u32::wrapping_add))
}
