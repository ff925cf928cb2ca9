//! From the runner's report to the record that people and CI systems get.

use std::collections::BTreeMap;
use std::path::PathBuf;

use devnet_scenario::fault::NodeName;
use devnet_scenario::history::faults::TipMark;
use devnet_scenario::parse::Tree;
use devnet_scenario::report::{Report, StepOutcome, StepReport, Verdict, story};
use devnet_scenario::world::NodeView;

use super::chronicle::Chronicle;
use super::record::{Case, CaseStatus, RunRecord};
use crate::simworld::ENGINE;

/// Lines of a story at most: a screen.
const STORY_LINES_MAX: usize = 40;

/// What is known of a run before it begins.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Name of the scenario.
    pub scenario: String,
    /// Its file.
    pub file: PathBuf,
    /// What random choices follow from.
    pub seed: u64,
    /// What carries the network; empty while that is not known.
    pub engine: String,
    /// Name of the network.
    pub network: String,
    /// Parameters set from outside.
    pub sets: Vec<(String, String)>,
    /// Image of the nodes, if one was given.
    pub image: Option<String>,
    /// Binary of the nodes, if one was given.
    pub binary: Option<PathBuf>,
}

/// The record of a run that the runner reported on. `tree` tells the lines of
/// its steps.
pub fn record(facts: &Facts, report: &Report, tree: &Tree) -> RunRecord {
    let reason = report
        .failure
        .as_ref()
        .map(|failure| format!("expected {}; found {}", failure.expected, failure.found));
    let cases = report.steps.iter().map(|step| case(step, tree));
    RunRecord {
        cases: cases.collect(),
        oddities: report.oddities.clone(),
        elapsed_ms: report.took_ms().unwrap_or_default(),
        heal_to_converged_ms: heal_to_converged_ms(report),
        story: story(report).map_or_else(String::new, |story| story.to_string()),
        ..without_report(facts, report.verdict, &reason.unwrap_or_default())
    }
}

/// The record of a run that never came to its first step.
pub fn without_report(facts: &Facts, verdict: Verdict, reason: &str) -> RunRecord {
    RunRecord {
        scenario: facts.scenario.clone(),
        file: facts.file.clone(),
        seed: facts.seed,
        engine: facts.engine.clone(),
        network: facts.network.clone(),
        verdict,
        reason: reason.to_owned(),
        cases: Vec::new(),
        oddities: Vec::new(),
        elapsed_ms: 0,
        heal_to_converged_ms: Vec::new(),
        replay: replay(facts),
        digest: None,
        bundle: None,
        story: String::new(),
        is_bad_input: false,
    }
}

/// Tips of the nodes that answered at the last look.
pub fn last_tips(chronicle: &Chronicle) -> BTreeMap<NodeName, TipMark> {
    let nodes = chronicle.last().map(|snapshot| &snapshot.nodes);
    let mark = |(node, view): (&NodeName, &NodeView)| match view {
        NodeView::Up(facts) => Some((
            node.clone(),
            TipMark {
                tip: facts.tip.clone(),
                height: facts.height,
                work: facts.work.clone(),
            },
        )),
        NodeView::Down { .. } => None,
    };
    nodes.into_iter().flatten().filter_map(mark).collect()
}

fn case(step: &StepReport, tree: &Tree) -> Case {
    Case {
        name: format!("{} {}", step.path, step.title),
        status: match step.outcome {
            StepOutcome::Passed => CaseStatus::Passed,
            StepOutcome::Failed => CaseStatus::Failed,
            StepOutcome::Invalid | StepOutcome::Broken => CaseStatus::Errored,
            StepOutcome::Skipped | StepOutcome::Running | StepOutcome::Abandoned => {
                CaseStatus::Skipped
            }
        },
        message: step.notes.join("\n"),
        elapsed_ms: step.took_ms().unwrap_or_default(),
        line: line(&step.path, tree),
    }
}

/// The line of a step, or of the innermost step around it that can be found:
/// `4#2.1` is the first step within the fourth, in its second round.
fn line(path: &str, tree: &Tree) -> Option<usize> {
    let (list, path) = match path.strip_prefix("finally.") {
        Some(rest) => ("finally", rest),
        None => ("steps", path),
    };
    let mut steps = tree.get(list)?;
    let mut line = None;
    for part in path.split('.') {
        let number = part.split('#').next()?;
        let Some(index) = number
            .parse::<usize>()
            .ok()
            .and_then(|at| at.checked_sub(1))
        else {
            break;
        };
        let Some(step) = steps.at(&format!("[{index}]")) else {
            break;
        };
        line = Some(step.place.line);
        let inner = ["steps", "parallel", "repeat.steps", "always.steps"]
            .iter()
            .find_map(|key| step.at(key));
        match inner {
            Some(inner) => steps = inner,
            None => break,
        }
    }
    line
}

/// From each heal to the end of the first step after it that claimed
/// convergence and got it.
fn heal_to_converged_ms(report: &Report) -> Vec<u64> {
    let claims: Vec<u64> = report
        .steps
        .iter()
        .filter(|step| step.outcome == StepOutcome::Passed && is_about_convergence(step))
        .filter_map(|step| step.ended_at_ms)
        .collect();
    let times = report.heals.iter().filter_map(|heal| {
        let next_heal = report
            .heals
            .iter()
            .map(|other| other.done_at_ms)
            .filter(|at_ms| *at_ms > heal.done_at_ms)
            .min()
            .unwrap_or(u64::MAX);
        let after = claims
            .iter()
            .filter(|at_ms| (heal.done_at_ms..=next_heal).contains(*at_ms));
        Some(after.min()? - heal.done_at_ms)
    });
    times.collect()
}

fn is_about_convergence(step: &StepReport) -> bool {
    let says = |text: &str| text.contains("converged");
    step.kind == "expect" && (says(&step.title) || step.notes.iter().any(|note| says(note)))
}

/// The command that runs the same again.
fn replay(facts: &Facts) -> String {
    let mut words = vec!["devnet".to_owned(), "run".to_owned()];
    words.push(facts.file.display().to_string());
    words.extend(["--seed".to_owned(), facts.seed.to_string()]);
    match facts.engine.as_str() {
        "" => {}
        ENGINE => words.extend(["--world".to_owned(), ENGINE.to_owned()]),
        engine => words.extend(["--engine".to_owned(), engine.to_owned()]),
    }
    for (name, value) in &facts.sets {
        words.extend(["--set".to_owned(), format!("{name}={value}")]);
    }
    if let Some(image) = &facts.image {
        words.extend(["--image".to_owned(), image.clone()]);
    }
    if let Some(binary) = &facts.binary {
        words.extend(["--binary".to_owned(), binary.display().to_string()]);
    }
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    quoted.join(" ")
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// As much of a story as fits on a screen.
pub fn screen(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= STORY_LINES_MAX {
        return lines.join("\n");
    }
    let more = lines.len() - STORY_LINES_MAX + 1;
    let shown = lines[..STORY_LINES_MAX - 1].join("\n");
    format!("{shown}\n  ({more} lines more in the bundle's story.txt)")
}

#[cfg(test)]
mod tests;
