//! Waits between attempts to reach one peer. Pure.

use std::time::{Duration, Instant};

use crate::net::dice::Dice;

/// The wait after the first failure.
pub const WAIT_MIN: Duration = Duration::from_millis(200);
/// A connection that lasts this long was a success. One that the other side
/// closes at once, because it is full or keeps us away, was not.
pub const SETTLED: Duration = Duration::from_secs(10);
/// A lost peer is dialled at a steady pace this long: a cut may heal any time.
pub const LOST_PATIENCE: Duration = Duration::from_secs(600);
/// A peer that did not answer for this long is forgotten.
pub const FORGET_AFTER: Duration = Duration::from_secs(1_800);

/// Waits between attempts: doubled by every failure, or steady while the peer
/// was lost not long ago.
#[derive(Debug)]
pub struct Backoff {
    pub failures: u32,
    pub next_at: Instant,
    pub is_dialling: bool,
    connected_at: Option<Instant>,
    began: Instant,
    failing_since: Option<Instant>,
    lost_at: Option<Instant>,
    redial: Duration,
    max: Duration,
}

impl Backoff {
    /// The first attempt at `next_at`; waits double up to `max`. Attempts to
    /// reach a lost peer begin about every `redial`.
    pub const fn new(next_at: Instant, redial: Duration, max: Duration) -> Self {
        Self {
            failures: 0,
            next_at,
            is_dialling: false,
            connected_at: None,
            began: next_at,
            failing_since: None,
            lost_at: None,
            redial,
            max,
        }
    }

    /// Whether to dial now; if so the attempt is under way.
    pub fn begin(&mut self, now: Instant) -> bool {
        self.connected_at = None;
        let is_due = !self.is_dialling && self.next_at <= now;
        if is_due {
            self.is_dialling = true;
            self.began = now;
        }
        is_due
    }

    /// The attempt failed.
    pub fn fail(&mut self, now: Instant, dice: &mut Dice) {
        self.failing_since.get_or_insert(now);
        self.next_at = if self.is_lost(now) {
            // Counted from the attempt's begin: one that hung has waited
            // already. Spread, so that a healed network is no thundering herd.
            let pause = self.redial.mul_f64(0.75 + 0.5 * dice.share());
            (self.began + pause).max(now + WAIT_MIN)
        } else {
            let wait = WAIT_MIN.saturating_mul(1 << self.failures.min(16));
            now + wait.min(self.max)
        };
        self.failures = self.failures.saturating_add(1);
        self.is_dialling = false;
    }

    /// A connection that breaks at once counts as a failure.
    pub fn connected(&mut self, now: Instant, dice: &mut Dice) {
        self.fail(now, dice);
        self.connected_at = Some(now);
    }

    /// The peer is connected; whether it is for good.
    pub fn rest(&mut self, now: Instant) -> bool {
        let since = *self.connected_at.get_or_insert(now);
        let is_settled = now.saturating_duration_since(since) >= SETTLED;
        if is_settled {
            self.failures = 0;
            self.next_at = now;
            self.failing_since = None;
            self.lost_at = None;
        }
        is_settled
    }

    /// The peer was connected and is not any more, by no wish of ours.
    pub fn lost(&mut self, now: Instant, dice: &mut Dice) {
        self.failures = 0;
        self.failing_since = None;
        self.lost_at = Some(now);
        self.next_at = now + self.redial.mul_f64(0.25 * dice.share());
    }

    /// Another dial to the same peer was under way: no failure.
    pub fn postpone(&mut self, now: Instant) {
        self.next_at = now + WAIT_MIN;
        self.is_dialling = false;
    }

    /// Whether the peer was lost not long ago.
    pub fn is_lost(&self, now: Instant) -> bool {
        let since = |lost| now.saturating_duration_since(lost);
        self.lost_at.is_some_and(|lost| since(lost) < LOST_PATIENCE)
    }

    /// Whether it is time to forget the peer.
    pub fn is_hopeless(&self, now: Instant) -> bool {
        let since = |first| now.saturating_duration_since(first);
        self.failing_since
            .is_some_and(|first| since(first) >= FORGET_AFTER)
    }
}
