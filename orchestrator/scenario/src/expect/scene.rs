//! What claims are judged by.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{Fault, NodeFault, NodeName};
use crate::history::History;
use crate::model::{Records, Roster};

/// Everything a judge may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What was seen.
    pub history: &'a History,
    /// The network's nodes as they are now.
    pub roster: &'a Roster,
    /// Recorded numbers.
    pub records: &'a Records,
    /// Recorded tips, by name.
    pub tips: &'a BTreeMap<String, String>,
    /// Ids of sent transactions, by the name of their load or transfer.
    pub sent: &'a BTreeMap<String, Vec<String>>,
}

impl<'a> Scene<'a> {
    /// Target time between two blocks in milliseconds.
    pub fn interval_ms(&self) -> u64 {
        self.roster.block_interval_ms
    }

    /// Time of the last look.
    pub fn now_ms(&self) -> u64 {
        self.history.at_ms()
    }

    /// Ids of transactions sent under that name.
    pub fn sent(&self, name: &str) -> &'a [String] {
        self.sent.get(name).map_or(&[], Vec::as_slice)
    }

    /// Nodes with hash power: miners by role, and whoever mined a block that
    /// was seen; without those that cannot run or idle by a fault.
    pub fn powered(&self) -> BTreeSet<NodeName> {
        let by_role = self.roster.nodes.iter().filter(|x| x.role == "miner");
        let by_deed = self.history.tree.blocks().iter();
        let mut powered: BTreeSet<NodeName> = by_role.map(|node| node.name.clone()).collect();
        powered.extend(by_deed.filter_map(|block| block.fact.miner.clone()));
        for entry in self.history.faults.in_force() {
            let Fault::Node { nodes, what } = &entry.fault else {
                continue;
            };
            if let NodeFault::HashRate { hashes_per_second } = what {
                for node in nodes {
                    if *hashes_per_second > 0.0 {
                        powered.insert(node.clone());
                    } else {
                        powered.remove(node);
                    }
                }
            }
        }
        powered.retain(|node| !self.history.is_held_down(node));
        powered
    }

    /// How long ago, for people.
    pub fn after(&self, since_ms: u64) -> String {
        crate::report::seconds(self.now_ms().saturating_sub(since_ms))
    }
}
