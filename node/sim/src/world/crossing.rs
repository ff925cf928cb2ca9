//! What a cut held back, and what got through it all the same: counted where
//! things are sent and where they arrive, not read off the cut itself.

use super::World;
use super::due::Due;

/// Counted since the cuts were last set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// Sent into a direction that is cut.
    pub held: u64,
    /// Arrived by a direction that is cut and was sent after that.
    pub crossed: u64,
}

impl World {
    /// What the cuts in force have held back and let through so far.
    #[must_use]
    pub fn crossings(&self) -> Crossings {
        self.crossings
    }

    /// Counts what arrives although its direction is cut; what was on its way
    /// when the cut began is not counted.
    pub(super) fn watch_crossing(&mut self, due: Due) {
        if self.cuts.is_free() {
            return;
        }
        let Some((conn, end)) = self.heading(due) else {
            return;
        };
        let link = &self.conns[conn as usize];
        let ends = link.ends.map(|place| place as usize);
        let was_under_way = self.now <= self.cables[conn as usize].sent_before[end];
        if !was_under_way && self.is_cut(ends[1 - end], ends[end]) {
            self.crossings.crossed += 1;
        }
    }
    /// What has arrived at a node that takes it in only now has not crossed a
    /// cut that came in between, even if its connection is long given up.
    pub(super) fn arrived_before(&mut self, due: Due) {
        if let Some((conn, end)) = self.heading(due) {
            let before = &mut self.cables[conn as usize].sent_before[end];
            *before = self.now.max(*before);
        }
    }

    /// The connection that something travels by, and the end it goes to.
    fn heading(&self, due: Due) -> Option<(u32, usize)> {
        let (conn, end) = match due {
            Due::Gossip(one) | Due::Have(one) | Due::Want(one) => (one.conn, one.end),
            Due::Ask(ticket) => self.way_of(ticket).map(|(conn, end)| (conn, 1 - end))?,
            Due::Reply(ticket) => self.way_of(ticket)?,
            _ => return None,
        };
        Some((conn, usize::from(end)))
    }
}
