//! Figures of a distribution.

use super::model::Summary;

/// Mean, median and tails of times in milliseconds; `None` without any.
pub fn summary(mut values: Vec<f64>) -> Option<Summary> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let max = *values.last()?;
    let count = values.len();
    Some(Summary {
        count,
        mean: values.iter().sum::<f64>() / count as f64,
        median: quantile(&values, 50),
        p90: quantile(&values, 90),
        p99: quantile(&values, 99),
        max,
    })
}

/// The value that `percent` of the sorted values do not exceed (nearest rank).
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occur() {
        let told = summary((1..=100).rev().map(f64::from).collect()).expect("values");
        assert_eq!(
            (told.median, told.p90, told.p99, told.max),
            (50.0, 90.0, 99.0, 100.0)
        );
        assert_eq!((told.count, told.mean), (100, 50.5));
        let one = summary(vec![7.0]).expect("a value");
        assert_eq!((one.median, one.p99), (7.0, 7.0));
    }

    #[test]
    fn nothing_has_no_figures() {
        assert_eq!(summary(Vec::new()), None);
        assert_eq!(summary(vec![f64::NAN, f64::INFINITY]), None);
    }
}
