//! The wish: which nodes, how they are joined, and the rules of their chain.
//!
//! [`Topology::from_counts`] makes one from two numbers; the same structs read
//! a YAML file (the text is parsed elsewhere, where lines and columns are
//! known; unknown keys are refused). [`Topology::check`] then finds everything
//! that cannot be planned, before anything is touched.

mod check;
mod edges;
mod member;
mod problem;
mod schema;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use minichain_api::genesis::DifficultyRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::{
    BLOCK_HASHES_MAX, FUTURE_LIMIT_MAX_S, FUTURE_LIMIT_MIN_S, HASH_RATE_MAX, HASH_RATE_MIN,
    MEMORY_MIN, NODES_MAX, check_name,
};
pub use member::Member;
pub use problem::{Flaw, Problem, Problems};
pub use zones::{LATENCY_MS_MAX, ZonePair, Zones};

use crate::blueprint::EngineKind;
use crate::quantity::{BlockTime, ByteSize, Coins};
use crate::subnet::Subnet;

/// Name of a network that was given none.
pub const DEFAULT_NAME: &str = "local";
/// Hashes a second of a miner that was given no rate.
pub const DEFAULT_HASH_RATE: f64 = 10_000.0;
/// Memory of a node that was given no limit.
pub const DEFAULT_MEMORY: ByteSize = ByteSize::from_mib(256);

/// A wished network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Topology {
    /// Name of the network: 1 to 40 of `a-z`, `0-9`, `-`, a letter first.
    pub name: String,
    /// Groups of like nodes, in order.
    pub groups: Vec<Group>,
    /// Settings of single nodes by name (`miner-1`); they win over the group's.
    pub nodes: BTreeMap<String, Settings>,
    /// Who connects to whom.
    pub peers: Peers,
    /// How far zones are apart, beyond the regions known anyway.
    #[serde(skip_serializing_if = "Zones::is_empty")]
    pub zones: Zones,
    /// Accept edges that leave the network in several parts.
    pub allow_disconnected: bool,
    /// Rules and first allocations of the chain.
    pub genesis: GenesisWish,
    /// Everything random follows from it. Unset: drawn by whoever plans.
    pub seed: Option<u64>,
    /// Where and how to run.
    pub engine: EngineHints,
}

/// Like nodes, named `<group>-<index>` from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name of the group, and first part of its nodes' names.
    pub name: String,
    /// What its nodes do. Unset: what the group's name says (`miner`,
    /// `miners`, `bootstrap` …), else observer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// How many nodes.
    #[serde(default = "one")]
    pub count: u32,
    /// Hashes a second of each node; miners only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_rate: Option<f64>,
    /// Container image instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Node binary instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<String>,
    /// Memory limit of each container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Further environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Log level or tracing filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_filter: Option<String>,
    /// Zone its nodes stand in, such as `eu-west-1`. Unset: near to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Settings of a single node; what is unset follows the group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Hashes a second; miners only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash_rate: Option<f64>,
    /// Container image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Node binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary: Option<String>,
    /// Memory limit of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Environment variables, added to the group's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Log level or tracing filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_filter: Option<String>,
    /// Zone it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What a node does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Known to all from the start; does not mine.
    Bootstrap,
    /// Mines.
    Miner,
    /// Follows and relays.
    Observer,
}

/// Who connects to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peers {
    /// All find each other, starting from the bootstrap nodes.
    #[default]
    Mesh,
    /// Exactly these connections between nodes, by name; the first of a pair
    /// dials. No discovery.
    Edges(Vec<(String, String)>),
}

/// The chain's rules, as far as the wish departs from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GenesisWish {
    /// Target time between blocks, such as `5s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_time: Option<BlockTime>,
    /// How difficulty follows from the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::difficulty")]
    pub difficulty: Option<DifficultyRule>,
    /// Hashes a second the first blocks expect. Unset: the sum of all miners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_hash_rate: Option<f64>,
    /// Easiest target allowed, as a multiple of the initial one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_factor: Option<f64>,
    /// How far a block's time may run ahead, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future_limit_s: Option<u32>,
    /// What a block may create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardWish>,
    /// Blocks before a reward may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coinbase_maturity: Option<u32>,
    /// Weight of a block at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_weight_max: Option<u32>,
    /// Prefix of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_prefix: Option<String>,
    /// Coins of named accounts. Unset: alice, bob, carol and faucet are rich;
    /// empty: nobody owns anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations: Option<BTreeMap<String, Coins>>,
}

/// What a block may create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RewardWish {
    /// Coins of block 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<Coins>,
    /// Blocks after which the reward halves; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halving_interval: Option<u32>,
}

/// Where and how to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EngineHints {
    /// Which engine. Unset: Docker where it answers, else processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<EngineKind>,
    /// Container image of all nodes. Unset: built from the binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Node binary of all nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary: Option<String>,
    /// Subnet of the containers. Unset: one that is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Subnet>,
}

impl Topology {
    /// `nodes` nodes, `miners` of which mine. The first that does not mine is
    /// the bootstrap (if all mine, the first miner serves as such); the rest
    /// observe.
    ///
    /// # Errors
    /// No node, more miners than nodes, more nodes than a bridge carries.
    pub fn from_counts(nodes: u32, miners: u32) -> Result<Self, Problems> {
        check::check_counts(nodes, miners)?;
        let idle = nodes - miners;
        let group = |name: &str, role, count| Group {
            role: Some(role),
            ..Group::new(name, count)
        };
        let groups = [
            group("bootstrap", Role::Bootstrap, idle.min(1)),
            group("miner", Role::Miner, miners),
            group("observer", Role::Observer, idle.saturating_sub(1)),
        ];
        let groups = groups.into_iter().filter(|group| group.count > 0).collect();
        Ok(Self {
            groups,
            ..Self::default()
        })
    }

    /// Refuses what cannot be planned, naming the place of each problem.
    ///
    /// # Errors
    /// Every problem found, in the order of the document.
    pub fn check(&self) -> Result<(), Problems> {
        check::check(self)
    }

    /// Nodes in all.
    pub fn node_count(&self) -> u32 {
        self.groups
            .iter()
            .fold(0, |sum, group| sum.saturating_add(group.count))
    }

    /// Binaries that groups or nodes ask for by path, beside the default one;
    /// on Docker an image of each is needed.
    pub fn binaries(&self) -> BTreeSet<String> {
        let of_groups = self.groups.iter().filter_map(|group| group.binary.clone());
        let of_nodes = self
            .nodes
            .values()
            .filter_map(|settings| settings.binary.clone());
        of_groups.chain(of_nodes).collect()
    }

    /// Target time between blocks.
    pub fn block_time(&self) -> BlockTime {
        self.genesis.block_time.unwrap_or(BlockTime::DEFAULT)
    }

    /// How far a block's time may run ahead of the clock, in seconds: as
    /// wished, else three block times and at least 10 s.
    pub fn future_limit_s(&self) -> u32 {
        let default = (3 * self.block_time().seconds()).max(FUTURE_LIMIT_MIN_S);
        self.genesis.future_limit_s.unwrap_or(default)
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            name: DEFAULT_NAME.into(),
            groups: Vec::new(),
            nodes: BTreeMap::new(),
            peers: Peers::default(),
            zones: Zones::default(),
            allow_disconnected: false,
            genesis: GenesisWish::default(),
            seed: None,
            engine: EngineHints::default(),
        }
    }
}

impl Group {
    /// A group with no settings of its own.
    pub fn new(name: &str, count: u32) -> Self {
        Self {
            name: name.into(),
            role: None,
            count,
            hash_rate: None,
            image: None,
            binary: None,
            memory: None,
            env: BTreeMap::new(),
            log_filter: None,
            zone: None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bootstrap => "bootstrap",
            Self::Miner => "miner",
            Self::Observer => "observer",
        })
    }
}

const fn one() -> u32 {
    1
}
