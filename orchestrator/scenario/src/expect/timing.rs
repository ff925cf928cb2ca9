//! Claims about the times between blocks.

use super::each::{number, told};
use super::{Case, Judgement, Scene};
use crate::model::{Comparison, IntervalBounds};

pub(super) fn block_interval(scene: &Scene<'_>, case: &Case, bounds: &IntervalBounds) -> Judgement {
    let intervals = intervals(scene, case, bounds.over);
    let needed = bounds.over.map_or(1, |over| over.max(1) as usize);
    if intervals.len() < needed {
        let have = intervals.len();
        return Judgement::TooEarly(format!("{have} of {needed} intervals between blocks"));
    }
    let mut measured: Vec<(String, f64, &Comparison)> = Vec::new();
    if let Some(is) = &bounds.mean {
        measured.push(("mean".into(), mean(&intervals), is));
    }
    for (percent, is) in &bounds.percentiles {
        measured.push((format!("p{percent}"), percentile(&intervals, *percent), is));
    }
    let mut held = Vec::new();
    for (what, value, is) in measured {
        let shown = format!(
            "{what} {} ms over {} intervals",
            number(value),
            intervals.len()
        );
        match is.holds(value, scene.interval_ms(), scene.records) {
            Some(true) => held.push(shown),
            Some(false) => return Judgement::NotYet(format!("{shown}, not {}", told(scene, is))),
            None => return Judgement::TooEarly("a record it needs was not made".into()),
        }
    }
    if case.must_be_over(scene) {
        return Judgement::TooEarly(format!("{} so far", held.join(", ")));
    }
    Judgement::Holds(held.join(", "))
}

/// Milliseconds between blocks of the best chain that were mined in the
/// window, by header times (which may run backwards), oldest first.
fn intervals(scene: &Scene<'_>, case: &Case, over: Option<u32>) -> Vec<f64> {
    let since = case.window_begin(scene);
    let Some(best) = scene.history.best(&case.nodes) else {
        return Vec::new();
    };
    let chain: Vec<_> = scene.history.tree.chain(&best.fact.hash).collect();
    let most = over.map_or(usize::MAX, |over| over as usize);
    let mut intervals: Vec<f64> = chain
        .windows(2)
        .take_while(|pair| {
            // What the first look told is older than the run, and the genesis
            // block was not mined.
            let seen = pair[0].seen_at_ms;
            let is_new = seen >= since && seen > scene.history.first_at_ms();
            is_new && pair[1].fact.parent.is_some()
        })
        .take(most)
        .map(|pair| signed(pair[0].fact.time_ms) - signed(pair[1].fact.time_ms))
        .collect();
    intervals.reverse();
    intervals
}

fn mean(values: &[f64]) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the tree is bounded far below 2^52"
    )]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

/// The smallest value that at least so many percent do not exceed.
fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "percent is within 0 to 100 and the tree is bounded"
    )]
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    let place = rank.clamp(1, sorted.len()) - 1;
    sorted[place]
}

#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53 ms")]
const fn signed(time_ms: u64) -> f64 {
    time_ms as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(percentile(&values, 50.0), 3.0);
        assert_eq!(percentile(&values, 95.0), 5.0);
        assert_eq!(percentile(&values, 0.0), 1.0);
        assert_eq!(mean(&values), 3.0);
    }
}
