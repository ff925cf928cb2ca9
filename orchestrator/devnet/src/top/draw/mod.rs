//! Draws the state. Pure: the picture follows from state, size and theme alone.

mod log;
mod nodes;
mod over;
mod side;
mod theme;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

pub use self::theme::Theme;
use super::branches::{Branch, branches};
use super::seen::Life;
use super::state::{State, Tone};
use crate::clock::spell_duration;

/// Less holds no picture.
const WIDTH_MIN: u16 = 30;
const HEIGHT_MIN: u16 = 8;
/// From here on parts stand beside each other.
const TWO_COLUMNS: u16 = 70;
const THREE_COLUMNS: u16 = 110;
/// Lines of the log panel at least, its title counted.
const LOG_MIN: u16 = 4;

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: Theme) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        let text = format!("devnet top needs {WIDTH_MIN}x{HEIGHT_MIN}; q quits");
        let small = Paragraph::new(text).wrap(Wrap { trim: true });
        return frame.render_widget(small, area);
    }
    let found = branches(
        &state.seen.tree,
        &state.seen.far,
        state.seen.tips().map(|(at, tip)| (at, tip.hash.as_str())),
    );
    let rows = [
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(2),
    ];
    let [title, body, foot] = Layout::vertical(rows).areas(area);
    frame.render_widget(headline(state, &found, theme), title);
    draw_body(frame, body, state, &found, theme);
    frame.render_widget(footer(state, theme, foot.width), foot);
    if let Some(order) = &state.asked {
        over::question(frame, area, order, theme);
    } else if state.is_help {
        over::help(frame, area, theme);
    }
}

fn draw_body(frame: &mut Frame<'_>, area: Rect, state: &State, found: &[Branch], theme: Theme) {
    let nodes_height = nodes::height(state.seen.nodes.len(), area.height);
    let split = [Constraint::Length(nodes_height), Constraint::Min(0)];
    let [top, rest] = Layout::vertical(split).areas(area);
    nodes::draw(frame, top, state, found, theme);
    if state.is_log_of_one {
        return log::draw(frame, rest, state, theme);
    }
    let sections = side::sections(state, found, theme, rest.width);
    let columns: &[&[usize]] = match rest.width {
        THREE_COLUMNS.. => &[&[0], &[1], &[2]],
        TWO_COLUMNS.. => &[&[0], &[1, 2]],
        _ => &[&[0, 1, 2]],
    };
    let wanted = |column: &&[usize]| column.iter().map(|at| sections[*at].height()).sum::<u16>();
    let wanted = columns.iter().map(wanted).max().unwrap_or(0);
    let most = match rest.height >= 2 * LOG_MIN {
        true => rest.height - LOG_MIN,
        false => rest.height,
    };
    let split = [Constraint::Length(wanted.min(most)), Constraint::Min(0)];
    let [middle, bottom] = Layout::vertical(split).areas(rest);
    for (column, area) in columns
        .iter()
        .zip(side::columns(middle, columns.len()).iter())
    {
        side::draw(frame, *area, column.iter().map(|at| &sections[*at]), theme);
    }
    log::draw(frame, bottom, state, theme);
}

/// The network in one line.
fn headline(state: &State, found: &[Branch], theme: Theme) -> Line<'static> {
    let seen = &state.seen;
    let mut spans = vec![
        Span::styled(format!(" {} ", state.network), theme.title()),
        Span::raw(format!(" {}", state.engine)),
    ];
    if seen.at_ms > 0 {
        let age_s = (seen.at_ms / 1_000).saturating_sub(seen.born_s);
        let age = spell_duration(std::time::Duration::from_secs(age_s));
        spans.push(Span::styled(format!(" · up {age}"), theme.dim()));
    }
    let all = seen.nodes.len();
    let answer = seen
        .nodes
        .iter()
        .filter(|node| node.life == Life::Running)
        .count();
    let style = if answer == all {
        theme.good()
    } else {
        theme.bad()
    };
    spans.push(Span::styled(format!(" · {answer}/{all} answer"), style));
    let held = found
        .iter()
        .filter(|branch| !branch.nodes.is_empty())
        .count();
    let (text, style) = match held {
        0 => (" · no tip".to_owned(), theme.dim()),
        1 => (format!(" · one chain to {}", found[0].height), theme.good()),
        count => (format!(" · {count} branches"), theme.bad()),
    };
    spans.push(Span::styled(text, style));
    if let Some(trouble) = seen.troubles.first() {
        spans.push(Span::styled(format!(" · {trouble}"), theme.bad()));
    }
    Line::from(spans)
}

/// What is being told, and the keys.
fn footer(state: &State, theme: Theme, width: u16) -> Paragraph<'static> {
    let told = match (&state.acting, &state.message) {
        (_, Some(message)) => {
            let (mark, style) = match message.tone {
                Tone::Good => ("✓ ", theme.good()),
                Tone::Bad => ("✗ ", theme.bad()),
                Tone::Plain => ("", theme.plain()),
            };
            Line::styled(format!("{mark}{}", message.text), style)
        }
        (Some(acting), None) => Line::styled(format!("… {acting}"), theme.warn()),
        (None, None) => Line::default(),
    };
    let all = [
        ("space", "mark"),
        ("p", "partition"),
        ("h", "heal"),
        ("k", "kill/start"),
        ("z", "pause"),
        ("l", "log"),
        ("?", "help"),
        ("q", "quit"),
    ];
    let mut keys = Line::default();
    for (key, what) in all {
        let text = format!(" {what}  ");
        if keys.width() + key.len() + text.len() > usize::from(width) + 2 {
            break;
        }
        keys.push_span(Span::styled(key, theme.key()));
        keys.push_span(Span::styled(text, theme.dim()));
    }
    Paragraph::new(vec![told, keys])
}

/// A line above a part, with its title.
fn rule(title: String, theme: Theme) -> Block<'static> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(theme.dim())
        .title(Span::styled(title, theme.heading()))
}

#[cfg(test)]
mod tests;
