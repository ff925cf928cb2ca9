//! The genesis file: every rule of a network that two nodes must share.
//!
//! The node turns it into consensus parameters and a genesis block whose hash
//! commits to all of it, so nodes with different files part at the status
//! exchange.

use serde::{Deserialize, Serialize};

/// A network's rules and first allocations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisFile {
    /// Network name: 1 to 32 letters, digits or `-`. Part of the protocol
    /// names on the wire.
    pub network: String,
    /// Prefix of addresses (BIP173 human-readable part), 1 to 16 lower-case
    /// letters.
    #[serde(default = "default_address_prefix")]
    pub address_prefix: String,
    /// Time of the genesis block, in seconds since 1970.
    pub time_s: u32,
    /// Target time between blocks, in seconds.
    #[serde(default = "default_spacing_s")]
    pub spacing_s: u32,
    /// How the next block's difficulty follows from the past.
    #[serde(default)]
    pub difficulty: DifficultyRule,
    /// Hashes a second of all miners together that the first blocks expect;
    /// with the spacing it gives the initial target.
    pub initial_hash_rate: f64,
    /// The easiest target allowed, as a multiple of the initial target.
    #[serde(default = "default_limit_factor")]
    pub limit_factor: f64,
    /// How far a block's time may be ahead of the local clock, in seconds.
    /// Unset: three spacings, at least 10 s.
    #[serde(default)]
    pub future_limit_s: Option<u32>,
    /// What a block may create.
    #[serde(default)]
    pub reward: Reward,
    /// Blocks before a coinbase output may be spent.
    #[serde(default = "default_maturity")]
    pub coinbase_maturity: u32,
    /// Weight of a block at most (BIP141 weight units).
    #[serde(default = "default_block_weight_max")]
    pub block_weight_max: u32,
    /// Coins that exist from the start, spendable at once.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
}

/// How the next block's difficulty follows from the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "lowercase", deny_unknown_fields)]
pub enum DifficultyRule {
    /// aserti3-2d: absolutely scheduled, exponentially rising targets,
    /// anchored at block 1.
    Asert {
        /// Time in which a schedule error of the same length halves or doubles
        /// the target. Unset: 30 spacings.
        #[serde(default)]
        half_life_s: Option<u32>,
    },
    /// Linearly weighted moving average over a window of blocks.
    Lwma {
        /// Blocks in the window.
        #[serde(default = "default_lwma_window")]
        window: u32,
    },
    /// The initial target for ever.
    // With braces, since serde would let a unit variant swallow unknown keys.
    Fixed {},
}

/// What a block may create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reward {
    /// Reward of block 1, in coins, as a decimal with at most 8 places.
    pub initial: String,
    /// Blocks after which the reward halves; 0: never.
    pub halving_interval: u32,
}

/// Coins that exist from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Name of the account.
    pub account: String,
    /// Coins, as a decimal with at most 8 places.
    pub amount: String,
    /// Who may spend them.
    pub owner: Owner,
}

/// Who may spend an allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Owner {
    /// An address of this network.
    Address(String),
    /// 64 hexadecimal digits of a secret seed **published in this very file**:
    /// the key follows from it, so whoever has the file may spend. For devnets.
    PublicSeed(String),
}

impl Default for DifficultyRule {
    fn default() -> Self {
        Self::Asert { half_life_s: None }
    }
}

impl Default for Reward {
    fn default() -> Self {
        Self {
            initial: "50".into(),
            halving_interval: 210_000,
        }
    }
}

fn default_address_prefix() -> String {
    "mini".into()
}

const fn default_spacing_s() -> u32 {
    5
}

const fn default_limit_factor() -> f64 {
    2.0
}

const fn default_maturity() -> u32 {
    100
}

const fn default_block_weight_max() -> u32 {
    4_000_000
}

const fn default_lwma_window() -> u32 {
    60
}
