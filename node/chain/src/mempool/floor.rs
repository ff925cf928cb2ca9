//! The least fee rate, which rises when the pool is full.
//!
//! What was pushed out must not come back at once for the same fee: that
//! traffic would be free. So the floor stands above whatever was evicted last
//! and sinks again as blocks come, faster while the pool has room. Blocks and
//! not seconds are counted: 72 of them are the 12 hours of Bitcoin Core at its
//! spacing.

use std::collections::BTreeSet;

use super::Mempool;
use crate::hash::Txid;

/// Blocks after which the floor has halved while the pool is at least half
/// full. Below half it takes half as many, below a quarter a quarter.
pub const FLOOR_HALVING_BLOCKS: u32 = 72;

/// The rate that rises and sinks.
#[derive(Debug, Default)]
pub(super) struct Floor {
    rate_sat_per_kvb: u64,
    /// Blocks since the last halving, weighted.
    blocks: u32,
}

impl Mempool {
    /// The least fee for 1,000 virtual bytes now, in base units: the operator's
    /// limit, or more while the pool is or lately was full.
    #[must_use]
    pub fn min_fee_rate_sat_per_kvb(&self) -> u64 {
        let lowest = self.limits.min_fee_rate_sat_per_kvb;
        lowest.max(self.floor.rate_sat_per_kvb)
    }

    /// Sets the floor above those that are about to be pushed out.
    pub(super) fn raise_floor(&mut self, evicted: &BTreeSet<Txid>) {
        let entries = evicted.iter().filter_map(|txid| self.entry(txid));
        let Some(best) = entries.map(super::PoolEntry::keeping_rate).max() else {
            return;
        };
        let step = self.limits.incremental_fee_rate_sat_per_kvb;
        let rate = best.to_sat_per_kvb().saturating_add(step);
        if rate > self.floor.rate_sat_per_kvb {
            self.floor = Floor {
                rate_sat_per_kvb: rate,
                blocks: 0,
            };
        }
    }

    /// Lets the floor sink by one block.
    pub(super) fn lower_floor(&mut self) {
        if self.floor.rate_sat_per_kvb == 0 {
            return;
        }
        let bytes = u128::from(self.bytes());
        let max = u128::from(self.limits.bytes_max);
        self.floor.blocks += match () {
            () if bytes * 4 < max => 4,
            () if bytes * 2 < max => 2,
            () => 1,
        };
        if self.floor.blocks >= FLOOR_HALVING_BLOCKS {
            self.floor.blocks = 0;
            self.floor.rate_sat_per_kvb /= 2;
        }
        // As low as this it keeps nobody out for long.
        if self.floor.rate_sat_per_kvb < self.limits.incremental_fee_rate_sat_per_kvb / 2 {
            self.floor = Floor::default();
        }
    }
}
