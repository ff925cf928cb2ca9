//! How fast a broken connection is noticed and mended, from the pace of the
//! network's blocks. Pure.
//!
//! What takes a few block intervals to mend looks instant to the chain; what
//! takes many is a fork. See decision 0008.

use std::time::Duration;

/// Time limits of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between pings.
    pub ping: Duration,
    /// Time to wait for the answer to one.
    pub ping_timeout: Duration,
    /// A connection on which no ping was answered for this long is dead.
    /// libp2p itself tells only of the second failure in a row.
    pub silence: Duration,
    /// A connection that is not set up by then is given up.
    pub set_up: Duration,
    /// Time between two attempts to reach a peer that was lost.
    pub redial: Duration,
    /// A second connection opened this much later than the first is no
    /// simultaneous dial: the peer has lost the first.
    pub half_open: Duration,
    /// A question that was begun and has not arrived by then, over a connection
    /// that lives, was never meant to. Far above [`Pace::silence`].
    pub question: Duration,
}

impl Pace {
    /// The pace of a network with this target time between blocks.
    pub fn new(spacing: Duration) -> Self {
        let seconds = Duration::from_secs;
        let ping = spacing.clamp(seconds(1), seconds(5));
        let silence = ping * 2 + seconds(2);
        Self {
            ping,
            ping_timeout: spacing.clamp(seconds(3), seconds(5)),
            silence,
            set_up: spacing.saturating_mul(2).clamp(seconds(2), seconds(10)),
            redial: spacing.clamp(seconds(1), seconds(5)),
            half_open: spacing.clamp(seconds(3), seconds(5)),
            question: silence * 5 / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn fast_chains_notice_and_mend_within_seconds_and_slow_ones_are_left_in_peace() {
        let fast = Pace::new(Duration::from_secs(1));
        assert_eq!(fast.silence, Duration::from_secs(4));
        assert_eq!(fast.set_up, Duration::from_secs(2));
        assert_eq!(fast.redial, Duration::from_secs(1));
        assert_eq!(fast.question, Duration::from_secs(10));
        let usual = Pace::new(Duration::from_secs(5));
        assert_eq!(usual.silence, Duration::from_secs(12));
        assert_eq!(usual.set_up, Duration::from_secs(10));
        assert_eq!(Pace::new(Duration::from_secs(600)), usual);
        assert_eq!(Pace::new(Duration::MAX), usual);
        assert_eq!(Pace::new(Duration::ZERO), fast);
    }

    #[test]
    fn silence_leaves_time_for_a_ping_and_its_answer() {
        for spacing_s in 0..20 {
            let pace = Pace::new(Duration::from_secs(spacing_s));
            assert!(pace.silence >= pace.ping + pace.ping_timeout, "{spacing_s}");
            assert!(pace.half_open < pace.silence, "{spacing_s}");
        }
    }
}
