//! What a network's schedule has issued: its allocations and the rewards of all
//! blocks up to a height.
//!
//! Worked out from the genesis file alone, not by the node's code, so that it
//! can be held against what nodes say of their coins.

use minichain_api::genesis::GenesisFile;
use minichain_chain::amount::{Amount, MAX_MONEY};

/// A network's schedule, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    allocated: u64,
    initial: u64,
    halving_interval: u32,
}

impl Schedule {
    /// The schedule of a genesis file; `None` where an amount in it cannot be
    /// read, with which no node would have started.
    pub fn of(genesis: &GenesisFile) -> Option<Self> {
        let sats = |text: &str| text.parse::<Amount>().ok().map(Amount::to_sat);
        let mut allocated = 0_u64;
        for allocation in &genesis.allocations {
            allocated = allocated.checked_add(sats(&allocation.amount)?)?;
        }
        Some(Self {
            allocated,
            initial: sats(&genesis.reward.initial)?,
            halving_interval: genesis.reward.halving_interval,
        })
    }

    /// All that exists once the block at `height` is there, in base units.
    pub fn issued_sats(&self, height: u32) -> u64 {
        let mut issued = self.allocated;
        let mut reward = self.initial;
        // Blocks whose reward is still to be added, and the number of the next.
        let mut next = 1_u64;
        let last = u64::from(height);
        while next <= last && reward > 0 {
            let era_end = match u64::from(self.halving_interval) {
                0 => last,
                // Height 0 belongs to the first era and earns nothing.
                interval => (next / interval + 1) * interval - 1,
            };
            let until = era_end.min(last);
            issued = issued.saturating_add(reward.saturating_mul(until - next + 1));
            next = until + 1;
            reward /= 2;
        }
        issued.min(MAX_MONEY.to_sat().max(self.allocated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(initial: u64, halving_interval: u32) -> Schedule {
        Schedule {
            allocated: 1_000,
            initial,
            halving_interval,
        }
    }

    #[test]
    fn every_block_adds_its_reward_and_genesis_none() {
        let schedule = schedule(50, 0);
        assert_eq!(schedule.issued_sats(0), 1_000);
        assert_eq!(schedule.issued_sats(1), 1_050);
        assert_eq!(schedule.issued_sats(10), 1_500);
    }

    #[test]
    fn the_reward_halves_at_every_multiple_of_the_interval() {
        let schedule = schedule(8, 4);
        let by_hand = |height: u32| {
            let reward = |at: u32| 8_u64.checked_shr(at / 4).unwrap_or(0);
            1_000 + (1..=height).map(reward).sum::<u64>()
        };
        for height in 0..40 {
            assert_eq!(schedule.issued_sats(height), by_hand(height), "at {height}");
        }
    }

    #[test]
    fn it_never_issues_more_than_can_exist() {
        let schedule = schedule(MAX_MONEY.to_sat() / 2, 0);
        assert_eq!(schedule.issued_sats(u32::MAX), MAX_MONEY.to_sat());
    }
}
