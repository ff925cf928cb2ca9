//! Putting together the report.

use std::collections::BTreeMap;

use super::core::Core;
use super::draws::digest;
use super::title::title;
use crate::history::logs::{Severity, severity};
use crate::model::{Roster, Scenario};
use crate::report::{
    BlockReport, NodeReport, Report, RosterEntry, StepOutcome, StepReport, Verdict,
};
use crate::world::LogFact;

/// Log lines filed at most, of each kind.
const LINES_MAX: usize = 300;
/// Milliseconds around the failure whose lines are filed.
const AROUND_MS: u64 = 5_000;

/// The report of a run that has not begun.
pub(super) fn begun(scenario: &Scenario, roster: &Roster, seed: u64) -> Report {
    let entry = |node: &crate::model::Member| RosterEntry {
        name: node.name.clone(),
        group: node.group.clone(),
        role: node.role.clone(),
        zone: node.zone.clone(),
    };
    let parameters = scenario.parameters.iter();
    Report {
        name: scenario.name.clone(),
        description: scenario.description.clone(),
        verdict: Verdict::Pass,
        seed,
        parameters: parameters
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect(),
        roster: roster.nodes.iter().map(entry).collect(),
        block_interval_ms: roster.block_interval_ms,
        started_at_ms: 0,
        ended_at_ms: None,
        steps: Vec::new(),
        failure: None,
        troubles: Vec::new(),
        faults: Vec::new(),
        heals: Vec::new(),
        nodes: BTreeMap::new(),
        blocks: Vec::new(),
        recorded: BTreeMap::new(),
        transactions: BTreeMap::new(),
        logs: Vec::new(),
        oddities: Vec::new(),
        orders_digest: String::new(),
    }
}

impl Core {
    /// Files everything that is told only once the run is over.
    pub fn file(&mut self) {
        self.report.ended_at_ms = Some(self.now_ms);
        self.file_skipped();
        let (roster, tips) = (self.roster.names(), self.history.tips());
        let faults = self.history.faults.entries().iter().cloned();
        self.report.faults = faults
            .map(|entry| entry.with_parting(&roster, &tips, &self.history.tree))
            .collect();
        self.report.nodes = self.nodes();
        let blocks = self.history.tree.blocks().iter();
        self.report.blocks = blocks
            .map(|block| BlockReport {
                seen_at_ms: block.seen_at_ms,
                fact: block.fact.clone(),
            })
            .collect();
        self.report.oddities = self.told_losses();
        self.report
            .oddities
            .extend_from_slice(self.history.problems());
        let lost = self.history.logs.lost();
        if lost > 0 {
            self.report.oddities.push(format!(
                "{lost} log lines came faster than they could be kept and were not judged"
            ));
        }
        self.report.logs = self.lines_that_matter();
        self.report.orders_digest = self.orders_digest();
    }

    /// Steps of the file's first level that never began.
    fn file_skipped(&mut self) {
        for (path, title, kind) in std::mem::take(&mut self.planned) {
            if self.report.steps.iter().any(|step| step.path == path) {
                continue;
            }
            self.report.steps.push(StepReport {
                path,
                title,
                kind,
                begun_at_ms: None,
                ended_at_ms: None,
                outcome: StepOutcome::Skipped,
                notes: Vec::new(),
            });
        }
    }

    fn nodes(&self) -> BTreeMap<String, NodeReport> {
        let tracks = self.history.nodes.iter();
        tracks
            .map(|(name, track)| {
                let node = NodeReport {
                    tips: track.tips().to_vec(),
                    states: track.states().to_vec(),
                    reorg_depth: track.reorg_depth_since(0),
                    restarts: track.restarts(),
                    memory_peak_bytes: track.memory_peak(),
                };
                (name.clone(), node)
            })
            .collect()
    }

    fn lines_that_matter(&self) -> Vec<LogFact> {
        let all: Vec<&LogFact> = self.history.logs.lines().collect();
        let end = self.report.failure.as_ref().map(|x| x.at_ms);
        let is_bad = |line: &&&LogFact| severity(&line.text) >= Severity::Warn;
        let is_near = |line: &&&LogFact| {
            let is_near = end.is_some_and(|end| line.at_ms.abs_diff(end) <= AROUND_MS);
            is_near && severity(&line.text) == Severity::Plain
        };
        let bad = all.iter().rev().filter(is_bad).take(LINES_MAX);
        let near = all.iter().rev().filter(is_near).take(LINES_MAX);
        let mut lines: Vec<LogFact> = bad.chain(near).map(|line| (*line).clone()).collect();
        lines.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.node.cmp(&b.node)));
        lines
    }

    /// Independent of the order in which parallel steps came to run.
    fn orders_digest(&self) -> String {
        let mut orders: Vec<String> = self
            .orders
            .iter()
            .map(|(step, act)| format!("{step} {act}"))
            .collect();
        orders.sort();
        digest(orders.iter().map(String::as_str))
    }
}

/// Path, title and kind of every step of the file's first level.
pub(super) fn planned(scenario: &Scenario) -> Vec<(String, String, String)> {
    let steps = scenario.steps.iter().zip(1..).map(|x| ("", x));
    let finally = scenario.finally.iter().zip(1..).map(|x| ("finally.", x));
    steps
        .chain(finally)
        .map(|(prefix, (step, number))| {
            let kind = step.verb.word().to_owned();
            (format!("{prefix}{number}"), title(step), kind)
        })
        .collect()
}
