//! Watches for heals, and for the agreement that follows.

/// What is known of cuts and heals so far. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heals {
    is_cut: bool,
    last_ms: Option<u64>,
    awaits_agreement: bool,
}

impl Heals {
    /// Takes in a look; milliseconds from the last heal to agreement, if this
    /// look is the first to see it.
    pub fn see(&mut self, now_ms: u64, groups: usize, is_agreed: bool) -> Option<u64> {
        if groups > 1 {
            (self.is_cut, self.awaits_agreement) = (true, false);
            return None;
        }
        if self.is_cut {
            self.is_cut = false;
            self.last_ms = Some(now_ms);
            self.awaits_agreement = true;
        }
        let healed_ms = self
            .last_ms
            .filter(|_| self.awaits_agreement && is_agreed)?;
        self.awaits_agreement = false;
        Some(now_ms.saturating_sub(healed_ms))
    }

    /// When the last cut was seen to be healed.
    pub const fn last_ms(&self) -> Option<u64> {
        self.last_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_counts_once_and_only_after_a_heal() {
        let mut heals = Heals::default();
        assert_eq!(heals.see(1_000, 1, true), None);
        assert_eq!(heals.see(2_000, 2, true), None);
        assert_eq!(heals.see(3_000, 2, false), None);
        assert_eq!(heals.last_ms(), None);
        assert_eq!(heals.see(4_000, 1, false), None);
        assert_eq!(heals.see(5_000, 1, false), None);
        assert_eq!(heals.see(6_500, 1, true), Some(2_500));
        assert_eq!(heals.see(7_000, 1, true), None);
        assert_eq!(heals.last_ms(), Some(4_000));
    }

    #[test]
    fn a_new_cut_ends_the_wait() {
        let mut heals = Heals::default();
        heals.see(0, 3, true);
        heals.see(1_000, 1, false);
        heals.see(2_000, 2, false);
        assert_eq!(heals.see(9_000, 1, true), Some(0));
    }
}
