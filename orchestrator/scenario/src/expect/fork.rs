//! Claims about forks: diverged, reorganisations, branches, stale blocks.

use std::collections::BTreeSet;

use super::each::{compare, compare_growing};
use super::{Case, Judgement, Scene};
use crate::fault::{Cut, NodeName};
use crate::history::faults::{FaultEntry, TipMark, heaviest};
use crate::history::short;
use crate::history::tree::Block;
use crate::model::Comparison;

/// One side of a cut.
struct Side<'a> {
    nodes: Vec<NodeName>,
    /// Whether it can mine.
    is_powered: bool,
    /// Its heaviest tip now.
    best: &'a Block,
    /// Its heaviest tip before the cut.
    before: Option<&'a TipMark>,
}

pub(super) fn diverged(scene: &Scene<'_>, case: &Case, advance: u32) -> Judgement {
    let cut = scene.history.faults.in_force().find(|x| x.cut().is_some());
    let Some((entry, cut)) = cut.and_then(|entry| Some((entry, entry.cut()?))) else {
        return Judgement::Violated("no cut is in force, so nothing can part".into());
    };
    let sides = match sides(scene, case, entry, cut) {
        Ok(sides) => sides,
        Err(judgement) => return judgement,
    };
    let powered: Vec<&Side<'_>> = sides.iter().filter(|side| side.is_powered).collect();
    let tips = sides.iter().map(|side| side.best.fact.hash.as_str());
    let Some(fork) = scene.history.tree.fork_point(tips) else {
        return Judgement::Violated("the sides' chains share no block".into());
    };
    if let Some(why) = parted_before(&powered, fork) {
        return Judgement::Violated(why);
    }
    let mut told = Vec::new();
    for side in &powered {
        let alone = mined_alone(scene, side, &sides);
        let who = side.nodes.join(",");
        let is_beyond = side.before.is_none_or(|x| side.best.fact.work > x.work);
        if alone < advance.max(1) || !is_beyond {
            return Judgement::TooEarly(format!(
                "{who} mined {alone} of {} blocks alone since the cut",
                advance.max(1)
            ));
        }
        told.push(format!("{who} mined {alone} alone"));
    }
    if powered.is_empty() {
        return Judgement::TooEarly("no side has hash power".into());
    }
    Judgement::Holds(format!(
        "parted after {} at {}: {}",
        short(&fork.fact.hash),
        fork.fact.height,
        told.join("; ")
    ))
}

pub(super) fn reorg_depth(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    let since = case.window_begin(scene);
    let depth = |node: &NodeName| {
        let track = scene.history.nodes.get(node);
        track.map_or(0, |track| track.reorg_depth_since(since))
    };
    let deepest = case.nodes.iter().max_by_key(|node| depth(node));
    let Some(node) = deepest else {
        return Judgement::Violated("it is about no node at all".into());
    };
    let what = format!("deepest reorganisation ({node})");
    compare_growing(scene, case, &what, f64::from(depth(node)), is)
}

pub(super) fn fork_count(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    let since = case.window_begin(scene);
    let tree = &scene.history.tree;
    let Some(best) = scene.history.best(&case.nodes) else {
        return Judgement::NotYet("no node answers with a block that is known".into());
    };
    let mut alive: BTreeSet<&str> = BTreeSet::new();
    for track in case.nodes.iter().filter_map(|x| scene.history.nodes.get(x)) {
        let in_window = track.tips().iter().filter(|x| x.at_ms >= since);
        alive.extend(in_window.map(|change| change.tip.as_str()));
    }
    let new = tree.leaves().into_iter().filter(|x| x.seen_at_ms >= since);
    alive.extend(new.map(|block| block.fact.hash.as_str()));
    alive.retain(|tip| tree.get(tip).is_some() && !tree.is_ancestor(tip, &best.fact.hash));
    let ends = alive.iter().filter(|tip| {
        let mut others = alive.iter().filter(|other| other != tip);
        !others.any(|other| tree.is_ancestor(tip, other))
    });
    let count = u32::try_from(ends.count()).unwrap_or(u32::MAX);
    compare_growing(
        scene,
        case,
        "branches beside the best chain",
        f64::from(count),
        is,
    )
}

pub(super) fn stale_rate(scene: &Scene<'_>, case: &Case, is: &Comparison) -> Judgement {
    let since = case.window_begin(scene);
    let Some(best) = scene.history.best(&case.nodes) else {
        return Judgement::NotYet("no node answers with a block that is known".into());
    };
    // What the first look told is older than the run.
    let is_new = |block: &&Block| {
        block.seen_at_ms >= since && block.seen_at_ms > scene.history.first_at_ms()
    };
    let tree = &scene.history.tree;
    let stale = tree.stale(&best.fact.hash, 0);
    let stale = stale.into_iter().filter(is_new).count();
    let good = tree.chain(&best.fact.hash).filter(is_new).count();
    if stale + good == 0 {
        return Judgement::TooEarly("no block was mined in the window".into());
    }
    if case.must_be_over(scene) && !is.operator.is_kept_by_growth() {
        return Judgement::TooEarly(format!(
            "{stale} of {} blocks are stale so far",
            stale + good
        ));
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "the tree is bounded far below 2^52"
    )]
    let share = stale as f64 / (stale + good) as f64;
    compare(
        scene,
        &format!("{stale} of {} blocks stale:", stale + good),
        share,
        is,
    )
}

/// The sides of a cut as they stand. Nodes that do not answer or are excused
/// speak for no side.
fn sides<'a>(
    scene: &Scene<'a>,
    case: &Case,
    entry: &'a FaultEntry,
    cut: &Cut,
) -> Result<Vec<Side<'a>>, Judgement> {
    let powered = scene.powered();
    let mut sides = Vec::new();
    for nodes in cut.parts(&scene.roster.names()) {
        let judged: Vec<NodeName> = nodes
            .into_iter()
            .filter(|x| case.nodes.contains(x))
            .collect();
        if judged.is_empty() {
            continue;
        }
        let Some(best) = scene.history.best(&judged) else {
            let why = format!("none of {} answers", judged.join(","));
            return Err(Judgement::NotYet(why));
        };
        sides.push(Side {
            is_powered: judged.iter().any(|node| powered.contains(node)),
            best,
            before: heaviest(&entry.before, &judged),
            nodes: judged,
        });
    }
    if sides.len() < 2 {
        let why = "the cut in force leaves all nodes connected, so nothing can part";
        return Err(Judgement::Violated(why.into()));
    }
    Ok(sides)
}

/// Why the sides had parted before the cut. A race between two blocks that was
/// under way when the cut came is none.
fn parted_before(powered: &[&Side<'_>], fork: &Block) -> Option<String> {
    let marks: Option<Vec<&TipMark>> = powered.iter().map(|side| side.before).collect();
    let lowest = marks?.into_iter().map(|mark| mark.height).min()?;
    let is_before = fork.fact.height.saturating_add(1) < lowest;
    is_before.then(|| {
        format!(
            "they parted at height {} already, before the cut came at {lowest}",
            fork.fact.height
        )
    })
}

/// Blocks on the side's chain that no other side has, of its own miners.
fn mined_alone(scene: &Scene<'_>, side: &Side<'_>, sides: &[Side<'_>]) -> u32 {
    let tree = &scene.history.tree;
    let others: Vec<&str> = sides
        .iter()
        .filter(|other| other.nodes != side.nodes)
        .map(|other| other.best.fact.hash.as_str())
        .collect();
    let alone = tree
        .chain(&side.best.fact.hash)
        .take_while(|block| {
            !others
                .iter()
                .any(|tip| tree.is_ancestor(&block.fact.hash, tip))
        })
        .filter(|block| {
            let miner = block.fact.miner.as_ref();
            miner.is_none_or(|miner| {
                !sides
                    .iter()
                    .any(|x| x.nodes != side.nodes && x.nodes.contains(miner))
            })
        });
    u32::try_from(alone.count()).unwrap_or(u32::MAX)
}
