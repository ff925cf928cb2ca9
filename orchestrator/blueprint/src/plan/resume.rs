//! Planning a network that exists already: what must not change in its life.

use minichain_api::genesis::{DifficultyRule, GenesisFile};

use super::PlanError;
use crate::blueprint::{Blueprint, EngineKind};
use crate::topology::Topology;

/// The genesis of the existing network, where the wish agrees with it.
///
/// `wished` is what a birth at the same time from the same seed would give. A
/// hash rate that merely follows from the miners may differ: miners come and
/// go, and the difficulty rule sees to the rest.
pub fn resume(
    topology: &Topology,
    engine: EngineKind,
    before: &Blueprint,
    wished: GenesisFile,
) -> Result<GenesisFile, PlanError> {
    if before.name != topology.name {
        let (what, value) = ("earlier blueprint", before.name.clone());
        return Err(PlanError::BadInput {
            what,
            value,
            rule: "it is of another network",
        });
    }
    let Some(genesis) = before.genesis.clone() else {
        return Ok(wished);
    };
    let follows = topology.genesis.initial_hash_rate.is_none();
    let initial_hash_rate = if follows {
        genesis.initial_hash_rate
    } else {
        wished.initial_hash_rate
    };
    let wished = GenesisFile {
        initial_hash_rate,
        ..wished
    };
    let mut differences = vec![
        ("the engine", before.engine.to_string(), engine.to_string()),
        (
            "the seed",
            before.seed.to_string(),
            topology.seed.unwrap_or(before.seed).to_string(),
        ),
    ];
    // Processes have no use for a wished subnet, nor has a network that gave
    // its own up.
    if let (EngineKind::Docker, Some(is), Some(wish)) =
        (engine, before.subnet, topology.engine.subnet)
    {
        differences.push(("the subnet", is.to_string(), wish.to_string()));
    }
    for ((what, is), (_, wish)) in facts(&genesis).into_iter().zip(facts(&wished)) {
        differences.push((what, is, wish));
    }
    match differences.into_iter().find(|(_, is, wish)| is != wish) {
        Some((what, before, wished)) => Err(PlanError::OtherNetwork {
            name: topology.name.clone(),
            what,
            before,
            wished,
        }),
        None => Ok(genesis),
    }
}

/// Everything a genesis file says, in words that fit into a message.
fn facts(genesis: &GenesisFile) -> Vec<(&'static str, String)> {
    let GenesisFile {
        network,
        address_prefix,
        time_s,
        spacing_s,
        difficulty,
        initial_hash_rate,
        limit_factor,
        future_limit_s,
        reward,
        coinbase_maturity,
        block_weight_max,
        allocations,
    } = genesis;
    let account = |allocation: &minichain_api::genesis::Allocation| {
        format!(
            "{} {} {:?}",
            allocation.account, allocation.amount, allocation.owner
        )
    };
    let coins: Vec<String> = allocations
        .iter()
        .map(|allocation| format!("{}={}", allocation.account, allocation.amount))
        .collect();
    let owners: Vec<String> = allocations.iter().map(account).collect();
    vec![
        ("the network name", network.clone()),
        ("the block time", format!("{spacing_s}s")),
        ("the difficulty rule", rule(difficulty)),
        ("the initial hash rate", initial_hash_rate.to_string()),
        ("the limit factor", limit_factor.to_string()),
        (
            "the future limit",
            format!("{}s", future_limit_s.unwrap_or_default()),
        ),
        ("the reward", reward.initial.clone()),
        ("the halving interval", reward.halving_interval.to_string()),
        ("the coinbase maturity", coinbase_maturity.to_string()),
        ("the block weight limit", block_weight_max.to_string()),
        ("the address prefix", address_prefix.clone()),
        ("the allocations", coins.join(" ")),
        ("the owners of allocations", owners.join(" ")),
        ("the genesis time", time_s.to_string()),
    ]
}

/// A difficulty rule in words.
pub fn rule(rule: &DifficultyRule) -> String {
    match rule {
        DifficultyRule::Asert {
            half_life_s: Some(half_life_s),
        } => {
            format!("asert (half-life {half_life_s}s)")
        }
        DifficultyRule::Asert { half_life_s: None } => "asert".into(),
        DifficultyRule::Lwma { window } => format!("lwma (window {window})"),
        DifficultyRule::Fixed {} => "fixed".into(),
    }
}
