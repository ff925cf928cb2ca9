//! The tree of blocks: which of them won, and the merged picture.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::NodeName;
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::report::{Report, Segment, best_chain, fork_tree_along};

use super::arrivals::Reach;
use super::model::{Span, TreePicture, TreeRow};

/// Rows shown at most, the latest.
const ROWS_MAX: usize = 120;

/// Which blocks are on the chain that won.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    places: BTreeSet<usize>,
    best: BTreeSet<String>,
    known: BTreeSet<String>,
    /// When the first node had each block, by its place.
    found_ms: Vec<u64>,
}

/// A block that was found in the time that is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place in the report.
    pub place: usize,
    /// Its hash.
    pub hash: String,
    /// Its parent.
    pub parent: Option<String>,
    /// Its height.
    pub height: u32,
    /// Who mined it.
    pub miner: Option<NodeName>,
    /// When the first node had it.
    pub at_ms: u64,
    /// Whether it is on the chain that won.
    pub is_best: bool,
}

impl Chain {
    /// The chain of the heaviest of the nodes' tips, of all blocks where no
    /// tip is known. Of equals the one that was there first.
    pub fn of(report: &Report, reach: &Reach, tips: &BTreeMap<NodeName, TipMark>) -> Self {
        let first = |place: usize| reach.first_ms(place).unwrap_or(u64::MAX);
        let places = best_chain(report, tips, first);
        let hash = |place: &usize| report.blocks[*place].fact.hash.clone();
        let hashes = report.blocks.iter().map(|block| block.fact.hash.clone());
        Self {
            best: places.iter().map(hash).collect(),
            known: hashes.collect(),
            found_ms: found_ms(report, reach),
            places,
        }
    }

    /// Whether that block won. One that nobody told of is given the benefit.
    pub fn is_best(&self, hash: &str) -> bool {
        self.best.contains(hash) || !self.known.contains(hash)
    }

    /// Blocks found in that time, oldest first.
    pub fn blocks_in(&self, report: &Report, span: Span) -> Vec<Found> {
        let blocks = report.blocks.iter().zip(&self.found_ms).enumerate();
        let found = blocks.map(|(place, (block, at_ms))| Found {
            place,
            hash: block.fact.hash.clone(),
            parent: block.fact.parent.clone(),
            height: block.fact.height,
            miner: block.fact.miner.clone(),
            at_ms: *at_ms,
            is_best: self.best.contains(&block.fact.hash),
        });
        let mut found: Vec<Found> = found
            .filter(|block| block.parent.is_some() && span.holds(block.at_ms))
            .collect();
        found.sort_by_key(|block| (block.at_ms, block.height));
        found
    }
}

/// By the nodes' logs; where they say nothing by the looks at them, and of what
/// the first look found by the block's own time.
fn found_ms(report: &Report, reach: &Reach) -> Vec<u64> {
    let first_look = report.blocks.iter().map(|block| block.seen_at_ms).min();
    let blocks = report.blocks.iter().enumerate();
    blocks
        .map(|(place, block)| {
            let by_look = match Some(block.seen_at_ms) == first_look {
                true => block.fact.time_ms,
                false => block.seen_at_ms,
            };
            reach.first_ms(place).unwrap_or(by_look)
        })
        .collect()
}

/// A segment on its way into the picture.
struct Pending {
    segment: usize,
    lane: usize,
    from_lane: usize,
}

/// The picture of the tree with these tips, along the chain that won.
pub fn drawn(report: &Report, tips: &BTreeMap<NodeName, TipMark>, chain: &Chain) -> TreePicture {
    let tree = fork_tree_along(report, tips, &chain.places);
    let segments = &tree.segments;
    let found_ms = |segment: &Segment| chain.found_ms.get(segment.first).copied();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); segments.len()];
    for (place, segment) in segments.iter().enumerate() {
        if let Some(parent) = segment.parent {
            children[parent].push(place);
        }
    }
    // What goes on in the same lane comes last, so that all beside it is done.
    for list in &mut children {
        list.sort_by_key(|place| (segments[*place].is_trunk, found_ms(&segments[*place])));
    }
    let roots = (0..segments.len())
        .rev()
        .filter(|place| segments[*place].parent.is_none());
    let mut pending: Vec<Pending> = roots
        .map(|segment| Pending {
            segment,
            lane: 0,
            from_lane: 0,
        })
        .collect();
    let mut rows: Vec<TreeRow> = Vec::new();
    while let Some(Pending {
        segment,
        lane,
        from_lane,
    }) = pending.pop()
    {
        let passing = pending.iter().filter(|other| other.lane == other.from_lane);
        let passing: BTreeSet<usize> = passing
            .map(|other| other.lane)
            .filter(|other| *other < lane)
            .collect();
        let mut row = row(&segments[segment], lane, from_lane, passing);
        row.seen_at_ms = found_ms(&segments[segment]).unwrap_or(row.seen_at_ms);
        let own = &children[segment];
        row.goes_on = !own.is_empty();
        push(&mut rows, row);
        if let Some((main, sides)) = own.split_last() {
            pending.push(Pending {
                segment: *main,
                lane,
                from_lane: lane,
            });
            let sides = sides.iter().rev();
            pending.extend(sides.map(|side| Pending {
                segment: *side,
                lane: lane + 1,
                from_lane: lane,
            }));
        }
    }
    let begins = segments.iter().filter(|segment| !segment.is_trunk);
    let begins = begins.filter(|x| x.parent.is_some_and(|parent| segments[parent].is_trunk));
    let cut = rows.len().saturating_sub(ROWS_MAX);
    let cut_sides = rows
        .drain(..cut)
        .filter(|row| row.lane > row.from_lane)
        .count();
    TreePicture {
        rows,
        left_out: tree.left_out + cut_sides,
        sides: begins.count() + tree.left_out,
    }
}

fn row(segment: &Segment, lane: usize, from_lane: usize, passing: BTreeSet<usize>) -> TreeRow {
    let mined = segment.mined_by.iter();
    TreeRow {
        lane,
        from_lane,
        passing: passing.into_iter().collect(),
        goes_on: false,
        seen_at_ms: segment.seen_at_ms,
        from_height: segment.from_height,
        to_height: segment.to_height,
        last: segment.last.clone(),
        mined_by: mined
            .map(|(miner, blocks)| (miner.clone(), *blocks))
            .collect(),
        nodes: segment.nodes.clone(),
    }
}

/// Adds a row; one that only goes on from the row before it, without a fork
/// between that is shown, becomes one with it.
fn push(rows: &mut Vec<TreeRow>, row: TreeRow) {
    let goes_on = row.lane == row.from_lane;
    let Some(last) = rows
        .last_mut()
        .filter(|last| goes_on && last.lane == row.lane && last.goes_on && last.nodes.is_empty())
    else {
        rows.push(row);
        return;
    };
    let mut mined: BTreeMap<String, u32> = last.mined_by.drain(..).collect();
    for (miner, blocks) in row.mined_by {
        *mined.entry(miner).or_default() += blocks;
    }
    *last = TreeRow {
        from_lane: last.from_lane,
        passing: std::mem::take(&mut last.passing),
        seen_at_ms: last.seen_at_ms,
        from_height: last.from_height,
        mined_by: mined.into_iter().collect(),
        ..row
    };
}

#[cfg(test)]
mod tests;
