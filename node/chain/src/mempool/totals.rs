//! Sums over families of transactions.

use super::FeeRate;
use super::graph::PoolEntry;
use crate::amount::Amount;

/// Sums over a transaction and others that depend on it, or it on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Transactions.
    pub count: usize,
    /// Virtual bytes.
    pub vsize: u64,
    /// Fees.
    pub fees: Amount,
}

impl Totals {
    /// Of nobody.
    pub const NONE: Self = Self {
        count: 0,
        vsize: 0,
        fees: Amount::ZERO,
    };

    pub(super) const fn of(fee: Amount, vsize: u64) -> Self {
        Self {
            count: 1,
            vsize,
            fees: fee,
        }
    }

    pub(super) const fn rate(&self) -> FeeRate {
        FeeRate::new(self.fees, self.vsize)
    }

    pub(super) fn add(&mut self, entry: &Own) {
        self.count += 1;
        self.vsize += entry.vsize;
        // Fees come from distinct coins, which together stay in range.
        self.fees = self.fees.checked_add(entry.fee).unwrap_or(self.fees);
    }

    pub(super) fn subtract(&mut self, entry: &Own) {
        self.count = self.count.saturating_sub(1);
        self.vsize = self.vsize.saturating_sub(entry.vsize);
        self.fees = self.fees.checked_sub(entry.fee).unwrap_or(Amount::ZERO);
    }
}

/// What one transaction adds to the totals of others.
#[derive(Clone, Copy)]
pub(super) struct Own {
    pub(super) fee: Amount,
    pub(super) vsize: u64,
}

/// Totals of a transaction whose given ancestors are in a block already.
pub(crate) fn without(mut totals: Totals, gone: &PoolEntry) -> Totals {
    totals.subtract(&gone.own());
    totals
}
