//! What can be wrong with a topology, and where.

use std::fmt;

use thiserror::Error;

use crate::quantity::ByteSize;

/// Everything wrong with a topology, in the order of the document. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One thing wrong with a topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a path into the document: `groups[1].count`; or the option at
    /// fault: `--miners`.
    pub path: String,
    /// What.
    pub flaw: Flaw,
}

/// What is wrong. One variant per rule; messages say what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// A name that engines or the wire cannot carry.
    #[error("`{0}` cannot be a name; use 1 to 40 of the characters a-z, 0-9 and -, a letter first")]
    Name(String),
    /// Two groups of one name.
    #[error("there is already a group `{0}`; group names must differ")]
    DuplicateGroup(String),
    /// No node at all.
    #[error("a network needs at least one node")]
    NoNodes,
    /// A group of none.
    #[error("a group needs at least one node; leave the group out instead")]
    EmptyGroup,
    /// More nodes than a bridge carries.
    #[error("{nodes} nodes are more than the {max} that one network carries", max = super::NODES_MAX)]
    TooManyNodes {
        /// Nodes wished.
        nodes: u32,
    },
    /// More nodes than the wished subnet has addresses for.
    #[error(
        "a subnet with room for {capacity} nodes is too small for {nodes}; choose a larger one, such as a /{fitting}"
    )]
    SubnetTooSmall {
        /// Nodes wished.
        nodes: u32,
        /// Nodes it holds.
        capacity: u32,
        /// Prefix length that would do.
        fitting: u8,
    },
    /// More miners than nodes.
    #[error(
        "{miners} miners among {nodes} nodes cannot be; miners count as nodes, so ask for at least `--nodes {miners}`"
    )]
    MoreMinersThanNodes {
        /// Nodes in all.
        nodes: u32,
        /// Of them miners.
        miners: u32,
    },
    /// A hash rate beyond what can be throttled to.
    #[error("a hash rate of {given} is out of range; choose from {min} to {max} hashes a second", min = super::HASH_RATE_MIN, max = super::HASH_RATE_MAX)]
    HashRate {
        /// As given.
        given: String,
    },
    /// A hash rate on a node that does not mine.
    #[error("only miners have a hash rate; set `role: miner` or leave it out")]
    HashRateWithoutMining,
    /// Too little memory.
    #[error("a node needs at least {min} of memory, {given} is too little", min = super::MEMORY_MIN)]
    Memory {
        /// As given.
        given: ByteSize,
    },
    /// Both an image and a binary.
    #[error("`image` and `binary` exclude each other; keep one")]
    ImageAndBinary,
    /// A value that must not be empty.
    #[error("must not be empty; leave it out for the default")]
    Empty,
    /// An environment variable's name.
    #[error("`{0}` cannot name an environment variable; use letters, digits and _, no digit first")]
    EnvName(String),
    /// An environment variable the planner sets itself.
    #[error("`{0}` is set by the planner; use the topology's own keys instead")]
    EnvReserved(String),
    /// An environment variable's value.
    #[error("the value of `{0}` holds a NUL character")]
    EnvValue(String),
    /// A node that no group makes.
    #[error("there is no node `{name}`{}", hint(.nearest.as_ref(), .first.as_ref()))]
    UnknownNode {
        /// As given.
        name: String,
        /// A node of a similar name.
        nearest: Option<String>,
        /// Any node's name, as an example.
        first: Option<String>,
    },
    /// An edge from a node to itself.
    #[error("`{0}` cannot be its own peer")]
    SelfEdge(String),
    /// Two nodes joined twice.
    #[error("`{0}` and `{1}` are already joined; one connection serves both ways")]
    DuplicateEdge(String, String),
    /// Nodes that can never agree.
    #[error(
        "these edges leave `{unreached}` cut off from `{reached}`; join them or set `allow_disconnected: true`"
    )]
    Disconnected {
        /// First node.
        reached: String,
        /// First node not joined to it.
        unreached: String,
    },
    /// A zone that is neither known nor described.
    #[error("there is no zone `{name}`{}", zone_hint(.nearest.as_ref(), .known))]
    UnknownZone {
        /// As given.
        name: String,
        /// A zone of a similar name.
        nearest: Option<String>,
        /// Zones that need no description.
        known: String,
    },
    /// Two zones described twice.
    #[error("the distance between `{0}` and `{1}` is given already; once serves both ways")]
    DuplicateZonePair(String, String),
    /// No distance, or two.
    #[error("give either `rtt_ms` or `latency_ms`, in milliseconds")]
    ZoneDistance,
    /// Two zones in use whose distance nobody knows.
    #[error(
        "nothing says how far `{0}` and `{1}` are apart; add `- {{ between: [{0}, {1}], rtt_ms: … }}`"
    )]
    NoZoneDistance(String, String),
    /// A number outside its range.
    #[error("{given} is out of range; choose from {min} to {max}")]
    Range {
        /// As given.
        given: String,
        /// Smallest allowed.
        min: String,
        /// Largest allowed.
        max: String,
    },
    /// A half-life that makes the chain cheap to attack.
    #[error(
        "a half-life of {given} s is too short: with a future limit of {future_limit_s} s it must be at least {min} s"
    )]
    HalfLife {
        /// As given.
        given: u32,
        /// How far block times may run ahead.
        future_limit_s: u32,
        /// Smallest allowed.
        min: u32,
    },
    /// An address prefix.
    #[error("`{0}` cannot be an address prefix; use 1 to 16 of the letters a-z")]
    AddressPrefix(String),
    /// More work behind a block than a genesis file can say.
    #[error(
        "the miners' hash rates over one block time make {hashes} hashes a block, more than {max:e}; lower either",
        max = super::BLOCK_HASHES_MAX
    )]
    TooMuchWork {
        /// Hashes a block.
        hashes: String,
    },
    /// More accounts than the genesis block holds.
    #[error("{given} accounts are more than the {max} that fit into the genesis block")]
    TooManyAccounts {
        /// Accounts wished.
        given: usize,
        /// Accounts it holds.
        max: u32,
    },
    /// More coins than can exist.
    #[error("allocations of {0} coins in all are more than the {max} that can exist", max = crate::quantity::Coins::MAX)]
    TooManyCoins(String),
    /// An allocation of nothing.
    #[error("an allocation of 0 coins is none; leave the account out")]
    NoCoins,
}

impl Problems {
    /// One problem alone.
    pub fn one(path: impl Into<String>, flaw: Flaw) -> Self {
        Self(vec![Problem {
            path: path.into(),
            flaw,
        }])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.flaw)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

fn hint(nearest: Option<&String>, first: Option<&String>) -> String {
    match (nearest, first) {
        (Some(name), _) => format!("; did you mean `{name}`?"),
        (None, Some(name)) => format!("; nodes are named like `{name}`"),
        (None, None) => String::new(),
    }
}

fn zone_hint(nearest: Option<&String>, known: &str) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; describe it in `zones.matrix`, or use one of {known}"),
    }
}
