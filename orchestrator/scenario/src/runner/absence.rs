//! What carries the nodes, an engine, goes away. It may come back with all of
//! them; else what was seen of them since says nothing of the chain, and the
//! run is broken, not failed.

use std::collections::BTreeMap;

use super::core::Core;
use crate::fault::NodeName;
use crate::report::{StepOutcome, Verdict, seconds};
use crate::world::{NodeView, Snapshot};

/// How long the engine may be away, its nodes' first answers afterwards
/// included.
const AWAY_MS_MAX: u64 = 30_000;

/// An engine that is told to end ends its nodes first, and is still there then:
/// those that fell silent within this time before it went away count as lost
/// with it. Docker gives them 15 s.
const ENDING_MS_MAX: u64 = 20_000;

/// The engine, as looks have shown it.
#[derive(Clone, Debug, Default)]
pub(super) struct Carrier {
    /// When nodes last answered while it was there.
    answered: BTreeMap<NodeName, u64>,
    absence: Option<Absence>,
    /// The run was given up for it.
    is_lost: bool,
}

#[derive(Clone, Debug)]
struct Absence {
    since_ms: u64,
    why: String,
}

impl Carrier {
    /// Whether it is not told yet what became of the nodes.
    pub const fn is_in_doubt(&self) -> bool {
        self.absence.is_some() && !self.is_lost
    }

    /// Whether it went away, and is not known to be back with all nodes.
    pub const fn is_absent(&self) -> bool {
        self.absence.is_some()
    }

    /// Whether the run was given up for it.
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }
}

impl Core {
    /// Takes in whether the engine was there in a look.
    pub fn saw_carrier(&mut self, snapshot: &Snapshot) {
        if self.carrier.is_lost {
            return;
        }
        if let Some(why) = &snapshot.away {
            let (since_ms, why) = (self.now_ms, why.clone());
            let carrier = &mut self.carrier;
            if carrier.absence.is_none() {
                let is_recent = |at_ms: u64| since_ms.saturating_sub(at_ms) <= ENDING_MS_MAX;
                carrier.answered.retain(|_, at_ms| is_recent(*at_ms));
                carrier.absence = Some(Absence { since_ms, why });
            }
        }
        let Some(absence) = self.carrier.absence.clone() else {
            self.note_answers(snapshot);
            return;
        };
        let is_overdue = self.now_ms.saturating_sub(absence.since_ms) >= AWAY_MS_MAX;
        let ended = self.missing(snapshot, |state| state != "running");
        let silent = self.missing(snapshot, |state| state == "running");
        if snapshot.away.is_some() {
            if is_overdue {
                let limit = seconds(AWAY_MS_MAX);
                self.lose_carrier(&absence, &format!("and was not back after {limit}"));
            }
        } else if !ended.is_empty() {
            self.lose_carrier(&absence, &format!("and ended with it: {}", list(&ended)));
        } else if silent.is_empty() {
            self.carrier_is_back(&absence, snapshot);
        } else if is_overdue {
            self.lose_carrier(
                &absence,
                &format!("and silent since then: {}", list(&silent)),
            );
        }
    }

    /// What to make of a failure while nobody knows what became of the nodes.
    pub fn in_doubt(&self, verdict: Verdict, found: &str) -> (Verdict, String) {
        match (&self.carrier.absence, verdict) {
            (Some(absence), Verdict::Fail | Verdict::Invalid) if !self.carrier.is_lost => {
                let why = &absence.why;
                let found = format!("{found}, while the engine was away ({why})");
                (Verdict::Broken, found)
            }
            _ => (verdict, found.to_owned()),
        }
    }

    /// What to make of a step's end then.
    pub const fn step_in_doubt(&self, outcome: StepOutcome) -> StepOutcome {
        match outcome {
            StepOutcome::Failed | StepOutcome::Invalid if self.carrier.absence.is_some() => {
                StepOutcome::Broken
            }
            outcome => outcome,
        }
    }

    fn lose_carrier(&mut self, absence: &Absence, what: &str) {
        let since = self.report.clock(absence.since_ms);
        let found = format!("it went away at {since} ({}), {what}", absence.why);
        self.carrier.is_lost = true;
        let step = self.running_step();
        self.fail(
            Verdict::Broken,
            &step,
            "the engine carries the nodes all the time",
            &found,
        );
    }

    fn carrier_is_back(&mut self, absence: &Absence, snapshot: &Snapshot) {
        let from = self.report.clock(absence.since_ms);
        let to = self.report.clock(self.now_ms);
        self.history.problem(format!(
            "the engine was away from {from} to {to} ({}); every node went on",
            absence.why
        ));
        self.carrier.absence = None;
        self.note_answers(snapshot);
    }

    fn note_answers(&mut self, snapshot: &Snapshot) {
        let is_up = |view: &NodeView| matches!(view, NodeView::Up(_));
        let up = snapshot.nodes.iter().filter(|(_, view)| is_up(view));
        let now_ms = self.now_ms;
        let answered = up.map(|(name, _)| (name.clone(), now_ms));
        self.carrier.answered.extend(answered);
    }

    /// Nodes that answered before, do not now, and are in such a state without
    /// the run's doing.
    fn missing(&self, snapshot: &Snapshot, is_meant: impl Fn(&str) -> bool) -> Vec<NodeName> {
        let is_ours =
            |node: &&NodeName| !self.history.is_held_down(node) && !self.history.was_removed(node);
        let is_missing = |node: &&NodeName| match snapshot.nodes.get(*node) {
            Some(NodeView::Up(_)) => false,
            Some(NodeView::Down { state, .. }) => is_meant(state),
            None => is_meant("missing"),
        };
        let answered = self.carrier.answered.keys();
        answered
            .filter(is_ours)
            .filter(is_missing)
            .cloned()
            .collect()
    }
}

fn list(nodes: &[NodeName]) -> String {
    nodes.join(", ")
}
