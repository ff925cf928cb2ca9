//! Faults of simulated disks, each with its proof.

use devnet_scenario::fault::{NodeFault, NodeName};
use devnet_scenario::world::Outcome;
use minichain_sim::world::{Condition, Place};

use super::net::Net;
use super::nodes::Found;
use crate::faults::verdict::both;

impl Net {
    /// Lets a node's disk take nothing more.
    pub(super) fn fill_disk(&mut self, node: &str, place: Place) -> Found {
        self.world.fill_disk(place);
        let is_full = self.world.disk_of(place).is_full;
        let said = format!("{node}: its disk takes nothing more, and it ends at the next block");
        let objection = (!is_full).then(|| format!("{node}: its disk has room"));
        (said, objection)
    }

    /// Gives disks room again, and starts whoever ended for want of it.
    pub(super) fn free_disks(&mut self, nodes: &[NodeName]) -> Outcome {
        let mut found = Vec::new();
        for node in nodes {
            if let Some(place) = self.place(node) {
                found.push(self.free_disk(node, place));
                self.hear();
            }
        }
        self.outcome(found)
    }

    fn free_disk(&mut self, node: &str, place: Place) -> Found {
        let disk = self.world.disk_of(place);
        let went_on = (disk.is_full && disk.commits > 0)
            .then(|| format!("{node}: its full disk took {} commits", disk.commits));
        let had_ended = self.world.condition(place) == Condition::Down;
        self.world.free_disk(place);
        self.begin(place);
        let is_down = self.world.condition(place) == Condition::Down;
        let said = match had_ended {
            true => format!("{node} had ended; its disk has room, and it is started"),
            false => format!("{node} had nothing to store; its disk has room"),
        };
        let down = is_down.then(|| format!("{node} does not run"));
        (said, went_on.or(down))
    }

    /// Ends a node in the middle of a write, starts it, and sees what it says.
    pub(super) fn corrupt(&mut self, node: &str, place: Place) -> Found {
        self.world.tear_disk(place);
        let was_torn = self.world.disk_of(place).is_torn;
        self.begin(place);
        let said = match self.world.condition(place) {
            Condition::Down => format!("{node} refuses its damaged store"),
            _ => format!("{node} can do without what its store lost"),
        };
        let objection =
            (!was_torn).then(|| format!("{node} has stored nothing that could be damaged"));
        (said, objection)
    }

    /// Wipes whoever refused a damaged store, and starts it again.
    pub(super) fn mend_disks(&mut self, nodes: &[NodeName]) -> Outcome {
        for node in nodes {
            if let Some(place) = self.place(node)
                && self.world.disk_of(place).is_torn
            {
                self.world.wipe(place);
            }
        }
        self.inflict_on(nodes, &NodeFault::Start)
    }

    /// Damaged and full disks of these are as they were brought up.
    pub(super) fn heal_disks(&mut self, nodes: &[NodeName]) -> Outcome {
        let such = |is_so: &dyn Fn(Place) -> bool| -> Vec<NodeName> {
            let nodes = nodes.iter();
            let chosen = nodes.filter(|node| self.place(node).is_some_and(is_so));
            chosen.cloned().collect()
        };
        let torn = such(&|place| self.world.disk_of(place).is_torn);
        let full = such(&|place| self.world.disk_of(place).is_full);
        both(self.mend_disks(&torn), self.free_disks(&full))
    }
}
