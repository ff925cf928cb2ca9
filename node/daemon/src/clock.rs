//! The wall clock as this node sees it, which may be set wrong on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use minichain_chain::time::{UnixMillis, UnixSeconds};

/// The system's clock and an offset. Clones share the offset. What measures
/// durations does not look here, so no timer moves with it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The time, held at 1970 when the offset leads beyond.
    pub fn now(&self) -> UnixMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        UnixMillis(now.saturating_add_signed(self.offset_ms()))
    }

    /// The time in whole seconds.
    pub fn now_s(&self) -> UnixSeconds {
        self.now().to_seconds()
    }

    /// How far the clock is ahead of the system's, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets the offset.
    pub fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use minichain_chain::time::UnixMillis;

    use super::Clock;

    #[test]
    fn offset_moves_the_time_both_ways_and_is_shared() {
        let clock = Clock::default();
        let true_time = clock.now();
        clock.clone().set_offset_ms(3_600_000);
        assert!(clock.now() >= true_time.saturating_add(3_600_000));
        clock.set_offset_ms(-3_600_000);
        assert!(clock.now() < true_time);
        assert_eq!(clock.offset_ms(), -3_600_000);
    }

    #[test]
    fn extreme_offsets_are_held_at_the_ends() {
        let clock = Clock::default();
        clock.set_offset_ms(i64::MIN);
        assert_eq!(clock.now(), UnixMillis(0));
        clock.set_offset_ms(i64::MAX);
        assert_eq!(clock.now_s().to_u32(), u32::MAX);
    }
}
