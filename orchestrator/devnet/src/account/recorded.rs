//! What is shown as it was recorded, within bounds: steps, lines, texts.

use devnet_scenario::history::logs::{Severity, severity};
use devnet_scenario::report::{Report, StepReport};
use devnet_scenario::world::LogFact;

use super::model::Step;

/// Steps shown at most.
pub const STEPS_MAX: usize = 400;
/// Log lines shown at most: the last warnings and errors.
pub const LINES_MAX: usize = 60;
/// Oddities shown at most.
pub const ODDITIES_MAX: usize = 10;
/// Letters of a text that others wrote, at most.
const LETTERS_MAX: usize = 400;

/// The steps of a report.
pub fn steps(report: &Report) -> Vec<Step> {
    let step = |step: &StepReport| Step {
        path: clipped(&step.path),
        title: clipped(&step.title),
        outcome: step.outcome,
        at_ms: step
            .begun_at_ms
            .map(|at_ms| at_ms.saturating_sub(report.started_at_ms)),
        took_ms: step.took_ms(),
        notes: step
            .notes
            .iter()
            .take(20)
            .map(|note| clipped(note))
            .collect(),
    };
    report.steps.iter().take(STEPS_MAX).map(step).collect()
}

/// The last lines that warn.
pub fn lines(report: &Report) -> Vec<LogFact> {
    let bad = report
        .logs
        .iter()
        .rev()
        .filter(|line| severity(&line.text) >= Severity::Warn);
    let mut lines: Vec<LogFact> = bad
        .take(LINES_MAX)
        .map(|line| LogFact {
            text: clipped(&line.text),
            ..line.clone()
        })
        .collect();
    lines.reverse();
    lines
}

/// A text of bounded length.
pub fn clipped(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
