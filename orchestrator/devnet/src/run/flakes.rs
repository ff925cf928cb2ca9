//! What many runs of one scenario say: how often it fails, and how sure that is.

use serde::Serialize;

/// The normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// A share with the range it lies in with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// As counted, 0 to 1.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The share of `failed` in `runs`, by Wilson's score interval (E. B. Wilson,
/// JASA 22, 1927), which is sound for few runs and for rates near 0 too;
/// `None` for no runs.
pub fn share(failed: u32, runs: u32) -> Option<Share> {
    if runs == 0 {
        return None;
    }
    let (count, n) = (f64::from(failed.min(runs)), f64::from(runs));
    let rate = count / n;
    let z2 = Z_95 * Z_95;
    let centre = (rate + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Some(Share {
        rate,
        low: if failed == 0 {
            0.0
        } else {
            (centre - half).max(0.0)
        },
        high: if failed >= runs {
            1.0
        } else {
            (centre + half).min(1.0)
        },
    })
}

/// The median; `None` of nothing.
pub fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    match (sorted.len(), sorted.get(middle)) {
        (0, _) | (_, None) => None,
        (length, Some(upper)) if length % 2 == 1 => Some(*upper),
        (_, Some(upper)) => Some(u64::midpoint(sorted[middle - 1], *upper)),
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: f64| share * 100.0;
        write!(
            f,
            "{:.1} % (95 % confidence: {:.1} to {:.1} %)",
            percent(self.rate),
            percent(self.low),
            percent(self.high)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-4
    }

    // Figures as in Newcombe, Statistics in Medicine 17 (1998), table I.
    #[test]
    fn the_interval_is_wilsons() {
        for (failed, runs, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let share = share(failed, runs).expect("some runs");
            assert!(is_near(share.low, low), "{failed} of {runs}: {share:?}");
            assert!(is_near(share.high, high), "{failed} of {runs}: {share:?}");
        }
    }

    #[test]
    fn no_runs_say_nothing_and_all_failing_leaves_no_room_above() {
        assert_eq!(share(0, 0), None);
        let all = share(3, 3).expect("some runs");
        assert!(all.high >= 1.0 && all.low > 0.4, "{all:?}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7]), Some(7));
        assert_eq!(median(&[9, 1, 5]), Some(5));
        assert_eq!(median(&[4, 1, 2, 10]), Some(3));
    }
}
