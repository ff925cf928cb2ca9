//! aserti3-2d, in integers so that every node agrees.
//!
//! Source: Bitcoin Cash specification "ASERT difficulty adjustment algorithm"
//! (2020-11-15) by Toomim, Toomim, Lundeberg and Zawy.

use super::DifficultyError;
use crate::height::Height;
use crate::pow::{CompactTarget, Target, U256};
use crate::time::UnixSeconds;

/// Where the schedule starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Height of the anchor block.
    pub height: Height,
    /// Time of the block below the anchor. One spacing before the anchor's own
    /// time puts the anchor on schedule, whatever stands below it.
    pub previous_time: UnixSeconds,
    /// Bits of the anchor block.
    pub bits: CompactTarget,
}

/// Fractional bits of the exponent.
const RADIX_BITS: u32 = 16;
const RADIX: i128 = 1 << RADIX_BITS;

/// The target of the block on top of `tip`, never easier than `limit`.
///
/// # Errors
/// [`DifficultyError`] for a tip below the anchor, a zero parameter, or an
/// anchor whose bits name no target.
pub fn next_target(
    anchor: &Anchor,
    tip: Height,
    tip_time: UnixSeconds,
    spacing_s: u32,
    half_life_s: u32,
    limit: Target,
) -> Result<Target, DifficultyError> {
    if spacing_s == 0 || half_life_s == 0 {
        return Err(DifficultyError::ZeroParameter);
    }
    if tip < anchor.height {
        return Err(DifficultyError::BelowAnchor {
            tip,
            anchor: anchor.height,
        });
    }
    let blocks = i128::from(tip.saturating_since(anchor.height)) + 1;
    let elapsed_s = i128::from(tip_time.since(anchor.previous_time));
    // Seconds behind schedule; 128 bits hold every product of the inputs.
    let behind_s = elapsed_s - i128::from(spacing_s) * blocks;
    // Division truncates towards zero, as the specification demands.
    let exponent = behind_s * RADIX / i128::from(half_life_s);
    let anchor_target = anchor.bits.to_target()?;
    Ok(scale(anchor_target, exponent, limit))
}

/// `target * 2^(exponent / RADIX)`, at least 1 and at most `limit`.
fn scale(target: Target, exponent: i128, limit: Target) -> Target {
    // An arithmetic shift rounds down, so the fraction is never negative.
    let shift = exponent >> RADIX_BITS;
    let fraction = u64::try_from(exponent & (RADIX - 1)).unwrap_or(0);
    let factor = U256::from(power_of_two(fraction));
    let value = match multiply(target.to_u256(), factor, shift - i128::from(RADIX_BITS)) {
        Product::Fits(value) => value,
        Product::TooLarge => return limit,
    };
    Target::new(value).unwrap_or(Target::MIN).min(limit)
}

/// `65536 * 2^(fraction / 65536)` by a cubic whose error is below 0.013 %.
/// The sum passes 2^63, so it must be unsigned.
const fn power_of_two(fraction: u64) -> u64 {
    let cubic = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction * fraction
        + 5_127 * fraction * fraction * fraction
        + (1 << 47);
    (cubic >> 48) + 65_536
}

enum Product {
    Fits(U256),
    TooLarge,
}

/// `value * factor * 2^shift`, rounded down once at the end.
fn multiply(value: U256, factor: U256, shift: i128) -> Product {
    // Split so that no product passes 256 bits: the factor has 17 bits.
    let (high, low) = (value >> 128, value & U256::from(u128::MAX));
    let (high, low) = (high * factor, low * factor);
    // The product is `high * 2^128 + low`, up to 273 bits.
    let carry = high + (low >> 128);
    let low = low & U256::from(u128::MAX);
    if shift < 0 {
        shift_right(carry, low, shift.unsigned_abs())
    } else {
        shift_left(carry, low, shift.unsigned_abs())
    }
}

/// `(high * 2^128 + low) / 2^bits`.
fn shift_right(high: U256, low: U256, bits: u128) -> Product {
    let Ok(bits) = u32::try_from(bits) else {
        return Product::Fits(U256::ZERO);
    };
    if bits >= 128 {
        return Product::Fits(high.checked_shr(bits - 128).unwrap_or(U256::ZERO));
    }
    // `low` has 128 bits, so only the high part decides what fits.
    let kept = 128 - bits;
    if high >> (256 - kept) != U256::ZERO {
        return Product::TooLarge;
    }
    Product::Fits((high << kept) + (low >> bits))
}

/// `(high * 2^128 + low) * 2^bits`.
fn shift_left(high: U256, low: U256, bits: u128) -> Product {
    let whole = match shift_right(high, low, 0) {
        Product::Fits(whole) => whole,
        Product::TooLarge => return Product::TooLarge,
    };
    match u32::try_from(bits) {
        Ok(bits) if bits <= whole.leading_zeros() && bits < 256 => Product::Fits(whole << bits),
        _ => Product::TooLarge,
    }
}
