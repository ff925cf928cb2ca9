//! What each node was seen to be, over time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::faults::TipMark;
use super::tree::Tree;
use crate::fault::NodeName;
use crate::world::{NodeFacts, NodeView};

/// Changes kept for one node; after that the oldest half is forgotten.
pub const CHANGES_MAX: usize = 20_000;

/// A node over time.
#[derive(Clone, Debug, Default)]
pub struct Track {
    tips: Vec<TipChange>,
    states: Vec<StateChange>,
    view: Option<NodeView>,
    restarts_first: Option<u32>,
    memory_peak: Option<u64>,
}

/// A node's tip became another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipChange {
    /// When the look that saw it was, milliseconds on the world's clock.
    pub at_ms: u64,
    /// The new tip.
    pub tip: String,
    /// Its height.
    pub height: u32,
    /// Blocks of the old chain that are not on the new one: 0 when the chain
    /// only grew. A node that fell back to an ancestor of its old tip (its
    /// data was wiped) made no reorganisation either.
    pub reorg_depth: u32,
}

/// A node went up or down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// When the look that saw it was, milliseconds on the world's clock.
    pub at_ms: u64,
    /// Whether it answers since then.
    pub up: bool,
    /// `up`, or how it is down and why.
    pub state: String,
}

impl Track {
    /// Every change of its tip, oldest first; the first is what it had when it
    /// was first seen.
    pub fn tips(&self) -> &[TipChange] {
        &self.tips
    }

    /// Every time it went up or down, oldest first.
    pub fn states(&self) -> &[StateChange] {
        &self.states
    }

    /// As last seen.
    pub fn view(&self) -> Option<&NodeView> {
        self.view.as_ref()
    }

    /// What it said of itself in the last look, if it answered.
    pub fn facts(&self) -> Option<&NodeFacts> {
        match self.view.as_ref()? {
            NodeView::Up(facts) => Some(facts),
            NodeView::Down { .. } => None,
        }
    }

    /// Most memory it was seen to hold.
    pub fn memory_peak(&self) -> Option<u64> {
        self.memory_peak
    }

    /// Restarts since it was first seen.
    pub fn restarts(&self) -> u32 {
        let now = self.facts().map_or(0, |facts| facts.restarts);
        now.saturating_sub(self.restarts_first.unwrap_or(now))
    }

    /// Deepest reorganisation since that time.
    pub fn reorg_depth_since(&self, since_ms: u64) -> u32 {
        let since = self.tips.iter().filter(|change| change.at_ms >= since_ms);
        since.map(|change| change.reorg_depth).max().unwrap_or(0)
    }

    pub(super) fn saw(&mut self, view: &NodeView, at_ms: u64, tree: &Tree) {
        let (up, state) = match view {
            NodeView::Up(facts) => {
                self.saw_facts(facts, at_ms, tree);
                (true, "up".to_owned())
            }
            NodeView::Down { state, why } => (false, format!("{state}: {why}")),
        };
        if self
            .states
            .last()
            .is_none_or(|last| last.up != up || last.state != state)
        {
            forget_oldest(&mut self.states);
            self.states.push(StateChange { at_ms, up, state });
        }
        self.view = Some(without_metrics(view));
    }

    pub(super) fn gone(&mut self, at_ms: u64) {
        if self.view.take().is_some() {
            forget_oldest(&mut self.states);
            self.states.push(StateChange {
                at_ms,
                up: false,
                state: "removed".into(),
            });
        }
    }

    fn saw_facts(&mut self, facts: &NodeFacts, at_ms: u64, tree: &Tree) {
        self.memory_peak = self.memory_peak.max(facts.memory_bytes);
        self.restarts_first.get_or_insert(facts.restarts);
        let old = self.tips.last();
        if old.is_some_and(|old| old.tip == facts.tip) {
            return;
        }
        let reorg_depth = old.map_or(0, |old| reorg_depth(tree, &old.tip, &facts.tip));
        forget_oldest(&mut self.tips);
        self.tips.push(TipChange {
            at_ms,
            tip: facts.tip.clone(),
            height: facts.height,
            reorg_depth,
        });
    }
}

/// Every running node's tip.
pub fn tip_marks(tracks: &BTreeMap<NodeName, Track>) -> BTreeMap<NodeName, TipMark> {
    let known = tracks.iter().filter_map(|(name, track)| {
        let facts = track.facts()?;
        let mark = TipMark {
            tip: facts.tip.clone(),
            height: facts.height,
            work: facts.work.clone(),
        };
        Some((name.clone(), mark))
    });
    known.collect()
}

fn reorg_depth(tree: &Tree, old: &str, new: &str) -> u32 {
    if tree.is_ancestor(new, old) {
        return 0;
    }
    let (Some(old_block), Some(common)) = (tree.get(old), tree.common_ancestor(old, new)) else {
        return 0;
    };
    old_block.fact.height.saturating_sub(common.fact.height)
}

/// Metrics are large and read from the look itself.
fn without_metrics(view: &NodeView) -> NodeView {
    let mut view = view.clone();
    if let NodeView::Up(facts) = &mut view {
        facts.metrics = None;
    }
    view
}

fn forget_oldest<T>(changes: &mut Vec<T>) {
    if changes.len() >= CHANGES_MAX {
        changes.drain(..CHANGES_MAX / 2);
    }
}
