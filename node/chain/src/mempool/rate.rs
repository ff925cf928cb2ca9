//! Fee rates that compare exactly.

use std::cmp::Ordering;

use crate::amount::Amount;

/// Fee for size. Ordered by the exact quotient.
#[derive(Debug, Clone, Copy)]
pub struct FeeRate {
    fee: Amount,
    vsize: u64,
}

impl FeeRate {
    /// `fee` for `vsize` virtual bytes; no size counts as one byte.
    #[must_use]
    pub const fn new(fee: Amount, vsize: u64) -> Self {
        Self {
            fee,
            vsize: if vsize == 0 { 1 } else { vsize },
        }
    }

    /// Base units for 1,000 virtual bytes, rounded down.
    #[must_use]
    pub fn to_sat_per_kvb(self) -> u64 {
        let rate = u128::from(self.fee.to_sat()) * 1_000 / u128::from(self.vsize);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    fn times(self, vsize: u64) -> u128 {
        u128::from(self.fee.to_sat()) * u128::from(vsize)
    }
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.times(other.vsize).cmp(&other.times(self.vsize))
    }
}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for FeeRate {}
