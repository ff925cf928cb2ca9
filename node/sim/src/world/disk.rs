//! What can be done to a node's disk.

use minichain_chain::state::OpenError;

use super::{Condition, Loss, Place, World};
use crate::archive::NodeStore;
use crate::check::Rule;
use crate::random::Stream;

/// How a node's disk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// It takes nothing more, until it is freed or its node starts again.
    pub is_full: bool,
    /// A page of it was lost, and nobody has found that harmless yet.
    pub is_torn: bool,
    /// Commits that it took since it was filled last.
    pub commits: u64,
}

/// What disks have gone through since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Crashes that took along what was not durable yet.
    pub losses: u64,
    /// Writes that reached a disk in part.
    pub torn: u64,
    /// Starts at which a node refused its damaged store.
    pub refused: u64,
    /// Programs that ended because a disk had no room.
    pub full: u64,
}

impl World {
    /// What disks have gone through.
    #[must_use]
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// How a node's disk is.
    #[must_use]
    pub fn disk_of(&self, place: Place) -> Disk {
        self.hosts[place].disk_state
    }

    /// Lets a disk take nothing more: its node ends at the next commit and loses
    /// what that was to make durable; nobody has been told of it.
    pub fn fill_disk(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("fill {place}"));
        let disk = &mut self.hosts[place].disk_state;
        (disk.is_full, disk.commits) = (true, 0);
    }

    /// Gives a full disk room again. Who has ended stays so.
    pub fn free_disk(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("free {place}"));
        self.hosts[place].disk_state.is_full = false;
    }

    /// Ends a node's program in the middle of a write that reaches the disk in
    /// part only: one header, or what it says of the tip, is lost. The node
    /// refuses such a store when it starts, or can do without what was lost.
    /// Where nothing is stored yet, it is the first write that is torn.
    pub fn tear_disk(&mut self, place: Place) {
        let first = self.first_write(place);
        self.end(place, Loss::Uncommitted);
        self.trace.changed(self.now, &format!("tear {place}"));
        let host = &mut self.hosts[place];
        let entity = [place as u64, u64::from(host.starts)];
        let mut chance = Stream::new(self.seed, "tear", &entity);
        if let Some(disk) = host.disk.as_mut() {
            if disk.is_empty()
                && let Some(first) = first
            {
                *disk = first;
            }
            host.disk_state.is_torn = disk.tear(|end| chance.below(end));
            self.damage.torn += u64::from(host.disk_state.is_torn);
        }
    }

    /// All that a program would write, if its disk takes anything.
    fn first_write(&self, place: Place) -> Option<NodeStore> {
        let host = &self.hosts[place];
        let node = host.node.as_ref().filter(|_| !host.disk_state.is_full)?;
        Some(node.state().store().clone())
    }

    /// The program could not make its changes durable, so it ends.
    pub(super) fn on_full_disk(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("full {place}"));
        self.damage.full += 1;
        self.end(place, Loss::Uncommitted);
    }

    /// A node refuses its store, which is no mistake if the disk is torn; it
    /// finds the same one again when it starts the next time.
    pub(super) fn on_refused_store(
        &mut self,
        place: Place,
        disk: Option<NodeStore>,
        error: &OpenError,
    ) {
        self.hosts[place].disk = disk;
        let what = format!("{} does not start: {error}", self.name(place));
        self.trace.changed(self.now, &what);
        match self.hosts[place].disk_state.is_torn {
            true => self.damage.refused += 1,
            false => self.violated(place, Rule::Fault, what),
        }
    }

    /// Whether a program can go on.
    pub(super) fn is_running(&self, place: Place) -> bool {
        matches!(
            self.ports[place].condition,
            Condition::Up | Condition::Paused
        )
    }
}
