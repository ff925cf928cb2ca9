//! Which faults are meant to be in force: `faults.json` in the network's state
//! folder. It is only the intent, so that a later call, and a node that starts
//! again, know what was meant; what is in force is read back from the nodes.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::{Fault, Heal, Link, NodeFault, NodeName};
use devnet_scenario::links::{Condition, LinkTable};
use devnet_scenario::parting::Tips;
use serde::{Deserialize, Deserializer, Serialize};

use super::tally;
use crate::exit::Failure;
use crate::state::{NetworkFolder, StateError};

/// Number of the format; a file with another one is not read.
const FORMAT: u32 = 1;

/// All faults that are meant to be in force, in the order they were inflicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    #[serde(deserialize_with = "known_format")]
    format: u32,
    /// Number of the next fault.
    next_id: u32,
    /// The faults.
    faults: Vec<Active>,
    /// libp2p ids of nodes as they told them last: a node that does not run
    /// can be cut off before it starts.
    peer_ids: BTreeMap<NodeName, String>,
}

/// One fault that is meant to be in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Active {
    /// Its number, unique in the life of the network.
    pub id: u32,
    /// What.
    pub fault: Fault,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// When whoever inflicted it means to take it out, in milliseconds since
    /// 1970; `None`: it stays until healed.
    pub until_ms: Option<u64>,
    /// The process that inflicted it, which also takes it out.
    pub owner: u32,
    /// Every node's tip before it, for faults of links.
    #[serde(default, skip_serializing_if = "Tips::is_empty")]
    pub before: Tips,
}

/// When a fault is meant to be in force, and whose task its end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Until when; `None`: until healed.
    pub until_ms: Option<u64>,
}

impl Default for Intent {
    fn default() -> Self {
        Self {
            format: FORMAT,
            next_id: 1,
            faults: Vec::new(),
            peer_ids: BTreeMap::new(),
        }
    }
}

impl Intent {
    /// The intent of a network; without a file nothing is intended.
    ///
    /// # Errors
    /// The file cannot be read; the failure says how to go on.
    pub fn load(folder: &NetworkFolder) -> Result<Self, Failure> {
        match folder.read_faults() {
            Ok(intent) => Ok(intent.unwrap_or_default()),
            Err(error @ StateError::Broken { .. }) => {
                let name = folder.name();
                Err(Failure::from(error).next(format!(
                    "`devnet heal --name {name}` takes every fault out and writes the file anew."
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// As [`Intent::load`], but what cannot be parsed counts as nothing: for
    /// whoever takes everything out anyway.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn load_or_forget(folder: &NetworkFolder) -> Result<Self, Failure> {
        match folder.read_faults() {
            Ok(intent) => Ok(intent.unwrap_or_default()),
            Err(StateError::Broken { .. }) => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes it, so that a crash leaves the old one or the new one. A network
    /// whose folder is gone gets none again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, folder: &NetworkFolder) -> Result<(), Failure> {
        if folder.exists() {
            let before = Self::load_or_forget(folder)?;
            folder.write_faults(self)?;
            tally::lifted(folder, before.faults(), self.faults());
        }
        Ok(())
    }

    /// Whether links are meant to be slow, lossy or narrow.
    pub fn has_conditions(&self) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|active| matches!(active.fault, Fault::Condition { .. }))
    }

    /// The faults, oldest first.
    pub fn faults(&self) -> &[Active] {
        &self.faults
    }

    /// Whether nothing is intended.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Takes a fault in; its number, if it is one that lasts. What it replaces
    /// or undoes is taken out.
    pub fn take(&mut self, fault: &Fault, span: Span) -> Option<u32> {
        let lasts = match fault {
            Fault::Cut(cut) => {
                self.faults
                    .retain(|active| !matches!(active.fault, Fault::Cut(_)));
                !cut.links.is_empty()
            }
            Fault::Condition { links, with } => !links.is_empty() && *with != Condition::default(),
            Fault::Node { nodes, what } => {
                self.strike(nodes, |before| undoes(what, before));
                lasts(what)
            }
        };
        lasts.then(|| {
            let id = self.next_id;
            self.next_id = self.next_id.saturating_add(1);
            self.faults.push(Active {
                id,
                fault: fault.clone(),
                since_ms: span.since_ms,
                until_ms: span.until_ms,
                owner: std::process::id(),
                before: Tips::new(),
            });
            id
        })
    }

    /// Remembers what the tips were before the fault of that number.
    pub fn begin_at(&mut self, id: Option<u32>, tips: Tips) {
        if let Some(active) = self.faults.iter_mut().find(|x| Some(x.id) == id) {
            active.before = tips;
        }
    }

    /// Takes faults out.
    pub fn heal(&mut self, heal: &Heal) {
        match heal {
            Heal::All => self.faults.clear(),
            Heal::Cuts => self.keep(|fault| !matches!(fault, Fault::Cut(_))),
            Heal::Conditions => self.keep(|fault| !matches!(fault, Fault::Condition { .. })),
            Heal::Nodes(nodes) => self.strike(nodes, |_| true),
        }
    }

    /// Nodes whose store is damaged, among those that are to be healed.
    pub fn damaged(&self, heal: &Heal) -> Vec<NodeName> {
        let is_meant = |node: &NodeName| match heal {
            Heal::All => true,
            Heal::Nodes(nodes) => nodes.contains(node),
            Heal::Cuts | Heal::Conditions => false,
        };
        let mut damaged = BTreeSet::new();
        for active in &self.faults {
            if let Fault::Node { nodes, what } = &active.fault
                && *what == NodeFault::CorruptStore
            {
                damaged.extend(nodes.iter().filter(|node| is_meant(node)).cloned());
            }
        }
        damaged.into_iter().collect()
    }

    /// Takes out what bringing the network up has undone: everything that kept
    /// nodes from running as they were asked for.
    pub fn came_up(&mut self) {
        self.keep(|fault| {
            !matches!(
                fault,
                Fault::Node {
                    what: NodeFault::Kill
                        | NodeFault::Stop
                        | NodeFault::Pause
                        | NodeFault::Remove
                        | NodeFault::Upgrade { .. }
                        | NodeFault::Add { .. },
                    ..
                }
            )
        });
    }

    /// Takes the fault of that number out; `None` if it is gone already.
    pub fn remove(&mut self, id: u32) -> Option<Active> {
        let at = self.faults.iter().position(|active| active.id == id)?;
        Some(self.faults.remove(at))
    }

    /// What all faults together do to the links, over the topology's own
    /// conditions. Links of nodes that are not in the roster are left out.
    pub fn table(&self, base: BTreeMap<Link, Condition>, roster: &[NodeName]) -> LinkTable {
        let mut table = LinkTable::new(base);
        let known: BTreeSet<&NodeName> = roster.iter().collect();
        for active in &self.faults {
            table.inflict(&among(&active.fault, &known));
        }
        table
    }

    /// What was done to one node and lasts, oldest first.
    pub fn of_node<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a NodeFault> {
        self.faults
            .iter()
            .filter_map(move |active| match &active.fault {
                Fault::Node { nodes, what } => {
                    nodes.iter().any(|name| name == node).then_some(what)
                }
                _ => None,
            })
    }

    /// Remembers what nodes told of themselves.
    pub fn learn(&mut self, peer_ids: &BTreeMap<NodeName, String>) {
        for (node, id) in peer_ids {
            self.peer_ids.insert(node.clone(), id.clone());
        }
    }

    /// The libp2p id a node told last.
    pub fn peer_id(&self, node: &str) -> Option<&str> {
        self.peer_ids.get(node).map(String::as_str)
    }

    fn keep(&mut self, wanted: impl Fn(&Fault) -> bool) {
        self.faults.retain(|active| wanted(&active.fault));
    }

    /// Takes the nodes out of those node faults that `which` names.
    fn strike(&mut self, struck: &[NodeName], which: impl Fn(&NodeFault) -> bool) {
        for active in &mut self.faults {
            if let Fault::Node { nodes, what } = &mut active.fault
                && which(what)
            {
                nodes.retain(|node| !struck.contains(node));
            }
        }
        self.keep(|fault| !matches!(fault, Fault::Node { nodes, .. } if nodes.is_empty()));
    }
}

impl Active {
    /// Whether its time is over, and whoever meant to take it out did not.
    pub fn is_overdue(&self, now_ms: u64) -> bool {
        self.until_ms.is_some_and(|until_ms| until_ms < now_ms)
    }
}

/// The part of a fault that concerns known nodes.
fn among(fault: &Fault, known: &BTreeSet<&NodeName>) -> Fault {
    let is_known = |link: &&Link| known.contains(&link.from) && known.contains(&link.to);
    let mut fault = fault.clone();
    match &mut fault {
        Fault::Cut(cut) => cut.links = cut.links.iter().filter(is_known).cloned().collect(),
        Fault::Condition { links, .. } => *links = links.iter().filter(is_known).cloned().collect(),
        Fault::Node { .. } => {}
    }
    fault
}

/// Whether a node stays changed after it.
const fn lasts(what: &NodeFault) -> bool {
    match what {
        NodeFault::Kill
        | NodeFault::Stop
        | NodeFault::Pause
        | NodeFault::ClockSkew { .. }
        | NodeFault::HashRate { .. }
        | NodeFault::FillDisk
        | NodeFault::Remove
        | NodeFault::Upgrade { .. }
        | NodeFault::CorruptStore
        | NodeFault::Add { .. } => true,
        NodeFault::Start | NodeFault::Restart | NodeFault::Unpause | NodeFault::Wipe => false,
    }
}

/// Whether `new` takes the place of `before`, or undoes it.
const fn undoes(new: &NodeFault, before: &NodeFault) -> bool {
    let is_about_life = matches!(before, NodeFault::Kill | NodeFault::Stop | NodeFault::Pause);
    let is_damage = matches!(before, NodeFault::CorruptStore);
    match new {
        NodeFault::Kill | NodeFault::Stop | NodeFault::Start | NodeFault::Restart => is_about_life,
        NodeFault::Wipe | NodeFault::CorruptStore => is_about_life || is_damage,
        NodeFault::Pause | NodeFault::Unpause => matches!(before, NodeFault::Pause),
        NodeFault::ClockSkew { .. } => matches!(before, NodeFault::ClockSkew { .. }),
        NodeFault::HashRate { .. } => matches!(before, NodeFault::HashRate { .. }),
        NodeFault::FillDisk => matches!(before, NodeFault::FillDisk),
        NodeFault::Remove | NodeFault::Add { .. } => true,
        NodeFault::Upgrade { .. } => is_about_life || matches!(before, NodeFault::Upgrade { .. }),
    }
}

fn known_format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let format = u32::deserialize(deserializer)?;
    if format == FORMAT {
        return Ok(format);
    }
    let reason = format_args!("format {format} is of another devnet version, this reads {FORMAT}");
    Err(serde::de::Error::custom(reason))
}

#[cfg(test)]
mod tests;
