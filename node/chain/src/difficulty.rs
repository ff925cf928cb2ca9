//! How hard the next block must be.
//!
//! The rule belongs to the network; it is chosen in the genesis file.

mod asert;
mod lwma;

pub use self::asert::{Anchor, next_target as asert_next_target};
pub use self::lwma::next_target as lwma_next_target;

use crate::height::Height;
use crate::pow::{BitsError, CompactTarget, Target};
use crate::time::UnixSeconds;

/// A difficulty rule with its own parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Absolutely scheduled, exponentially rising targets (aserti3-2d): the
    /// target halves or doubles for every `half_life_s` seconds the chain is
    /// ahead of or behind its schedule since the anchor.
    Asert {
        /// Seconds, at least 1.
        half_life_s: u32,
    },
    /// Linearly weighted moving average of the last `window` solve times.
    Lwma {
        /// Blocks, at least 1.
        window: u32,
    },
    /// Always the anchor's bits.
    Fixed,
}

impl Rule {
    /// How many of the last headers [`next_bits`] looks at, the tip included.
    #[must_use]
    pub const fn samples_needed(&self) -> usize {
        match self {
            Self::Asert { .. } => 1,
            Self::Lwma { window } => (*window as usize).saturating_add(1),
            Self::Fixed => 0,
        }
    }
}

/// What a rule sees of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Time in the header.
    pub time: UnixSeconds,
    /// Bits in the header.
    pub bits: CompactTarget,
}

/// What stays the same for a whole branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The rule.
    pub rule: Rule,
    /// Wanted seconds between blocks, at least 1.
    pub spacing_s: u32,
    /// The easiest target allowed.
    pub limit: Target,
    /// Where the schedule starts: a block of this branch whose bits were given.
    pub anchor: Anchor,
}

/// Why the next bits cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DifficultyError {
    /// The caller gave no header although the rule needs one.
    #[error("the difficulty rule needs the tip's header")]
    NoSamples,
    /// The tip is below the anchor.
    #[error("height {tip} is below the difficulty anchor at {anchor}")]
    BelowAnchor {
        /// Height given.
        tip: Height,
        /// Height of the anchor.
        anchor: Height,
    },
    /// A time of zero seconds or zero blocks in the schedule.
    #[error("spacing, half-life and window must be at least 1")]
    ZeroParameter,
    /// Bits in a header or the anchor name no target.
    #[error(transparent)]
    Bits(#[from] BitsError),
}

/// The bits a block on top of `tip` must carry. `recent` are the headers up
/// to and with the tip, oldest first: the last [`Rule::samples_needed`], or
/// all of the chain if it is shorter. More are ignored.
///
/// # Errors
/// [`DifficultyError`]; none of them can be caused by a peer once the headers
/// in `recent` have passed the rules.
pub fn next_bits(
    schedule: &Schedule,
    tip: Height,
    recent: &[Sample],
) -> Result<CompactTarget, DifficultyError> {
    let last = recent.last().ok_or(DifficultyError::NoSamples);
    let target = match schedule.rule {
        Rule::Fixed => return Ok(schedule.anchor.bits),
        Rule::Asert { half_life_s } => asert::next_target(
            &schedule.anchor,
            tip,
            last?.time,
            schedule.spacing_s,
            half_life_s,
            schedule.limit,
        )?,
        Rule::Lwma { window } => {
            lwma::next_target(recent, window, schedule.spacing_s, schedule.limit)?
        }
    };
    Ok(target.to_compact())
}
