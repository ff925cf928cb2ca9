//! What the runner orders, done to a simulated network.

use std::collections::BTreeSet;

use devnet_scenario::fault::{Fault, Heal, NodeFault, NodeName};
use devnet_scenario::world::{ActId, Evidence, Outcome};

use super::links::Before;
use super::net::Net;
use crate::faults::verdict::{both, goals_of, goals_of_heal, goals_of_lifted_condition, proven};
use crate::faults::{Active, Span};

impl Net {
    /// Inflicts a fault, and proves that it bit.
    pub(super) fn inflict(&mut self, id: ActId, fault: &Fault) -> Outcome {
        let before = self.intent.clone();
        let cut_earlier = self.cut_now();
        let span = Span {
            since_ms: self.now_ms(),
            until_ms: None,
        };
        if let Some(number) = self.intent.take(fault, span) {
            self.inflicted.insert(id, number);
        }
        match fault {
            Fault::Node { nodes, what } => {
                let outcome = self.inflict_on(nodes, what);
                // What was refused was not begun.
                if matches!(outcome, Outcome::Failed { .. }) {
                    self.intent = before;
                    self.inflicted.remove(&id);
                }
                outcome
            }
            Fault::Cut(_) | Fault::Condition { .. } => {
                let goals = goals_of(fault);
                let across = self.told_crossings();
                let before = Before {
                    cut_earlier: goals.reach.then_some(cut_earlier),
                    trips: match fault {
                        Fault::Condition { links, .. } => links.clone(),
                        _ => BTreeSet::new(),
                    },
                };
                let outcome = self.apply(goals, &before);
                both(proven(fault, outcome), across)
            }
        }
    }

    /// Takes out what is left of the fault that act inflicted.
    pub(super) fn lift(&mut self, act: ActId) -> Outcome {
        let number = self.inflicted.remove(&act);
        let Some(Active { fault, .. }) = number.and_then(|number| self.intent.remove(number))
        else {
            return done("nothing was left of it to take out");
        };
        match fault {
            Fault::Cut(_) => self.heal(&Heal::Cuts),
            Fault::Condition { .. } => self.apply(goals_of_lifted_condition(), &Before::default()),
            Fault::Node { nodes, what } => self.revert_on(&nodes, &what),
        }
    }

    /// Heals, and proves it.
    pub(super) fn heal(&mut self, heal: &Heal) -> Outcome {
        let goals = goals_of_heal(heal, self.intent.has_conditions());
        self.intent.heal(heal);
        let of_nodes = match heal {
            Heal::All => self.heal_nodes(None),
            Heal::Nodes(nodes) => self.heal_nodes(Some(nodes)),
            Heal::Cuts | Heal::Conditions => done(""),
        };
        let across = self.told_crossings();
        let links = self.apply(goals, &Before::default());
        both(both(of_nodes, across), links)
    }

    /// What the cut in force until now has held back; what got through it
    /// speaks against it.
    fn told_crossings(&self) -> Outcome {
        if self.world.cuts().is_free() {
            return done("");
        }
        let crossings = self.world.crossings();
        let summary = format!(
            "the cut held {} messages back and let {} through",
            crossings.held, crossings.crossed
        );
        let mut evidence = Evidence {
            summary,
            ..Evidence::default()
        };
        if crossings.crossed > 0 {
            let count = crossings.crossed;
            let what = format!("{count} messages arrived across the cut while it was in force");
            evidence.objections.push(what);
            return Outcome::Ineffective(evidence);
        }
        Outcome::Done(evidence)
    }

    fn revert_on(&mut self, nodes: &[NodeName], what: &NodeFault) -> Outcome {
        match what {
            NodeFault::Kill | NodeFault::Stop => self.inflict_on(nodes, &NodeFault::Start),
            NodeFault::Pause => self.inflict_on(nodes, &NodeFault::Unpause),
            NodeFault::Add { .. } | NodeFault::Remove => self.restore(nodes),
            NodeFault::ClockSkew { .. } => self.planned_clocks(nodes),
            NodeFault::HashRate { .. } => self.planned_rates(nodes),
            NodeFault::FillDisk => self.free_disks(nodes),
            NodeFault::CorruptStore => self.mend_disks(nodes),
            _ => done("nothing was left to undo"),
        }
    }
}

/// Done, with that to say.
pub(super) fn done(summary: &str) -> Outcome {
    Outcome::Done(Evidence {
        summary: summary.to_owned(),
        ..Evidence::default()
    })
}
