//! Which nodes were started anew, and how long what was in force on them was
//! not. Pure.
//!
//! A new process has lost its filters, conditions, clock and rate. Acts of the
//! run put them back before they end; where somebody else starts a node (a
//! `docker restart`, an out-of-memory kill), time passes until a look shows it.

use std::collections::BTreeMap;

use devnet_scenario::fault::{Fault, Heal, NodeName};
use devnet_scenario::world::{Act, NodeView, Snapshot};

use crate::faults::Reconciled;

/// Attempts to give a node that was started anew its faults back.
pub const ATTEMPTS_MAX: u32 = 3;
/// Gaps kept at most.
const GAPS_MAX: usize = 1_000;

/// A time in which the faults of a node were not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The node.
    pub node: NodeName,
    /// The last look that saw the old process: from here on at the earliest.
    pub from_ms: u64,
    /// When all of it was in force again.
    pub until_ms: u64,
    /// Whether it is; else it was given up.
    pub is_restored: bool,
}

/// What looks have shown of processes.
#[derive(Debug, Default)]
pub struct Restarts {
    seen: BTreeMap<NodeName, Seen>,
    /// Nodes that have not got their faults back.
    bare: BTreeMap<NodeName, Bare>,
    /// Nodes that acts of the run may start anew: acts under way, and looks
    /// until its traces are out of sight.
    own: BTreeMap<NodeName, Own>,
    gaps: Vec<Gap>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    restarts: u32,
    at_ms: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bare {
    attempts: u32,
    /// Since when; `None`: by an act of the run.
    since_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Own {
    acts: u32,
    looks_left: u32,
}

/// A look may have begun before the act ended, so the second shows all of it.
const LOOKS_AFTER: u32 = 2;

impl Restarts {
    /// An act begins; the nodes it may start anew, for [`Restarts::end`].
    pub fn begin(&mut self, act: &Act) -> Vec<NodeName> {
        let nodes = match act {
            Act::Inflict(Fault::Node { nodes, .. })
            | Act::Heal(Heal::Nodes(nodes))
            | Act::Lift {
                fault: Fault::Node { nodes, .. },
                ..
            } => nodes.clone(),
            Act::Heal(Heal::All) => self.seen.keys().cloned().collect(),
            _ => Vec::new(),
        };
        for node in &nodes {
            self.own.entry(node.clone()).or_default().acts += 1;
        }
        nodes
    }

    /// That act has ended.
    pub fn end(&mut self, nodes: &[NodeName]) {
        for node in nodes {
            if let Some(own) = self.own.get_mut(node) {
                own.acts = own.acts.saturating_sub(1);
                own.looks_left = LOOKS_AFTER;
            }
        }
    }

    /// Takes a look in. Nodes that answer and were started since the last one,
    /// or have still not got their faults back.
    pub fn see(&mut self, snapshot: &Snapshot) -> Vec<NodeName> {
        let at_ms = snapshot.at_ms;
        let mut nodes = Vec::new();
        for (node, view) in &snapshot.nodes {
            let NodeView::Up(facts) = view else { continue };
            let restarts = facts.restarts;
            let before = self.seen.insert(node.clone(), Seen { restarts, at_ms });
            if let Some(before) = before.filter(|before| before.restarts < restarts) {
                let is_own = self.own.contains_key(node);
                let since_ms = (!is_own).then_some(before.at_ms);
                self.bare.insert(
                    node.clone(),
                    Bare {
                        attempts: 0,
                        since_ms,
                    },
                );
            }
            if self.bare.contains_key(node) {
                nodes.push(node.clone());
            }
        }
        self.own.retain(|_, own| {
            own.looks_left = own.looks_left.saturating_sub(u32::from(own.acts == 0));
            own.acts > 0 || own.looks_left > 0
        });
        nodes
    }

    /// Takes in what came of an attempt to give these nodes their faults back;
    /// whether what did not work is given up.
    pub fn reconciled(&mut self, nodes: &[NodeName], done: &Reconciled, now_ms: u64) -> bool {
        let is_well = done.problems.is_empty();
        let mut is_given_up = false;
        for node in nodes {
            let Some(bare) = self.bare.get_mut(node) else {
                continue;
            };
            bare.attempts += 1;
            if !is_well && bare.attempts < ATTEMPTS_MAX {
                continue;
            }
            is_given_up = true;
            let since_ms = bare.since_ms.filter(|_| done.was_needed);
            self.bare.remove(node);
            if let Some(from_ms) = since_ms.filter(|_| self.gaps.len() < GAPS_MAX) {
                self.gaps.push(Gap {
                    node: node.clone(),
                    from_ms,
                    until_ms: now_ms.max(from_ms),
                    is_restored: is_well,
                });
            }
        }
        is_given_up
    }

    /// Times in which faults were out of force without the run's doing.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::NodeFault;
    use devnet_scenario::world::NodeFacts;

    use super::*;

    fn look(at_ms: u64, restarts: u32) -> Snapshot {
        let facts = NodeFacts {
            restarts,
            ..NodeFacts::default()
        };
        Snapshot {
            at_ms,
            nodes: BTreeMap::from([("a".to_owned(), NodeView::Up(Box::new(facts)))]),
            ..Snapshot::default()
        }
    }

    fn done(was_needed: bool, problem: Option<&str>) -> Reconciled {
        Reconciled {
            was_needed,
            problems: problem.map(str::to_owned).into_iter().collect(),
        }
    }

    #[test]
    fn the_gap_after_a_foreign_restart_is_measured() {
        let mut restarts = Restarts::default();
        assert_eq!(restarts.see(&look(100, 0)), Vec::<String>::new());
        assert_eq!(restarts.see(&look(350, 1)), ["a"]);
        restarts.reconciled(&["a".into()], &done(true, None), 420);
        let gap = Gap {
            node: "a".into(),
            from_ms: 100,
            until_ms: 420,
            is_restored: true,
        };
        assert_eq!(restarts.gaps(), [gap]);
        assert_eq!(restarts.see(&look(600, 1)), Vec::<String>::new());
    }

    #[test]
    fn where_nothing_was_in_force_there_is_no_gap() {
        let mut restarts = Restarts::default();
        restarts.see(&look(100, 0));
        restarts.see(&look(350, 1));
        restarts.reconciled(&["a".into()], &done(false, None), 420);
        assert_eq!(restarts.gaps(), []);
    }

    #[test]
    fn what_the_run_starts_itself_is_no_gap_and_later_foreign_starts_are() {
        let mut restarts = Restarts::default();
        restarts.see(&look(100, 0));
        let restart = Act::Inflict(Fault::Node {
            nodes: vec!["a".into()],
            what: NodeFault::Restart,
        });
        let own = restarts.begin(&restart);
        assert_eq!(restarts.see(&look(200, 1)), ["a"]);
        restarts.reconciled(&["a".into()], &done(true, None), 220);
        restarts.end(&own);
        restarts.see(&look(300, 1));
        restarts.see(&look(400, 1));
        assert_eq!(restarts.gaps(), []);
        assert_eq!(restarts.see(&look(500, 2)), ["a"]);
        restarts.reconciled(&["a".into()], &done(true, None), 520);
        assert_eq!(restarts.gaps()[0].from_ms, 400);
    }

    #[test]
    fn what_cannot_be_restored_is_given_up_with_its_gap_open() {
        let mut restarts = Restarts::default();
        restarts.see(&look(100, 0));
        restarts.see(&look(200, 1));
        let nodes = ["a".to_owned()];
        for attempt in 1..=ATTEMPTS_MAX {
            let is_given_up = restarts.reconciled(&nodes, &done(true, Some("not cut")), 300);
            assert_eq!(is_given_up, attempt == ATTEMPTS_MAX);
        }
        assert!(!restarts.gaps()[0].is_restored);
        assert_eq!(restarts.see(&look(400, 1)), Vec::<String>::new());
    }
}
