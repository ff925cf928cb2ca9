//! Quantities as people write them: times, sizes and coins with their units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Why a text is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Not a time.
    #[error("`{0}` is not a time; write it like 5s or 2m")]
    Time(String),
    /// A block time that a header cannot express.
    #[error(
        "a block time of {0} cannot be had: headers carry whole seconds, so choose from 1s to {max}",
        max = BlockTime::MAX
    )]
    BlockTime(String),
    /// Not a size.
    #[error("`{0}` is not a size; write it like 256MiB, 64M or as a number of bytes")]
    Size(String),
    /// Not an amount of coins.
    #[error("`{0}` is not an amount of coins; write it like 1000 or 0.5, with at most 8 places")]
    Coins(String),
    /// More coins than can exist.
    #[error("{0} coins are more than the {max} that can exist", max = Coins::MAX)]
    TooManyCoins(String),
}

/// Target time between two blocks: whole seconds, 1 s to 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockTime {
    seconds: u32,
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize {
    /// Bytes.
    pub bytes: u64,
}

/// An amount of coins, exact to 8 places, at most 21 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coins {
    base_units: u64,
}

impl BlockTime {
    /// What a network has unless told otherwise.
    pub const DEFAULT: Self = Self { seconds: 5 };
    /// The longest.
    pub const MAX: Self = Self { seconds: 86_400 };

    /// A block time of so many seconds.
    ///
    /// # Errors
    /// Zero, or more than a day.
    pub fn from_seconds(seconds: u32) -> Result<Self, QuantityError> {
        if (1..=Self::MAX.seconds).contains(&seconds) {
            Ok(Self { seconds })
        } else {
            Err(QuantityError::BlockTime(format!("{seconds}s")))
        }
    }

    /// Seconds.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

impl FromStr for BlockTime {
    type Err = QuantityError;

    /// Reads `5s`, `1.0s`, `2000ms`, `2m`, `1h` or a plain number of seconds.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (number, unit) = split_unit(text);
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(QuantityError::Time(text.into())),
        };
        let thousandths =
            parse_decimal(number, 3).ok_or_else(|| QuantityError::Time(text.into()))?;
        let out_of_range = || QuantityError::BlockTime(text.trim().into());
        let millionths = thousandths.checked_mul(unit_ms).ok_or_else(out_of_range)?;
        if millionths % 1_000_000 != 0 {
            return Err(out_of_range());
        }
        let seconds = u32::try_from(millionths / 1_000_000).map_err(|_| out_of_range())?;
        Self::from_seconds(seconds).map_err(|_| out_of_range())
    }
}

impl fmt::Display for BlockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.seconds)
    }
}

impl ByteSize {
    /// So many binary megabytes.
    pub const fn from_mib(mib: u32) -> Self {
        Self {
            bytes: (mib as u64) << 20,
        }
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    /// Reads bytes or a number with `K`, `M`, `G` (also `KiB`, `Kib`, `k`, all
    /// binary as Docker reads them) or `kB`, `MB`, `GB` (decimal).
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let malformed = || QuantityError::Size(text.into());
        let (number, unit) = split_unit(text);
        let unit_bytes: u64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "ki" | "kib" => 1 << 10,
            "m" | "mi" | "mib" => 1 << 20,
            "g" | "gi" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err(malformed()),
        };
        let thousandths = parse_decimal(number, 3).ok_or_else(malformed)?;
        let bytes = thousandths.checked_mul(unit_bytes).ok_or_else(malformed)? / 1_000;
        Ok(Self { bytes })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if self.bytes > 0 && self.bytes.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.bytes >> shift);
            }
        }
        write!(f, "{}", self.bytes)
    }
}

impl Coins {
    const UNITS_PER_COIN: u64 = 100_000_000;

    /// All the coins a chain may hold.
    pub const MAX: Self = Self::from_whole(21_000_000);

    /// So many whole coins.
    pub const fn from_whole(coins: u32) -> Self {
        Self {
            base_units: coins as u64 * Self::UNITS_PER_COIN,
        }
    }

    /// Hundred-millionths of a coin.
    pub const fn base_units(self) -> u64 {
        self.base_units
    }
}

impl FromStr for Coins {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let base_units = parse_decimal(text, 8).ok_or_else(|| QuantityError::Coins(text.into()))?;
        if base_units > Self::MAX.base_units {
            return Err(QuantityError::TooManyCoins(text.trim().into()));
        }
        Ok(Self { base_units })
    }
}

impl fmt::Display for Coins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.base_units / Self::UNITS_PER_COIN;
        let rest = self.base_units % Self::UNITS_PER_COIN;
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let places = format!("{rest:08}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

/// Splits `12.5MiB` into `12.5` and `MiB`.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    (&text[..at], text[at..].trim_start())
}

/// Reads an unsigned decimal as a whole number of its `places`-th fractions.
/// Underscores may part digits. `None`: malformed, too many places, too large.
fn parse_decimal(text: &str, places: u32) -> Option<u64> {
    let text: String = text.trim().chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    whole
        .checked_mul(10_u64.checked_pow(places)?)?
        .checked_add(fraction.checked_mul(10_u64.checked_pow(missing)?)?)
}

/// Reads a quantity from a text, or from a number where the document has one.
struct QuantityVisitor<T> {
    expected: &'static str,
    marker: std::marker::PhantomData<T>,
}

impl<T> de::Visitor<'_> for QuantityVisitor<T>
where
    T: FromStr<Err = QuantityError>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! quantity_serde {
    ($($name:ident: $expected:literal;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let marker = std::marker::PhantomData;
                deserializer.deserialize_any(QuantityVisitor { expected: $expected, marker })
            }
        }
    )*};
}

quantity_serde! {
    BlockTime: "a time such as 5s";
    ByteSize: "a size such as 256MiB";
    Coins: "an amount of coins such as 1000 or 0.5";
}
