//! What a header's place in the tree asks of it.

use crate::block::Header;
use crate::difficulty::{self, Anchor, Rule, Sample, Schedule};
use crate::height::Height;
use crate::params::Params;
use crate::pow::CompactTarget;
use crate::rules::header::{
    HeaderError, check_bits, check_height, check_time_above_median, check_time_not_ahead,
};
use crate::time::UnixSeconds;
use crate::tree::{Index, Tree};

const ANCHOR: Height = Height(1);

/// Checks all that depends on the headers below and on the clock; the local
/// clock last, because that rule alone may hold later. Returns the height.
pub(super) fn check_header(
    params: &Params,
    tree: &Tree,
    parent: Index,
    header: &Header,
    now: UnixSeconds,
) -> Result<Height, HeaderError> {
    let below = tree.at(parent);
    if below.status.is_invalid() {
        return Err(HeaderError::ParentInvalid { parent: below.hash });
    }
    let height = check_height(below.height)?;
    check_bits(header.bits, next_bits(params, tree, parent))?;
    check_time_above_median(header.time, tree.median_time_at(parent))?;
    check_time_not_ahead(header.time, now, params.future_limit_s)?;
    Ok(height)
}

/// Bits of a block on top of `parent`. Block 1 has the initial bits and is
/// the anchor of the schedule, so an old genesis time owes no blocks.
pub(super) fn next_bits(params: &Params, tree: &Tree, parent: Index) -> CompactTarget {
    let bits = params.initial_bits();
    let below = tree.at(parent);
    if below.height < ANCHOR || params.difficulty == Rule::Fixed {
        return bits;
    }
    let anchor_time = tree.at(tree.walk_down(parent, ANCHOR)).header.time;
    let schedule = Schedule {
        rule: params.difficulty,
        spacing_s: params.spacing_s,
        limit: params.pow_limit,
        anchor: Anchor {
            height: ANCHOR,
            previous_time: anchor_time.saturating_sub(params.spacing_s),
            bits,
        },
    };
    let mut recent: Vec<_> = tree
        .way_down(parent)
        .take(params.difficulty.samples_needed())
        .map(|index| tree.at(index))
        .take_while(|entry| entry.height >= ANCHOR)
        .map(|entry| Sample {
            time: entry.header.time,
            bits: entry.header.bits,
        })
        .collect();
    recent.reverse();
    // Cannot fail: there is a sample, it is not below the anchor, its bits
    // have passed the rules, and the parameters are checked.
    difficulty::next_bits(&schedule, below.height, &recent).unwrap_or(bits)
}
