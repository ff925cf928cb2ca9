//! From a genesis file to the rules of a simulated chain.
//!
//! The rules are the node's, but for what counts as work: it is drawn, not
//! searched for. Rates are counted in thousandths of a hash, so that slow miners
//! keep their share.

use minichain_api::genesis::{DifficultyRule, GenesisFile, Owner};
use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::difficulty::Rule;
use minichain_chain::hex;
use minichain_chain::params::{Allocation, Params, Proof, Reward, dev_account_key};
use minichain_chain::pow::Target;
use minichain_chain::time::UnixSeconds;

/// Least seconds a block's time may be ahead, and spacings in a half-life,
/// where the file says nothing; as the node has it.
const FUTURE_LIMIT_MIN_S: u32 = 10;
const HALF_LIFE_SPACINGS: u32 = 30;
/// Thousandths of a hash, the unit of simulated rates.
const RATE_SCALE: f64 = 1_000.0;

/// The rules of a network's chain as simulated nodes follow them.
///
/// # Errors
/// A sentence that names the field and what is wrong with it.
pub fn params(genesis: &GenesisFile) -> Result<Params, String> {
    let amount = |field: &str, text: &str| {
        let parsed = text.parse::<Amount>();
        parsed.map_err(|error| format!("genesis file: {field}: {text:?}: {error}"))
    };
    let spacing_s = genesis.spacing_s;
    let future_limit_s = genesis
        .future_limit_s
        .unwrap_or_else(|| spacing_s.saturating_mul(3).max(FUTURE_LIMIT_MIN_S));
    let rate = scaled(genesis.initial_hash_rate);
    let easiest = scaled(genesis.initial_hash_rate / genesis.limit_factor.max(1.0));
    let target = |rate: u64| {
        let target = Target::from_hash_rate(rate, spacing_s);
        target.to_compact().to_target().unwrap_or(target)
    };
    let initial_target = target(rate);
    let params = Params {
        network: genesis.network.clone(),
        address_prefix: genesis.address_prefix.clone(),
        genesis_time: UnixSeconds(genesis.time_s),
        spacing_s,
        difficulty: difficulty(genesis, future_limit_s),
        initial_target,
        pow_limit: target(easiest).max(initial_target),
        future_limit_s,
        reward: Reward {
            initial: amount("reward.initial", &genesis.reward.initial)?,
            halving_interval: genesis.reward.halving_interval,
        },
        coinbase_maturity: genesis.coinbase_maturity,
        block_weight_max: genesis.block_weight_max,
        allocations: allocations(genesis)?,
        proof: Proof::Simulated,
    };
    let checked = params.check();
    checked.map_err(|error| format!("genesis file: {error}"))
}

/// A rate as the simulator counts it; never 0 where somebody hashes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
pub(super) fn scaled(hashes_per_second: f64) -> u64 {
    if hashes_per_second <= 0.0 {
        return 0;
    }
    let scaled = (hashes_per_second * RATE_SCALE).round();
    scaled.clamp(1.0, 1e15) as u64
}

/// The inverse of [`scaled`].
#[expect(clippy::cast_precision_loss, reason = "rates stay below 2^53")]
pub(super) fn unscaled(rate: u64) -> f64 {
    rate as f64 / RATE_SCALE
}

fn difficulty(genesis: &GenesisFile, future_limit_s: u32) -> Rule {
    match genesis.difficulty {
        DifficultyRule::Asert { half_life_s } => Rule::Asert {
            half_life_s: half_life_s.unwrap_or_else(|| {
                let usual = genesis.spacing_s.saturating_mul(HALF_LIFE_SPACINGS);
                usual.max(future_limit_s.saturating_mul(10))
            }),
        },
        DifficultyRule::Lwma { window } => Rule::Lwma { window },
        DifficultyRule::Fixed {} => Rule::Fixed,
    }
}

fn allocations(genesis: &GenesisFile) -> Result<Vec<Allocation>, String> {
    let all = genesis.allocations.iter();
    all.map(|allocation| {
        let account = &allocation.account;
        let bad = |why: String| format!("genesis file: the owner of {account}: {why}");
        let output_key = match &allocation.owner {
            Owner::Address(text) => Address::parse(&genesis.address_prefix, text)
                .map_err(|error| bad(error.to_string()))?
                .output_key(),
            Owner::PublicSeed(text) => {
                let seed = hex::decode_array(text).map_err(|error| bad(error.to_string()))?;
                dev_account_key(&seed, account).output_key()
            }
        };
        let amount = allocation.amount.parse::<Amount>();
        Ok(Allocation {
            account: account.clone(),
            amount: amount
                .map_err(|error| format!("genesis file: what {account} owns: {error}"))?,
            output_key,
        })
    })
    .collect()
}
