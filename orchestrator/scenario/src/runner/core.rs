//! What all steps of a run share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::absence::Carrier;
use super::losses::Losses;
use crate::expect::{Case, Scene};
use crate::fault::NodeName;
use crate::history::History;
use crate::history::faults::{Moment, TipMark};
use crate::model::{Member, Records, Roster, Scenario};
use crate::report::{Failure, Report, StepOutcome, StepReport, Trouble, Verdict};
use crate::world::{Act, ActId, Order, Snapshot, Wants};

/// How a world that never tells an act's end is given up, after its time-out.
const GRACE_MS: u64 = 15_000;
/// Logs are asked for at least so often, for the story of a failure.
const LOGS_EVERY_MS: u64 = 1_000;
/// Troubles kept.
const TROUBLES_MAX: usize = 100;

/// State that steps share.
#[derive(Clone, Debug)]
pub(super) struct Core {
    pub now_ms: u64,
    has_begun: bool,
    /// Path, title and kind of every step of the file's first level.
    pub planned: Vec<(String, String, String)>,
    pub seed: u64,
    pub roster: Roster,
    /// Nodes the network came up with: what healing leads back to.
    pub brought_up: Vec<Member>,
    pub history: History,
    pub records: Records,
    pub tips: BTreeMap<String, String>,
    /// Loads that run.
    pub loads: BTreeSet<String>,
    pub report: Report,
    /// Something was inflicted whose state is not known.
    pub is_uncertain: bool,
    /// The world answers no looks any more.
    pub is_blind: bool,
    pub(super) carrier: Carrier,
    pub(super) losses: Losses,
    pub orders: Vec<(String, String)>,
    /// Acts asked for and not ended.
    pub open: BTreeMap<ActId, OpenAct>,
    /// How acts ended that somebody waits for.
    pub ended: BTreeMap<ActId, Ended>,
    unstarted: VecDeque<ActId>,
    acts: u32,
    watches: u64,
    /// Numbers of watches that follow something from the run's begin.
    pub(super) standing: BTreeMap<String, u64>,
    pub(super) needs_metrics: bool,
    pub(super) needs_logs: bool,
    wants_look: bool,
    looked_at_ms: Option<u64>,
    logged_at_ms: Option<u64>,
}

/// An act from its order to its end.
#[derive(Clone, Debug)]
pub(super) struct OpenAct {
    pub step: String,
    pub act: Act,
    pub name: Option<String>,
    pub timeout_ms: u64,
    /// `None`: not begun.
    pub ordered_at_ms: Option<u64>,
    pub before: BTreeMap<NodeName, TipMark>,
}

/// How an act ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub outcome: StepOutcome,
    pub note: String,
}

impl Core {
    pub fn new(scenario: &Scenario, roster: Roster, seed: u64) -> Self {
        let mut core = Self {
            now_ms: 0,
            has_begun: false,
            planned: super::filing::planned(scenario),
            seed,
            report: super::filing::begun(scenario, &roster, seed),
            brought_up: roster.nodes.clone(),
            roster,
            history: History::default(),
            records: Records::new(),
            tips: BTreeMap::new(),
            loads: BTreeSet::new(),
            is_uncertain: false,
            is_blind: false,
            carrier: Carrier::default(),
            losses: Losses::default(),
            orders: Vec::new(),
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            unstarted: VecDeque::new(),
            acts: 0,
            watches: 0,
            standing: BTreeMap::new(),
            needs_metrics: false,
            needs_logs: false,
            wants_look: true,
            looked_at_ms: None,
            logged_at_ms: None,
        };
        core.follow_from_the_begin(scenario);
        core
    }

    pub fn tick(&mut self, now_ms: u64) {
        if !self.has_begun {
            self.has_begun = true;
            self.report.started_at_ms = now_ms;
        }
        self.now_ms = self.now_ms.max(now_ms);
    }

    pub fn saw(&mut self, snapshot: &Snapshot) {
        self.history.saw(snapshot);
        self.wants_look = false;
        self.looked_at_ms = Some(self.now_ms);
        if !snapshot.logs.is_empty() || self.logs_are_due() {
            self.logged_at_ms = Some(self.now_ms);
        }
        self.saw_carrier(snapshot);
        self.saw_losses(snapshot);
    }

    /// Milliseconds between looks.
    pub fn poll_ms(&self) -> u64 {
        (self.roster.block_interval_ms / 4).clamp(100, 1_000)
    }

    pub fn look_now(&mut self) {
        self.wants_look = true;
    }

    /// Whether there was a look after so many, or none can be had.
    pub fn has_looked_since(&self, looks: u64) -> bool {
        self.is_blind || self.history.looks() > looks
    }

    pub fn look_is_due(&self) -> bool {
        !self.is_blind && (self.wants_look || self.now_ms >= self.next_look_ms())
    }

    pub fn next_look_ms(&self) -> u64 {
        let last = if self.is_blind {
            Some(self.now_ms)
        } else {
            self.looked_at_ms
        };
        last.map_or(0, |at| at.saturating_add(self.poll_ms()))
    }

    /// What a look must have whatever is open.
    pub fn standing_wants(&self) -> Wants {
        Wants {
            metrics: self.needs_metrics,
            logs: self.needs_logs || self.logs_are_due(),
            ..Wants::default()
        }
    }

    pub fn scene(&self) -> Scene<'_> {
        Scene {
            history: &self.history,
            roster: &self.roster,
            records: &self.records,
            tips: &self.tips,
            sent: &self.report.transactions,
        }
    }

    /// Asks for an act. `name` is what its transactions are kept under.
    pub fn ask(&mut self, step: &str, act: Act, name: Option<String>, timeout_ms: u64) -> ActId {
        self.acts += 1;
        let id = ActId(self.acts);
        self.unstarted.push_back(id);
        let open = OpenAct {
            step: step.into(),
            act,
            name,
            timeout_ms,
            ordered_at_ms: None,
            before: self.history.tips(),
        };
        self.open.insert(id, open);
        id
    }

    /// The order that begins the next act asked for.
    pub fn start_next(&mut self) -> Option<Order> {
        let id = self.unstarted.pop_front()?;
        let now_ms = self.now_ms;
        let open = self.open.get_mut(&id)?;
        open.ordered_at_ms = Some(now_ms);
        let (act, timeout_ms) = (open.act.clone(), open.timeout_ms);
        self.orders.push((open.step.clone(), ordered(&act)));
        if let Act::Inflict(fault) = &act {
            let tips = &open.before;
            self.history
                .faults
                .ordered(id, &open.step, fault, Moment { now_ms, tips });
        }
        Some(Order::Act {
            id,
            act,
            timeout_ms,
        })
    }

    pub fn is_acting(&self) -> bool {
        !self.open.is_empty()
    }

    /// Forgets acts that were asked for and not begun.
    pub fn drop_unstarted(&mut self) {
        for id in std::mem::take(&mut self.unstarted) {
            self.open.remove(&id);
        }
    }

    /// Acts whose end should have been told long ago.
    pub fn overdue(&self) -> Vec<ActId> {
        let is_overdue = |open: &OpenAct| {
            let limit = open.timeout_ms.saturating_add(GRACE_MS);
            open.ordered_at_ms
                .is_some_and(|at| self.now_ms.saturating_sub(at) > limit)
        };
        let open = self.open.iter().filter(|(_, open)| is_overdue(open));
        open.map(|(id, _)| *id).collect()
    }

    /// Whether a fault may still be in force.
    pub fn may_be_faulty(&self) -> bool {
        self.is_uncertain || self.history.faults.in_force().next().is_some()
    }

    /// A number for a watch.
    pub fn watch_number(&mut self) -> u64 {
        self.watches += 1;
        self.watches
    }

    /// The number of the watch that serves a case: one from the run's begin if
    /// it reads the past, else its own from now on.
    pub fn watch_for(&mut self, case: &Case) -> u64 {
        let key = super::judging::watch_key(&case.expectation);
        if case.reads_the_past()
            && let Some(number) = self.standing.get(&key)
        {
            return *number;
        }
        let number = self.watch_number();
        self.follow(&case.expectation.claim, number);
        number
    }

    /// Notes that a step began; returns its place in the report.
    pub fn begin_step(&mut self, path: &str, title: String, kind: &str) -> usize {
        self.report.steps.push(StepReport {
            path: path.into(),
            title,
            kind: kind.into(),
            begun_at_ms: Some(self.now_ms),
            ended_at_ms: None,
            outcome: StepOutcome::Running,
            notes: Vec::new(),
        });
        self.report.steps.len() - 1
    }

    pub fn end_step(&mut self, place: usize, outcome: StepOutcome) {
        let now_ms = self.now_ms;
        let outcome = self.step_in_doubt(outcome);
        let step = &mut self.report.steps[place];
        if step.outcome == StepOutcome::Running {
            step.outcome = outcome;
            step.ended_at_ms = Some(now_ms);
        }
    }

    pub fn note(&mut self, place: usize, text: String) {
        let notes = &mut self.report.steps[place].notes;
        if notes.len() < TROUBLES_MAX && !text.is_empty() {
            notes.push(text);
        }
    }

    /// Path of the innermost step that runs.
    pub fn running_step(&self) -> String {
        let mut running = self.report.steps.iter().rev();
        running
            .find(|step| step.outcome == StepOutcome::Running)
            .map_or(String::new(), |step| step.path.clone())
    }

    /// Notes that something went wrong; the worst decides the verdict.
    pub fn fail(&mut self, verdict: Verdict, step: &str, expected: &str, found: &str) {
        let (verdict, found) = self.in_doubt(verdict, found);
        let is_worse = verdict > self.report.verdict;
        if is_worse {
            let failure = self.failure(verdict, step, expected, &found);
            self.report.verdict = verdict;
            if let Some(before) = self.report.failure.replace(failure) {
                self.trouble(before.verdict, &before.step, &before.found);
            }
        } else {
            self.trouble(verdict, step, &found);
        }
    }

    fn trouble(&mut self, verdict: Verdict, step: &str, text: &str) {
        let troubles = &mut self.report.troubles;
        if troubles.len() < TROUBLES_MAX {
            troubles.push(Trouble {
                verdict,
                step: step.into(),
                text: text.into(),
            });
            troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.verdict));
        }
    }

    fn failure(&self, verdict: Verdict, step: &str, expected: &str, found: &str) -> Failure {
        let names = self.roster.names();
        let down = names
            .iter()
            .filter_map(|node| Some((node.clone(), self.history.down(node)?)));
        let in_force = self.history.faults.in_force();
        Failure {
            verdict,
            at_ms: self.now_ms,
            step: step.into(),
            expected: expected.into(),
            found: found.into(),
            faults_in_force: in_force.map(|entry| self.told(entry)).collect(),
            tips: self.history.tips(),
            down: down.collect(),
            fork: self.history.fork(&names),
        }
    }

    fn told(&self, entry: &crate::history::faults::FaultEntry) -> String {
        let begun = entry.in_force_at_ms.unwrap_or(entry.ordered_at_ms);
        let since = self.report.clock(begun);
        let evidence = entry.evidence.as_ref();
        let proof = evidence.map_or(String::new(), |x| format!(": {}", x.summary));
        format!("{} since {since}{proof}", entry.title)
    }

    fn logs_are_due(&self) -> bool {
        self.logged_at_ms
            .is_none_or(|at| self.now_ms.saturating_sub(at) >= LOGS_EVERY_MS)
    }
}

/// The act for the digest of orders: numbers of acts depend on the order in
/// which parallel steps come to run.
fn ordered(act: &Act) -> String {
    match act {
        Act::Lift { fault, .. } => format!("Lift({fault:?})"),
        act => format!("{act:?}"),
    }
}
