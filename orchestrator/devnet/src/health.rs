//! Is the network one network, and does it move?
//!
//! [`judge`] decides from what nodes say; it does no input or output. A network
//! is healthy when every node answers, all share one genesis, each is joined
//! with the nodes it was told to dial, their chains agree within a block, and
//! every miner's hash counter has advanced.

pub mod components;

use std::collections::{BTreeMap, BTreeSet};

use self::components::Components;
use crate::probe::{NodeAddress, NodeFacts, Round};

/// Heights may differ by so much: a block takes its time to travel.
const HEIGHT_SPREAD_MAX: u32 = 1;
/// Digits of a hash that people are shown.
const SHORT: usize = 12;

/// What stands between a node and health, as a fragment that fits after its
/// name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Name of the node.
    pub node: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is asked of a network beyond health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Height every node has to have reached.
    pub height_min: u32,
}

/// Everything that lags, in the order of the nodes; empty if the network is
/// healthy. `first` is an earlier round, against which miners have to have
/// advanced.
pub fn judge(nodes: &[NodeAddress], first: &Round, now: &Round, wish: Wish) -> Vec<Lag> {
    let silent: Vec<Lag> = nodes.iter().filter_map(|node| silence(node, now)).collect();
    if !silent.is_empty() {
        return silent;
    }
    let foreign = foreign_genesis(nodes, now);
    if !foreign.is_empty() {
        return foreign;
    }
    let mut lags = Vec::new();
    let wished = Components::wished(nodes);
    let joined = Components::joined(now);
    let mates = mates(nodes, now, &wished);
    for node in nodes {
        let Some(facts) = facts(now, &node.name) else {
            continue;
        };
        let mates = wished
            .of(&node.name)
            .and_then(|component| mates.get(component));
        let problem = unjoined(node, facts, &joined)
            .or_else(|| apart(facts, mates?, now))
            .or_else(|| idle(node, facts, first))
            .or_else(|| below(facts, wish.height_min));
        lags.extend(problem.map(|why| Lag {
            node: node.name.clone(),
            why,
        }));
    }
    lags
}

/// Whether all nodes have the same block, and the same coins where those were
/// asked for, at the common height; with what differs.
pub fn agreement(round: &Round) -> Agreement {
    let facts: Vec<&NodeFacts> = round
        .nodes
        .values()
        .filter_map(|node| node.as_ref().ok())
        .collect();
    Agreement {
        height: round.common_height,
        same_block: all_same(facts.iter().map(|facts| facts.common_hash.as_deref())),
        same_coins: all_same(facts.iter().map(|facts| facts.common_muhash.as_deref())),
        is_everyone: facts.len() == round.nodes.len(),
        branches: branches(round),
    }
}

/// The nodes by their block at the common height, the most first.
fn branches(round: &Round) -> Vec<Vec<String>> {
    let mut by_block: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, facts) in &round.nodes {
        let facts = facts.as_ref().ok();
        if let Some(hash) = facts.and_then(|facts| facts.common_hash.as_deref()) {
            by_block.entry(hash).or_default().push(name.clone());
        }
    }
    let mut branches: Vec<Vec<String>> = by_block.into_values().collect();
    branches.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    branches
}

/// What the nodes that answer have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The height compared: the lowest tip.
    pub height: Option<u32>,
    /// Whether all have the same block there; `None` if one does not tell.
    pub same_block: Option<bool>,
    /// Whether all have the same coins there; `None` if one does not tell.
    pub same_coins: Option<bool>,
    /// Whether every node answers.
    pub is_everyone: bool,
    /// Names of the nodes that share a block there, the most nodes first.
    pub branches: Vec<Vec<String>>,
}

/// The first digits of a hash; past the zeros, which say little.
pub fn short_hash(hash: &str) -> String {
    let head: String = hash.chars().take(SHORT).collect();
    if hash.len() > head.len() {
        format!("{head}…")
    } else {
        head
    }
}

fn all_same<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Option<bool> {
    let values: Option<BTreeSet<&str>> = values.collect();
    values
        .filter(|values| !values.is_empty())
        .map(|values| values.len() == 1)
}

fn facts<'a>(round: &'a Round, node: &str) -> Option<&'a NodeFacts> {
    round.nodes.get(node)?.as_ref().ok()
}

fn silence(node: &NodeAddress, now: &Round) -> Option<Lag> {
    let why = match now.nodes.get(&node.name) {
        Some(Ok(_)) => return None,
        Some(Err(silence)) => silence.0.clone(),
        None => "was not asked".into(),
    };
    Some(Lag {
        node: node.name.clone(),
        why,
    })
}

/// Nodes whose genesis differs from the first node's.
fn foreign_genesis(nodes: &[NodeAddress], now: &Round) -> Vec<Lag> {
    let genesis = |node: &NodeAddress| Some(&facts(now, &node.name)?.chain.genesishash);
    let Some((first, ours)) = nodes
        .first()
        .and_then(|node| Some((&node.name, genesis(node)?)))
    else {
        return Vec::new();
    };
    let differs = |node: &NodeAddress| {
        let theirs = genesis(node).filter(|theirs| *theirs != ours)?;
        let (theirs, ours) = (short_hash(theirs), short_hash(ours));
        let why = format!("has genesis {theirs}, but {first} has {ours}");
        Some(Lag {
            node: node.name.clone(),
            why,
        })
    };
    nodes.iter().filter_map(differs).collect()
}

/// A node that is not joined with one it was told to dial.
fn unjoined(node: &NodeAddress, facts: &NodeFacts, joined: &Components) -> Option<String> {
    let missing: Vec<&str> = node
        .dials
        .iter()
        .filter(|other| !joined.same(&node.name, other))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let peers = match facts.peers.len() {
        0 => "has no peers".to_owned(),
        1 => "has 1 peer".to_owned(),
        count => format!("has {count} peers"),
    };
    Some(format!(
        "{peers} and is not joined with {}",
        missing.join(", ")
    ))
}

/// What the nodes of one component say, that each of them is held against.
#[derive(Default)]
struct Mates<'a> {
    height_max: u32,
    /// The first two that differ in their block at the common height.
    branches: Vec<(&'a str, &'a str)>,
}

/// Of each component that is wished for, by its name.
fn mates<'a>(
    nodes: &'a [NodeAddress],
    now: &'a Round,
    wished: &'a Components,
) -> BTreeMap<&'a str, Mates<'a>> {
    let mut all: BTreeMap<&str, Mates<'_>> = BTreeMap::new();
    for node in nodes {
        let (Some(component), Some(facts)) = (wished.of(&node.name), facts(now, &node.name)) else {
            continue;
        };
        let mates = all.entry(component).or_default();
        mates.height_max = mates.height_max.max(facts.chain.blocks);
        // A missing answer means the node was busy; the next round will tell.
        let Some(hash) = &facts.common_hash else {
            continue;
        };
        if mates.branches.len() < 2 && mates.branches.iter().all(|(_, other)| other != hash) {
            mates.branches.push((&node.name, hash));
        }
    }
    all
}

/// A node behind, or on another branch than, those it is to be joined with.
fn apart(facts: &NodeFacts, mates: &Mates<'_>, now: &Round) -> Option<String> {
    let (height, height_max) = (facts.chain.blocks, mates.height_max);
    if height_max.saturating_sub(height) > HEIGHT_SPREAD_MAX {
        return Some(format!("is at height {height} of {height_max}"));
    }
    let Some(ours) = &facts.common_hash else {
        return Some("did not tell its block at the common height".into());
    };
    let (mate, theirs) = mates.branches.iter().find(|(_, theirs)| theirs != ours)?;
    let (ours, theirs) = (short_hash(ours), short_hash(theirs));
    let height = now.common_height.unwrap_or_default();
    Some(format!(
        "is on another branch than {mate} at height {height}: {ours} against {theirs}"
    ))
}

/// A miner whose counter has not moved since the first round.
fn idle(node: &NodeAddress, facts: &NodeFacts, first: &Round) -> Option<String> {
    if !node.mines {
        return None;
    }
    if !facts.mining.mining {
        return Some("does not mine, though it should".into());
    }
    // A node that did not answer at first has done all its hashes since.
    let before = self::facts(first, &node.name).map_or(0, |facts| facts.mining.hashes);
    let is_idle = facts.mining.hashes <= before;
    is_idle.then(|| format!("has computed no hash since it had {before}"))
}

fn below(facts: &NodeFacts, height_min: u32) -> Option<String> {
    let height = facts.chain.blocks;
    (height < height_min).then(|| format!("is at height {height}, not yet at {height_min}"))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
