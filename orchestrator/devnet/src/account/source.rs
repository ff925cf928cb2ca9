//! What an account is computed from: recorded facts, wherever they come from.

use std::collections::BTreeMap;

use devnet_scenario::fault::{Fault, NodeName};
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::report::Report;

use super::arrivals::{Book, Reach};
use super::model::{RunFacts, Span};
use super::samples::Samples;

/// Recorded facts.
#[derive(Clone, Debug)]
pub struct Source {
    /// The runner's report; of a living network the part of it that can be
    /// known.
    pub report: Report,
    /// The run; `None` for a living network.
    pub run: Option<RunFacts>,
    /// Faults that are meant to be in force, with the time since when.
    pub intended: Vec<(Fault, u64)>,
    /// What the logs tell of blocks.
    pub book: Book,
    /// Samples of every node's metrics.
    pub samples: BTreeMap<NodeName, Samples>,
    /// Every node's last known tip.
    pub tips: BTreeMap<NodeName, TipMark>,
    /// What carried it.
    pub environment: Vec<(String, String)>,
    /// What is missing.
    pub remarks: Vec<String>,
}

impl Source {
    /// The time that is told of: a run's, or what the logs of a living network
    /// reach back to.
    pub(super) fn span(&self, reach: &Reach) -> Span {
        let report = &self.report;
        let last_block = (0..reach.blocks.len()).filter_map(|place| reach.first_ms(place));
        let last_seen = report.blocks.iter().map(|block| block.seen_at_ms);
        let end_ms = report
            .ended_at_ms
            .or_else(|| last_block.chain(last_seen).max())
            .unwrap_or(report.started_at_ms);
        Span {
            begin_ms: report.started_at_ms,
            end_ms: end_ms.max(report.started_at_ms),
        }
    }

    /// Names of all nodes: those of the roster first, in its order, then those
    /// that joined.
    pub(super) fn names(&self) -> Vec<NodeName> {
        let mut names: Vec<NodeName> = Vec::new();
        let roster = self.report.roster.iter().map(|entry| &entry.name);
        for name in roster.chain(self.report.nodes.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// The last tip of every node of a report that answered to the end.
pub fn last_tips(report: &Report) -> BTreeMap<NodeName, TipMark> {
    let tips = report.nodes.iter().filter_map(|(name, node)| {
        let is_up = node.states.last().is_none_or(|state| state.up);
        let last = node.tips.last().filter(|_| is_up)?;
        let block = report
            .blocks
            .iter()
            .find(|block| block.fact.hash == last.tip);
        let mark = TipMark {
            tip: last.tip.clone(),
            height: last.height,
            work: block.map_or(String::new(), |block| block.fact.work.clone()),
        };
        Some((name.clone(), mark))
    });
    tips.collect()
}
