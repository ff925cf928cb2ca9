//! What a look at a network saw: plain data.

use devnet_scenario::fault::NodeName;
use devnet_scenario::history::tree::Tree;
use devnet_scenario::parting::Parting;

use super::chains::Far;

/// A network at one moment.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// When the network was made, in seconds since 1970.
    pub born_s: u64,
    /// Time between blocks that is aimed at, in seconds.
    pub spacing_s: u32,
    /// Its nodes, in the plan's order.
    pub nodes: Vec<Node>,
    /// Blocks near the tips.
    pub tree: Tree,
    /// Tips too far behind to stand in the tree with the others.
    pub far: Far,
    /// What is done to it.
    pub faults: Faults,
    /// What keeps it from being looked at, as sentences.
    pub troubles: Vec<String>,
}

/// A node at one moment. What only an answer tells stays as it was told last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Name.
    pub name: NodeName,
    /// Role, for people.
    pub role: String,
    /// How it fares.
    pub life: Life,
    /// Its tip.
    pub tip: Option<Tip>,
    /// Peers connected.
    pub peers: Option<u32>,
    /// Transactions waiting.
    pub mempool: Option<u64>,
}

/// A node's tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Hash.
    pub hash: String,
    /// Height.
    pub height: u32,
    /// Work of its chain, 64 hexadecimal digits.
    pub work: String,
    /// Time of its header, in seconds since 1970.
    pub time_s: u32,
}

/// How a node fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It answers.
    Running,
    /// It runs, as far as is known, and does not answer.
    Silent,
    /// It is frozen.
    Paused,
    /// It does not run.
    Down,
    /// There is no container or process of it.
    Missing,
}

/// What is done to a network.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// What is meant to be in force.
    pub intended: Vec<Fault>,
    /// What the sides have mined, where links are cut or bad.
    pub sides: Option<Parting>,
    /// Where intent and force differ, and what cannot be read, as sentences.
    pub remarks: Vec<String>,
}

/// One fault that is meant to be in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In a few words.
    pub text: String,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
}

impl Life {
    /// As one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "?",
            Self::Running => "running",
            Self::Silent => "silent",
            Self::Paused => "paused",
            Self::Down => "down",
            Self::Missing => "missing",
        }
    }

    /// Whether a process of it is there, whatever it does.
    pub const fn has_process(self) -> bool {
        matches!(self, Self::Running | Self::Silent | Self::Paused)
    }
}

impl Seen {
    /// Tips of nodes that answer, each with the node's place.
    pub fn tips(&self) -> impl Iterator<Item = (usize, &Tip)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(at, node)| {
            let tip = node.tip.as_ref()?;
            (node.life == Life::Running).then_some((at, tip))
        })
    }
}
