//! What lies over the picture: the question before what harms, and the keys.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph, Wrap};

use super::super::key::KEYS;
use super::super::state::Order;
use super::Theme;

const WIDTH: u16 = 62;

/// Asks whether that is meant.
pub fn question(frame: &mut Frame<'_>, area: Rect, order: &Order, theme: Theme) {
    let lines = vec![
        Line::styled(format!("{order}?"), theme.bad()),
        Line::from(order.consequence()),
        Line::default(),
        Line::from(vec![
            Span::styled("y", theme.key()),
            Span::raw(" yes   "),
            Span::styled("n", theme.key()),
            Span::raw(" no"),
        ]),
    ];
    panel(frame, area, "Sure", lines);
}

/// Explains the keys.
pub fn help(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let mut lines: Vec<Line<'static>> = KEYS
        .iter()
        .map(|(keys, what)| {
            let keys = Span::styled(format!("{keys:<13}"), theme.key());
            Line::from(vec![keys, Span::raw(*what)])
        })
        .collect();
    lines.push(Line::default());
    lines.push(Line::styled(
        "TIP: branch, first digits past the zeros, blocks behind. ● held, ○ lost.",
        theme.dim(),
    ));
    panel(frame, area, "Keys", lines);
}

/// A panel in the middle, as high as its text needs.
fn panel(frame: &mut Frame<'_>, area: Rect, title: &'static str, lines: Vec<Line<'static>>) {
    let width = WIDTH.min(area.width);
    let inner = usize::from(width.saturating_sub(4).max(1));
    let rows: usize = lines.iter().map(|line| wrapped(line.width(), inner)).sum();
    let text = Paragraph::new(lines).wrap(Wrap { trim: false });
    let height = u16::try_from(rows)
        .unwrap_or(u16::MAX)
        .saturating_add(2)
        .min(area.height);
    let [row] = Layout::vertical([Constraint::Length(height)])
        .flex(Flex::Center)
        .areas(area);
    let [middle] = Layout::horizontal([Constraint::Length(width)])
        .flex(Flex::Center)
        .areas(row);
    let block = Block::bordered()
        .title(title)
        .padding(Padding::horizontal(1));
    frame.render_widget(Clear, middle);
    frame.render_widget(text.block(block), middle);
}

/// Rows of a line that is broken between words; words may break early, so one
/// is added where it is near.
fn wrapped(width: usize, inner: usize) -> usize {
    match width {
        0 => 1,
        _ if width <= inner => 1,
        _ => (width + width / 8).div_ceil(inner),
    }
}
