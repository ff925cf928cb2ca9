//! How many hashes are due, from elapsed time alone. Pure.

use std::time::Duration;

/// Length of a slice: hashing ends by then, and at usual rates the next slice
/// begins then.
pub const SLICE: Duration = Duration::from_millis(20);
/// Longest pause at very low rates, so that the header's time keeps up.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// Elapsed time counts up to here: a late wake-up is made good, a machine's
/// sleep is not.
const ELAPSED_MAX: Duration = Duration::from_millis(250);

/// Turns elapsed time into a number of hashes at a fixed rate. Fractions are
/// carried over, so that the long-run rate is exact.
#[derive(Debug)]
pub struct Throttle {
    hashes_per_second: f64,
    /// Hashes due but not handed out, or given back.
    carry: f64,
}

impl Throttle {
    /// A throttle at a finite rate that is not negative; 0 lets nothing
    /// through.
    pub fn new(hashes_per_second: f64) -> Self {
        Self {
            hashes_per_second,
            carry: 0.0,
        }
    }

    /// Changes the rate; what was due at another one is forgotten.
    pub fn set_rate(&mut self, hashes_per_second: f64) {
        if hashes_per_second.to_bits() != self.hashes_per_second.to_bits() {
            *self = Self::new(hashes_per_second);
        }
    }

    /// The hashes due after `elapsed` more time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "floored, never negative, and saturating is what is wanted"
    )]
    pub fn hashes_due(&mut self, elapsed: Duration) -> u64 {
        let elapsed = elapsed.min(self.elapsed_max());
        self.carry += self.hashes_per_second * elapsed.as_secs_f64();
        let due = self.carry.floor();
        self.carry -= due;
        due as u64
    }

    /// Takes back hashes that were handed out and not computed. No more than a
    /// moment's worth is kept: a processor that is too slow owes nothing.
    pub fn give_back(&mut self, hashes: u64) {
        #[expect(clippy::cast_precision_loss, reason = "capped right below")]
        let hashes = hashes as f64;
        if self.hashes_per_second == 0.0 {
            return;
        }
        self.carry =
            (self.carry + hashes).min(self.hashes_per_second * ELAPSED_MAX.as_secs_f64() + 1.0);
    }

    /// How long to pause when the last slice took `busy`: until the slice's
    /// end, or at low rates until the next whole hash is due. Zero when the
    /// rate is more than the processor manages.
    pub fn pause_after(&self, busy: Duration) -> Duration {
        if self.carry >= 1.0 {
            return Duration::ZERO;
        }
        let until_next = (1.0 - self.carry) / self.hashes_per_second;
        let wanted = if until_next < PAUSE_MAX.as_secs_f64() {
            Duration::from_secs_f64(until_next.max(0.0)).max(SLICE)
        } else {
            PAUSE_MAX
        };
        wanted.saturating_sub(busy)
    }

    /// A pause asked for by [`Throttle::pause_after`] must count in full.
    fn elapsed_max(&self) -> Duration {
        if self.hashes_per_second * SLICE.as_secs_f64() < 1.0 {
            PAUSE_MAX + ELAPSED_MAX
        } else {
            ELAPSED_MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate() -> impl Strategy<Value = f64> {
        (-3.0..9.0_f64).prop_map(|exponent| 10_f64.powf(exponent))
    }

    proptest! {
        #[test]
        fn long_run_rate_is_exact(
            rate in rate(),
            micros in prop::collection::vec(0..250_000_u64, 1..300),
        ) {
            let mut throttle = Throttle::new(rate);
            let total: u64 = micros
                .iter()
                .map(|&elapsed| throttle.hashes_due(Duration::from_micros(elapsed)))
                .sum();
            let expected = rate * micros.iter().sum::<u64>() as f64 / 1e6;
            let slack = 1.0 + expected * 1e-9;
            prop_assert!((total as f64 - expected).abs() <= slack, "{total} for {expected}");
        }

        #[test]
        fn cutting_time_into_slices_changes_nothing(rate in rate(), cuts in 1..50_u32) {
            let mut whole = Throttle::new(rate);
            let mut cut = Throttle::new(rate);
            let time = Duration::from_millis(200);
            let at_once = whole.hashes_due(time);
            let sliced: u64 = (0..cuts).map(|_| cut.hashes_due(time / cuts)).sum();
            prop_assert!(at_once.abs_diff(sliced) <= 1 + at_once / 1_000_000);
        }

        #[test]
        fn suspend_makes_no_burst(rate in rate(), hours in 1..1_000_u64) {
            let mut throttle = Throttle::new(rate);
            let due = throttle.hashes_due(Duration::from_secs(hours * 3_600));
            prop_assert!(due as f64 <= rate * 0.75 + 1.0);
        }

        #[test]
        fn pauses_never_lose_hashes(rate in rate()) {
            let mut throttle = Throttle::new(rate);
            let mut elapsed = Duration::ZERO;
            let mut total = 0;
            for _ in 0..200 {
                let pause = throttle.pause_after(Duration::ZERO);
                prop_assert!(pause <= PAUSE_MAX && pause >= SLICE);
                elapsed += pause;
                total += throttle.hashes_due(pause);
            }
            let expected = rate * elapsed.as_secs_f64();
            prop_assert!((total as f64 - expected).abs() <= 1.0 + expected * 1e-9);
        }
    }

    proptest! {
        #[test]
        fn hashes_given_back_are_due_again_up_to_a_moment_of_them(
            rate in rate(),
            hashes in 0..u64::MAX / 2,
        ) {
            let mut throttle = Throttle::new(rate);
            throttle.give_back(hashes);
            let due = throttle.hashes_due(Duration::ZERO);
            prop_assert!(due <= hashes);
            prop_assert!(due as f64 <= rate * 0.25 + 1.0);
            if (hashes as f64) < rate * 0.25 {
                prop_assert_eq!(due, hashes);
            }
        }
    }

    #[test]
    fn rate_of_nothing_lets_nothing_through_and_any_other_resumes() {
        let mut throttle = Throttle::new(1e6);
        assert!(throttle.hashes_due(SLICE) > 0);
        throttle.give_back(1_000);
        throttle.set_rate(0.0);
        for _ in 0..10 {
            assert_eq!(throttle.hashes_due(PAUSE_MAX), 0);
            throttle.give_back(1);
            assert_eq!(throttle.pause_after(Duration::ZERO), PAUSE_MAX);
        }
        throttle.set_rate(100.0);
        assert_eq!(throttle.hashes_due(Duration::from_millis(100)), 10);
    }

    #[test]
    fn overloaded_processor_gets_no_pause() {
        let mut throttle = Throttle::new(1e7);
        assert_eq!(throttle.pause_after(SLICE), Duration::ZERO);
        throttle.give_back(100);
        assert_eq!(throttle.pause_after(Duration::ZERO), Duration::ZERO);
    }
}
