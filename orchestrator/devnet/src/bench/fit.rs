//! How a cost grows with the size of a network: the exponent `b` of the power
//! law `cost = a * size^b`, by least squares on the logarithms of both.

use serde::Serialize;

use crate::account::statistics::summary;

/// Two-sided 95 % quantiles of Student's distribution, for 1 to 30 degrees of
/// freedom; beyond that the normal one is close.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];
const NORMAL: f64 = 1.960;

/// How a cost grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The exponent over all sizes: 0 is constant, 1 linear, 2 quadratic.
    pub exponent: f64,
    /// Where it lies with 95 % confidence; `None` with fewer than three points.
    pub interval: Option<(f64, f64)>,
    /// The exponent between the medians of the two largest sizes, which what is
    /// constant disturbs least.
    pub at_the_end: f64,
}

/// Fits points of size and cost, several of one size allowed. `None` without two
/// sizes; points that are not above 0 have no logarithm and are left out.
pub fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    let is_positive = |value: f64| value.is_finite() && value > 0.0;
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(size, cost)| is_positive(*size) && is_positive(*cost))
        .map(|(size, cost)| (size.ln(), cost.ln()))
        .collect();
    let (exponent, error) = line(&logs)?;
    let interval = error.map(|error| (exponent - error, exponent + error));
    Some(Fit {
        exponent,
        interval,
        at_the_end: at_the_end(&logs)?,
    })
}

/// Slope of the straight line closest to the points, and the half width of its
/// 95 % interval.
fn line(points: &[(f64, f64)]) -> Option<(f64, Option<f64>)> {
    #[expect(clippy::cast_precision_loss, reason = "points are few")]
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    if points.len() < 2 || spread <= f64::EPSILON {
        return None;
    }
    let common: f64 = points
        .iter()
        .map(|(x, y)| (x - x_mean) * (y - y_mean))
        .sum();
    let slope = common / spread;
    let rest = |(x, y): &(f64, f64)| (y - y_mean - slope * (x - x_mean)).powi(2);
    let rests: f64 = points.iter().map(rest).sum();
    let freedom = points.len() - 2;
    let error = (freedom > 0).then(|| {
        let student = STUDENT.get(freedom - 1).copied().unwrap_or(NORMAL);
        student * (rests / (count - 2.0) / spread).sqrt()
    });
    Some((slope, error))
}

fn at_the_end(logs: &[(f64, f64)]) -> Option<f64> {
    let mut sizes: Vec<f64> = logs.iter().map(|(size, _)| *size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let [.., before, last] = sizes.as_slice() else {
        return None;
    };
    let cost = |at: f64| {
        let costs = logs.iter().filter(|(size, _)| size.total_cmp(&at).is_eq());
        summary(costs.map(|(_, cost)| *cost).collect()).map(|told| told.median)
    };
    Some((cost(*last)? - cost(*before)?) / (last - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_power_law_gives_its_exponent_with_no_doubt() {
        for exponent in [0.0, 1.0, 1.5, 2.0] {
            let sizes = [10.0, 20.0, 50.0, 100.0, 200.0_f64];
            let points = sizes.map(|size| (size, 3.0 * size.powf(exponent)));
            let fit = fit(&points).expect("five sizes");
            let (low, high) = fit.interval.expect("more than two points");
            assert!(is_close(fit.exponent, exponent), "{fit:?}");
            assert!(is_close(low, exponent) && is_close(high, exponent));
            assert!(is_close(fit.at_the_end, exponent), "{fit:?}");
        }
    }

    /// By hand: x = ln 1, ln 2, ln 4 in units of ln 2 is 0, 1, 2; y is 0, 2, 2.
    /// Slope 1, rests 1/9 + 4/9 + 1/9, error sqrt(2/3 / 1 / 2), Student 12.706.
    #[test]
    fn the_interval_is_that_of_the_textbook() {
        let fit = fit(&[(1.0, 1.0), (2.0, 4.0), (4.0, 4.0)]).expect("three sizes");
        let half = 12.706 / 3.0_f64.sqrt();
        let (low, high) = fit.interval.expect("three points");
        assert!(is_close(fit.exponent, 1.0), "{fit:?}");
        assert!(is_close(low, 1.0 - half) && is_close(high, 1.0 + half));
        assert!(is_close(fit.at_the_end, 0.0), "{fit:?}");
    }

    #[test]
    fn a_constant_part_hides_growth_except_at_the_end() {
        let points = [3.0, 10.0, 100.0, 1_000.0].map(|size| (size, 50.0 + size));
        let fit = fit(&points).expect("four sizes");
        assert!(fit.at_the_end > fit.exponent, "{fit:?}");
    }

    #[test]
    fn too_little_to_fit_is_no_fit() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(3.0, 1.0), (3.0, 2.0)]), None);
        assert_eq!(fit(&[(3.0, 1.0), (10.0, 0.0), (20.0, f64::NAN)]), None);
        let two = fit(&[(1.0, 1.0), (10.0, 10.0)]).expect("two sizes");
        assert_eq!(two.interval, None);
    }
}
