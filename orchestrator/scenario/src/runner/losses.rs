//! Nodes that end without the run's doing: killed by the kernel, crashed, or
//! stopped by somebody else. No claim need be about them, so the report tells
//! them whatever the verdict is.

use std::collections::BTreeSet;

use super::core::Core;
use crate::fault::{Fault, NodeFault, NodeName};
use crate::history::faults::FaultEntry;
use crate::world::{NodeView, Snapshot};

/// Losses kept at most.
const LOSSES_MAX: usize = 50;
/// Looks in a row that show it: one may be older than the act it followed.
const LOOKS_MIN: u32 = 2;

/// Ends of nodes, as looks have shown them.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    /// Nodes that have answered in some look.
    known: BTreeSet<NodeName>,
    losses: Vec<Loss>,
}

#[derive(Clone, Debug)]
struct Loss {
    node: NodeName,
    at_ms: u64,
    looks: u32,
    /// In the newest words: an engine learns of an end before its reason.
    why: String,
    back_at_ms: Option<u64>,
}

impl Core {
    /// Takes in which nodes a look shows to have ended.
    pub fn saw_losses(&mut self, snapshot: &Snapshot) {
        let now_ms = self.now_ms;
        let is_with_engine = snapshot.away.is_some() || self.carrier.is_absent();
        for (node, view) in &snapshot.nodes {
            match view {
                NodeView::Up(_) => self.losses.answers(node, now_ms),
                NodeView::Down { state, why } => {
                    let has_ended = matches!(state.as_str(), "exited" | "missing");
                    if has_ended && !is_with_engine && !self.may_have_ended(node) {
                        self.losses.ended(node, why, now_ms);
                    }
                }
            }
        }
    }

    /// Every loss in words.
    pub fn told_losses(&self) -> Vec<String> {
        let sure = self.losses.losses.iter();
        let sure = sure.filter(|loss| loss.looks >= LOOKS_MIN);
        sure.map(|loss| {
            let at = self.report.clock(loss.at_ms);
            let back = loss.back_at_ms.map_or(String::new(), |at_ms| {
                format!("; it answered again at {}", self.report.clock(at_ms))
            });
            let (node, why) = (&loss.node, &loss.why);
            format!("{node} ended at {at}, not by this run: {why}{back}")
        })
        .collect()
    }

    /// Whether the run itself may be why it does not run.
    fn may_have_ended(&self, node: &str) -> bool {
        let mut faults = self.history.faults.entries().iter();
        !self.roster.has(node) || faults.any(|entry| entry.is_on(node) && may_end(entry))
    }
}

impl Losses {
    fn answers(&mut self, node: &NodeName, now_ms: u64) {
        if !self.known.contains(node) {
            self.known.insert(node.clone());
        }
        if let Some(place) = self.open(node) {
            self.losses[place].back_at_ms = Some(now_ms);
            if self.losses[place].looks < LOOKS_MIN {
                self.losses.remove(place);
            }
        }
    }

    fn ended(&mut self, node: &NodeName, why: &str, now_ms: u64) {
        if let Some(place) = self.open(node) {
            let loss = &mut self.losses[place];
            loss.looks = loss.looks.saturating_add(1);
            why.clone_into(&mut loss.why);
        } else if self.known.contains(node) && self.losses.len() < LOSSES_MAX {
            self.losses.push(Loss {
                node: node.clone(),
                at_ms: now_ms,
                looks: 1,
                why: why.to_owned(),
                back_at_ms: None,
            });
        }
    }

    fn open(&self, node: &str) -> Option<usize> {
        let is_open = |loss: &Loss| loss.node == node && loss.back_at_ms.is_none();
        self.losses.iter().position(is_open)
    }
}

/// Whether a node may end by that fault: also where it failed, or is under way.
fn may_end(entry: &FaultEntry) -> bool {
    let Fault::Node { what, .. } = &entry.fault else {
        return false;
    };
    let may_end = match what {
        NodeFault::Kill
        | NodeFault::Stop
        | NodeFault::Remove
        | NodeFault::Upgrade { .. }
        | NodeFault::FillDisk
        | NodeFault::CorruptStore => true,
        NodeFault::Start | NodeFault::Restart | NodeFault::Wipe | NodeFault::Add { .. } => {
            entry.in_force_at_ms.is_none()
        }
        NodeFault::Pause
        | NodeFault::Unpause
        | NodeFault::ClockSkew { .. }
        | NodeFault::HashRate { .. } => false,
    };
    may_end && entry.ended_at_ms.is_none()
}
