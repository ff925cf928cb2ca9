//! Why a run failed, on one screen.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::forktree::fork_tree;
use super::{Failure, Report, seconds, told};
use crate::history::faults::TipMark;
use crate::history::logs::{Severity, severity};
use crate::history::{Branch, short};
use crate::world::LogFact;

/// Log lines told.
const LINES_MAX: usize = 8;
/// Letters of a line told.
const LETTERS_MAX: usize = 120;
/// A warning that every node of a run begins with.
const ALWAYS_SAID: &str = "rpc.admin is on";
/// Milliseconds around the failure whose lines matter.
const AROUND_MS: u64 = 3_000;
/// Lines of the fork tree told.
const TREE_LINES_MAX: usize = 12;

/// The parts of the explanation, each ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// `FAIL two-way: step 4 (they agree again), 31.2 s after the begin`.
    pub headline: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Which nodes are on which tip; who mined it since the fork.
    pub tips: Vec<String>,
    /// Common ancestor, its height, and when they parted.
    pub parting: Option<String>,
    /// Faults in force at the failure.
    pub faults: Vec<String>,
    /// The newest part of the fork tree.
    pub tree: Vec<String>,
    /// Log lines that matter.
    pub logs: Vec<String>,
    /// What else went wrong.
    pub troubles: Vec<String>,
}

/// The explanation of a run that did not pass; `None` for one that did.
pub fn story(report: &Report) -> Option<Story> {
    let failure = report.failure.as_ref()?;
    Some(Story {
        headline: headline(report, failure),
        expected: failure.expected.clone(),
        found: failure.found.clone(),
        tips: tips(failure),
        parting: parting(report, failure),
        faults: failure.faults_in_force.clone(),
        tree: newest_of_tree(report, failure),
        logs: logs(report, failure),
        troubles: troubles(report),
    })
}

fn headline(report: &Report, failure: &Failure) -> String {
    let at = report.clock(failure.at_ms);
    let step = report.steps.iter().find(|step| step.path == failure.step);
    let title = step.map_or(String::new(), |step| format!(" ({})", step.title));
    let place = if failure.step.is_empty() {
        String::new()
    } else {
        format!(" step {}{title},", failure.step)
    };
    format!(
        "{} {}:{place} {at} after the begin",
        report.verdict, report.name
    )
}

fn tips(failure: &Failure) -> Vec<String> {
    let mut lines: Vec<String> = match &failure.fork {
        Some(fork) => fork
            .branches
            .iter()
            .map(|branch| branch_line(branch, fork.branches.len() > 1))
            .collect(),
        None => failure
            .tips
            .iter()
            .map(|(node, mark)| format!("{} at {}: {node}", short(&mark.tip), mark.height))
            .collect(),
    };
    if let Some(fork) = &failure.fork {
        let on_branch = |node: &String| fork.branches.iter().any(|x| x.nodes.contains(node));
        for (node, mark) in failure.tips.iter().filter(|(node, _)| !on_branch(node)) {
            lines.push(format!(
                "{} at {}: {node}, behind the fork",
                short(&mark.tip),
                mark.height
            ));
        }
    }
    lines.extend(
        failure
            .down
            .iter()
            .map(|(node, why)| format!("{node} does not answer ({why})")),
    );
    lines
}

fn branch_line(branch: &Branch, is_fork: bool) -> String {
    let tip = short(&branch.tip);
    let nodes = branch.nodes.join(", ");
    let mined = if is_fork && branch.blocks > 0 {
        let blocks = branch.blocks;
        format!("; {blocks} since the fork: {}", told(&branch.mined_by))
    } else {
        String::new()
    };
    format!("{tip} at {}: {nodes}{mined}", branch.height)
}

fn parting(report: &Report, failure: &Failure) -> Option<String> {
    let Some(fork) = &failure.fork else {
        let many = failure.tips.len() > 1;
        return many.then(|| no_ancestor(report, failure));
    };
    if fork.branches.len() < 2 {
        return None;
    }
    let ancestor = short(&fork.ancestor);
    let when = fork.parted_at_ms.map_or(String::new(), |at_ms| {
        let ago = seconds(failure.at_ms.saturating_sub(at_ms));
        format!(", parted at {} ({ago} before)", report.clock(at_ms))
    });
    Some(format!(
        "common ancestor {ancestor} at height {}{when}",
        fork.height
    ))
}

/// A node that is too busy, or gone, may have told its tip and not its chain.
fn no_ancestor(report: &Report, failure: &Failure) -> String {
    let is_known = |tip: &TipMark| report.blocks.iter().any(|block| block.fact.hash == tip.tip);
    let untold = failure.tips.iter().filter(|(_, tip)| !is_known(tip));
    let nodes: Vec<&str> = untold.map(|(node, _)| node.as_str()).collect();
    match nodes.is_empty() {
        true => "their chains share no block".to_owned(),
        false => format!(
            "where is not known: {} told a tip, and not the blocks below it",
            nodes.join(", ")
        ),
    }
}

fn newest_of_tree(report: &Report, failure: &Failure) -> Vec<String> {
    let text = fork_tree(report, &failure.tips).text();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TREE_LINES_MAX);
    lines[from..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

/// The last warnings and errors up to the failure, and what was said closest
/// before it.
fn logs(report: &Report, failure: &Failure) -> Vec<String> {
    let before: Vec<&LogFact> = report
        .logs
        .iter()
        .filter(|line| !line.text.contains(ALWAYS_SAID))
        .filter(|line| line.at_ms <= failure.at_ms.saturating_add(AROUND_MS))
        .collect();
    let bad = before
        .iter()
        .rev()
        .filter(|line| severity(&line.text) >= Severity::Warn);
    let mut chosen: Vec<&LogFact> = bad.take(LINES_MAX).copied().collect();
    let left = LINES_MAX - chosen.len();
    let plain = before
        .iter()
        .rev()
        .filter(|line| severity(&line.text) == Severity::Plain)
        .filter(|line| line.at_ms.abs_diff(failure.at_ms) <= AROUND_MS);
    chosen.extend(plain.take(left).copied());
    chosen.sort_by_key(|line| line.at_ms);
    let shown = chosen.into_iter().map(|line| {
        let text: String = without_time(&line.text).chars().take(LETTERS_MAX).collect();
        format!("{} {} {text}", report.clock(line.at_ms), line.node)
    });
    shown.collect()
}

/// A line without its own time of day, since the run's clock stands before it.
fn without_time(text: &str) -> &str {
    match text.split_once(' ') {
        Some((time, rest)) if time.len() >= 20 && time.ends_with('Z') => rest.trim_start(),
        _ => text,
    }
}

fn troubles(report: &Report) -> Vec<String> {
    let told = report.troubles.iter().map(|trouble| {
        format!(
            "{} in step {}: {}",
            trouble.verdict, trouble.step, trouble.text
        )
    });
    told.take(5).collect()
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        writeln!(f, "  expected  {}", self.expected)?;
        writeln!(f, "  found     {}", self.found)?;
        let parting: Vec<String> = self.parting.iter().cloned().collect();
        for (label, lines) in [
            ("tips", &self.tips),
            ("parted", &parting),
            ("faults", &self.faults),
            ("forks", &self.tree),
            ("logs", &self.logs),
            ("also", &self.troubles),
        ] {
            for (place, line) in lines.iter().enumerate() {
                let label = if place == 0 { label } else { "" };
                writeln!(f, "  {label:<8}  {line}")?;
            }
        }
        if self.faults.is_empty() {
            writeln!(f, "  faults    none in force")?;
        }
        Ok(())
    }
}
