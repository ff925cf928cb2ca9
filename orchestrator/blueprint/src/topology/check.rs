//! Refusing what cannot be planned.

use std::collections::{BTreeMap, BTreeSet};

use minichain_api::config::CONFIG_ENV;
use minichain_api::genesis::DifficultyRule;

use super::{Flaw, Group, Peers, Problem, Problems, Role, Settings, Topology};
use super::{edges, zones};
use crate::nearest::nearest;
use crate::quantity::{ByteSize, Coins};
use crate::subnet::Subnet;

/// Nodes in one network at most: a Linux bridge has 1,023 ports.
pub const NODES_MAX: u32 = 1_023;
/// Slowest miner, in hashes a second.
pub const HASH_RATE_MIN: f64 = 1.0;
/// Fastest miner, in hashes a second; ten times what one core computes.
pub const HASH_RATE_MAX: f64 = 100_000_000.0;
/// Least memory of a node.
pub const MEMORY_MIN: ByteSize = ByteSize::from_mib(64);
/// Least distance block times may run ahead, in seconds.
pub const FUTURE_LIMIT_MIN_S: u32 = 10;
/// Greatest distance block times may run ahead, in seconds.
pub const FUTURE_LIMIT_MAX_S: u32 = 1_000_000;
/// Hashes behind one of the first blocks at most; a genesis file takes no more.
pub const BLOCK_HASHES_MAX: f64 = 1e12;

const NAME_LENGTH_MAX: usize = 40;
const ADDRESS_PREFIX_MAX: usize = 16;
const BLOCK_WEIGHT_MAX: u32 = 4_000_000;
/// Weight of an allocation in the genesis block, and of the rest of it with
/// some to spare.
const ALLOCATION_WEIGHT: u32 = 172;
const GENESIS_WEIGHT_SPARE: u32 = 1_000;

/// Refuses a name that engines, host names or the wire cannot carry.
///
/// # Errors
/// [`Flaw::Name`]: not 1 to 40 of `a-z`, `0-9`, `-`, a letter first.
pub fn check_name(name: &str) -> Result<(), Flaw> {
    let fits = (1..=NAME_LENGTH_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(())
    } else {
        Err(Flaw::Name(name.into()))
    }
}

/// Refuses counts that make no network.
pub fn check_counts(nodes: u32, miners: u32) -> Result<(), Problems> {
    if nodes == 0 {
        return Err(Problems::one("--nodes", Flaw::NoNodes));
    }
    if nodes > NODES_MAX {
        return Err(Problems::one("--nodes", Flaw::TooManyNodes { nodes }));
    }
    if miners > nodes {
        return Err(Problems::one(
            "--miners",
            Flaw::MoreMinersThanNodes { nodes, miners },
        ));
    }
    Ok(())
}

/// Finds every problem of a topology.
pub fn check(topology: &Topology) -> Result<(), Problems> {
    let mut found = Found::default();
    found.note("name", check_name(&topology.name));
    check_groups(topology, &mut found);
    check_overrides(topology, &mut found);
    if let Peers::Edges(pairs) = &topology.peers {
        let names: Vec<String> = topology
            .members()
            .into_iter()
            .map(|member| member.name)
            .collect();
        edges::check(&names, pairs, topology.allow_disconnected, &mut found);
    }
    zones::check(topology, &mut found);
    check_genesis(topology, &mut found);
    check_engine(topology, &mut found);
    if found.problems.is_empty() {
        Ok(())
    } else {
        Err(Problems(found.problems))
    }
}

/// Problems found so far.
#[derive(Default)]
pub struct Found {
    problems: Vec<Problem>,
}

impl Found {
    /// Adds a problem.
    pub fn add(&mut self, path: impl Into<String>, flaw: Flaw) {
        self.problems.push(Problem {
            path: path.into(),
            flaw,
        });
    }

    /// Number of problems found so far.
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    fn note(&mut self, path: impl Into<String>, result: Result<(), Flaw>) {
        if let Err(flaw) = result {
            self.add(path, flaw);
        }
    }

    fn range<T>(&mut self, path: &str, given: T, min: T, max: T)
    where
        T: PartialOrd + ToString + Copy,
    {
        // Written so that NaN is out of range too.
        if !(given >= min && given <= max) {
            let (given, min, max) = (given.to_string(), min.to_string(), max.to_string());
            self.add(path, Flaw::Range { given, min, max });
        }
    }
}

fn check_groups(topology: &Topology, found: &mut Found) {
    if topology.groups.is_empty() {
        found.add("groups", Flaw::NoNodes);
    }
    let mut seen = BTreeSet::new();
    for (at, group) in topology.groups.iter().enumerate() {
        let path = format!("groups[{at}]");
        found.note(format!("{path}.name"), check_name(&group.name));
        if !seen.insert(&group.name) {
            found.add(
                format!("{path}.name"),
                Flaw::DuplicateGroup(group.name.clone()),
            );
        }
        if group.count == 0 {
            found.add(format!("{path}.count"), Flaw::EmptyGroup);
        }
        check_settings(&path, &group_settings(group), Some(group.role()), found);
    }
    let nodes = topology.node_count();
    if nodes > NODES_MAX {
        found.add("groups", Flaw::TooManyNodes { nodes });
    }
}

fn group_settings(group: &Group) -> Settings {
    Settings {
        hash_rate: group.hash_rate,
        image: group.image.clone(),
        binary: group.binary.clone(),
        memory: group.memory,
        env: group.env.clone(),
        log_filter: group.log_filter.clone(),
        zone: group.zone.clone(),
    }
}

fn check_overrides(topology: &Topology, found: &mut Found) {
    let roles: BTreeMap<String, Role> = topology
        .members()
        .into_iter()
        .map(|member| (member.name, member.role))
        .collect();
    for (name, settings) in &topology.nodes {
        let path = format!("nodes.{name}");
        let role = roles.get(name);
        if role.is_none() {
            found.add(&path, unknown_node(name, roles.keys().map(String::as_str)));
        }
        check_settings(&path, settings, role.copied(), found);
    }
}

/// The flaw of naming a node that does not exist.
pub fn unknown_node<'a>(name: &str, mut names: impl Iterator<Item = &'a str> + Clone) -> Flaw {
    Flaw::UnknownNode {
        name: name.into(),
        nearest: nearest(name, names.clone()).map(Into::into),
        first: names.next().map(Into::into),
    }
}

fn check_settings(path: &str, settings: &Settings, role: Option<Role>, found: &mut Found) {
    if let Some(rate) = settings.hash_rate {
        let path = format!("{path}.hash_rate");
        if !(HASH_RATE_MIN..=HASH_RATE_MAX).contains(&rate) {
            found.add(
                path,
                Flaw::HashRate {
                    given: rate.to_string(),
                },
            );
        } else if role.is_some_and(|role| role != Role::Miner) {
            found.add(path, Flaw::HashRateWithoutMining);
        }
    }
    if let Some(given) = settings.memory
        && given < MEMORY_MIN
    {
        found.add(format!("{path}.memory"), Flaw::Memory { given });
    }
    if settings.image.is_some() && settings.binary.is_some() {
        found.add(path, Flaw::ImageAndBinary);
    }
    let texts = [
        ("image", &settings.image),
        ("binary", &settings.binary),
        ("log_filter", &settings.log_filter),
    ];
    check_not_empty(path, texts, found);
    for (name, value) in &settings.env {
        let path = format!("{path}.env.{name}");
        found.note(path, check_env(name, value));
    }
}

fn check_not_empty<'a>(
    path: &str,
    texts: impl IntoIterator<Item = (&'a str, &'a Option<String>)>,
    found: &mut Found,
) {
    for (key, text) in texts {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            found.add(format!("{path}.{key}"), Flaw::Empty);
        }
    }
}

fn check_env(name: &str, value: &str) -> Result<(), Flaw> {
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fits {
        Err(Flaw::EnvName(name.into()))
    } else if name == CONFIG_ENV {
        Err(Flaw::EnvReserved(name.into()))
    } else if value.contains('\0') {
        Err(Flaw::EnvValue(name.into()))
    } else {
        Ok(())
    }
}

fn check_genesis(topology: &Topology, found: &mut Found) {
    let wish = &topology.genesis;
    if let Some(rate) = wish.initial_hash_rate {
        let max = HASH_RATE_MAX * f64::from(NODES_MAX);
        found.range("genesis.initial_hash_rate", rate, HASH_RATE_MIN, max);
    }
    let hashes = topology.initial_hash_rate() * f64::from(topology.block_time().seconds());
    // Rates that are at fault themselves were noted above.
    if found.count() == 0 && hashes > BLOCK_HASHES_MAX {
        found.add(
            "genesis.block_time",
            Flaw::TooMuchWork {
                hashes: format!("{hashes:e}"),
            },
        );
    }
    if let Some(factor) = wish.limit_factor {
        found.range("genesis.limit_factor", factor, 1.0, 1e9);
    }
    if let Some(limit) = wish.future_limit_s {
        found.range(
            "genesis.future_limit_s",
            limit,
            FUTURE_LIMIT_MIN_S,
            FUTURE_LIMIT_MAX_S,
        );
    }
    if let Some(maturity) = wish.coinbase_maturity {
        found.range("genesis.coinbase_maturity", maturity, 1, 1_000_000);
    }
    if let Some(weight) = wish.block_weight_max {
        found.range("genesis.block_weight_max", weight, 4_000, BLOCK_WEIGHT_MAX);
    }
    if let Some(prefix) = &wish.address_prefix {
        let fits = (1..=ADDRESS_PREFIX_MAX).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_lowercase());
        if !fits {
            found.add(
                "genesis.address_prefix",
                Flaw::AddressPrefix(prefix.clone()),
            );
        }
    }
    check_difficulty(topology, found);
    check_coins(topology, found);
}

fn check_difficulty(topology: &Topology, found: &mut Found) {
    match topology.genesis.difficulty {
        Some(DifficultyRule::Asert {
            half_life_s: Some(given),
        }) => {
            let future_limit_s = topology.future_limit_s();
            let min = future_limit_s.saturating_mul(10);
            if given < min {
                let flaw = Flaw::HalfLife {
                    given,
                    future_limit_s,
                    min,
                };
                found.add("genesis.difficulty.half_life_s", flaw);
            }
        }
        Some(DifficultyRule::Lwma { window }) => {
            found.range("genesis.difficulty.window", window, 3, 1_000);
        }
        _ => {}
    }
}

fn check_coins(topology: &Topology, found: &mut Found) {
    let wish = &topology.genesis;
    let Some(allocations) = &wish.allocations else {
        return;
    };
    for (account, coins) in allocations {
        let path = format!("genesis.allocations.{account}");
        found.note(&path, check_name(account));
        if coins.base_units() == 0 {
            found.add(path, Flaw::NoCoins);
        }
    }
    let weight_max = wish.block_weight_max.unwrap_or(BLOCK_WEIGHT_MAX);
    let accounts_max = weight_max.saturating_sub(GENESIS_WEIGHT_SPARE) / ALLOCATION_WEIGHT;
    if allocations.len() > accounts_max as usize {
        let flaw = Flaw::TooManyAccounts {
            given: allocations.len(),
            max: accounts_max,
        };
        found.add("genesis.allocations", flaw);
    }
    // At most 21 million coins each: u128 cannot overflow.
    let total: u128 = allocations
        .values()
        .map(|coins| u128::from(coins.base_units()))
        .sum();
    if total > u128::from(Coins::MAX.base_units()) {
        let whole = total / u128::from(Coins::from_whole(1).base_units());
        found.add("genesis.allocations", Flaw::TooManyCoins(whole.to_string()));
    }
}

fn check_engine(topology: &Topology, found: &mut Found) {
    let engine = &topology.engine;
    if engine.image.is_some() && engine.binary.is_some() {
        found.add("engine", Flaw::ImageAndBinary);
    }
    check_not_empty(
        "engine",
        [("image", &engine.image), ("binary", &engine.binary)],
        found,
    );
    let nodes = topology.node_count();
    if let Some(subnet) = engine.subnet
        && nodes > subnet.node_capacity()
        && let Some(fitting) = Subnet::prefix_for(nodes)
    {
        let capacity = subnet.node_capacity();
        found.add(
            "engine.subnet",
            Flaw::SubnetTooSmall {
                nodes,
                capacity,
                fitting,
            },
        );
    }
}
