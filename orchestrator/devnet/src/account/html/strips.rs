//! What lies on a line of the timeline: bounded, whatever was recorded.

use super::kit::TimeScale;
use crate::account::model::{Band, Lane, TipAt};

/// Rows of faults at most; more share the last.
const FAULT_ROWS_MAX: usize = 5;
/// Stretches of a lane that are drawn as they are.
const RUNS_MAX: usize = 120;
/// Pixels of a column else.
const COLUMN: i32 = 6;
/// Room that a reorganisation's mark takes.
const MARK_WIDTH: i32 = 8;

/// Reorganisations with their pixels; of several at one place the deepest.
pub fn reorgs(lane: &Lane, scale: TimeScale) -> Vec<(i32, &TipAt)> {
    let mut kept: Vec<(i32, &TipAt)> = Vec::new();
    for tip in lane.tips.iter().filter(|tip| tip.lost > 0) {
        let x = scale.x(tip.at_ms);
        match kept.last_mut() {
            Some((last, deepest)) if x - *last < MARK_WIDTH => {
                if deepest.lost < tip.lost {
                    *deepest = tip;
                }
            }
            _ => kept.push((x, tip)),
        }
    }
    kept
}

/// Stretches of a lane on and off the chain that won, in pixels.
pub fn runs(lane: &Lane, scale: TimeScale, end_ms: u64) -> Vec<(i32, i32, bool)> {
    let mut runs: Vec<(i32, i32, bool)> = Vec::new();
    let ends = lane.tips.iter().skip(1).map(|tip| tip.at_ms);
    let ends = ends.chain([end_ms]);
    for (tip, end_ms) in lane.tips.iter().zip(ends) {
        let (from, to) = (scale.x(tip.at_ms), scale.x(end_ms));
        match runs.last_mut() {
            Some(last) if last.2 == tip.is_best => last.1 = to,
            // Narrower than a pixel is still shown, where it lost.
            Some(last) if tip.is_best && from == to => last.1 = to,
            _ => runs.push((from, to, tip.is_best)),
        }
    }
    coarse(runs, scale.right)
}

/// Stretches as they are, or columns of a few pixels where there are too many:
/// a column in which something lost is shown as lost.
fn coarse(runs: Vec<(i32, i32, bool)>, right: i32) -> Vec<(i32, i32, bool)> {
    if runs.len() <= RUNS_MAX {
        return runs;
    }
    let mut columns: Vec<(i32, i32, bool)> = Vec::new();
    for (from, to, is_best) in runs {
        let from = from - from % COLUMN;
        let to = (to - to % COLUMN + COLUMN).min(right);
        let Some(last) = columns.last_mut() else {
            columns.push((from, to, is_best));
            continue;
        };
        if last.2 == is_best {
            last.1 = to;
        } else if !is_best {
            last.1 = last.1.min(from);
            columns.push((from, to, false));
        } else if to > last.1 {
            let begin = last.1;
            columns.push((begin, to, true));
        }
    }
    columns
}

/// A row for each fault, so that those at one time do not hide each other.
pub fn pack(faults: &[Band]) -> Vec<usize> {
    let mut free_from: Vec<u64> = Vec::new();
    let mut rows = Vec::with_capacity(faults.len());
    for band in faults {
        let free = free_from
            .iter()
            .position(|free_ms| *free_ms <= band.from_ms);
        let row = free.unwrap_or(free_from.len()).min(FAULT_ROWS_MAX - 1);
        let end_ms = band
            .to_ms
            .unwrap_or(u64::MAX)
            .max(band.from_ms.saturating_add(1));
        match free_from.get_mut(row) {
            Some(free) => *free = end_ms.max(*free),
            None => free_from.push(end_ms),
        }
        rows.push(row);
    }
    rows
}
