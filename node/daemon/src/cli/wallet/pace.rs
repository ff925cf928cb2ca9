//! How far a wallet looks ahead while it follows a chain.

/// How many blocks are looked through in one call. The first payment to an
/// address widens what is looked out for, and all that was looked through
/// behind it counts for nothing: so as many as lately were of use, and more
/// where nothing happens.
pub struct Pace {
    blocks: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { blocks: 1_000 }
    }
}

impl Pace {
    /// Less is not worth a call.
    const BLOCKS_MIN: u32 = 20;

    /// Where the call that begins at `next` ends.
    pub fn stop(&self, next: u32, tip: u32) -> u32 {
        next.saturating_add(self.blocks - 1).min(tip)
    }

    /// All of it was of use.
    pub fn was_kept(&mut self) {
        self.blocks = self.blocks.saturating_mul(2);
    }

    /// Only so many blocks were of use.
    pub fn was_cut_short(&mut self, used: u32) {
        self.blocks = used.saturating_mul(2).max(Self::BLOCKS_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    /// Blocks looked through in a chain where each of these heights pays a
    /// fresh address.
    fn looked_through(tip: u32, paid: impl Fn(u32) -> bool) -> u64 {
        let mut pace = Pace::default();
        let (mut next, mut sum) = (0, 0);
        while next <= tip {
            let stop = pace.stop(next, tip);
            sum += u64::from(stop - next + 1);
            match (next..=stop).find(|height| paid(*height)) {
                Some(height) => {
                    pace.was_cut_short(height + 1 - next);
                    next = height + 1;
                }
                None => {
                    pace.was_kept();
                    next = stop + 1;
                }
            }
        }
        sum
    }

    #[test]
    fn many_addresses_make_no_block_be_looked_through_many_times() {
        for every in [1, 7, 300, 1_000, 33_333] {
            let sum = looked_through(100_000, |height| height % every == 0);
            let calls = 100_000 / u64::from(every);
            assert!(sum <= 4 * 100_000 + 20 * calls, "{sum} for {every}");
        }
        let bursts = looked_through(100_000, |height| height % 10_000 < 30);
        assert!(bursts <= 4 * 100_000, "{bursts}");
    }

    #[test]
    fn quiet_chain_takes_few_calls_and_the_longest_no_overflow() {
        let mut pace = Pace::default();
        for _ in 0..40 {
            pace.was_kept();
        }
        assert_eq!(pace.stop(5, u32::MAX), u32::MAX);
        pace.was_cut_short(u32::MAX);
        assert_eq!(pace.stop(0, 9), 9);
    }
}
