//! Reading what will be needed soon. Memory is slow to answer, but answers many
//! questions at a time: what lies scattered over a large world comes several
//! times as fast if it is asked for before it is needed. Nothing follows from
//! what is read here.

use std::hint::black_box;

use minichain_protocol::input::Peer;

use super::World;
use super::due::Due;
use super::gossip::Message;
use super::host::Host;
use super::wire::Conn;
use crate::queue::Micros;

/// What of a world is worth asking for.
pub(super) struct Ahead<'a> {
    pub conns: &'a [Conn],
    pub messages: &'a [Message],
    pub hosts: &'a [Host],
}

impl Ahead<'_> {
    /// Reads what some things need that will be due soon.
    pub fn look(&self, soon: &[(Micros, Due)]) {
        for (_, due) in soon {
            match due {
                Due::Gossip(passage) => {
                    let link = &self.conns[passage.conn as usize];
                    let place = link.ends[usize::from(passage.end)] as usize;
                    if !self.messages[passage.message as usize].was_seen_by(place) {
                        self.look_at(place, passage.conn);
                    }
                }
                Due::Heartbeat(place) => {
                    let host = &self.hosts[*place as usize];
                    black_box((host.heartbeat_at, host.fresh.first()));
                    black_box(host.conns.first());
                }
                _ => {}
            }
        }
    }

    fn look_at(&self, place: usize, conn: u32) {
        let host = &self.hosts[place];
        black_box((host.busy_until, host.next_number, host.dirty_since));
        black_box((host.heartbeat_at, host.fresh.len()));
        black_box(host.conns.first());
        if let Some(node) = &host.node {
            black_box(node.has_peer(Peer(u64::from(conn))));
        }
    }
}

impl World {
    /// Reads all of a list of connections.
    pub(super) fn look_ahead(&self, conns: &[u32]) {
        let read = conns.iter().map(|conn| self.conns[*conn as usize].ends[0]);
        black_box(read.fold(0, u32::wrapping_add));
    }
}
