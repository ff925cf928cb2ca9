//! Rows and the numbers in them.

use super::Row;

/// Standard deviations that a figure may be off.
pub const SIGMAS: f64 = 3.0;

/// A row of the table; the figure may be off by so much.
pub fn row(what: &str, expected: f64, measured: f64, tolerance: f64) -> Row {
    Row {
        what: what.to_owned(),
        expected,
        measured,
        low: expected - tolerance,
        high: expected + tolerance,
    }
}

/// A row of the table; the figure may be off by a factor, and by what chance does
/// to either end of that.
pub fn factor_row(
    what: &str,
    expected: f64,
    measured: f64,
    factor: f64,
    chance: impl Fn(f64) -> f64,
) -> Row {
    let (least, most) = (expected / factor, expected * factor);
    Row {
        what: what.to_owned(),
        expected,
        measured,
        low: least - chance(least),
        high: most + chance(most),
    }
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub const fn real(count: u64) -> f64 {
    count as f64
}

/// Three standard deviations of a share that was counted in so many trials.
pub fn spread(share: f64, trials: f64) -> f64 {
    SIGMAS * (share * (1.0 - share) / trials).sqrt()
}

/// Of sorted numbers, the one that the given share of them does not exceed.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * real(sorted.len() as u64)).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place in it"
    )]
    let place = (rank as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_within_their_bounds_alone() {
        for (measured, wanted) in [(0.9, true), (1.1, true), (0.89, false), (1.11, false)] {
            let row = row("figure", 1.0, measured, 0.100_001);
            assert_eq!((row.holds(), row.off().abs() <= 1.0), (wanted, wanted));
        }
        // 5 to 20, and a fifth of either end beyond.
        for (measured, wanted) in [(4.0, true), (24.0, true), (3.9, false), (24.1, false)] {
            let row = factor_row("figure", 10.0, measured, 2.0, |end| end / 5.0);
            assert_eq!((row.holds(), row.off().abs() <= 1.0), (wanted, wanted));
        }
        assert!(row("exact", 0.0, 0.0, 0.0).holds());
        assert!(!row("exact", 0.0, 1e-9, 0.0).holds());
    }

    #[test]
    fn quantiles_are_members_of_the_list() {
        let list: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(quantile(&list, 0.5).to_bits(), 5.0_f64.to_bits());
        assert_eq!(quantile(&list, 0.9).to_bits(), 9.0_f64.to_bits());
        assert_eq!(quantile(&list, 1.0).to_bits(), 10.0_f64.to_bits());
        assert_eq!(quantile(&[], 0.5).to_bits(), 0.0_f64.to_bits());
    }
}
