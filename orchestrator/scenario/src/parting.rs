//! What each side of a network fault has mined, and where their chains part.
//!
//! Pure: whoever measures hands in tips, and answers which block stands at a
//! height ([`Descent`]) or has the whole tree ([`Parting::in_tree`]).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, NodeName};
use crate::history::faults::{TipMark, heaviest};
use crate::history::short;
use crate::history::tree::Tree;

/// Every node's tip.
pub type Tips = BTreeMap<NodeName, TipMark>;

/// The sides of a fault: how far each came, and where they part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// The sides. A fault that leaves all nodes connected has one.
    pub sides: Vec<Side>,
    /// Nodes that belong to no side because they reach all of them.
    pub between: Vec<NodeName>,
    /// The last block that the sides share, as soon as their tips differ; of a
    /// single side, that its nodes share.
    pub fork: Option<ForkPoint>,
    /// Of a single side, the different tips of its nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tips: Vec<TipMark>,
}

/// Nodes that reach each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// `A`, `B`, and so on.
    pub label: String,
    /// Its nodes.
    pub nodes: Vec<NodeName>,
    /// Its heaviest tip before the fault; `None` if no node answered.
    pub before: Option<TipMark>,
    /// Its heaviest tip when it was looked at; `None` if no node answered.
    pub now: Option<TipMark>,
    /// Blocks by which its chain has grown; `None` where a tip is not known.
    pub gained: Option<i64>,
    /// Blocks it has above the last one all sides share, where tips differ.
    pub alone: Option<u32>,
}

/// The last block that all sides share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkPoint {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: String,
    /// Whether more than one side has built on it; else one is only ahead.
    pub is_fork: bool,
}

/// What became of the branches after the fault was taken out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aftermath {
    /// The side whose branch had most work; `None` if two had the same.
    pub ahead: Option<String>,
    /// Nodes that follow each side's branch now, by its label.
    pub followers: BTreeMap<String, Vec<NodeName>>,
    /// Nodes that answered.
    pub asked: usize,
    /// The side whose branch every node follows; `None` while they differ.
    pub winner: Option<String>,
}

impl Parting {
    /// The sides of that fault in a network of those nodes; `None` for a fault
    /// that is not one of links.
    pub fn new(fault: &Fault, roster: &[NodeName], before: &Tips, now: &Tips) -> Option<Self> {
        let sides = match fault {
            Fault::Cut(cut) => cut.parts(roster),
            Fault::Condition { .. } => vec![roster.to_vec()],
            Fault::Node { .. } => return None,
        };
        let between = roster
            .iter()
            .filter(|node| !sides.iter().any(|side| side.contains(node)));
        let tips = match sides.as_slice() {
            [nodes] => distinct(nodes, now),
            _ => Vec::new(),
        };
        Some(Self {
            tips,
            between: between.cloned().collect(),
            sides: sides
                .into_iter()
                .enumerate()
                .map(|(at, nodes)| Side::new(at, nodes, before, now))
                .collect(),
            fork: None,
        })
    }

    /// As [`Parting::new`], with the point where the sides part read off a tree
    /// that holds their tips.
    pub fn in_tree(
        fault: &Fault,
        roster: &[NodeName],
        (before, now): (&Tips, &Tips),
        tree: &Tree,
    ) -> Option<Self> {
        let mut parting = Self::new(fault, roster, before, now)?;
        let tips: Vec<String> = parting.heads().map(|mark| mark.tip.clone()).collect();
        if parting.differs()
            && let Some(block) = tree.fork_point(tips.iter().map(String::as_str))
        {
            parting.part_at(block.fact.height, &block.fact.hash);
        }
        Some(parting)
    }

    /// Whether the sides have different tips, so that there is a point where
    /// they part.
    pub fn differs(&self) -> bool {
        let mut heads = self.heads();
        let first = heads.next();
        heads.any(|head| Some(&head.tip) != first.map(|first| &first.tip))
    }

    /// The heaviest tip of each side that answers; of a single side, the tips of
    /// its nodes.
    pub fn heads(&self) -> impl Iterator<Item = &TipMark> {
        let sides = match self.sides.as_slice() {
            [_] => &[],
            sides => sides,
        };
        let heaviest = sides.iter().filter_map(|side| side.now.as_ref());
        heaviest.chain(&self.tips)
    }

    /// Notes the last block that all sides share.
    pub fn part_at(&mut self, height: u32, hash: &str) {
        for side in &mut self.sides {
            let now = side.now.as_ref();
            side.alone = now.map(|mark| mark.height.saturating_sub(height));
        }
        let built = self.heads().filter(|mark| mark.height > height);
        let is_fork = built.count() > 1;
        self.fork = Some(ForkPoint {
            height,
            hash: hash.to_owned(),
            is_fork,
        });
    }

    /// What became of the branches: `followers` are the nodes whose chain holds
    /// the tip of each side, by its label. `None` if there was no fork of sides.
    pub fn aftermath(
        &self,
        followers: BTreeMap<String, Vec<NodeName>>,
        asked: usize,
    ) -> Option<Aftermath> {
        self.fork.as_ref().filter(|fork| fork.is_fork)?;
        if self.sides.len() < 2 {
            return None;
        }
        let all_follow = |side: &&Side| {
            let count = followers.get(&side.label).map_or(0, Vec::len);
            asked > 0 && count == asked
        };
        // A side that has mined nothing is followed by whoever wins.
        let mut built: Vec<&Side> = self.sides.iter().filter(|x| x.alone > Some(0)).collect();
        built.sort_by(|a, b| work(b).cmp(work(a)));
        let is_tie = matches!(built.as_slice(), [a, b, ..] if work(a) == work(b));
        let ahead = built.first().filter(|_| !is_tie);
        Some(Aftermath {
            ahead: ahead.map(|side| side.label.clone()),
            winner: built
                .iter()
                .copied()
                .find(all_follow)
                .map(|x| x.label.clone()),
            followers,
            asked,
        })
    }
}

impl Side {
    fn new(at: usize, nodes: Vec<NodeName>, before: &Tips, now: &Tips) -> Self {
        let before = heaviest(before, &nodes).cloned();
        let now = heaviest(now, &nodes).cloned();
        let height = |mark: &Option<TipMark>| mark.as_ref().map(|mark| i64::from(mark.height));
        Self {
            label: label(at),
            gained: height(&now)
                .zip(height(&before))
                .map(|(now, before)| now - before),
            nodes,
            before,
            now,
            alone: None,
        }
    }
}

impl Aftermath {
    /// The end of the story, as a sentence; `parting` is as it was before the
    /// fault was taken out.
    pub fn spell(&self, parting: &Parting) -> String {
        let losers = parting.sides.iter().filter_map(|side| {
            let alone = side.alone.filter(|alone| *alone > 0)?;
            (Some(&side.label) != self.winner.as_ref())
                .then(|| format!("{alone} of side {}", side.label))
        });
        let losers: Vec<String> = losers.collect();
        match (&self.winner, &self.ahead) {
            (Some(winner), _) => format!(
                "Side {winner}'s branch won: all {} nodes that answer follow it; blocks given up: {}.",
                self.asked,
                losers.join(", ")
            ),
            (None, Some(ahead)) => format!(
                "Side {ahead}'s branch has most work and should win; {} of {} nodes follow it so far.",
                self.followers.get(ahead).map_or(0, Vec::len),
                self.asked
            ),
            (None, None) => {
                "The heaviest branches have the same work: the next block decides.".to_owned()
            }
        }
    }
}

/// `side A +7, side B +3, forked at height 41 (00ab12cd34ef)`.
impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_one = self.sides.len() == 1;
        for side in &self.sides {
            match is_one {
                true => f.write_str("all nodes ")?,
                false => write!(f, "side {} ", side.label)?,
            }
            match side.gained {
                Some(gained) => write!(f, "{gained:+}, ")?,
                None => f.write_str("silent, ")?,
            }
        }
        match &self.fork {
            Some(fork) => write!(f, "{fork}"),
            None => f.write_str("no fork"),
        }
    }
}

impl fmt::Display for ForkPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.is_fork {
            true => "forked at",
            false => "not forked, last common block at",
        };
        write!(f, "{what} height {} ({})", self.height, short(&self.hash))
    }
}

/// The tips of those nodes, each once.
fn distinct(nodes: &[NodeName], now: &Tips) -> Vec<TipMark> {
    let mut tips: Vec<TipMark> = Vec::new();
    for mark in nodes.iter().filter_map(|node| now.get(node)) {
        if !tips.contains(mark) {
            tips.push(mark.clone());
        }
    }
    tips
}

fn work(side: &Side) -> &str {
    side.now.as_ref().map_or("", |mark| mark.work.as_str())
}

fn label(at: usize) -> String {
    match u8::try_from(at) {
        Ok(at @ 0..26) => char::from(b'A' + at).to_string(),
        _ => at.saturating_add(1).to_string(),
    }
}

/// Searches the highest height at which two chains have the same block, by few
/// questions: close below the lower tip first, since forks are young.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descent {
    /// Highest height known to be the same.
    same: Option<u32>,
    /// Lowest height known to differ, or one above the highest of the search.
    differs: u64,
    step: u64,
}

impl Descent {
    /// A search among heights up to that one.
    pub const fn from(height: u32) -> Self {
        Self {
            same: None,
            differs: height as u64 + 1,
            step: 1,
        }
    }

    /// The height to compare next; `None` when the search is over.
    pub fn ask(&self) -> Option<u32> {
        let height = match self.same {
            Some(same) if u64::from(same) + 1 >= self.differs => return None,
            Some(same) => u64::midpoint(u64::from(same), self.differs),
            None if self.differs == 0 => return None,
            None => self.differs.saturating_sub(self.step),
        };
        u32::try_from(height).ok()
    }

    /// Takes in whether both chains have the same block at the height asked.
    pub fn heard(&mut self, height: u32, is_same: bool) {
        if is_same {
            self.same = self.same.max(Some(height));
        } else {
            self.differs = self.differs.min(u64::from(height));
            self.step = self.step.saturating_mul(2);
        }
    }

    /// The height found; `None` while the search goes on, or if the chains
    /// share no block.
    pub fn found(&self) -> Option<u32> {
        self.same.filter(|_| self.ask().is_none())
    }
}

#[cfg(test)]
mod tests;
