//! Amounts of the chain's coin, counted in base units ("sat").

use std::fmt;
use std::iter;
use std::str::FromStr;

/// Base units in one coin.
pub const COIN_SATS: u64 = 100_000_000;

/// No output, and no sum of a transaction's outputs or inputs, may exceed
/// this. The value is Bitcoin's, so that its blocks pass our rules.
pub const MAX_MONEY: Amount = Amount(21_000_000 * COIN_SATS);

const DECIMALS: usize = 8;

/// A number of base units. Any `u64` may be held, because untrusted bytes
/// carry any; [`Amount::is_in_range`] is the consensus bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// See [`MAX_MONEY`].
    pub const MAX_MONEY: Self = MAX_MONEY;

    /// From base units.
    #[must_use]
    pub const fn from_sat(sat: u64) -> Self {
        Self(sat)
    }

    /// In base units.
    #[must_use]
    pub const fn to_sat(self) -> u64 {
        self.0
    }

    /// The sum, or `None` if it does not fit 64 bits.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sat) => Some(Self(sat)),
            None => None,
        }
    }

    /// The difference, or `None` if `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(sat) => Some(Self(sat)),
            None => None,
        }
    }

    /// The sum of all, or `None` if it does not fit 64 bits.
    #[must_use]
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut sum = Self::ZERO;
        for amount in amounts {
            sum = sum.checked_add(amount)?;
        }
        Some(sum)
    }

    /// Whether this is at most [`MAX_MONEY`].
    #[must_use]
    pub const fn is_in_range(self) -> bool {
        self.0 <= MAX_MONEY.0
    }
}

/// Coins with as few decimals as are exact: `1.5`, `0.00000001`, `21000000`.
impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (coins, rest) = (self.0 / COIN_SATS, self.0 % COIN_SATS);
        if rest == 0 {
            return write!(formatter, "{coins}");
        }
        let decimals = format!("{rest:0DECIMALS$}");
        write!(formatter, "{coins}.{}", decimals.trim_end_matches('0'))
    }
}

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// Nothing but digits and one point may stand there.
    #[error("not an amount: write coins as digits, like 12 or 1.5")]
    NotANumber,
    /// Base units cannot be split.
    #[error("an amount has at most {DECIMALS} decimals")]
    TooPrecise,
    /// Does not fit 64 bits of base units.
    #[error("the amount is larger than any that can exist")]
    TooLarge,
}

/// Reads coins: `12`, `1.5`, `0.00000001`. No sign, exponent or separators.
impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let (coins, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(coins) || !all_digits(decimals) {
            return Err(ParseAmountError::NotANumber);
        }
        if decimals.len() > DECIMALS {
            return Err(ParseAmountError::TooPrecise);
        }
        let padded: String = decimals
            .chars()
            .chain(iter::repeat('0'))
            .take(DECIMALS)
            .collect();
        let whole: u64 = coins.parse().map_err(|_| ParseAmountError::TooLarge)?;
        let rest: u64 = padded.parse().map_err(|_| ParseAmountError::NotANumber)?;
        whole
            .checked_mul(COIN_SATS)
            .and_then(|sat| sat.checked_add(rest))
            .map(Self)
            .ok_or(ParseAmountError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_shows_no_needless_decimals() {
        let shown = |sat| Amount::from_sat(sat).to_string();
        assert_eq!(shown(0), "0");
        assert_eq!(shown(1), "0.00000001");
        assert_eq!(shown(150_000_000), "1.5");
        assert_eq!(shown(50 * COIN_SATS), "50");
        assert_eq!(shown(u64::MAX), "184467440737.09551615");
    }

    #[test]
    fn display_and_parse_agree() {
        for sat in [0, 1, 99_999_999, COIN_SATS, 123_456_789_012, u64::MAX] {
            let amount = Amount::from_sat(sat);
            assert_eq!(amount.to_string().parse(), Ok(amount));
        }
    }

    #[test]
    fn odd_texts_are_refused() {
        let parse = |text: &str| text.parse::<Amount>();
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1.5.2", "1_0", "٣",
        ] {
            assert_eq!(parse(text), Err(ParseAmountError::NotANumber), "{text:?}");
        }
        assert_eq!(parse("0.000000001"), Err(ParseAmountError::TooPrecise));
        assert_eq!(
            parse("184467440737.09551616"),
            Err(ParseAmountError::TooLarge)
        );
        assert_eq!(
            parse("99999999999999999999999"),
            Err(ParseAmountError::TooLarge)
        );
    }

    #[test]
    fn arithmetic_never_wraps() {
        let top = Amount::from_sat(u64::MAX);
        assert_eq!(top.checked_add(Amount::from_sat(1)), None);
        assert_eq!(Amount::ZERO.checked_sub(Amount::from_sat(1)), None);
        assert_eq!(Amount::checked_sum([top, Amount::from_sat(1)]), None);
        assert_eq!(
            Amount::checked_sum([Amount::from_sat(2), Amount::from_sat(3)]),
            Some(Amount::from_sat(5))
        );
    }

    #[test]
    fn the_range_ends_at_max_money() {
        assert!(MAX_MONEY.is_in_range());
        assert!(!Amount::from_sat(MAX_MONEY.to_sat() + 1).is_in_range());
    }
}
