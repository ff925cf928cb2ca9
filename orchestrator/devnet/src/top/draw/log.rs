//! The last lines of log, of all nodes or of the one under the cursor.

use devnet_scenario::history::logs::{Severity, severity};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::state::State;
use super::{Theme, rule};
use crate::clock::time_of_day;
use crate::engine::LogLine;

/// Draws as many of the last lines as there is room for.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, theme: Theme) {
    let one = state.under_cursor().filter(|_| state.is_log_of_one);
    let title = match one {
        Some(node) => format!("LOG of {} ", node.name),
        None => "LOG ".to_owned(),
    };
    let room = usize::from(area.height.saturating_sub(1));
    let is_wanted = |line: &&LogLine| one.is_none_or(|node| node.name == line.node);
    let mut lines: Vec<Line<'static>> = state
        .lines
        .iter()
        .rev()
        .filter(is_wanted)
        .take(room)
        .map(|line| drawn(line, one.is_none(), theme))
        .collect();
    lines.reverse();
    if let Some(trouble) = &state.log_trouble {
        lines.insert(0, Line::styled(format!("no log: {trouble}"), theme.bad()));
    } else if lines.is_empty() {
        lines.push(Line::styled("no line yet", theme.dim()));
    }
    frame.render_widget(Paragraph::new(lines).block(rule(title, theme)), area);
}

fn drawn(line: &LogLine, with_node: bool, theme: Theme) -> Line<'static> {
    let style = match severity(&line.text) {
        Severity::Plain => theme.plain(),
        Severity::Warn => theme.warn(),
        Severity::Error => theme.bad(),
    };
    let time = time_of_day(line.time_ms);
    let time = time.split('.').next().unwrap_or_default();
    let node = match with_node {
        true => format!("{time} {} ", line.node),
        false => format!("{time} "),
    };
    let text = without_time(&line.text).replace('\t', " ");
    Line::from(vec![
        Span::styled(node, theme.dim()),
        Span::styled(text, style),
    ])
}

/// The line without the time that it begins with: it stands before it already.
fn without_time(text: &str) -> &str {
    match text.split_once(char::is_whitespace) {
        Some((first, rest)) if crate::clock::parse_rfc3339_ms(first).is_some() => rest.trim_start(),
        _ => text,
    }
}
