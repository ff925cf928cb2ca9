//! The merged tree of blocks: a row for each stretch without a fork, with lanes
//! drawn beside it.

use maud::{Markup, html};

use crate::account::model::{Account, TreePicture, TreeRow};
use crate::account::spell;
use devnet_scenario::history::short;

/// Lanes drawn; deeper ones share the last.
const LANES_MAX: usize = 8;
/// Rows that stand open; earlier ones are folded.
const LATEST: usize = 30;
/// Width of a lane.
const LANE: usize = 16;
/// Miners named in a row.
const MINERS_MAX: usize = 5;

/// The tree as a list.
pub fn list(account: &Account) -> Markup {
    let tree = &account.tree;
    let lanes = tree.rows.iter().map(|row| row.lane.min(LANES_MAX - 1));
    let lanes = lanes.max().unwrap_or(0) + 1;
    let (earlier, latest) = tree.rows.split_at(tree.rows.len().saturating_sub(LATEST));
    let rows = |rows: &[TreeRow]| {
        html! {
            ol.tree aria-label="Tree of blocks, oldest first" {
                @for row in rows { (item(row, lanes, account.span.begin_ms, account.nodes.len())) }
            }
        }
    };
    html! {
        @if tree.left_out > 0 {
            p.note { "The oldest " (tree.left_out) " of " (tree.sides) " side branches are not shown." }
        }
        @if tree.rows.is_empty() { p { "No block is known." } }
        @if !earlier.is_empty() {
            details.paper {
                summary { "Earlier branches, up to height " (earlier.last().map_or(0, |row| row.to_height)) }
                (rows(earlier))
            }
        }
        (rows(latest))
        (ends(tree))
    }
}

fn item(row: &TreeRow, lanes: usize, begin_ms: u64, nodes: usize) -> Markup {
    let is_side = row.lane > 0;
    let blocks = (row.to_height.saturating_sub(row.from_height)) as usize + 1;
    let heights = match row.from_height == row.to_height {
        true => row.to_height.to_string(),
        false => format!("{}–{}", row.from_height, row.to_height),
    };
    html! {
        li.side[is_side] {
            (gutter(row, lanes))
            div.row {
                span.when { (spell::since(row.seen_at_ms, begin_ms)) }
                span.height { (heights) }
                span.blocks { (spell::count(blocks, "block")) }
                code title=(row.last) { (short(&row.last)) }
                span.miners { (miners(row)) }
                (chips(row, nodes))
            }
        }
    }
}

/// Nodes whose tip is in that row; all of them in a word.
fn chips(row: &TreeRow, nodes: usize) -> Markup {
    let at_end = row.nodes.iter().all(|(_, height)| *height == row.to_height);
    html! {
        @if row.nodes.len() == nodes && nodes > 2 && at_end {
            span.chip { "all " (nodes) " nodes" }
        } @else {
            @for (node, height) in &row.nodes {
                span.chip {
                    (node)
                    @if *height != row.to_height { " at " (height) }
                }
            }
        }
    }
}

fn miners(row: &TreeRow) -> String {
    let mut mined: Vec<&(String, u32)> = row.mined_by.iter().collect();
    mined.sort_by_key(|(_, blocks)| std::cmp::Reverse(*blocks));
    let mut parts: Vec<String> = mined
        .iter()
        .take(MINERS_MAX)
        .map(|(miner, blocks)| format!("{miner} {blocks}"))
        .collect();
    let more = mined.len().saturating_sub(MINERS_MAX);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.join(", ")
}

/// The lanes beside a row: what passes, what comes from where, and the dot.
fn gutter(row: &TreeRow, lanes: usize) -> Markup {
    let x = |lane: usize| lane.min(LANES_MAX - 1) * LANE + LANE / 2;
    let (own, from) = (x(row.lane), x(row.from_lane));
    let way = match row.lane == row.from_lane {
        true => format!("M{own} 0V15"),
        false => format!("M{from} 0C{from} 12 {own} 2 {own} 15"),
    };
    let view = format!("0 0 {} 30", lanes * LANE);
    html! {
        svg.lanes aria-hidden="true" viewBox=(view) width=(lanes * LANE) height="30" preserveAspectRatio="none" {
            @for lane in row.passing.iter().filter(|lane| **lane < LANES_MAX) {
                path.best[*lane == 0].lost[*lane > 0] d=(format!("M{} 0V30", x(*lane))) {}
            }
            path.best[row.lane == 0].lost[row.lane > 0] d=(way) {}
            @if row.goes_on {
                path.best[row.lane == 0].lost[row.lane > 0] d=(format!("M{own} 15V30")) {}
            }
            circle.best[row.lane == 0].lost[row.lane > 0] cx=(own) cy="15" r="5" {}
        }
    }
}

/// Where the nodes stood at the end, in a sentence.
fn ends(tree: &TreePicture) -> Markup {
    let with_nodes = tree.rows.iter().filter(|row| !row.nodes.is_empty());
    let off = with_nodes
        .clone()
        .filter(|row| row.lane > 0)
        .flat_map(|row| &row.nodes);
    let off: Vec<&str> = off.map(|(node, _)| node.as_str()).collect();
    html! {
        @if with_nodes.count() == 0 {
            p.note { "No node's tip at the end is known." }
        } @else if off.is_empty() {
            p.note { "Every node that answered at the end stood on the chain that won." }
        } @else {
            p.note { "On a branch that lost at the end: " (&off.join(", ")) "." }
        }
    }
}
