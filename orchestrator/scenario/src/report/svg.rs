//! The fork tree as a picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::forktree::{ForkTree, Segment, fork_tree};
use super::{Report, told};
use crate::fault::NodeName;
use crate::history::faults::TipMark;
use crate::history::short;

const STEP_X: usize = 330;
const LANE_Y: usize = 64;
const MARGIN: usize = 40;

/// The fork tree as an SVG document of its own: the best chain on the first
/// line, every side branch on a line of its own, heights from left to right
/// with long runs drawn short.
pub fn fork_svg(report: &Report, tips: &BTreeMap<NodeName, TipMark>) -> String {
    let tree = fork_tree(report, tips);
    let columns = columns(&tree);
    let lanes = lanes(&tree);
    let width = MARGIN * 2 + columns.len() * STEP_X + 420;
    let height = MARGIN * 2 + (lanes.iter().max().copied().unwrap_or(0) + 1) * LANE_Y;
    let mut body = String::new();
    for (place, segment) in tree.segments.iter().enumerate() {
        let x = |height: u32| MARGIN + columns.get(&height).copied().unwrap_or(0) * STEP_X;
        let from = segment.parent.map_or((MARGIN, 0), |parent| {
            (x(tree.segments[parent].to_height), lanes[parent])
        });
        let to = (x(segment.to_height), lanes[place]);
        body.push_str(&drawn(segment, from, to));
    }
    let title = escape(&format!("{}: forks", report.name));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// A column for each height at which something ends, in order.
fn columns(tree: &ForkTree) -> BTreeMap<u32, usize> {
    let mut heights: Vec<u32> = tree.segments.iter().map(|x| x.to_height).collect();
    heights.sort_unstable();
    heights.dedup();
    heights.into_iter().zip(1..).collect()
}

/// The trunk is lane 0; every other run has a lane of its own, or its parent's
/// where it is the first to go on.
fn lanes(tree: &ForkTree) -> Vec<usize> {
    let mut next = 1;
    let mut taken = vec![false; tree.segments.len()];
    let mut lanes: Vec<usize> = Vec::with_capacity(tree.segments.len());
    for segment in &tree.segments {
        let goes_on = segment
            .parent
            .filter(|parent| !tree.segments[*parent].is_trunk && !taken[*parent]);
        let lane = match goes_on {
            _ if segment.is_trunk => 0,
            Some(parent) => {
                taken[parent] = true;
                lanes[parent]
            }
            None => {
                next += 1;
                next - 1
            }
        };
        lanes.push(lane);
    }
    lanes
}

fn drawn(segment: &Segment, from: (usize, usize), to: (usize, usize)) -> String {
    let y = |lane: usize| MARGIN + lane * LANE_Y;
    let colour = if segment.is_trunk {
        "#1a6b3c"
    } else {
        "#b3541e"
    };
    let (x1, y1, x2, y2) = (from.0, y(from.1), to.0, y(to.1));
    let bend = (x1 + 30).min(x2);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<g><title>{}</title><polyline points=\"{x1},{y1} {bend},{y2} {x2},{y2}\" fill=\"none\" \
         stroke=\"{colour}\" stroke-width=\"2\"/><circle cx=\"{x2}\" cy=\"{y2}\" r=\"5\" fill=\"{colour}\"/>",
        escape(&segment.last),
    );
    let run = format!("{} × {}", segment.blocks(), told(&segment.mined_by));
    let end = format!("{} {}", segment.to_height, short(&segment.last));
    for (text, x, y, fill) in [
        (run, bend + 6, y2.saturating_sub(8), "#555555"),
        (end, x2.saturating_sub(4), y2 + 18, "#111111"),
        (segment.nodes_text(), x2.saturating_sub(4), y2 + 32, colour),
    ] {
        if !text.is_empty() {
            let text = escape(&text);
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" fill=\"{fill}\">{text}</text>"
            );
        }
    }
    out.push_str("</g>\n");
    out
}

/// Text as it may stand in XML; control characters, which it has no way to
/// say, become spaces.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            char => out.push(char),
        }
    }
    out
}
