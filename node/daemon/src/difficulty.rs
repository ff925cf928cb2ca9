//! Targets as the ratios and rates that people read.

use minichain_chain::pow::Target;

/// Expected hashes until one meets `target`, rounded to a float.
pub fn work_f64(target: Target) -> f64 {
    target.work().to_f64()
}

/// How many times harder than `easiest` a target is; 1 for itself.
pub fn ratio(easiest: Target, target: Target) -> f64 {
    work_f64(target) / work_f64(easiest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_follows_the_work() {
        let easy = Target::from_hash_rate(1_000, 5);
        let hard = Target::from_hash_rate(4_000, 5);
        assert!((ratio(easy, easy) - 1.0).abs() < 1e-12);
        assert!((ratio(easy, hard) - 4.0).abs() < 1e-3);
    }
}
