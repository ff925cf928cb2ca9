//! Seeded chance. Pure.

/// A SplitMix64 generator: small, fast, and the same on every machine.
/// Source: Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// 2014.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The same seed brings the same throws.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any number.
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 (may be) to 1 (never).
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are what a double holds"
    )]
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From the normal distribution with mean 0 and standard deviation 1, by
    /// the method of Box and Muller.
    pub fn normal(&mut self) -> f64 {
        // Never 0, whose logarithm is infinite.
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn first_throws_are_the_published_ones() {
        let mut dice = Dice::new(1_234_567);
        let throws: Vec<_> = (0..3).map(|_| dice.number()).collect();
        assert_eq!(
            throws,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn shares_and_normals_are_spread_as_they_should() {
        let mut dice = Dice::new(7);
        let throws = 20_000;
        let shares: Vec<f64> = (0..throws).map(|_| dice.share()).collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        let mean = shares.iter().sum::<f64>() / f64::from(throws);
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let normals: Vec<f64> = (0..throws).map(|_| dice.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(throws);
        let variance = normals.iter().map(|n| n * n).sum::<f64>() / f64::from(throws);
        assert!(
            mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }
}
