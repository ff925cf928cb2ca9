//! Writes down what happens in a run: acts with their evidence, and who was on
//! which tip when.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Act, ActId, Evidence, NodeView, Outcome, Snapshot};
use serde::Serialize;

use super::describe;
use super::drive::Witness;
use super::restarts::Gap;

/// Changes of tips that are kept at most; the latest are left out.
const TIPS_MAX: usize = 50_000;
/// Acts that are kept at most.
const ACTS_MAX: usize = 10_000;

/// What happened.
#[derive(Debug, Default)]
pub struct Chronicle {
    acts: Vec<Entry>,
    tips: Vec<TipsAt>,
    last_tips: BTreeMap<NodeName, Tip>,
    last: Option<Snapshot>,
}

/// An act from its begin to its end.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Number of the act; 0 for what the run did not do.
    pub id: u32,
    /// What was done.
    pub act: String,
    /// When it began, in milliseconds on the world's clock (since 1970).
    pub began_ms: u64,
    /// When it ended; null: it never did.
    pub ended_ms: Option<u64>,
    /// `done`, `ineffective`, `failed`, or `under way`.
    pub outcome: &'static str,
    /// What came of it, in one line.
    pub result: String,
    /// What was measured.
    pub evidence: Option<Evidence>,
}

/// Every node's tip, at a moment when one of them changed.
#[derive(Clone, Debug, Serialize)]
struct TipsAt {
    at_ms: u64,
    nodes: BTreeMap<NodeName, Tip>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Tip {
    Up {
        tip: String,
        height: u32,
        work: String,
    },
    Down {
        state: String,
        why: String,
    },
}

impl Chronicle {
    /// All acts so far, in the order they began.
    pub fn acts(&self) -> &[Entry] {
        &self.acts
    }

    /// Writes down that a node's faults were out of force, among what was done.
    pub fn gap(&mut self, gap: &Gap) {
        let missing = Seconds(gap.until_ms.saturating_sub(gap.from_ms));
        let (outcome, after) = match gap.is_restored {
            true => ("done", "and is in force again"),
            false => ("failed", "and could not be put in force again"),
        };
        let entry = Entry {
            id: 0,
            act: format!("{} was started anew, not by this run", gap.node),
            began_ms: gap.from_ms,
            ended_ms: Some(gap.until_ms),
            outcome,
            result: format!("what was in force on it was not for at most {missing}, {after}"),
            evidence: None,
        };
        let place = self.acts.partition_point(|act| act.began_ms <= gap.from_ms);
        self.acts.insert(place, entry);
    }

    /// The last look.
    pub fn last(&self) -> Option<&Snapshot> {
        self.last.as_ref()
    }

    /// Every change of tips, one JSON object a line.
    pub fn tips_jsonl(&self) -> String {
        let lines = self.tips.iter().map(serde_json::to_string);
        lines.flatten().fold(String::new(), |mut text, line| {
            text.push_str(&line);
            text.push('\n');
            text
        })
    }

    /// The acts for people; `start_ms` is when the run began.
    pub fn timeline(&self, start_ms: u64) -> String {
        let mut text = String::new();
        let seconds = |at_ms: u64| Seconds(at_ms.saturating_sub(start_ms));
        for entry in &self.acts {
            let ended = entry
                .ended_ms
                .map_or_else(|| "-".to_owned(), |at_ms| seconds(at_ms).to_string());
            text.push_str(&format!(
                "{:>9} - {ended:>9}  {}\n{:23} {}: {}\n",
                seconds(entry.began_ms).to_string(),
                entry.act,
                "",
                entry.outcome,
                entry.result
            ));
            let objections = entry
                .evidence
                .iter()
                .flat_map(|evidence| &evidence.objections);
            for objection in objections {
                text.push_str(&format!("{:23} ! {objection}\n", ""));
            }
        }
        text
    }
}

impl Witness for Chronicle {
    fn began(&mut self, at_ms: u64, id: ActId, act: &Act) {
        if self.acts.len() < ACTS_MAX {
            self.acts.push(Entry {
                id: id.0,
                act: describe::act(act),
                began_ms: at_ms,
                ended_ms: None,
                outcome: "under way",
                result: String::new(),
                evidence: None,
            });
        }
    }

    fn ended(&mut self, at_ms: u64, id: ActId, outcome: &Outcome) {
        let Some(entry) = self.acts.iter_mut().rev().find(|entry| entry.id == id.0) else {
            return;
        };
        entry.ended_ms = Some(at_ms);
        entry.result = describe::outcome(outcome);
        (entry.outcome, entry.evidence) = match outcome {
            Outcome::Done(evidence) => ("done", Some(evidence.clone())),
            Outcome::Ineffective(evidence) => ("ineffective", Some(evidence.clone())),
            Outcome::Failed { .. } => ("failed", None),
        };
    }

    fn saw(&mut self, snapshot: &Snapshot) {
        let tips: BTreeMap<NodeName, Tip> = snapshot
            .nodes
            .iter()
            .map(|(node, view)| (node.clone(), Tip::of(view)))
            .collect();
        if tips != self.last_tips {
            self.last_tips = tips.clone();
            if self.tips.len() < TIPS_MAX {
                self.tips.push(TipsAt {
                    at_ms: snapshot.at_ms,
                    nodes: tips,
                });
            }
        }
        self.last = Some(Snapshot {
            at_ms: snapshot.at_ms,
            nodes: snapshot.nodes.clone(),
            ..Snapshot::default()
        });
    }

    fn interrupted(&mut self, at_ms: u64) {
        if self.acts.len() < ACTS_MAX {
            self.acts.push(Entry {
                id: u32::MAX,
                act: "the user interrupted".into(),
                began_ms: at_ms,
                ended_ms: Some(at_ms),
                outcome: "done",
                result: "the run goes to its end".into(),
                evidence: None,
            });
        }
    }
}

impl Tip {
    fn of(view: &NodeView) -> Self {
        match view {
            NodeView::Up(facts) => Self::Up {
                tip: facts.tip.clone(),
                height: facts.height,
                work: facts.work.clone(),
            },
            NodeView::Down { state, why } => Self::Down {
                state: state.clone(),
                why: why.clone(),
            },
        }
    }
}

/// Milliseconds, written as seconds.
pub struct Seconds(pub u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}.{} s", self.0 / 1_000, self.0 % 1_000 / 100))
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::Heal;

    use super::*;

    fn down(state: &str, at_ms: u64) -> Snapshot {
        let view = NodeView::Down {
            state: state.into(),
            why: "x".into(),
        };
        Snapshot {
            at_ms,
            nodes: BTreeMap::from([("a".to_owned(), view)]),
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_gap_stands_where_it_began() {
        let mut chronicle = Chronicle::default();
        chronicle.began(1_000, ActId(1), &Act::Heal(Heal::Cuts));
        chronicle.began(9_000, ActId(2), &Act::Heal(Heal::All));
        chronicle.gap(&Gap {
            node: "a".into(),
            from_ms: 2_000,
            until_ms: 3_400,
            is_restored: true,
        });
        let text = chronicle.timeline(0);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[2].contains("a was started anew, not by this run"),
            "{text}"
        );
        assert!(
            lines[3].contains("for at most 1.4 s, and is in force again"),
            "{text}"
        );
    }

    #[test]
    fn only_changes_of_tips_are_kept() {
        let mut chronicle = Chronicle::default();
        for (state, at_ms) in [("exited", 1), ("exited", 2), ("paused", 3)] {
            chronicle.saw(&down(state, at_ms));
        }
        let lines = chronicle.tips_jsonl();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(lines.contains("\"at_ms\":3"), "{lines}");
    }

    #[test]
    fn the_timeline_tells_what_was_done_and_what_speaks_against_it() {
        let mut chronicle = Chronicle::default();
        chronicle.began(1_000, ActId(1), &Act::Heal(Heal::Cuts));
        chronicle.began(1_500, ActId(2), &Act::Heal(Heal::All));
        let evidence = Evidence {
            objections: vec!["a still cut".into()],
            ..Evidence::default()
        };
        chronicle.ended(2_250, ActId(1), &Outcome::Ineffective(evidence));
        insta::assert_snapshot!(chronicle.timeline(500), @r"
            0.5 s -     1.7 s  heal partitions
                                ineffective: had no effect: a still cut
                                ! a still cut
            1.0 s -         -  heal everything
                                under way:
        ");
    }
}
