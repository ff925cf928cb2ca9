//! When which node had which block, as the nodes' logs tell.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;
use devnet_scenario::report::BlockReport;
use serde_json::Value;

use crate::clock::time_in_log_line;

/// Mentions of blocks that are kept at most, of all nodes together.
const MENTIONS_MAX: usize = 1_000_000;
/// How a node's log says that it starts.
pub const STARTS: &str = "minichain_node::run: starting ";
/// Letters of a hash.
const HASH_LETTERS: usize = 64;
/// Where a node's log lines of this kind come from.
const TARGET: &str = "minichain_node::observe::event: ";

/// What the logs tell of blocks.
#[derive(Clone, Debug, Default)]
pub struct Book {
    nodes: BTreeMap<NodeName, Vec<Mention>>,
    count: usize,
    is_full: bool,
}

/// A line that tells of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// When the node wrote it, milliseconds since 1970.
    pub at_ms: u64,
    /// The block.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// Whether it became the node's tip.
    pub is_tip: bool,
    /// Blocks that left the node's chain for it.
    pub lost: u32,
}

/// When each node had each block first: a map of nodes for every block, in the
/// order of the report's blocks.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// By block.
    pub blocks: Vec<BTreeMap<NodeName, u64>>,
}

impl Book {
    /// Takes in a line of a node's log; most tell of no block.
    pub fn take(&mut self, node: &str, text: &str) {
        let Some(mention) = mention(text) else {
            return;
        };
        if self.count >= MENTIONS_MAX {
            self.is_full = true;
            return;
        }
        self.count += 1;
        self.nodes.entry(node.to_owned()).or_default().push(mention);
    }

    /// Whether there was more than is kept.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Names of nodes with what each one's log tells, in its order.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeName, &[Mention])> {
        let nodes = self.nodes.iter();
        nodes.map(|(name, mentions)| (name, mentions.as_slice()))
    }

    /// What a node's log tells, in its order.
    pub fn of(&self, node: &str) -> &[Mention] {
        self.nodes.get(node).map_or(&[], Vec::as_slice)
    }

    /// When the first line tells of a block, and the last.
    pub fn span(&self) -> Option<(u64, u64)> {
        let times = || self.nodes.values().flatten().map(|mention| mention.at_ms);
        Some((times().min()?, times().max()?))
    }

    /// Who had which of the blocks when. A node that moves to a tip has all
    /// blocks below it by then, whether or not its log names them.
    pub fn reach(&self, blocks: &[BlockReport]) -> Reach {
        let links = blocks.iter().map(|block| {
            let parent = block.fact.parent.as_deref();
            (block.fact.hash.as_str(), parent.unwrap_or_default())
        });
        self.reach_of(&links.collect::<Vec<_>>())
    }

    /// As [`Book::reach`], of pairs of a block's hash and its parent's.
    pub fn reach_of(&self, blocks: &[(&str, &str)]) -> Reach {
        let numbered = blocks.iter().enumerate();
        let places: BTreeMap<&str, usize> =
            numbered.map(|(place, (hash, _))| (*hash, place)).collect();
        let mut reach = Reach {
            blocks: vec![BTreeMap::new(); blocks.len()],
        };
        for (node, mentions) in &self.nodes {
            let mut mentions: Vec<&Mention> = mentions.iter().collect();
            mentions.sort_by_key(|mention| mention.at_ms);
            for mention in mentions {
                let mut place = places.get(mention.hash.as_str()).copied();
                while let Some(at) = place.filter(|at| !reach.blocks[*at].contains_key(node)) {
                    reach.blocks[at].insert(node.clone(), mention.at_ms);
                    place = places.get(blocks[at].1).copied();
                }
            }
        }
        reach
    }
}

impl Reach {
    /// When the first node had that block; `None` if no log tells.
    pub fn first_ms(&self, place: usize) -> Option<u64> {
        self.blocks.get(place)?.values().copied().min()
    }
}

/// Reads a line of the node's log, as text or as JSON.
fn mention(text: &str) -> Option<Mention> {
    let at_ms = time_in_log_line(text)?;
    if text.starts_with('{') {
        return of_json(text, at_ms);
    }
    let (_, message) = text.split_once(TARGET)?;
    let field = |name: &str| {
        let words = message.split_whitespace();
        words
            .filter_map(|word| word.split_once('='))
            .find_map(|(key, value)| (key == name).then(|| value.trim_matches('"')))
    };
    let number = |name: &str| field(name).and_then(|text| text.parse().ok());
    told(
        at_ms,
        message,
        field("tip").or(field("hash")),
        number("height"),
        number("lost"),
    )
}

fn of_json(text: &str, at_ms: u64) -> Option<Mention> {
    let line: Value = serde_json::from_str(text).ok()?;
    let word = |name: &str| line.get(name).and_then(Value::as_str);
    if word("target")? != TARGET.trim_end_matches(": ") {
        return None;
    }
    let number = |name: &str| line.get(name)?.as_u64().and_then(|x| u32::try_from(x).ok());
    told(
        at_ms,
        word("message")?,
        word("tip").or(word("hash")),
        number("height"),
        number("lost"),
    )
}

fn told(
    at_ms: u64,
    message: &str,
    hash: Option<&str>,
    height: Option<u32>,
    lost: Option<u32>,
) -> Option<Mention> {
    let is_tip = message.starts_with("tip changed") || message.starts_with("reorganisation");
    let is_other = message.starts_with("stale block kept") || message.starts_with("block mined");
    let hash = hash.filter(|hash| is_hash(hash))?;
    (is_tip || is_other).then(|| Mention {
        at_ms,
        hash: hash.to_owned(),
        height: height.unwrap_or_default(),
        is_tip,
        lost: lost.unwrap_or_default(),
    })
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_LETTERS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
