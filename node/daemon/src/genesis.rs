//! From a genesis file to consensus parameters. Errors name the field.

use std::path::Path;
use std::str::FromStr;

use ethnum::U256;
use minichain_api::config::NodeConfig;
use minichain_api::genesis::{Allocation, DifficultyRule, GenesisFile, Owner};
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::difficulty::Rule;
use minichain_chain::hex;
use minichain_chain::params::{self, Params, dev_account_key};
use minichain_chain::pow::Target;
use minichain_chain::time::UnixSeconds;

use crate::config::{parse_yaml, read_text};
use crate::exit::Failure;

const BUILTIN: &str = include_str!("builtin_genesis.yaml");
const FUTURE_LIMIT_MIN_S: u32 = 10;
const HALF_LIFE_SPACINGS: u32 = 30;
/// Floats are taken over with this many binary places.
const FRACTION_BITS: u32 = 20;
/// Slower networks than one hash in twelve days are slips.
const HASH_RATE_MIN: f64 = 1e-6;
/// Well inside 64 bits after scaling by [`FRACTION_BITS`].
const HASH_RATE_MAX: f64 = 1e12;
const LIMIT_FACTOR_MAX: f64 = 1e9;

/// The parameters of the network that a configuration names.
pub fn params_for(config: &NodeConfig) -> Result<Params, Failure> {
    match &config.genesis {
        Some(genesis) => params(genesis),
        None => params(&load(config.genesis_file.as_deref())?),
    }
}

/// Reads a genesis file; none: the built-in network.
pub fn load(file: Option<&Path>) -> Result<GenesisFile, Failure> {
    match file {
        Some(file) => parse_yaml(
            &read_text(file, "genesis file")?,
            &file.display().to_string(),
        ),
        None => parse_yaml(BUILTIN, "the built-in genesis file"),
    }
}

/// Turns a genesis file into checked parameters.
pub fn params(genesis: &GenesisFile) -> Result<Params, Failure> {
    let initial_target = initial_target(genesis)?;
    Params {
        network: genesis.network.clone(),
        address_prefix: genesis.address_prefix.clone(),
        genesis_time: UnixSeconds(genesis.time_s),
        spacing_s: genesis.spacing_s,
        difficulty: difficulty(genesis)?,
        initial_target,
        pow_limit: pow_limit(genesis, initial_target)?,
        future_limit_s: future_limit_s(genesis)?,
        reward: params::Reward {
            initial: amount("reward.initial", &genesis.reward.initial)?,
            halving_interval: genesis.reward.halving_interval,
        },
        coinbase_maturity: genesis.coinbase_maturity,
        block_weight_max: genesis.block_weight_max,
        allocations: allocations(genesis)?,
        proof: params::Proof::Hash,
    }
    .check()
    .map_err(|error| Failure::bad_input(format!("genesis file: {error}")))
}

fn bad<T>(field: &str, why: impl std::fmt::Display) -> Result<T, Failure> {
    Err(Failure::bad_input(format!("genesis file: {field}: {why}")))
}

fn amount(field: &str, text: &str) -> Result<Amount, Failure> {
    Amount::from_str(text).or_else(|error| bad(field, format!("{text:?}: {error}")))
}

fn times_spacing(genesis: &GenesisFile, factor: u32) -> Result<u32, Failure> {
    match genesis.spacing_s.checked_mul(factor) {
        Some(seconds) => Ok(seconds),
        None => bad("spacing_s", format!("{} is too long", genesis.spacing_s)),
    }
}

fn difficulty(genesis: &GenesisFile) -> Result<Rule, Failure> {
    Ok(match genesis.difficulty {
        DifficultyRule::Asert {
            half_life_s: Some(half_life_s),
        } => Rule::Asert { half_life_s },
        DifficultyRule::Asert { half_life_s: None } => {
            // Long enough beside the future limit even with short spacings, so
            // that one forged time stamp cannot make blocks cheap.
            let usual = times_spacing(genesis, HALF_LIFE_SPACINGS)?;
            Rule::Asert {
                half_life_s: usual.max(future_limit_s(genesis)?.saturating_mul(10)),
            }
        }
        DifficultyRule::Lwma { window } => Rule::Lwma { window },
        DifficultyRule::Fixed {} => Rule::Fixed,
    })
}

fn future_limit_s(genesis: &GenesisFile) -> Result<u32, Failure> {
    match genesis.future_limit_s {
        Some(seconds) => Ok(seconds),
        None => Ok(times_spacing(genesis, 3)?.max(FUTURE_LIMIT_MIN_S)),
    }
}

/// A positive float as an integer with [`FRACTION_BITS`] binary places.
/// Multiplying and rounding are exact in IEEE 754, so all machines agree.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounds are checked"
)]
fn scaled(field: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<u64, Failure> {
    if !range.contains(&value) {
        let (low, high) = range.into_inner();
        return bad(
            field,
            format!("{value} is out of range; from {low} to {high:e}"),
        );
    }
    Ok((value * f64::from(1_u32 << FRACTION_BITS)).round() as u64)
}

/// The target met once a spacing by `initial_hash_rate`, as block headers can
/// express it.
fn initial_target(genesis: &GenesisFile) -> Result<Target, Failure> {
    let range = HASH_RATE_MIN..=HASH_RATE_MAX;
    let rate = scaled("initial_hash_rate", genesis.initial_hash_rate, range)?;
    let hashes = U256::from(rate) * U256::from(genesis.spacing_s.max(1));
    // At least one hash a block, also after rounding.
    let hashes = hashes.max(U256::ONE << FRACTION_BITS);
    Ok(representable((U256::MAX / hashes) << FRACTION_BITS))
}

fn pow_limit(genesis: &GenesisFile, initial: Target) -> Result<Target, Failure> {
    let factor = scaled("limit_factor", genesis.limit_factor, 1.0..=LIMIT_FACTOR_MAX)?;
    let limit = (initial.to_u256() >> FRACTION_BITS).checked_mul(U256::from(factor));
    let limit = representable(limit.unwrap_or(U256::MAX));
    // With a factor of 1 the rounding must not put the limit below the start.
    Ok(limit.max(initial))
}

/// Rounded to what a header's compact form can express.
fn representable(value: U256) -> Target {
    let target = Target::new(value).unwrap_or(Target::MIN);
    target.to_compact().to_target().unwrap_or(target)
}

fn allocations(genesis: &GenesisFile) -> Result<Vec<params::Allocation>, Failure> {
    genesis
        .allocations
        .iter()
        .enumerate()
        .map(|(index, allocation)| {
            let field = format!("allocations[{index}]");
            Ok(params::Allocation {
                account: allocation.account.clone(),
                amount: amount(&format!("{field}.amount"), &allocation.amount)?,
                output_key: output_key(genesis, &field, allocation)?,
            })
        })
        .collect()
}

fn output_key(
    genesis: &GenesisFile,
    field: &str,
    allocation: &Allocation,
) -> Result<[u8; 32], Failure> {
    match &allocation.owner {
        Owner::Address(text) => Address::parse(&genesis.address_prefix, text)
            .map(|address| address.output_key())
            .or_else(|error| {
                bad(
                    &format!("{field}.owner.address"),
                    format!("{text:?}: {error}"),
                )
            }),
        Owner::PublicSeed(text) => hex::decode_array(text)
            .map(|seed| dev_account_key(&seed, &allocation.account).output_key())
            .or_else(|error| {
                let field = format!("{field}.owner.public_seed");
                bad(&field, format!("{error}; write 64 hexadecimal digits"))
            }),
    }
}

#[cfg(test)]
mod tests;
