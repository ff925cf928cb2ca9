//! How much service a peer may use: a bucket that fills with time.

use crate::limits::{SERVICE_UNITS_MAX, SERVICE_UNITS_PER_S};

/// Service a peer may still use.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Thousandths of a unit, so that short times count too.
    milli_units: u64,
    filled_ms: u64,
}

impl Budget {
    pub fn new(now_ms: u64) -> Self {
        Self {
            milli_units: SERVICE_UNITS_MAX * 1_000,
            filled_ms: now_ms,
        }
    }

    /// Uses up `units`, or says that so many are not left.
    pub fn spend(&mut self, units: u64, now_ms: u64) -> bool {
        let elapsed_ms = now_ms.saturating_sub(self.filled_ms);
        let gained = elapsed_ms.saturating_mul(SERVICE_UNITS_PER_S);
        let full = SERVICE_UNITS_MAX * 1_000;
        self.milli_units = self.milli_units.saturating_add(gained).min(full);
        self.filled_ms = now_ms;
        match self.milli_units.checked_sub(units.saturating_mul(1_000)) {
            Some(rest) => {
                self.milli_units = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bucket_is_spent_and_refills_with_time() {
        let mut budget = Budget::new(0);
        assert!(budget.spend(SERVICE_UNITS_MAX, 0));
        assert!(!budget.spend(1, 0));
        assert!(budget.spend(SERVICE_UNITS_PER_S, 1_000));
        assert!(!budget.spend(1, 1_000));
        assert!(!budget.spend(SERVICE_UNITS_MAX + 1, u64::MAX));
        assert!(budget.spend(SERVICE_UNITS_MAX, u64::MAX));
    }
}
