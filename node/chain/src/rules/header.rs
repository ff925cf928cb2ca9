//! Rules of a header.

use crate::block::Header;
use crate::hash::BlockHash;
use crate::height::Height;
use crate::pow::{BitsError, CompactTarget, Target};
use crate::time::UnixSeconds;

/// Headers whose times a new header's time must exceed the median of.
pub const MEDIAN_TIME_SPAN: usize = 11;

/// The highest height: a coin's height and its coinbase flag share 32 bits.
pub const HEIGHT_MAX: Height = Height(u32::MAX >> 1);

/// Which rule a header broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// See [`check_proof_of_work`].
    #[error("the header's {0}")]
    BitsMalformed(#[from] BitsError),
    /// See [`check_proof_of_work`].
    #[error("bits {bits} ask for less work than the network's limit {limit}")]
    BitsAboveLimit {
        /// In the header.
        bits: CompactTarget,
        /// The easiest allowed.
        limit: Target,
    },
    /// See [`check_proof_of_work`].
    #[error("hash {hash} does not meet the target of bits {bits}")]
    ProofOfWork {
        /// Of the header.
        hash: BlockHash,
        /// In the header.
        bits: CompactTarget,
    },
    /// See [`check_bits`].
    #[error("bits are {found}, the difficulty rule expects {expected}")]
    BitsUnexpected {
        /// By the difficulty rule.
        expected: CompactTarget,
        /// In the header.
        found: CompactTarget,
    },
    /// See [`check_time_above_median`].
    #[error("time {time} is not above {median}, the median of the last {MEDIAN_TIME_SPAN}")]
    TimeTooOld {
        /// In the header.
        time: UnixSeconds,
        /// Of the ancestors.
        median: UnixSeconds,
    },
    /// See [`check_time_not_ahead`].
    #[error("time is {ahead_s} s beyond the {limit_s} s it may be ahead of the local clock")]
    TimeTooNew {
        /// Seconds beyond the limit.
        ahead_s: u32,
        /// The limit.
        limit_s: u32,
    },
    /// See [`check_height`].
    #[error("no block can stand above height {HEIGHT_MAX}")]
    HeightExhausted,
    /// It stands on a block that broke a rule.
    #[error("it stands on {parent}, which is invalid")]
    ParentInvalid {
        /// The block below.
        parent: BlockHash,
    },
    /// It was refused before.
    #[error("it is known to be invalid")]
    KnownInvalid,
}

impl HeaderError {
    /// The rule's label, one of [`super::RULES`].
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::BitsMalformed(_) => "bits_malformed",
            Self::BitsAboveLimit { .. } => "bits_above_limit",
            Self::ProofOfWork { .. } => "proof_of_work",
            Self::BitsUnexpected { .. } => "bits_unexpected",
            Self::TimeTooOld { .. } => "time_too_old",
            Self::TimeTooNew { .. } => "time_too_new",
            Self::HeightExhausted => "height_exhausted",
            Self::ParentInvalid { .. } => "parent_invalid",
            Self::KnownInvalid => "known_invalid",
        }
    }
}

/// The header's bits name a target no easier than `limit`, and its hash meets
/// that target.
///
/// # Errors
/// [`HeaderError::BitsMalformed`], [`HeaderError::BitsAboveLimit`] or
/// [`HeaderError::ProofOfWork`].
pub fn check_proof_of_work(header: &Header, limit: Target) -> Result<(), HeaderError> {
    let bits = header.bits;
    let target = check_target(bits, limit)?;
    let hash = header.hash();
    if !target.is_met_by(&hash) {
        return Err(HeaderError::ProofOfWork { hash, bits });
    }
    Ok(())
}

/// The bits name a target no easier than `limit`; returns it.
///
/// # Errors
/// [`HeaderError::BitsMalformed`] or [`HeaderError::BitsAboveLimit`].
pub fn check_target(bits: CompactTarget, limit: Target) -> Result<Target, HeaderError> {
    let target = bits.to_target()?;
    if target > limit {
        return Err(HeaderError::BitsAboveLimit { bits, limit });
    }
    Ok(target)
}

/// The bits are those the difficulty rule expects.
///
/// # Errors
/// [`HeaderError::BitsUnexpected`].
pub fn check_bits(found: CompactTarget, expected: CompactTarget) -> Result<(), HeaderError> {
    if found == expected {
        return Ok(());
    }
    Err(HeaderError::BitsUnexpected { expected, found })
}

/// The time is above the median of its last [`MEDIAN_TIME_SPAN`] ancestors.
///
/// # Errors
/// [`HeaderError::TimeTooOld`].
pub fn check_time_above_median(time: UnixSeconds, median: UnixSeconds) -> Result<(), HeaderError> {
    if time > median {
        return Ok(());
    }
    Err(HeaderError::TimeTooOld { time, median })
}

/// The time is at most `limit_s` seconds ahead of `now`. A header that breaks
/// this rule may keep it later, so it is neither remembered nor punished.
///
/// # Errors
/// [`HeaderError::TimeTooNew`].
pub fn check_time_not_ahead(
    time: UnixSeconds,
    now: UnixSeconds,
    limit_s: u32,
) -> Result<(), HeaderError> {
    let latest = now.saturating_add(limit_s);
    match u32::try_from(time.since(latest)) {
        Ok(ahead_s) if ahead_s > 0 => Err(HeaderError::TimeTooNew { ahead_s, limit_s }),
        _ => Ok(()),
    }
}

/// The height on top of `parent`.
///
/// # Errors
/// [`HeaderError::HeightExhausted`] above [`HEIGHT_MAX`].
pub fn check_height(parent: Height) -> Result<Height, HeaderError> {
    parent
        .next()
        .filter(|height| *height <= HEIGHT_MAX)
        .ok_or(HeaderError::HeightExhausted)
}

/// The median of the last times, in any order; of an even number the upper
/// one, as in Bitcoin. Zero without any.
#[must_use]
pub fn median_time(mut times: Vec<UnixSeconds>) -> UnixSeconds {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
