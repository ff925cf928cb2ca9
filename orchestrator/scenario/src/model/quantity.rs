//! Quantities as people write them: times, shares, sizes, rates and coins.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest time a scenario may ask for: a day, in milliseconds.
pub const TIME_MAX_MS: u64 = 86_400_000;

/// Base units of a coin.
const UNITS_PER_COIN: u64 = 100_000_000;

/// Why a text is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Not a time.
    #[error("`{0}` is not a time; write it like 15s, 500ms, 2m or 3 blocks")]
    Time(String),
    /// A number without a unit.
    #[error("a time needs a unit: write {0}s, {0}ms, or {0} blocks for target block intervals")]
    TimeUnit(String),
    /// Longer than a day.
    #[error("a time of {0} is longer than the 24h that a step may take")]
    TooLong(String),
    /// Not a time to the microsecond.
    #[error("`{0}` is not a time of the simulator; write it like 60us, 5ms or 2s")]
    Micros(String),
    /// Such a time without a unit.
    #[error("a time needs a unit: write {0}us, {0}ms or {0}s")]
    MicrosUnit(String),
    /// Less than the simulator can tell apart.
    #[error("`{0}` is finer than a microsecond, the least time that the simulator knows")]
    TooFine(String),
    /// Not a share.
    #[error("`{0}` is not a share; write it like 5% or 0.05")]
    Share(String),
    /// Not a size.
    #[error("`{0}` is not a size; write it like 200MiB or 1MB")]
    Bytes(String),
    /// Not a rate.
    #[error("`{0}` is not a rate; write it like 1MB/s, 64KiB/s or 8Mbit/s")]
    Rate(String),
    /// Not an amount.
    #[error("`{0}` is not an amount of coins; write it like 1 or 0.5, with at most 8 places")]
    Amount(String),
    /// Not a comparison.
    #[error(
        "`{0}` is not a comparison; write it like 3, \">= 3\", \"< 10%\" or \">= $before + 5\""
    )]
    Comparison(String),
}

/// A time: absolute, or in target block intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Time {
    /// Milliseconds.
    Ms(u64),
    /// So many times the target time between two blocks.
    Blocks(f64),
}

/// A time to the microsecond, for what only the simulator is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros {
    /// Microseconds.
    pub us: u64,
}

/// A time that may be negative, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Milliseconds.
    pub ms: i64,
}

/// A share, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// Bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRate {
    /// Bytes a second.
    pub bytes_s: u64,
}

/// An amount of coins in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Base units.
    pub sats: u64,
}

impl Time {
    /// Milliseconds where a target block interval is so many.
    pub fn ms(self, interval_ms: u64) -> u64 {
        match self {
            Self::Ms(ms) => ms,
            Self::Blocks(count) => round(count * as_f64(interval_ms)),
        }
    }
}

impl Share {
    /// A share; `None` outside of 0 to 1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Time {
    type Err = QuantityError;

    /// Reads `15s`, `1.5s`, `500ms`, `2m`, `1h`, `3 blocks`, `1 block`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let value = decimal(number).ok_or_else(|| QuantityError::Time(text.into()))?;
        let unit_ms = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" | "min" => 60_000.0,
            "h" => 3_600_000.0,
            "block" | "blocks" if value <= as_f64(TIME_MAX_MS) => return Ok(Self::Blocks(value)),
            "" => return Err(QuantityError::TimeUnit(text.trim().into())),
            _ => return Err(QuantityError::Time(text.into())),
        };
        let ms = value * unit_ms;
        if ms > as_f64(TIME_MAX_MS) {
            return Err(QuantityError::TooLong(text.trim().into()));
        }
        Ok(Self::Ms(round(ms)))
    }
}

impl FromStr for Micros {
    type Err = QuantityError;

    /// Reads `60us`, `1.5ms`, `2s`, `10m`; whole microseconds.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let value = decimal(number).ok_or_else(|| QuantityError::Micros(text.into()))?;
        let unit_us = match unit {
            "us" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "m" | "min" => 6e7,
            "" => return Err(QuantityError::MicrosUnit(text.trim().into())),
            _ => return Err(QuantityError::Micros(text.into())),
        };
        let us = value * unit_us;
        // Far above the rounding of a decimal, far below anything written.
        if (us - us.round()).abs() > 1e-6 {
            return Err(QuantityError::TooFine(text.trim().into()));
        }
        Ok(Self { us: round(us) })
    }
}

impl FromStr for Offset {
    type Err = QuantityError;

    /// Reads a time in seconds or milliseconds with an optional sign.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        match rest.parse()? {
            Time::Ms(ms) => Ok(Self {
                ms: sign * i64::try_from(ms).unwrap_or(i64::MAX),
            }),
            Time::Blocks(_) => Err(QuantityError::Time(text.into())),
        }
    }
}

impl FromStr for Share {
    type Err = QuantityError;

    /// Reads `5%` or `0.05`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Share(text.into());
        let (number, unit) = split_unit(text);
        let value = decimal(number).ok_or_else(malformed)?;
        match unit {
            "%" => Self::new(value / 100.0),
            "" => Self::new(value),
            _ => None,
        }
        .ok_or_else(malformed)
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    /// Reads bytes or a number with `K`, `M`, `G` (also `KiB`; binary) or `kB`,
    /// `MB`, `GB` (decimal).
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Bytes(text.into());
        let (number, unit) = split_unit(text);
        let value = decimal(number).ok_or_else(malformed)?;
        let bytes = value * unit_bytes(unit).ok_or_else(malformed)?;
        if bytes > 1e18 {
            return Err(malformed());
        }
        Ok(Self(round(bytes)))
    }
}

impl FromStr for ByteRate {
    type Err = QuantityError;

    /// Reads a size a second, `8Mbit/s`, or plain bytes a second.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Rate(text.into());
        let trimmed = text.trim();
        let size = trimmed.strip_suffix("/s").unwrap_or(trimmed);
        let bytes_s = if let Some(bits) = size.strip_suffix("bit") {
            let (number, unit) = split_unit(bits);
            let factor = match unit {
                "" => 1.0,
                "k" => 1e3,
                "M" => 1e6,
                "G" => 1e9,
                _ => return Err(malformed()),
            };
            round(decimal(number).ok_or_else(malformed)? * factor / 8.0)
        } else {
            size.parse::<Bytes>().map_err(|_| malformed())?.0
        };
        if bytes_s == 0 {
            return Err(malformed());
        }
        Ok(Self { bytes_s })
    }
}

impl FromStr for Amount {
    type Err = QuantityError;

    /// Reads coins, exact to 8 places.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Amount(text.into());
        let text = text.trim();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 8 || !is_digits(whole) || !is_digits(fraction) {
            return Err(malformed());
        }
        let whole: u64 = whole.parse().map_err(|_| malformed())?;
        let fraction: u64 = format!("{fraction:0<8}").parse().map_err(|_| malformed())?;
        let sats = whole
            .checked_mul(UNITS_PER_COIN)
            .and_then(|units| units.checked_add(fraction))
            .filter(|sats| *sats > 0)
            .ok_or_else(malformed)?;
        Ok(Self { sats })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(ms) if ms % 1_000 == 0 => write!(f, "{}s", ms / 1_000),
            Self::Ms(ms) => write!(f, "{ms}ms"),
            Self::Blocks(count) if (count - 1.0).abs() < f64::EPSILON => f.write_str("1 block"),
            Self::Blocks(count) => write!(f, "{count} blocks"),
        }
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.us {
            0 => f.write_str("0us"),
            us if us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us % 1_000 == 0 => write!(f, "{}ms", us / 1_000),
            us => write!(f, "{us}us"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Two places, so that 0.07 * 100 does not show its rounding.
        write!(f, "{}%", (self.0 * 10_000.0).round() / 100.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ms {
            ms if ms % 1_000 == 0 => write!(f, "{:+}s", ms / 1_000),
            ms => write!(f, "{ms:+}ms"),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0B"),
            bytes if bytes % 1_000_000_000 == 0 => write!(f, "{}GB", bytes / 1_000_000_000),
            bytes if bytes % 1_000_000 == 0 => write!(f, "{}MB", bytes / 1_000_000),
            bytes if bytes % 1_000 == 0 => write!(f, "{}kB", bytes / 1_000),
            bytes => write!(f, "{bytes}B"),
        }
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Bytes(self.bytes_s))
    }
}

/// A size's unit in bytes.
pub(super) fn unit_bytes(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "ki" | "kib" => 1024.0,
        "m" | "mi" | "mib" => 1_048_576.0,
        "g" | "gi" | "gib" => 1_073_741_824.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => return None,
    })
}

/// Splits `12.5MiB` into `12.5` and `MiB`.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    (&text[..at], text[at..].trim())
}

/// Reads an unsigned decimal; underscores may part digits.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let starts_well = digits.starts_with(|c: char| c.is_ascii_digit());
    let value: f64 = digits.parse().ok()?;
    (starts_well && value.is_finite()).then_some(value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and callers bound what matters"
)]
const fn round(value: f64) -> u64 {
    value.round() as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times and sizes here are far below 2^53"
)]
const fn as_f64(value: u64) -> f64 {
    value as f64
}
