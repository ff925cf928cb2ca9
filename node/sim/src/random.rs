//! Chance, in streams that do not disturb each other.
//!
//! Every draw belongs to a purpose and an entity. Each pair has a stream of its
//! own, so a node or a fault more or less moves nobody else's luck. Logarithms
//! and powers come from `libm`, the same on every platform.

use minichain_chain::hash::tagged_hash;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const TAG: &str = "minichain/sim/stream";

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a purpose and an entity under a seed.
    #[must_use]
    pub fn new(seed: u64, purpose: &str, entity: &[u64]) -> Self {
        let mut numbers = Vec::with_capacity(entity.len() * 8);
        for number in entity {
            numbers.extend_from_slice(&number.to_le_bytes());
        }
        let length = (purpose.len() as u64).to_le_bytes();
        let parts = [&seed.to_le_bytes(), &length, purpose.as_bytes(), &numbers];
        Self(ChaCha8Rng::from_seed(tagged_hash(TAG, &parts)))
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 to below `end`; 0 if that is 0. The bias is below end / 2^64.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// From 0 to below 1, in steps of 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
    pub fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.share())
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(2.0 * self.exponential());
        radius * libm::cos(core::f64::consts::TAU * self.share())
    }

    /// Puts a list into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = self.below(end as u64 + 1);
            list.swap(end, usize::try_from(other).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_other_entities_are_other_streams() {
        let first = |entity: &[u64], purpose| Stream::new(1, purpose, entity).bits();
        assert_eq!(first(&[1], "a"), first(&[1], "a"));
        let all = [
            first(&[1], "a"),
            first(&[2], "a"),
            first(&[1], "b"),
            first(&[1, 0], "a"),
            Stream::new(2, "a", &[1]).bits(),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{all:?}");
        }
    }

    #[test]
    fn draws_have_their_means() {
        let mut stream = Stream::new(7, "test", &[]);
        let mut mean = |draw: fn(&mut Stream) -> f64| {
            (0..100_000).map(|_| draw(&mut stream)).sum::<f64>() / 1e5
        };
        assert!((mean(Stream::exponential) - 1.0).abs() < 0.02);
        assert!(mean(Stream::normal).abs() < 0.02);
        assert!((mean(|stream| stream.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(Stream::share) - 0.5).abs() < 0.01);
    }

    #[test]
    fn shuffling_keeps_every_element() {
        let mut list: Vec<u32> = (0..100).collect();
        Stream::new(3, "test", &[]).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<u32>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<u32>>());
    }
}
