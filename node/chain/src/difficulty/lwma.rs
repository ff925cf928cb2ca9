//! Linearly weighted moving average of solve times (after zawy12's LWMA-1):
//! the younger a block, the more its solve time counts.

use super::{DifficultyError, Sample};
use crate::pow::{Target, U256};

/// One solve time counts for at most this many spacings, so that one forged
/// time stamp cannot make the next blocks cheap.
const SOLVE_TIME_SPACINGS_MAX: u32 = 6;

/// The target of the block on top of the last of `recent`, never easier than
/// `limit`. `recent` are the last `window + 1` headers, oldest first. While
/// the chain is shorter, the blocks that are missing count as solved exactly
/// on time at the target of the oldest one.
///
/// # Errors
/// [`DifficultyError`] for no headers, a zero parameter, or bits that name no
/// target.
pub fn next_target(
    recent: &[Sample],
    window: u32,
    spacing_s: u32,
    limit: Target,
) -> Result<Target, DifficultyError> {
    if spacing_s == 0 || window == 0 {
        return Err(DifficultyError::ZeroParameter);
    }
    let surplus = recent
        .len()
        .saturating_sub((window as usize).saturating_add(1));
    let recent = &recent[surplus..];
    let first = recent.first().ok_or(DifficultyError::NoSamples)?;
    let missing = u64::from(window) + 1 - recent.len() as u64;

    let mut weighted_s = U256::from(spacing_s) * U256::from(missing * (missing + 1) / 2);
    let mut average = U256::from(missing) * share(first, window)?;
    let mut previous_s = first.time.0;
    for (weight, sample) in (missing + 1..).zip(&recent[1..]) {
        // Times may go backwards; a solve time is at least one second.
        let time_s = sample.time.0.max(previous_s.saturating_add(1));
        let solve_s = (time_s - previous_s).min(spacing_s.saturating_mul(SOLVE_TIME_SPACINGS_MAX));
        previous_s = time_s;
        weighted_s += U256::from(solve_s) * U256::from(weight);
        average += share(sample, window)?;
    }
    Ok(scale(average, weighted_s, window, spacing_s, limit))
}

/// One block's part of the average target.
fn share(sample: &Sample, window: u32) -> Result<U256, DifficultyError> {
    Ok(sample.bits.to_target()?.to_u256() / U256::from(window))
}

/// `average * weighted_s / (spacing_s * (1 + 2 + … + window))`.
fn scale(average: U256, weighted_s: U256, window: u32, spacing_s: u32, limit: Target) -> Target {
    let on_time_s = U256::from(spacing_s) * U256::from(window) * (U256::from(window) + U256::ONE)
        / U256::from(2u8);
    // The quotient first would lose precision, the product first may not fit.
    let value = match average.checked_mul(weighted_s) {
        Some(product) => product / on_time_s,
        None => (average / on_time_s).saturating_mul(weighted_s),
    };
    Target::new(value).unwrap_or(Target::MIN).min(limit)
}
