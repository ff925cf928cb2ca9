//! Whether a network can run on a set of parameters.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Params, Proof, SIMULATED_PREFIX};
use crate::amount::{Amount, MAX_MONEY};
use crate::difficulty::Rule;
use crate::pow::Target;
use crate::signature::is_valid_output_key;

const NETWORK_LETTERS: RangeInclusive<usize> = 1..=32;
const PREFIX_LETTERS: RangeInclusive<usize> = 1..=16;
const ACCOUNT_LETTERS: RangeInclusive<usize> = 1..=64;
const SPACING_S: RangeInclusive<u32> = 1..=86_400;
const FUTURE_LIMIT_S: RangeInclusive<u32> = 10..=1_000_000;
const LWMA_WINDOW: RangeInclusive<u32> = 3..=1_000;
const MATURITY: RangeInclusive<u32> = 1..=1_000_000;
/// From a block that holds a coinbase and a few transfers to Bitcoin's limit.
const BLOCK_WEIGHT: RangeInclusive<u32> = 4_000..=4_000_000;
/// One forged time stamp may shift the schedule by the future limit; with a
/// half-life this much longer it moves the target by 7 % at most.
const HALF_LIFE_FUTURE_LIMITS: u32 = 10;

/// Why no network can run on a set of parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// A number is outside its range.
    #[error("{field} is {value}; it must be from {min} to {max}")]
    OutOfRange {
        /// Which parameter.
        field: &'static str,
        /// Its value.
        value: u64,
        /// Smallest value allowed.
        min: u64,
        /// Largest value allowed.
        max: u64,
    },
    /// A name is empty, too long, or has a character it must not have.
    #[error("{field} is {value:?}; it must be {wanted}")]
    Name {
        /// Which parameter.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it must look like.
        wanted: &'static str,
    },
    /// Simulated work under a name that a real network might bear.
    #[error(
        "the network is named {network:?} and believes work without proof; only a network inside \
         a simulator may, and its name begins with {SIMULATED_PREFIX:?}"
    )]
    SimulatedName {
        /// Its name.
        network: String,
    },
    /// The half-life is too short beside the future limit.
    #[error(
        "the half-life is {half_life_s} s; with a future limit of {future_limit_s} s it must be \
         at least {needed_s} s, or one forged time stamp makes blocks cheap"
    )]
    HalfLifeTooShort {
        /// Its value.
        half_life_s: u32,
        /// The future limit.
        future_limit_s: u32,
        /// The shortest half-life allowed.
        needed_s: u32,
    },
    /// A target has more precision than a header's `bits` can express.
    #[error("{field} {target} cannot be expressed in a header's bits; round it to {rounded}")]
    TargetNotCompact {
        /// Which parameter.
        field: &'static str,
        /// Its value.
        target: Target,
        /// The nearest lower target that can.
        rounded: Target,
    },
    /// The first target is easier than the easiest allowed.
    #[error("the initial target {initial} is above the limit {limit}; raise the limit")]
    InitialTargetAboveLimit {
        /// The initial target.
        initial: Target,
        /// The limit.
        limit: Target,
    },
    /// Two accounts have one name.
    #[error("two allocations are named {account:?}; every account needs its own name")]
    DuplicateAccount {
        /// The name.
        account: String,
    },
    /// An allocation's key is no point of the curve; its coins could never be
    /// spent.
    #[error("the key of account {account:?} is not on the curve; its coins would be lost")]
    AllocationKey {
        /// Whose key.
        account: String,
    },
    /// An allocation of nothing.
    #[error("account {account:?} is given nothing; remove it or give it an amount")]
    EmptyAllocation {
        /// Whose allocation.
        account: String,
    },
    /// More than may ever exist.
    #[error("{field} exceed {MAX_MONEY} coins, the most that may ever exist")]
    TooMuchMoney {
        /// Which amounts.
        field: &'static str,
    },
    /// The first block would break the network's own weight limit.
    #[error(
        "{count} allocations make a genesis block of weight {weight}, above the limit of {max}; \
         give fewer or raise the limit"
    )]
    GenesisTooHeavy {
        /// Number of allocations.
        count: usize,
        /// Its weight.
        weight: u64,
        /// The limit.
        max: u32,
    },
}

pub(super) fn check(params: &Params) -> Result<(), ParamsError> {
    check_names(params)?;
    check_proof(params)?;
    check_numbers(params)?;
    check_difficulty(params)?;
    check_money(params)?;
    check_allocations(params)
}

fn check_names(params: &Params) -> Result<(), ParamsError> {
    name(
        "the network's name",
        &params.network,
        &NETWORK_LETTERS,
        |letter| letter.is_ascii_alphanumeric() || letter == b'-',
        "1 to 32 letters, digits or '-'",
    )?;
    name(
        "the address prefix",
        &params.address_prefix,
        &PREFIX_LETTERS,
        |letter| letter.is_ascii_lowercase(),
        "1 to 16 lower-case letters",
    )?;
    params.allocations.iter().try_for_each(|allocation| {
        name(
            "an account's name",
            &allocation.account,
            &ACCOUNT_LETTERS,
            |letter| letter.is_ascii_graphic(),
            "1 to 64 printable ASCII characters without spaces",
        )
    })
}

fn check_proof(params: &Params) -> Result<(), ParamsError> {
    if params.proof == Proof::Simulated && !params.network.starts_with(SIMULATED_PREFIX) {
        return Err(ParamsError::SimulatedName {
            network: params.network.clone(),
        });
    }
    Ok(())
}

fn check_numbers(params: &Params) -> Result<(), ParamsError> {
    in_range("the spacing in seconds", params.spacing_s, &SPACING_S)?;
    in_range(
        "the future limit in seconds",
        params.future_limit_s,
        &FUTURE_LIMIT_S,
    )?;
    in_range("the coinbase maturity", params.coinbase_maturity, &MATURITY)?;
    in_range(
        "the largest block weight",
        params.block_weight_max,
        &BLOCK_WEIGHT,
    )
}

fn check_difficulty(params: &Params) -> Result<(), ParamsError> {
    match params.difficulty {
        Rule::Asert { half_life_s } => {
            let needed_s = params
                .future_limit_s
                .saturating_mul(HALF_LIFE_FUTURE_LIMITS);
            if half_life_s < needed_s {
                return Err(ParamsError::HalfLifeTooShort {
                    half_life_s,
                    future_limit_s: params.future_limit_s,
                    needed_s,
                });
            }
        }
        Rule::Lwma { window } => in_range("the LWMA window", window, &LWMA_WINDOW)?,
        Rule::Fixed => {}
    }
    compact("the initial target", params.initial_target)?;
    compact("the proof-of-work limit", params.pow_limit)?;
    if params.initial_target > params.pow_limit {
        return Err(ParamsError::InitialTargetAboveLimit {
            initial: params.initial_target,
            limit: params.pow_limit,
        });
    }
    Ok(())
}

fn check_money(params: &Params) -> Result<(), ParamsError> {
    if !params.reward.initial.is_in_range() {
        return Err(ParamsError::TooMuchMoney {
            field: "the block rewards",
        });
    }
    let sum = Amount::checked_sum(params.allocations.iter().map(|one| one.amount));
    if !sum.is_some_and(Amount::is_in_range) {
        return Err(ParamsError::TooMuchMoney {
            field: "the allocations",
        });
    }
    Ok(())
}

fn check_allocations(params: &Params) -> Result<(), ParamsError> {
    let mut seen = BTreeSet::new();
    for allocation in &params.allocations {
        let account = || allocation.account.clone();
        if !seen.insert(&allocation.account) {
            return Err(ParamsError::DuplicateAccount { account: account() });
        }
        if allocation.amount == Amount::ZERO {
            return Err(ParamsError::EmptyAllocation { account: account() });
        }
        if !is_valid_output_key(&allocation.output_key) {
            return Err(ParamsError::AllocationKey { account: account() });
        }
    }
    let weight = params.genesis_block().weight();
    if weight > u64::from(params.block_weight_max) {
        return Err(ParamsError::GenesisTooHeavy {
            count: params.allocations.len(),
            weight,
            max: params.block_weight_max,
        });
    }
    Ok(())
}

fn name(
    field: &'static str,
    value: &str,
    letters: &RangeInclusive<usize>,
    is_allowed: impl Fn(u8) -> bool,
    wanted: &'static str,
) -> Result<(), ParamsError> {
    if letters.contains(&value.len()) && value.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(ParamsError::Name {
        field,
        value: value.to_owned(),
        wanted,
    })
}

fn in_range(
    field: &'static str,
    value: u32,
    range: &RangeInclusive<u32>,
) -> Result<(), ParamsError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(ParamsError::OutOfRange {
        field,
        value: value.into(),
        min: (*range.start()).into(),
        max: (*range.end()).into(),
    })
}

fn compact(field: &'static str, target: Target) -> Result<(), ParamsError> {
    // A target cannot be zero, so its compact form always names one.
    let rounded = target.to_compact().to_target().unwrap_or(Target::MIN);
    if rounded == target {
        return Ok(());
    }
    Err(ParamsError::TargetNotCompact {
        field,
        target,
        rounded,
    })
}
