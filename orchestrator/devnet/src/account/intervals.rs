//! Times between blocks, and how many blocks lost.

use std::collections::BTreeMap;

use super::model::{Band, Bin, IntervalAt, Intervals, Span, Stale};
use super::statistics::summary;
use super::tree::Found;

/// Bars of the distribution for each target interval, and target intervals
/// until the last bar, which has no end.
const BINS_PER_TARGET: u32 = 2;
const TARGETS: u32 = 6;

/// Intervals of the best chain's blocks, from each block to the next by when
/// the first node had them.
pub fn intervals(blocks: &[Found], target_ms: u64, span: Span) -> Intervals {
    let best: BTreeMap<&str, &Found> = blocks
        .iter()
        .filter(|block| block.is_best && span.holds(block.at_ms))
        .map(|block| (block.hash.as_str(), block))
        .collect();
    let mut points: Vec<IntervalAt> = best
        .values()
        .filter_map(|block| {
            let parent = best.get(block.parent.as_deref()?)?;
            Some(IntervalAt {
                at_ms: block.at_ms,
                height: block.height,
                miner: block.miner.clone(),
                interval_ms: block.at_ms.saturating_sub(parent.at_ms),
            })
        })
        .collect();
    points.sort_by_key(|point| (point.at_ms, point.height));
    let values: Vec<f64> = points
        .iter()
        .map(|point| point.interval_ms as f64)
        .collect();
    Intervals {
        bins: bins(&values, target_ms),
        summary: summary(values),
        points,
    }
}

/// The distribution beside what memoryless mining at the target lets expect.
fn bins(values: &[f64], target_ms: u64) -> Vec<Bin> {
    if values.is_empty() || target_ms == 0 {
        return Vec::new();
    }
    let width = target_ms as f64 / f64::from(BINS_PER_TARGET);
    let count = BINS_PER_TARGET * TARGETS;
    let beyond = |bound: f64| (-bound / target_ms as f64).exp();
    let bin = |index: u32| {
        let (from, to) = (width * f64::from(index), width * f64::from(index + 1));
        let is_last = index == count;
        let inside = |value: &&f64| **value >= from && (is_last || **value < to);
        let share = if is_last {
            beyond(from)
        } else {
            beyond(from) - beyond(to)
        };
        Bin {
            from_ms: whole(from),
            to_ms: (!is_last).then(|| whole(to)),
            count: values.iter().filter(inside).count(),
            expected: share * values.len() as f64,
        }
    };
    (0..=count).map(bin).collect()
}

/// Blocks beside the best chain.
pub fn stale(blocks: &[Found], faults: &[Band]) -> Stale {
    let mut stale = Stale::default();
    for block in blocks {
        let is_quiet = !is_disturbed(block.at_ms, faults);
        stale.blocks += 1;
        stale.stale += usize::from(!block.is_best);
        stale.quiet_blocks += usize::from(is_quiet);
        stale.quiet_stale += usize::from(is_quiet && !block.is_best);
    }
    stale
}

/// Whether a fault was in force at that time.
pub fn is_disturbed(at_ms: u64, faults: &[Band]) -> bool {
    faults.iter().any(|band| band.holds(at_ms))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few target intervals in milliseconds; casts of floats saturate"
)]
fn whole(ms: f64) -> u64 {
    ms.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u8, parent: u8, at_ms: u64, is_best: bool) -> Found {
        Found {
            place: 0,
            hash: number.to_string(),
            parent: Some(parent.to_string()),
            height: u32::from(number),
            miner: None,
            at_ms,
            is_best,
        }
    }

    const SPAN: Span = Span {
        begin_ms: 0,
        end_ms: 100_000,
    };

    //   1 - 2 - 3
    //        \- 4
    #[test]
    fn intervals_are_those_of_the_chain_that_won() {
        let blocks = [
            block(1, 0, 1_000, true),
            block(2, 1, 4_000, true),
            block(4, 2, 4_500, false),
            block(3, 2, 5_000, true),
        ];
        let told = intervals(&blocks, 1_000, SPAN);
        let spans: Vec<u64> = told.points.iter().map(|point| point.interval_ms).collect();
        assert_eq!(spans, [3_000, 1_000]);
        assert_eq!(told.summary.expect("two").mean, 2_000.0);
        let counted: usize = told.bins.iter().map(|bin| bin.count).sum();
        assert_eq!(counted, 2);
        let expected: f64 = told.bins.iter().map(|bin| bin.expected).sum();
        assert!((expected - 2.0).abs() < 1e-9, "{expected}");
        let stale = stale(&blocks, &[]);
        assert_eq!((stale.blocks, stale.stale), (4, 1));
    }

    #[test]
    fn a_network_without_blocks_has_no_intervals() {
        let told = intervals(&[], 1_000, SPAN);
        assert_eq!(told, Intervals::default());
        assert_eq!(intervals(&[block(1, 0, 5, true)], 0, SPAN).summary, None);
    }
}
