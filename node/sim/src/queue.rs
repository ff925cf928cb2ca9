//! What is due, by time; things due at one moment happen in the order they
//! were put in.
//!
//! A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, "Faster Algorithms for the
//! Shortest Path Problem", 1990): nothing is ever due before what was taken out
//! last, so things lie in buckets by the highest bit in which their time differs
//! from that. Only the lowest bucket is ever sorted out, into lower ones, and
//! things of one moment are always in one bucket, in their order.

use std::collections::VecDeque;

/// Microseconds since the world began.
pub type Micros = u64;

/// One millisecond.
pub const MILLI: Micros = 1_000;
/// One second.
pub const SECOND: Micros = 1_000_000;

/// As many things, if they lie in the lowest bucket, are due soon.
pub const SOON_MAX: usize = 32;

/// What is due.
#[derive(Debug)]
pub struct Queue<T> {
    /// Due at `last`, oldest first.
    due: VecDeque<T>,
    /// Due later, by the highest bit that differs from `last`.
    later: Vec<Bucket<T>>,
    /// Which buckets hold something.
    filled: u64,
    /// When the last thing that was taken out was due.
    last: Micros,
    len: usize,
}

#[derive(Debug)]
struct Bucket<T> {
    entries: Vec<(Micros, T)>,
    earliest: Micros,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let bucket = || Bucket {
            entries: Vec::new(),
            earliest: Micros::MAX,
        };
        Self {
            due: VecDeque::new(),
            later: (0..Micros::BITS).map(|_| bucket()).collect(),
            filled: 0,
            last: 0,
            len: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Adds something; what should have been due before the last thing taken
    /// out is due at once.
    pub fn push(&mut self, at: Micros, what: T) {
        self.len += 1;
        self.put(at.max(self.last), what);
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Micros> {
        if !self.due.is_empty() {
            return Some(self.last);
        }
        let lowest = self.later.get(self.filled.trailing_zeros() as usize)?;
        Some(lowest.earliest)
    }

    /// Takes out the next thing. `see` is now and then shown what is due soon.
    pub fn pop(&mut self, see: impl Fn(&[(Micros, T)])) -> Option<(Micros, T)> {
        if self.due.is_empty() {
            self.sort_out(see);
        }
        let what = self.due.pop_front()?;
        self.len -= 1;
        Some((self.last, what))
    }

    /// Things that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn put(&mut self, at: Micros, what: T) {
        let differs = at ^ self.last;
        if differs == 0 {
            self.due.push_back(what);
            return;
        }
        let number = differs.ilog2();
        self.filled |= 1 << number;
        let bucket = &mut self.later[number as usize];
        bucket.earliest = bucket.earliest.min(at);
        bucket.entries.push((at, what));
    }

    /// Moves what is in the lowest bucket to lower ones.
    fn sort_out(&mut self, see: impl Fn(&[(Micros, T)])) {
        let number = self.filled.trailing_zeros();
        let Some(bucket) = self.later.get_mut(number as usize) else {
            return;
        };
        self.filled &= !(1 << number);
        self.last = std::mem::replace(&mut bucket.earliest, Micros::MAX);
        let mut entries = std::mem::take(&mut bucket.entries);
        if entries.len() <= SOON_MAX {
            see(&entries);
        }
        for (at, what) in entries.drain(..) {
            self.put(at, what);
        }
        self.later[number as usize].entries = entries;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn things_come_out_by_time_and_then_in_order() {
        let mut queue = Queue::default();
        for (at, what) in [(5, 'a'), (3, 'b'), (5, 'c'), (3, 'd')] {
            queue.push(at, what);
        }
        let all: Vec<_> = std::iter::from_fn(|| queue.pop(|_| ())).collect();
        assert_eq!(all, [(3, 'b'), (3, 'd'), (5, 'a'), (5, 'c')]);
    }

    /// Against a list that is sorted by time and number.
    #[test]
    fn it_does_what_a_sorted_list_does() {
        let mut chance = Stream::new(1, "queue", &[]);
        let (mut queue, mut list) = (Queue::default(), Vec::new());
        let (mut now, mut number) = (0, 0_u32);
        let mut put = |queue: &mut Queue<u32>, list: &mut Vec<(Micros, u32)>, at| {
            number += 1;
            queue.push(at, number);
            list.push((at, number));
        };
        for _ in 0..20_000 {
            let far = 1 << chance.below(40);
            let at = now + chance.below(far);
            put(&mut queue, &mut list, at);
            if chance.below(5) < 2 {
                let first = list.iter().min().copied();
                assert_eq!(queue.next_at(), first.map(|(at, _)| at));
                assert_eq!(queue.pop(|_| ()), first);
                list.retain(|one| Some(*one) != first);
                now = first.map_or(now, |(at, _)| at);
            }
            // Looking at what comes next must not keep earlier things out.
            if chance.below(9) == 0 {
                let _ = queue.next_at();
                put(&mut queue, &mut list, now);
            }
            assert_eq!(queue.len(), list.len());
            if list.len() > 200 {
                list.sort_unstable();
                for first in list.drain(..150) {
                    assert_eq!(queue.pop(|_| ()), Some(first));
                    now = first.0;
                }
            }
        }
        list.sort_unstable();
        for first in list {
            assert_eq!(queue.pop(|_| ()), Some(first));
        }
        assert!(queue.is_empty() && queue.pop(|_| ()).is_none() && queue.next_at().is_none());
    }
}
