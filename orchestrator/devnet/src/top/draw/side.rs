//! Branches, block intervals and faults.

use std::time::Duration;

use devnet_scenario::history::tree::Tree;
use devnet_scenario::parting::Parting;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::branches::{Branch, label, picture};
use super::super::state::State;
use super::nodes::digits;
use super::{Theme, rule};
use crate::clock::spell_duration;

/// Heights in the picture of branches at most.
const HEIGHTS_MAX: u16 = 24;
/// Branches in it at most.
const BRANCHES_MAX: usize = 8;
/// Intervals told of.
const INTERVALS: usize = 30;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A part with a title.
pub struct Section {
    title: String,
    lines: Vec<Line<'static>>,
}

impl Section {
    /// Lines it takes, its title counted.
    pub fn height(&self) -> u16 {
        u16::try_from(self.lines.len())
            .unwrap_or(u16::MAX)
            .saturating_add(1)
    }
}

/// The three parts: branches, intervals, faults, for a screen of that width.
pub fn sections(state: &State, found: &[Branch], theme: Theme, width: u16) -> [Section; 3] {
    let own = match width {
        super::THREE_COLUMNS.. => width / 2,
        super::TWO_COLUMNS.. => width.saturating_sub(SIDE_WIDTH + 1),
        _ => width,
    };
    [
        branches(state, found, theme, own),
        intervals(state, found, theme),
        faults(state, theme),
    ]
}

const SIDE_WIDTH: u16 = 36;

/// The columns beside each other.
pub fn columns(area: Rect, count: usize) -> Vec<Rect> {
    let widths: &[Constraint] = match count {
        3 => &[
            Constraint::Fill(2),
            Constraint::Length(SIDE_WIDTH),
            Constraint::Fill(1),
        ],
        2 => &[Constraint::Fill(1), Constraint::Length(SIDE_WIDTH)],
        _ => &[Constraint::Fill(1)],
    };
    Layout::horizontal(widths).spacing(1).split(area).to_vec()
}

/// Draws parts below each other, as far as there is room.
pub fn draw<'a>(
    frame: &mut Frame<'_>,
    area: Rect,
    sections: impl Iterator<Item = &'a Section>,
    theme: Theme,
) {
    let mut left = area;
    for section in sections {
        let height = section.height().min(left.height);
        let here = Rect { height, ..left };
        let text = Paragraph::new(section.lines.clone()).block(rule(section.title.clone(), theme));
        frame.render_widget(text, here);
        left.y += height;
        left.height -= height;
    }
}

fn branches(state: &State, found: &[Branch], theme: Theme, width: u16) -> Section {
    let label_width = 17;
    let heights = (width.saturating_sub(label_width) / 2)
        .clamp(3, HEIGHTS_MAX)
        .min(width / 4);
    let shown = found.get(..BRANCHES_MAX).unwrap_or(found);
    let drawn = picture(&state.seen.tree, shown, heights.into());
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (at, (branch, drawn)) in shown.iter().zip(drawn).enumerate() {
        let is_held = !branch.nodes.is_empty();
        let style = if is_held {
            theme.branch(at)
        } else {
            theme.dim()
        };
        let who = match branch.nodes.len() {
            0 => "lost".to_owned(),
            count => format!("×{count} {}", names(state, branch)),
        };
        lines.push(Line::from(vec![
            Span::styled(drawn, style),
            Span::styled(format!(" {} {}", label(at), branch.height), style),
            Span::styled(format!(" {}", digits(&branch.head)), theme.dim()),
            Span::raw(format!(" {who}")),
        ]));
    }
    if shown.len() < found.len() {
        let more = found.len() - shown.len();
        lines.push(Line::styled(format!("and {more} more"), theme.dim()));
    }
    if lines.is_empty() {
        lines.push(Line::styled("no block is known", theme.dim()));
    }
    Section {
        title: "BRANCHES ".into(),
        lines,
    }
}

fn names(state: &State, branch: &Branch) -> String {
    let nodes = branch
        .nodes
        .iter()
        .filter_map(|at| state.seen.nodes.get(*at));
    nodes
        .map(|node| node.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Seconds between the last blocks of the first branch, oldest first.
fn between(tree: &Tree, found: &[Branch]) -> Vec<u64> {
    let Some(best) = found.first() else {
        return Vec::new();
    };
    // From the first block on: the genesis block's time is not one of mining.
    let blocks = tree
        .chain(&best.head)
        .take_while(|block| block.fact.height > 0);
    let times: Vec<u64> = blocks
        .take(INTERVALS + 1)
        .map(|block| block.fact.time_ms / 1_000)
        .collect();
    let pairs = times.windows(2).rev();
    pairs.map(|pair| pair[0].saturating_sub(pair[1])).collect()
}

fn intervals(state: &State, found: &[Branch], theme: Theme) -> Section {
    let title = "INTERVALS ".to_owned();
    let between = between(&state.seen.tree, found);
    if between.is_empty() {
        let lines = vec![Line::styled("fewer than two blocks", theme.dim())];
        return Section { title, lines };
    }
    let most = between.iter().copied().max().unwrap_or(1).max(1);
    let bar = |seconds: &u64| {
        let step = seconds.saturating_mul(BARS.len() as u64 - 1) / most;
        BARS[usize::try_from(step).unwrap_or(0).min(BARS.len() - 1)]
    };
    let bars: String = between.iter().map(bar).collect();
    #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
    let mean_s = between.iter().sum::<u64>() as f64 / between.len() as f64;
    let aim = state.seen.spacing_s;
    let count = between.len();
    Section {
        title,
        lines: vec![
            Line::styled(bars, theme.branch(0)),
            Line::from(format!("mean {mean_s:.1} s of {aim} s, last {count}")),
        ],
    }
}

fn faults(state: &State, theme: Theme) -> Section {
    let faults = &state.seen.faults;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for fault in &faults.intended {
        let since_ms = state.seen.at_ms.saturating_sub(fault.since_ms);
        let since = spell_duration(Duration::from_secs(since_ms / 1_000));
        let since = Span::styled(format!(" {since}"), theme.dim());
        lines.push(Line::from(vec![
            Span::styled(fault.text.clone(), theme.warn()),
            since,
        ]));
    }
    if let Some(parting) = &faults.sides {
        lines.extend(sides(parting, theme));
    }
    let remarks = faults.remarks.iter();
    lines.extend(remarks.map(|remark| Line::styled(remark.clone(), theme.bad())));
    if lines.is_empty() {
        lines.push(Line::styled("none in force", theme.dim()));
    }
    Section {
        title: "FAULTS ".into(),
        lines,
    }
}

/// How far the sides came.
fn sides(parting: &Parting, theme: Theme) -> Vec<Line<'static>> {
    if parting.sides.len() < 2 {
        return Vec::new();
    }
    let sides = parting.sides.iter().map(|side| {
        let gained = side
            .gained
            .map_or_else(|| "silent".into(), |gained| format!("{gained:+}"));
        let alone = side
            .alone
            .map_or_else(String::new, |alone| format!(", {alone} alone"));
        Line::from(format!("  side {}: {gained}{alone}", side.label))
    });
    let fork = parting.fork.as_ref().filter(|fork| fork.is_fork);
    let fork = fork.map(|fork| Line::styled(format!("  forked at {}", fork.height), theme.warn()));
    sides.chain(fork).collect()
}
