//! The genesis file of a wish, every value written out.

use minichain_api::genesis::{Allocation, DifficultyRule, GenesisFile, Owner, Reward};

use super::{Birth, digest};
use crate::quantity::Coins;
use crate::topology::{RewardWish, Topology};

/// Accounts of a network whose topology names none, and what they own.
const DEFAULT_ALLOCATIONS: [(&str, Coins); 4] = [
    ("alice", Coins::from_whole(100_000)),
    ("bob", Coins::from_whole(100_000)),
    ("carol", Coins::from_whole(100_000)),
    ("faucet", Coins::from_whole(1_000_000)),
];
/// Network names on the wire are at most this long.
const NETWORK_NAME_MAX: usize = 32;
/// Characters of a long name that are kept before its digest.
const NETWORK_NAME_KEPT: usize = 23;

impl Topology {
    /// Names of the accounts that own coins from the start, in order.
    pub fn account_names(&self) -> Vec<String> {
        let defaults = DEFAULT_ALLOCATIONS.iter();
        match &self.genesis.allocations {
            Some(allocations) => allocations.keys().cloned().collect(),
            None => defaults.map(|(name, _)| (*name).to_owned()).collect(),
        }
    }
}

/// The genesis file.
pub fn genesis(topology: &Topology, birth: &Birth) -> GenesisFile {
    let wish = &topology.genesis;
    let spacing_s = topology.block_time().seconds();
    let future_limit_s = topology.future_limit_s();
    GenesisFile {
        network: wire_name(&topology.name),
        address_prefix: wish.address_prefix.clone().unwrap_or_else(|| "mini".into()),
        time_s: birth.created_at_s,
        spacing_s,
        difficulty: difficulty(wish.difficulty.as_ref(), spacing_s, future_limit_s),
        initial_hash_rate: topology.initial_hash_rate(),
        limit_factor: wish.limit_factor.unwrap_or(2.0),
        future_limit_s: Some(future_limit_s),
        reward: reward(wish.reward.as_ref()),
        coinbase_maturity: wish.coinbase_maturity.unwrap_or(100),
        block_weight_max: wish.block_weight_max.unwrap_or(4_000_000),
        allocations: allocations(topology, birth),
    }
}

/// Writes the half-life out: 30 spacings, but never less than ten times the
/// future limit, below which one forged time stamp would make blocks cheap.
fn difficulty(
    wish: Option<&DifficultyRule>,
    spacing_s: u32,
    future_limit_s: u32,
) -> DifficultyRule {
    match wish {
        None | Some(DifficultyRule::Asert { half_life_s: None }) => {
            let half_life_s = (30 * spacing_s).max(10 * future_limit_s);
            DifficultyRule::Asert {
                half_life_s: Some(half_life_s),
            }
        }
        Some(rule) => rule.clone(),
    }
}

fn reward(wish: Option<&RewardWish>) -> Reward {
    let default = Reward::default();
    let initial = wish.and_then(|reward| reward.initial);
    Reward {
        initial: initial.map_or(default.initial, |coins| coins.to_string()),
        halving_interval: wish
            .and_then(|reward| reward.halving_interval)
            .unwrap_or(default.halving_interval),
    }
}

fn allocations(topology: &Topology, birth: &Birth) -> Vec<Allocation> {
    let seed = digest::derive("devnet/accounts", birth.seed, &[&topology.name]);
    let allocation = |account: &str, coins: Coins| Allocation {
        account: account.into(),
        amount: coins.to_string(),
        owner: Owner::PublicSeed(seed.clone()),
    };
    match &topology.genesis.allocations {
        Some(wished) => wished
            .iter()
            .map(|(name, coins)| allocation(name, *coins))
            .collect(),
        None => DEFAULT_ALLOCATIONS
            .iter()
            .map(|(name, coins)| allocation(name, *coins))
            .collect(),
    }
}

/// The devnet's name where it is short enough for the wire, else its beginning
/// and a digest of all of it.
fn wire_name(name: &str) -> String {
    if name.len() <= NETWORK_NAME_MAX {
        return name.into();
    }
    let kept: String = name.chars().take(NETWORK_NAME_KEPT).collect();
    format!(
        "{kept}-{}",
        &digest::of(&name)[..NETWORK_NAME_MAX - NETWORK_NAME_KEPT - 1]
    )
}
