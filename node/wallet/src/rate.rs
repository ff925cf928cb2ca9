//! Fee rates, and how large transactions of this chain are.

use std::fmt;
use std::str::FromStr;

use minichain_chain::amount::Amount;

/// Virtual bytes of a transaction without inputs and outputs, rounded up.
pub const FIXED_VBYTES: u64 = 11;
/// Virtual bytes of a key-path input with its witness, rounded up from 57.5.
pub const INPUT_VBYTES: u64 = 58;
/// Virtual bytes of an output to an address.
pub const OUTPUT_VBYTES: u64 = 43;

/// Virtual bytes of a transaction with so many inputs and outputs, rounded up.
#[must_use]
pub const fn vbytes(inputs: usize, outputs: usize) -> u64 {
    FIXED_VBYTES + inputs as u64 * INPUT_VBYTES + outputs as u64 * OUTPUT_VBYTES
}

/// Outputs worth less cost more to spend than they are worth at three base
/// units for a virtual byte; the value that Bitcoin Core uses for such outputs.
pub const DUST: Amount = Amount::from_sat(330);

/// No sane payment offers more; a slip of the decimal point does.
pub const RATE_MAX: FeeRate = FeeRate::from_sat_per_kvb(10_000_000);

/// A fee for each 1,000 virtual bytes, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate {
    sat_per_kvb: u64,
}

/// A text that is no fee rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a fee rate: write base units for a virtual byte with up to 3 decimals, like 1 or 0.25, \
     at most 10000"
)]
pub struct ParseFeeRateError;

impl FeeRate {
    /// From base units for 1,000 virtual bytes.
    #[must_use]
    pub const fn from_sat_per_kvb(sat_per_kvb: u64) -> Self {
        Self { sat_per_kvb }
    }

    /// Base units for 1,000 virtual bytes.
    #[must_use]
    pub const fn to_sat_per_kvb(self) -> u64 {
        self.sat_per_kvb
    }

    /// The fee for a size, rounded up.
    #[must_use]
    pub const fn fee(self, vbytes: u64) -> Amount {
        Amount::from_sat(self.sat_per_kvb.saturating_mul(vbytes).div_ceil(1_000))
    }
}

/// Base units for one virtual byte, as people write fee rates.
impl fmt::Display for FeeRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.sat_per_kvb / 1_000, self.sat_per_kvb % 1_000);
        let decimals = format!("{rest:03}");
        match decimals.trim_end_matches('0') {
            "" => write!(formatter, "{whole}"),
            decimals => write!(formatter, "{whole}.{decimals}"),
        }
    }
}

impl FromStr for FeeRate {
    type Err = ParseFeeRateError;

    fn from_str(text: &str) -> Result<Self, ParseFeeRateError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| {
            (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole) || !is_number(decimals) || decimals.len() > 3 {
            return Err(ParseFeeRateError);
        }
        let parse = |digits: &str| digits.parse::<u64>().map_err(|_| ParseFeeRateError);
        let sat_per_kvb = parse(whole)? * 1_000 + parse(&format!("{decimals:0<3}"))?;
        Some(Self { sat_per_kvb })
            .filter(|rate| *rate <= RATE_MAX)
            .ok_or(ParseFeeRateError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up() {
        assert_eq!(
            FeeRate::from_sat_per_kvb(100).fee(111),
            Amount::from_sat(12)
        );
        assert_eq!(FeeRate::from_sat_per_kvb(1_000).fee(1), Amount::from_sat(1));
        assert_eq!(FeeRate::from_sat_per_kvb(0).fee(500), Amount::ZERO);
    }

    #[test]
    fn display_and_parse_agree() {
        for sat_per_kvb in [0, 1, 100, 250, 1_000, 12_345, 10_000_000] {
            let rate = FeeRate::from_sat_per_kvb(sat_per_kvb);
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        assert_eq!("0.1".parse(), Ok(FeeRate::from_sat_per_kvb(100)));
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "1.2345",
            "10000.001",
            "9999999999",
        ] {
            assert_eq!(text.parse::<FeeRate>(), Err(ParseFeeRateError), "{text:?}");
        }
    }
}
