//! When does which byte leave. Pure: time is an argument, chance is seeded.
//!
//! Only lengths pass through here; whoever holds the bytes asks how many of
//! the oldest may leave. All times are since an origin of the caller's choice.

use std::collections::VecDeque;
use std::time::Duration;

use super::Condition;
use crate::net::dice::Dice;

/// Payload of a TCP segment on Ethernet, the unit of loss.
pub const SEGMENT_BYTES: usize = 1_460;
/// Bytes handed over within this time share a segment, as a kernel that has
/// not sent the first yet would send them together.
const COALESCE: Duration = Duration::from_millis(1);
/// TCP's first retransmission time-out, on a link with a short round trip
/// (Linux: `TCP_RTO_MIN`). Doubled by every further loss.
const RETRANSMIT_FIRST: Duration = Duration::from_millis(200);
/// Longest wait between two retransmissions (Linux: `TCP_RTO_MAX`).
const RETRANSMIT_MAX: Duration = Duration::from_secs(120);
/// Losses of one segment in a row (Linux: `tcp_retries2`).
const LOSSES_MAX: u32 = 15;

/// Decides when bytes of one connection leave.
#[derive(Debug)]
pub struct Shaper {
    condition: Condition,
    dice: Dice,
    /// Oldest first; the times of leaving never fall.
    queue: VecDeque<Segment>,
    waiting: usize,
    /// When the rate lets the next byte begin.
    line_free: Duration,
    last_leaves: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    len: usize,
    handed_over: Duration,
    leaves: Duration,
}

impl Shaper {
    /// A free link.
    pub fn new(seed: u64) -> Self {
        Self {
            condition: Condition::default(),
            dice: Dice::new(seed),
            queue: VecDeque::new(),
            waiting: 0,
            line_free: Duration::ZERO,
            last_leaves: Duration::ZERO,
        }
    }

    /// Whether bytes may pass without being handed over at all.
    pub fn is_open(&self) -> bool {
        self.condition.is_free() && self.queue.is_empty()
    }

    /// Bytes handed over that have not left.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Changes the condition. What waits is planned anew under it: what was
    /// held up by a cut as if handed over now, all else from when it was.
    pub fn set(&mut self, now: Duration, condition: Condition) {
        if condition == self.condition {
            return;
        }
        let was_blocked = self.condition.is_blocked();
        self.condition = condition;
        self.line_free = now;
        self.last_leaves = Duration::ZERO;
        for mut segment in std::mem::take(&mut self.queue) {
            if was_blocked {
                segment.handed_over = now;
            }
            segment.leaves = self.plan(segment.handed_over, segment.len);
            self.queue.push_back(segment);
        }
    }

    /// Takes over `len` bytes.
    pub fn push(&mut self, now: Duration, len: usize) {
        self.waiting += len;
        let mut rest = len - self.fill_last(now, len);
        while rest > 0 {
            let len = rest.min(SEGMENT_BYTES);
            let leaves = self.plan(now, len);
            self.queue.push_back(Segment {
                len,
                handed_over: now,
                leaves,
            });
            rest -= len;
        }
    }

    /// How many of the oldest bytes may leave.
    pub fn due(&self, now: Duration) -> usize {
        if self.condition.is_blocked() {
            return 0;
        }
        let due = self
            .queue
            .iter()
            .take_while(|segment| segment.leaves <= now);
        due.map(|segment| segment.len).sum()
    }

    /// When the next bytes may leave; none when nothing waits or nothing gets
    /// through.
    pub fn next_at(&self) -> Option<Duration> {
        let front = self.queue.front()?;
        (!self.condition.is_blocked()).then_some(front.leaves)
    }

    /// The `len` oldest bytes have left.
    pub fn left(&mut self, mut len: usize) {
        self.waiting = self.waiting.saturating_sub(len);
        while let Some(front) = self.queue.front_mut().filter(|_| len > 0) {
            let part = front.len.min(len);
            front.len -= part;
            len -= part;
            if front.len == 0 {
                self.queue.pop_front();
            }
        }
    }

    /// Puts what fits into a segment that has just begun.
    fn fill_last(&mut self, now: Duration, len: usize) -> usize {
        let Some(last) = self.queue.back_mut() else {
            return 0;
        };
        if now.saturating_sub(last.handed_over) > COALESCE {
            return 0;
        }
        let part = len.min(SEGMENT_BYTES.saturating_sub(last.len));
        let takes = self.condition.time_on_line(part);
        last.len += part;
        last.leaves += takes;
        self.line_free += takes;
        self.last_leaves = last.leaves;
        part
    }

    /// When a segment leaves, behind all others.
    fn plan(&mut self, from: Duration, len: usize) -> Duration {
        let takes = self.condition.time_on_line(len);
        let mut leaves = from;
        if !takes.is_zero() {
            self.line_free = self.line_free.max(from) + takes;
            leaves = self.line_free;
        }
        leaves += self.delay() + self.retransmissions();
        self.last_leaves = self.last_leaves.max(leaves);
        self.last_leaves
    }

    fn delay(&mut self) -> Duration {
        let Condition {
            latency_ms,
            jitter_ms,
            ..
        } = self.condition;
        let jitter = if jitter_ms > 0.0 {
            jitter_ms * self.dice.normal()
        } else {
            0.0
        };
        // Not finite is refused before it gets here; it would be no delay.
        Duration::try_from_secs_f64((latency_ms + jitter).max(0.0) / 1e3).unwrap_or_default()
    }

    /// How long a segment is held up by being lost.
    fn retransmissions(&mut self) -> Duration {
        let mut held_up = Duration::ZERO;
        let mut wait = RETRANSMIT_FIRST;
        if self.condition.loss <= 0.0 || self.condition.is_blocked() {
            return held_up;
        }
        for _ in 0..LOSSES_MAX {
            if self.dice.share() >= self.condition.loss {
                break;
            }
            held_up += wait;
            wait = (wait * 2).min(RETRANSMIT_MAX);
        }
        held_up
    }
}

impl Condition {
    /// How long the rate makes so many bytes take.
    fn time_on_line(&self, len: usize) -> Duration {
        let nanos = |rate: u64| (len as u64).saturating_mul(1_000_000_000) / rate.max(1);
        Duration::from_nanos(self.rate_bytes_s.map_or(0, nanos))
    }
}

#[cfg(test)]
mod tests;
