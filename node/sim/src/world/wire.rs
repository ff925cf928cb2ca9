//! Connections, and how things travel along them.

use super::World;
use super::due::{Due, Place};
use super::host::Condition as HostCondition;
use crate::link::{Condition, Path, time_on_line};
use crate::queue::Micros;
use crate::random::Stream;

/// A connection between two nodes. Its number is never used again. Whatever
/// travels looks at it, so it fills one cache line and no more.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Conn {
    /// Who dialled, and whom.
    pub ends: [u32; 2],
    /// Whether each end still believes in it.
    pub open: [bool; 2],
    /// Whether it belongs to the mesh of each topic.
    pub mesh: [bool; 2],
    /// Its latency to each end in microseconds, or [`DRAWN`].
    pub latency: [u32; 2],
    /// When the last thing sent to each end arrives; order is kept.
    pub arrives: [Micros; 2],
    /// When the last thing sent to each end has come through its own line too.
    pub lands: [Micros; 2],
    /// The last message each end got from the other.
    pub heard: [u32; 2],
}

const _: () = assert!(size_of::<Conn>() == 64, "one line each");

/// The latency is drawn for every message, or longer than an hour: ask the path.
const DRAWN: u32 = u32::MAX;

/// What of a connection is seldom looked at.
#[derive(Debug)]
pub(super) struct Cable {
    /// The way to each end.
    pub paths: [Path; 2],
    /// When the line to each end is free again.
    pub line_free: [Micros; 2],
    /// What waits for a cut to end, with the end it goes to and its size.
    pub held: Vec<(usize, u64, Due)>,
    /// When the last of what was sent to each end before its cut arrives.
    pub sent_before: [Micros; 2],
    /// Since when nothing or not everything gets through.
    pub cut_since: Option<Micros>,
    /// Tells one cut from another.
    pub mark: u32,
}

impl Cable {
    pub fn new(paths: [Path; 2], now: Micros) -> Self {
        Self {
            paths,
            line_free: [now; 2],
            held: Vec::new(),
            sent_before: [now; 2],
            cut_since: None,
            mark: 0,
        }
    }
}

impl Conn {
    pub fn new(ends: [u32; 2], paths: &[Path; 2], now: Micros) -> Self {
        let base = |path: &Path| path.base().and_then(|base| u32::try_from(base).ok());
        Self {
            ends,
            open: [true; 2],
            mesh: [false; 2],
            latency: paths.each_ref().map(|path| base(path).unwrap_or(DRAWN)),
            arrives: [now; 2],
            lands: [now; 2],
            heard: [0; 2],
        }
    }

    /// Which end a node is.
    pub fn end_of(&self, place: Place) -> usize {
        usize::from(self.ends[0] as usize != place)
    }
}

impl World {
    /// Sends something to an end of a connection; tells when it arrives, if it
    /// can be told.
    pub(super) fn send(&mut self, conn: u32, end: usize, bytes: u64, due: Due) -> Option<Micros> {
        let link = &self.conns[conn as usize];
        let (from, to) = (link.ends[1 - end] as usize, link.ends[end] as usize);
        if self.is_cut(from, to) {
            self.crossings.held += 1;
            self.cables[conn as usize].held.push((end, bytes, due));
            return None;
        }
        let at = self.convey(conn, end, bytes);
        self.queue.push(at, due);
        Some(at)
    }

    /// Lets so many bytes travel to an end of a connection that is not cut, and
    /// tells when they arrive.
    pub(super) fn convey(&mut self, conn: u32, end: usize, bytes: u64) -> Micros {
        let link = &self.conns[conn as usize];
        let (from, to) = (link.ends[1 - end] as usize, link.ends[end] as usize);
        let leaves = self.upload(from, bytes);
        let travels = self.travel(conn, end, bytes, leaves);
        let link = &mut self.conns[conn as usize];
        let at = travels.max(link.arrives[end]);
        link.arrives[end] = at;
        let at = self.download(to, bytes, at);
        let lands = &mut self.conns[conn as usize].lands[end];
        *lands = at.max(*lands);
        at
    }

    /// When the last byte has left a node's line.
    fn upload(&mut self, from: Place, bytes: u64) -> Micros {
        if !self.ports[from].has_upload {
            return self.now;
        }
        let host = &mut self.hosts[from];
        let Some(rate) = host.setup.upload else {
            return self.now;
        };
        host.upload_free = host.upload_free.max(self.now) + time_on_line(bytes, rate);
        host.upload_free
    }

    /// When the last byte has come in on a node's line, in the order of
    /// sending.
    fn download(&mut self, to: Place, bytes: u64, at: Micros) -> Micros {
        if !self.ports[to].has_download {
            return at;
        }
        let host = &mut self.hosts[to];
        let Some(rate) = host.setup.download else {
            return at;
        };
        host.download_free = host.download_free.max(at) + time_on_line(bytes, rate);
        host.download_free
    }

    /// When something that leaves at a time is there.
    fn travel(&mut self, conn: u32, end: usize, bytes: u64, leaves: Micros) -> Micros {
        let link = &self.conns[conn as usize];
        let (from, to) = (link.ends[1 - end], link.ends[end]);
        let condition = self.condition_of(from as usize, to as usize);
        let latency = match link.latency[end] {
            DRAWN => {
                let chances = &mut self.chances;
                let path = &self.cables[conn as usize].paths[end];
                path.latency(|| chances.of("passage", from as usize, to as usize))
            }
            latency => Micros::from(latency),
        };
        let mut at = leaves + latency;
        if let Some(condition) = condition {
            let takes = condition.time_on_line(bytes);
            if takes > 0 {
                let link = &mut self.cables[conn as usize];
                link.line_free[end] = link.line_free[end].max(leaves) + takes;
                at += link.line_free[end] - leaves;
            }
            at += condition.hold_up(bytes, self.link_chance(from, to));
        }
        at
    }

    /// A direction's stream of chance.
    pub(super) fn link_chance(&mut self, from: u32, to: u32) -> &mut Stream {
        self.chances.of("link", from as usize, to as usize)
    }

    pub(super) fn condition_of(&self, from: Place, to: Place) -> Option<Condition> {
        if self.conditions.is_empty() {
            return None;
        }
        self.conditions.get(&(from, to)).copied()
    }

    /// Whether nothing gets through this way.
    pub(super) fn is_cut(&self, from: Place, to: Place) -> bool {
        self.cuts.crosses(from, to)
    }

    /// The node at an end, if the end is open and the node runs.
    pub(super) fn arrived(&self, conn: u32, end: u8) -> Option<Place> {
        let link = &self.conns[conn as usize];
        let place = link.ends[usize::from(end)] as usize;
        let is_up = self.ports[place].condition == HostCondition::Up;
        (link.open[usize::from(end)] && is_up).then_some(place)
    }

    /// When the node is done with so much work; none: at once.
    pub(super) fn busy_until(&mut self, place: Place, cost: Micros) -> Option<Micros> {
        let host = &mut self.hosts[place];
        if cost == 0 && host.busy_until <= self.now {
            return None;
        }
        host.busy_until = host.busy_until.max(self.now) + cost;
        Some(host.busy_until)
    }

    /// One-way latency without faults, for dialling and probing; `purpose` has
    /// a stream of its own where latency is drawn for every message.
    pub(super) fn bare_latency(&mut self, purpose: &'static str, from: Place, to: Place) -> Micros {
        let path = self.path(from, to);
        path.latency(|| self.chances.of(purpose, from, to))
    }

    pub(super) fn path(&self, from: Place, to: Place) -> Path {
        let zones = [from, to].map(|place| self.hosts[place].setup.zone);
        let latency = self.links.paths.between(zones[0], zones[1]);
        let pair = [from.min(to) as u64, from.max(to) as u64];
        Path::new(latency, self.links.drawn, self.seed, pair)
    }
}
