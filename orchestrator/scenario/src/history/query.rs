//! Questions about forks and who mined what.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::History;
use super::tree::Block;
use crate::fault::NodeName;

/// Where chains part, and what each went on to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The highest block all chains share.
    pub ancestor: String,
    /// Its height.
    pub height: u32,
    /// When the first block above it, on a branch beside another, was seen:
    /// milliseconds on the world's clock. `None` while there is one branch.
    pub parted_at_ms: Option<u64>,
    /// Each branch, most work first.
    pub branches: Vec<Branch>,
}

/// One chain since the fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its tip.
    pub tip: String,
    /// Height of the tip.
    pub height: u32,
    /// Work up to the tip, 64 hexadecimal digits.
    pub work: String,
    /// Blocks above the fork.
    pub blocks: u32,
    /// Nodes whose tip it is, or is on the way to it.
    pub nodes: Vec<NodeName>,
    /// Who mined its blocks above the fork.
    pub mined_by: MinedBy,
}

/// Blocks by the node that mined them; `?` where the block does not say.
pub type MinedBy = BTreeMap<String, u32>;

impl History {
    /// The fork among these nodes' tips; `None` if none of them answers, or
    /// their chains share no block. Nodes that lag on a branch belong to it.
    pub fn fork<'a>(&self, nodes: impl IntoIterator<Item = &'a NodeName>) -> Option<Fork> {
        let mut by_tip: BTreeMap<&str, Vec<NodeName>> = BTreeMap::new();
        for node in nodes {
            if let Some(facts) = self.facts(node) {
                by_tip.entry(&facts.tip).or_default().push(node.clone());
            }
        }
        let ancestor = self.tree.fork_point(by_tip.keys().copied())?;
        let ends: Vec<&str> = by_tip
            .keys()
            .copied()
            .filter(|tip| {
                let mut others = by_tip.keys().filter(|other| *other != tip);
                !others.any(|other| self.tree.is_ancestor(tip, other))
            })
            .collect();
        let mut branches: Vec<Branch> = ends
            .iter()
            .filter_map(|tip| self.branch(ancestor, tip, &by_tip))
            .collect();
        branches.sort_by(|a, b| b.work.cmp(&a.work).then_with(|| a.nodes.cmp(&b.nodes)));
        let parted_at_ms = (branches.len() > 1)
            .then(|| self.parted_at_ms(ancestor, &ends))
            .flatten();
        Some(Fork {
            ancestor: ancestor.fact.hash.clone(),
            height: ancestor.fact.height,
            parted_at_ms,
            branches,
        })
    }

    /// Who mined the blocks above `ancestor` up to `tip`.
    pub fn mined_by(&self, ancestor: &str, tip: &str) -> MinedBy {
        let mut mined = MinedBy::new();
        for block in self.tree.branch(ancestor, tip) {
            let miner = block.fact.miner.clone().unwrap_or_else(|| "?".into());
            *mined.entry(miner).or_default() += 1;
        }
        mined
    }

    /// Number of branches among these nodes' tips: tips that are no ancestor
    /// of another one's.
    pub fn fork_count<'a>(&self, nodes: impl IntoIterator<Item = &'a NodeName>) -> usize {
        let tips: BTreeSet<&str> = nodes
            .into_iter()
            .filter_map(|node| self.facts(node))
            .map(|facts| facts.tip.as_str())
            .collect();
        let is_end = |tip: &&&str| {
            let mut others = tips.iter().filter(|other| other != tip);
            !others.any(|other| self.tree.is_ancestor(tip, other))
        };
        tips.iter().filter(is_end).count()
    }

    /// The heaviest block among these nodes' tips.
    pub fn best<'a>(&self, nodes: impl IntoIterator<Item = &'a NodeName>) -> Option<&Block> {
        let facts = nodes.into_iter().filter_map(|node| self.facts(node));
        self.tree.heaviest(facts.map(|facts| facts.tip.as_str()))
    }

    fn branch(
        &self,
        ancestor: &Block,
        tip: &str,
        by_tip: &BTreeMap<&str, Vec<NodeName>>,
    ) -> Option<Branch> {
        let end = self.tree.get(tip)?;
        let mut nodes: Vec<NodeName> = by_tip
            .iter()
            .filter(|(other, _)| {
                let is_above = self
                    .tree
                    .get(other)
                    .is_some_and(|x| x.fact.height > ancestor.fact.height);
                **other == tip || (is_above && self.tree.is_ancestor(other, tip))
            })
            .flat_map(|(_, nodes)| nodes.iter().cloned())
            .collect();
        nodes.sort();
        Some(Branch {
            tip: tip.into(),
            height: end.fact.height,
            work: end.fact.work.clone(),
            blocks: end.fact.height.saturating_sub(ancestor.fact.height),
            nodes,
            mined_by: self.mined_by(&ancestor.fact.hash, tip),
        })
    }

    /// When the second of the branches got its first block.
    fn parted_at_ms(&self, ancestor: &Block, ends: &[&str]) -> Option<u64> {
        let above = ancestor.fact.height.saturating_add(1);
        let mut firsts: Vec<(u64, &str)> = ends
            .iter()
            .filter_map(|tip| self.tree.at_height(tip, above))
            .map(|block| (block.seen_at_ms, block.fact.hash.as_str()))
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        firsts.get(1).map(|(at_ms, _)| *at_ms)
    }
}
