//! The table of nodes.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table};

use super::super::branches::{Branch, label, standing};
use super::super::seen::{Life, Node};
use super::super::state::State;
use super::Theme;
use crate::clock::spell_duration;

/// A column, and the least width of the screen that has room for it.
struct Column {
    title: &'static str,
    width: u16,
    from: u16,
    is_number: bool,
}

const fn column(title: &'static str, width: u16, from: u16, is_number: bool) -> Column {
    Column {
        title,
        width,
        from,
        is_number,
    }
}

const COLUMNS: [Column; 8] = [
    column("NODE", 18, 0, false),
    column("ROLE", 10, 90, false),
    column("STATE", 8, 0, false),
    column("HEIGHT", 7, 0, true),
    column("TIP", 18, 60, false),
    column("AGE", 9, 70, true),
    column("PEERS", 5, 50, true),
    column("MEMPOOL", 7, 78, true),
];

/// Lines that so many nodes take of so many.
pub fn height(nodes: usize, of: u16) -> u16 {
    let most = (of / 2).max(3);
    u16::try_from(nodes)
        .unwrap_or(u16::MAX)
        .saturating_add(1)
        .min(most)
}

/// Draws the table; where not all nodes fit, those around the cursor.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, found: &[Branch], theme: Theme) {
    let shown = || {
        COLUMNS
            .iter()
            .enumerate()
            .filter(|(_, x)| area.width >= x.from)
    };
    let room = usize::from(area.height.saturating_sub(1));
    let all = state.seen.nodes.len();
    let first = state
        .cursor
        .saturating_sub(room / 2)
        .min(all.saturating_sub(room));
    let rows = state.seen.nodes.iter().enumerate().skip(first).take(room);
    let rows = rows.map(|(at, node)| {
        let cells = cells(node, at, state, found, theme);
        let mut cells = cells.map(Some);
        let row = Row::new(shown().filter_map(|(place, _)| cells[place].take()));
        match at == state.cursor {
            true => row.style(theme.cursor()),
            false => row,
        }
    });
    let titles = shown().map(|(place, column)| match place {
        0 if all > room => aligned(range(first, room, all).into(), column),
        _ => aligned(column.title.into(), column),
    });
    let header = Row::new(titles).style(theme.heading());
    let widths = shown().map(|(_, column)| Constraint::Length(column.width));
    let table = Table::new(rows, widths).header(header).column_spacing(1);
    frame.render_widget(table, area);
}

/// Which nodes are shown, in the title of their column: beside the table it lay
/// over other titles.
fn range(first: usize, room: usize, all: usize) -> String {
    format!("NODE {}-{} of {all}", first + 1, first + room)
}

fn cells(
    node: &Node,
    at: usize,
    state: &State,
    found: &[Branch],
    theme: Theme,
) -> [Cell<'static>; 8] {
    let pointer = if at == state.cursor { '›' } else { ' ' };
    let mark = if state.marked.contains(&node.name) {
        '*'
    } else {
        ' '
    };
    let is_told = node.life == Life::Running;
    let dim = |text: String| match is_told {
        true => Line::from(text),
        false => Line::styled(text, theme.dim()),
    };
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |x| x.to_string());
    let age = node.tip.as_ref().map(|tip| {
        let age_s = (state.seen.at_ms / 1_000).saturating_sub(tip.time_s.into());
        spell_duration(Duration::from_secs(age_s))
    });
    let height = node.tip.as_ref().map(|tip| u64::from(tip.height));
    let lines = [
        Line::from(format!("{pointer}{mark}{}", node.name)),
        Line::from(node.role.clone()),
        Line::styled(node.life.word(), life_style(node.life, theme)),
        dim(number(height)),
        tip(node, state, found, theme),
        dim(age.unwrap_or_else(|| "-".to_owned())),
        dim(number(node.peers.map(u64::from))),
        dim(number(node.mempool)),
    ];
    let mut columns = COLUMNS.iter();
    lines.map(|line| match columns.next() {
        Some(column) => aligned(line, column),
        None => Cell::from(line),
    })
}

fn aligned(line: Line<'static>, column: &Column) -> Cell<'static> {
    let alignment = match column.is_number {
        true => Alignment::Right,
        false => Alignment::Left,
    };
    Cell::from(Text::from(line.alignment(alignment)))
}

const fn life_style(life: Life, theme: Theme) -> ratatui::style::Style {
    match life {
        Life::Running => theme.good(),
        Life::Silent | Life::Paused => theme.warn(),
        Life::Down | Life::Missing => theme.bad(),
        Life::Unknown => theme.dim(),
    }
}

/// The branch, how far below its head, and the first digits past the zeros of
/// the hash; those of a hash that met its target say nothing.
fn tip(node: &Node, state: &State, found: &[Branch], theme: Theme) -> Line<'static> {
    let Some(tip) = &node.tip else {
        return Line::styled("-", theme.dim());
    };
    let digits = digits(&tip.hash);
    if node.life != Life::Running {
        return Line::styled(format!("  {digits}"), theme.dim());
    }
    match standing(&state.seen, found, tip) {
        None => Line::from(format!("? {digits}")),
        Some((at, behind)) => {
            let behind = match behind {
                0 => String::new(),
                behind => format!(" -{behind}"),
            };
            Line::styled(format!("{} {digits}{behind}", label(at)), theme.branch(at))
        }
    }
}

/// Eight digits of a hash that tell it from others.
pub fn digits(hash: &str) -> String {
    hash.trim_start_matches('0').chars().take(8).collect()
}
