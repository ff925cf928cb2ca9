//! The account as text for a terminal.

use std::fmt::Write as _;

use devnet_scenario::report::StepOutcome;

use super::model::{Account, Force, Reception, Summary};
use super::spell;

/// Steps shown that went wrong.
const BAD_STEPS_MAX: usize = 10;
/// Faults shown.
const FAULTS_MAX: usize = 20;
/// Letters of a title shown.
const LETTERS_MAX: usize = 90;

/// The account in a screen or two. Writing to a String cannot fail.
pub fn text(account: &Account) -> String {
    let mut out = head(account);
    steps(account, &mut out);
    figures(account, &mut out);
    faults(account, &mut out);
    nodes(account, &mut out);
    for remark in &account.remarks {
        let _ = writeln!(out, "note: {remark}");
    }
    spell::plain(out.trim_end())
}

fn head(account: &Account) -> String {
    let took = spell::span_ms(account.span.length_ms());
    let mut out = String::new();
    let _ = match (&account.run, account.verdict) {
        (Some(run), Some(verdict)) => writeln!(
            out,
            "{verdict} {} on {}, seed {}, {took}",
            account.title, run.engine, run.seed
        ),
        _ => writeln!(out, "Network `{}`, {took}", account.title),
    };
    if let Some(story) = &account.story {
        let _ = writeln!(out, "\n{story}");
    }
    out
}

fn steps(account: &Account, out: &mut String) {
    let (all, passed) = (account.steps.len(), StepOutcome::Passed);
    if all == 0 {
        return;
    }
    let well = account
        .steps
        .iter()
        .filter(|step| step.outcome == passed)
        .count();
    let _ = writeln!(out, "steps      {well} of {all} passed");
    let bad = account.steps.iter().filter(|step| {
        matches!(
            step.outcome,
            StepOutcome::Failed | StepOutcome::Invalid | StepOutcome::Broken
        )
    });
    for step in bad.take(BAD_STEPS_MAX) {
        let _ = writeln!(out, "           ✗ {} {}", step.path, clipped(&step.title));
    }
}

fn figures(account: &Account, out: &mut String) {
    let target = spell::span_ms(account.block_interval_ms);
    let stale = &account.stale;
    let knows = account.knows_faults_of_the_past();
    let without = match knows {
        true => format!(
            "; without a fault {} of {}",
            stale.quiet_stale, stale.quiet_blocks
        ),
        false => String::new(),
    };
    let _ = writeln!(
        out,
        "blocks     {} found, {} stale ({}){without}",
        stale.blocks,
        stale.stale,
        spell::share(stale.stale, stale.blocks),
    );
    if let Some(summary) = account.intervals.summary {
        let _ = writeln!(out, "interval   {}, target {target}", told(summary));
    }
    if let Some(summary) = account.propagation.quiet {
        let _ = writeln!(
            out,
            "arrival    {}{}",
            told(summary),
            if knows {
                ", while no fault was in force"
            } else {
                ""
            }
        );
    }
    let forks = account.tree.sides;
    let _ = writeln!(
        out,
        "forks      {}",
        spell::count(forks, "side branch").replace("branchs", "branches")
    );
}

fn told(summary: Summary) -> String {
    format!(
        "mean {}, median {}, p90 {}, p99 {}",
        spell::span(summary.mean),
        spell::span(summary.median),
        spell::span(summary.p90),
        spell::span(summary.p99)
    )
}

fn faults(account: &Account, out: &mut String) {
    let begin_ms = account.span.begin_ms;
    for (place, band) in account.faults.iter().take(FAULTS_MAX).enumerate() {
        let label = if place == 0 { "faults" } else { "" };
        let to = match band.to_ms {
            Some(to_ms) => spell::since(to_ms, begin_ms),
            None => "the end".into(),
        };
        let force = match band.force {
            Force::Proven => "",
            Force::NoEffect => "  NO EFFECT",
            Force::Unproven => "  not measured",
        };
        let from = spell::since(band.from_ms, begin_ms);
        let _ = writeln!(
            out,
            "{label:<10} {from:>8} – {to:<8}  {}{force}",
            clipped(&band.title)
        );
    }
    let left = account.faults.len().saturating_sub(FAULTS_MAX);
    if left > 0 {
        let _ = writeln!(out, "{:10} and {left} more", "");
    }
}

fn nodes(account: &Account, out: &mut String) {
    let width = account
        .nodes
        .iter()
        .map(|node| node.name.chars().count())
        .max()
        .unwrap_or(4)
        .max(4);
    let _ = writeln!(
        out,
        "\n{:<width$}  {:<10}  {:>6}  {:>5}  {:>5}  {:>6}  {:>9}  {:>6}  {:>9}  {:>8}",
        "NODE", "ROLE", "HEIGHT", "MINED", "STALE", "REORGS", "MEMORY", "CPU", "ARRIVAL", "P99"
    );
    for node in &account.nodes {
        let dash = || "–".to_owned();
        let reception = account
            .propagation
            .nodes
            .iter()
            .find(|row| row.node == node.name);
        let quiet = reception.and_then(|row: &Reception| row.quiet);
        let _ = writeln!(
            out,
            "{:<width$}  {:<10}  {:>6}  {:>5}  {:>5}  {:>6}  {:>9}  {:>6}  {:>9}  {:>8}",
            node.name,
            node.role,
            node.height.map_or_else(dash, |height| height.to_string()),
            node.mined,
            node.mined_stale,
            node.reorgs,
            node.memory_peak_bytes
                .map_or_else(dash, |bytes| spell::bytes(bytes as f64)),
            node.cpu_share.map_or_else(dash, spell::percent),
            quiet.map_or_else(dash, |summary| spell::span(summary.median)),
            quiet.map_or_else(dash, |summary| spell::span(summary.p99)),
        );
    }
    out.push('\n');
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
