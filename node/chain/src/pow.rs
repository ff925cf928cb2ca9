//! Proof of work: targets, their 32-bit form, chainwork, and the search.

mod search;

use std::fmt;
use std::ops::Add;

pub use ethnum::U256;

pub use self::search::Searcher;
use crate::hash::BlockHash;

/// Why a header's `bits` name no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The sign bit is set.
    #[error("bits {bits:#010x} stand for a negative target")]
    Negative {
        /// The value given.
        bits: u32,
    },
    /// More than 256 bits.
    #[error("bits {bits:#010x} stand for a target above 256 bits")]
    Overflow {
        /// The value given.
        bits: u32,
    },
    /// No hash could ever meet it.
    #[error("bits {bits:#010x} stand for the target zero")]
    Zero {
        /// The value given.
        bits: u32,
    },
}

/// A target in the 32 bits of a header: one byte of length and three of
/// mantissa. Any `u32` may be held; see [`CompactTarget::to_target`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompactTarget(pub u32);

impl CompactTarget {
    /// The target, in the arithmetic of Bitcoin's `arith_uint256`.
    ///
    /// # Errors
    /// [`BitsError`] if the value is negative, too large or zero.
    pub fn to_target(self) -> Result<Target, BitsError> {
        let bits = self.0;
        let length = bits >> 24;
        let mantissa = bits & 0x007f_ffff;
        // A short length drops the mantissa's low bytes before any check.
        let mantissa = mantissa >> (8 * 3_u32.saturating_sub(length));
        if mantissa != 0 && bits & 0x0080_0000 != 0 {
            return Err(BitsError::Negative { bits });
        }
        if overflows(length, mantissa) {
            return Err(BitsError::Overflow { bits });
        }
        let shift = 8 * length.saturating_sub(3);
        // Only a mantissa of zero passes with a shift of 256 or more.
        let value = U256::from(mantissa)
            .checked_shl(shift)
            .unwrap_or(U256::ZERO);
        Target::new(value).ok_or(BitsError::Zero { bits })
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl fmt::Debug for CompactTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#010x}", self.0)
    }
}

/// The largest hash that still counts as work. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(U256);

impl Target {
    /// The target every hash meets.
    pub const MAX: Self = Self(U256::MAX);
    /// The hardest target.
    pub const MIN: Self = Self(U256::ONE);

    /// `None` for zero.
    #[must_use]
    pub fn new(value: U256) -> Option<Self> {
        (value != U256::ZERO).then_some(Self(value))
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u256(self) -> U256 {
        self.0
    }

    /// The 32-bit form, rounded down to its three bytes of precision.
    #[must_use]
    pub fn to_compact(self) -> CompactTarget {
        let bit_length = 256 - self.0.leading_zeros();
        let mut length = bit_length.div_ceil(8);
        let mut mantissa = if length <= 3 {
            self.0.as_u32() << (8 * (3 - length))
        } else {
            (self.0 >> (8 * (length - 3))).as_u32()
        };
        // The mantissa's top bit is a sign; keep it clear.
        if mantissa & 0x0080_0000 != 0 {
            mantissa >>= 8;
            length += 1;
        }
        CompactTarget(length << 24 | mantissa)
    }

    /// Expected number of hashes until one meets this target:
    /// 2^256 / (target + 1).
    #[must_use]
    pub fn work(self) -> Chainwork {
        // 2^256 does not fit, but 2^256 / (t + 1) = (2^256 - t - 1) / (t + 1) + 1.
        match self.0.checked_add(U256::ONE) {
            Some(divisor) => Chainwork(!self.0 / divisor + U256::ONE),
            None => Chainwork(U256::ONE),
        }
    }

    /// Whether `hash`, read as a number, is at most this target.
    #[must_use]
    pub fn is_met_by(&self, hash: &BlockHash) -> bool {
        U256::from_le_bytes(hash.to_bytes()) <= self.0
    }

    /// The target that `hashes_per_second` meet once in `spacing_s` seconds
    /// on average. A product of zero counts as one hash.
    #[must_use]
    pub fn from_hash_rate(hashes_per_second: u64, spacing_s: u32) -> Self {
        let hashes = U256::from(hashes_per_second) * U256::from(spacing_s);
        if hashes <= U256::ONE {
            Self::MAX
        } else {
            Self(U256::MAX / hashes)
        }
    }
}

impl Target {
    /// How many times harder this is than Bitcoin's easiest target
    /// (`0x1d00ffff`): the figure Bitcoin's tools call difficulty. For display
    /// only; the rules never use floating point.
    #[must_use]
    pub fn difficulty(self) -> f64 {
        let easiest = U256::from(0xffff_u32) << 208_u32;
        easiest.as_f64() / self.0.as_f64()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:064x}", self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Expected number of hashes behind a block or a chain of blocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Chainwork(U256);

impl Chainwork {
    /// No work.
    pub const ZERO: Self = Self(U256::ZERO);

    /// From the plain number.
    #[must_use]
    pub const fn from_u256(hashes: U256) -> Self {
        Self(hashes)
    }

    /// The plain number.
    #[must_use]
    pub const fn to_u256(self) -> U256 {
        self.0
    }

    /// From 32 bytes, most significant first.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }

    /// As 32 bytes, most significant first.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// The difference; zero if `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The nearest floating-point number, for metrics and rates.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0.as_f64()
    }
}

/// Held at the end of the 256-bit range, which no real chain can reach.
impl Add for Chainwork {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Chainwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:064x}", self.0)
    }
}

impl fmt::Debug for Chainwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Whether `mantissa * 256^(length - 3)` needs more than 256 bits.
const fn overflows(length: u32, mantissa: u32) -> bool {
    mantissa != 0
        && (length > 34 || (mantissa > 0xff && length > 33) || (mantissa > 0xffff && length > 32))
}
