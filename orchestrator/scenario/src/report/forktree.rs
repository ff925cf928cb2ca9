//! The fork tree as a picture of few lines: a trunk, and what branched off.

use std::collections::{BTreeMap, BTreeSet};

use super::{BlockReport, Report, told};
use crate::fault::NodeName;
use crate::history::faults::TipMark;
use crate::history::{MinedBy, short};

/// Side branches shown; of more the oldest are left out.
const SIDES_MAX: usize = 40;

/// Blocks in runs without a fork. Parents stand before children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForkTree {
    /// The runs.
    pub segments: Vec<Segment>,
    /// Side branches that are left out because there are too many.
    pub left_out: usize,
}

/// Blocks that follow each other without a fork between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The run it branches off from; `None` for a root.
    pub parent: Option<usize>,
    /// Whether it is part of the best chain.
    pub is_trunk: bool,
    /// Place of its first block in the report.
    pub first: usize,
    /// Height of its first block.
    pub from_height: u32,
    /// Height of its last block.
    pub to_height: u32,
    /// Hash of its last block.
    pub last: String,
    /// When its first block was seen, milliseconds on the world's clock.
    pub seen_at_ms: u64,
    /// Who mined its blocks.
    pub mined_by: MinedBy,
    /// Nodes whose tip is in it, with the tip's height.
    pub nodes: Vec<(NodeName, u32)>,
}

/// The fork tree of a report with these nodes' tips on it; the trunk is the
/// best chain, of equals the one that is told of first, as nodes hold it.
pub fn fork_tree(report: &Report, tips: &BTreeMap<NodeName, TipMark>) -> ForkTree {
    fork_tree_along(report, tips, &best_chain(report, tips, |_| 0))
}

/// The same with the blocks of these places as trunk.
pub fn fork_tree_along(
    report: &Report,
    tips: &BTreeMap<NodeName, TipMark>,
    trunk: &BTreeSet<usize>,
) -> ForkTree {
    let places = places(report);
    let parents = parents(report, &places);
    let mut children = vec![0_usize; parents.len()];
    for parent in parents.iter().flatten() {
        children[*parent] += 1;
    }
    let mut tree = ForkTree::default();
    let mut segment_of: Vec<usize> = Vec::with_capacity(parents.len());
    for (place, block) in report.blocks.iter().enumerate() {
        let parent = parents[place];
        let goes_on = parent.filter(|parent| children[*parent] == 1);
        let segment = match goes_on {
            Some(parent) => segment_of[parent],
            None => tree.begin(
                (place, block),
                parent.map(|x| segment_of[x]),
                trunk.contains(&place),
            ),
        };
        tree.segments[segment].grow(block);
        segment_of.push(segment);
    }
    for (node, mark) in tips {
        if let Some(place) = places.get(mark.tip.as_str()) {
            let nodes = &mut tree.segments[segment_of[*place]].nodes;
            nodes.push((node.clone(), mark.height));
        }
    }
    tree.without_oldest_sides()
}

/// Places in the report of the blocks of the best chain: that of the heaviest
/// of the nodes' tips, or of all blocks where none of the tips is known. Of
/// equals it is the one with the lowest `first`, then the one told of first.
pub fn best_chain(
    report: &Report,
    tips: &BTreeMap<NodeName, TipMark>,
    first: impl Fn(usize) -> u64,
) -> BTreeSet<usize> {
    let places = places(report);
    let held = tips
        .values()
        .filter_map(|mark| places.get(mark.tip.as_str()).copied());
    let held: BTreeSet<usize> = held.collect();
    let candidates = (0..report.blocks.len()).filter(|x| held.is_empty() || held.contains(x));
    let best = candidates.max_by(|a, b| {
        let work = |place: &usize| &report.blocks[*place].fact.work;
        let earlier = first(*b).cmp(&first(*a)).then(b.cmp(a));
        work(a).cmp(work(b)).then(earlier)
    });
    let parents = parents(report, &places);
    std::iter::successors(best, |place| parents[*place]).collect()
}

fn places(report: &Report) -> BTreeMap<&str, usize> {
    let blocks = report.blocks.iter().enumerate();
    blocks
        .map(|(place, block)| (block.fact.hash.as_str(), place))
        .collect()
}

/// The place of every block's parent, where it stands before it.
fn parents(report: &Report, places: &BTreeMap<&str, usize>) -> Vec<Option<usize>> {
    let blocks = report.blocks.iter().enumerate();
    blocks
        .map(|(place, block)| {
            let parent = places.get(block.fact.parent.as_deref()?).copied();
            // A report that was read back may have been written by anybody.
            parent.filter(|parent| *parent < place)
        })
        .collect()
}

impl ForkTree {
    /// The tree as lines of text.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        if self.left_out > 0 {
            lines.push(format!("({} older side branches left out)", self.left_out));
        }
        for (place, segment) in self.segments.iter().enumerate() {
            if segment.is_trunk || segment.parent.is_none() {
                lines.extend(segment.trunk_lines());
                self.side_lines(place, 1, &mut lines);
            }
        }
        lines.join("\n")
    }

    fn begin(
        &mut self,
        (first, block): (usize, &BlockReport),
        parent: Option<usize>,
        is_trunk: bool,
    ) -> usize {
        self.segments.push(Segment {
            parent,
            is_trunk,
            first,
            from_height: block.fact.height,
            to_height: block.fact.height,
            last: String::new(),
            seen_at_ms: block.seen_at_ms,
            mined_by: MinedBy::new(),
            nodes: Vec::new(),
        });
        self.segments.len() - 1
    }

    /// Lines of the side branches that part at the end of that segment, and of
    /// theirs.
    fn side_lines(&self, parent: usize, depth: usize, lines: &mut Vec<String>) {
        let sides = self.segments.iter().enumerate();
        for (place, side) in sides.filter(|(_, x)| x.parent == Some(parent) && !x.is_trunk) {
            let indent = "  ".repeat(depth.min(20) - 1);
            lines.push(format!("│ {indent}└─ {}", side.line()));
            self.side_lines(place, depth + 1, lines);
        }
    }

    /// Leaves out the side branches that are oldest and hold no node's tip.
    fn without_oldest_sides(mut self) -> Self {
        let parents: BTreeSet<usize> = self.segments.iter().filter_map(|x| x.parent).collect();
        let droppable: Vec<usize> = (0..self.segments.len())
            .filter(|place| {
                let segment = &self.segments[*place];
                !segment.is_trunk && segment.nodes.is_empty() && segment.parent.is_some()
            })
            .filter(|place| !parents.contains(place))
            .collect();
        let sides = self.segments.iter().filter(|x| !x.is_trunk).count();
        let drop: BTreeSet<usize> = droppable
            .into_iter()
            .take(sides.saturating_sub(SIDES_MAX))
            .collect();
        self.left_out = drop.len();
        self.keep(&drop)
    }

    fn keep(mut self, drop: &BTreeSet<usize>) -> Self {
        let kept: Vec<usize> = (0..self.segments.len())
            .filter(|place| !drop.contains(place))
            .collect();
        let moved: BTreeMap<usize, usize> = kept
            .iter()
            .enumerate()
            .map(|(new, old)| (*old, new))
            .collect();
        self.segments = kept
            .iter()
            .map(|old| {
                let mut segment = self.segments[*old].clone();
                segment.parent = segment.parent.and_then(|x| moved.get(&x).copied());
                segment
            })
            .collect();
        self
    }
}

impl Segment {
    /// Blocks in it.
    pub fn blocks(&self) -> u32 {
        self.to_height.saturating_sub(self.from_height) + 1
    }

    /// Its nodes for people: `n0, n1 (at 12)`.
    pub fn nodes_text(&self) -> String {
        let parts: Vec<String> = self
            .nodes
            .iter()
            .map(|(node, height)| {
                if *height == self.to_height {
                    node.clone()
                } else {
                    format!("{node} (at {height})")
                }
            })
            .collect();
        parts.join(", ")
    }

    fn grow(&mut self, block: &BlockReport) {
        self.to_height = block.fact.height;
        self.last.clone_from(&block.fact.hash);
        let genesis = || (block.fact.parent.is_none()).then(|| "genesis".to_owned());
        let miner = block.fact.miner.clone().or_else(genesis);
        let miner = miner.unwrap_or_else(|| "?".into());
        *self.mined_by.entry(miner).or_default() += 1;
    }

    fn line(&self) -> String {
        let blocks = counted(self.blocks());
        let heights = heights(self.from_height, self.to_height);
        let tip = short(&self.last);
        let mined = told(&self.mined_by);
        format!("{heights}  {blocks}: {mined}  {tip}{}", self.arrow())
    }

    fn trunk_lines(&self) -> Vec<String> {
        let end = format!(
            "● {:>5}  {}{}",
            self.to_height,
            short(&self.last),
            self.arrow()
        );
        let blocks = counted(self.blocks());
        let run = format!("│        {blocks}: {}", told(&self.mined_by));
        vec![run, end]
    }

    fn arrow(&self) -> String {
        if self.nodes.is_empty() {
            String::new()
        } else {
            format!("  ← {}", self.nodes_text())
        }
    }
}

fn counted(blocks: u32) -> String {
    let plural = if blocks == 1 { "" } else { "s" };
    format!("{blocks} block{plural}")
}

fn heights(from: u32, to: u32) -> String {
    if from == to {
        from.to_string()
    } else {
        format!("{from}–{to}")
    }
}
