//! What a run has seen, and what can be asked of it.

pub mod faults;
pub mod logs;
pub mod nodes;
pub mod tree;

mod query;

use std::collections::BTreeMap;

use crate::fault::{Fault, NodeFault, NodeName};
use crate::metric::Watch;
use crate::world::{NodeFacts, NodeView, Snapshot, TxPlace};
use faults::{FaultLog, TipMark};
use logs::{LogBook, LogWatch};
use nodes::Track;
use tree::Tree;

pub use query::{Branch, Fork, MinedBy};

/// Times of looks kept.
const LOOKS_MAX: usize = 1_000_000;
/// Oddities kept for the report.
const PROBLEMS_MAX: usize = 50;

/// Everything seen since the run began.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every block.
    pub tree: Tree,
    /// Every node that was ever seen, over time.
    pub nodes: BTreeMap<NodeName, Track>,
    /// Faults.
    pub faults: FaultLog,
    /// Log lines.
    pub logs: LogBook,
    /// Where the transactions asked for are, as last told.
    pub transactions: BTreeMap<String, BTreeMap<NodeName, TxPlace>>,
    /// Metrics followed, each since its own moment, by a number its owner keeps.
    pub watches: BTreeMap<u64, Watch>,
    /// Log lines followed, likewise.
    pub log_watches: BTreeMap<u64, LogWatch>,
    problems: Vec<String>,
    first_at_ms: Option<u64>,
    at_ms: u64,
    looks: u64,
    /// Times of the newest looks.
    look_times: Vec<u64>,
}

impl History {
    /// Takes in a look. Returns what it told that does not fit together, for
    /// the report; such things are left out.
    pub fn saw(&mut self, snapshot: &Snapshot) {
        self.at_ms = self.at_ms.max(snapshot.at_ms);
        self.looks += 1;
        if self.look_times.len() >= LOOKS_MAX {
            self.look_times.drain(..LOOKS_MAX / 2);
        }
        self.look_times.push(self.at_ms);
        self.first_at_ms.get_or_insert(snapshot.at_ms);
        for fact in &snapshot.blocks {
            if let Err(error) = self.tree.insert(fact, self.at_ms) {
                self.problem(format!("block {}: {error}", short(&fact.hash)));
            }
        }
        self.saw_nodes(snapshot);
        self.logs.lose(snapshot.logs_lost, self.at_ms);
        for line in &snapshot.logs {
            self.logs.take(line);
            for watch in self.log_watches.values_mut() {
                watch.take(line);
            }
        }
        for (id, places) in &snapshot.transactions {
            self.transactions.insert(id.clone(), places.clone());
        }
    }

    /// When the first look was, milliseconds on the world's clock.
    pub fn first_at_ms(&self) -> u64 {
        self.first_at_ms.unwrap_or(0)
    }

    /// When the last look was.
    pub fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// Looks taken in.
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// Time of the first look at that time or later.
    pub fn first_look_since(&self, at_ms: u64) -> Option<u64> {
        let place = self.look_times.partition_point(|look| *look < at_ms);
        self.look_times.get(place).copied()
    }

    /// From when on a block that is seen is fresh: after the first look since
    /// the last heal, or of the run where nothing was healed. `None` until that
    /// look was taken.
    pub fn fresh_after_ms(&self) -> Option<u64> {
        let begin = self.faults.last_end_ms().unwrap_or(0);
        self.first_look_since(begin.max(self.first_at_ms()))
    }

    /// What was told that does not fit together.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What a node said of itself in the last look, if it answered.
    pub fn facts(&self, node: &str) -> Option<&NodeFacts> {
        self.nodes.get(node)?.facts()
    }

    /// Why a node does not answer; `None` if it does.
    pub fn down(&self, node: &str) -> Option<String> {
        match self.nodes.get(node).and_then(Track::view) {
            Some(NodeView::Up(_)) => None,
            Some(NodeView::Down { state, why }) => Some(format!("{state}: {why}")),
            None => Some("it is not there".into()),
        }
    }

    /// Names of the nodes there are now.
    pub fn present(&self) -> impl Iterator<Item = &NodeName> {
        let there = self
            .nodes
            .iter()
            .filter(|(_, track)| track.view().is_some());
        there.map(|(name, _)| name)
    }

    /// Every answering node's tip.
    pub fn tips(&self) -> BTreeMap<NodeName, TipMark> {
        nodes::tip_marks(&self.nodes)
    }

    /// Whether a fault of the run keeps that node from answering.
    pub fn is_held_down(&self, node: &str) -> bool {
        self.faults.in_force().any(|entry| entry.holds_down(node))
    }

    /// Whether the run removed that node.
    pub fn was_removed(&self, node: &str) -> bool {
        let last = self.faults.entries().iter().rev().find_map(|entry| {
            let Fault::Node { nodes, what } = &entry.fault else {
                return None;
            };
            entry.in_force_at_ms?;
            let concerns = nodes.iter().any(|name| name == node);
            match what {
                NodeFault::Remove if concerns => Some(true),
                NodeFault::Add { .. } if concerns => Some(false),
                _ => None,
            }
        });
        last == Some(true)
    }

    fn saw_nodes(&mut self, snapshot: &Snapshot) {
        for (name, view) in &snapshot.nodes {
            let track = self.nodes.entry(name.clone()).or_default();
            track.saw(view, self.at_ms, &self.tree);
            let NodeView::Up(facts) = view else { continue };
            if let Some(text) = &facts.metrics {
                for watch in self.watches.values_mut() {
                    watch.saw(name, text, self.at_ms);
                }
            }
        }
        let at_ms = self.at_ms;
        for (name, track) in &mut self.nodes {
            if !snapshot.nodes.contains_key(name) {
                track.gone(at_ms);
            }
        }
    }

    /// Notes what is odd about what was told.
    pub(crate) fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX && !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }
}

/// The first digits of a hash, as everything shows it.
pub fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

#[cfg(test)]
mod tests;
