//! Head, story, faults, steps, intervals and forks.

use maud::{Markup, html};

use devnet_scenario::report::{StepOutcome, Story, Verdict};

use super::{distribution, tree};
use crate::account::model::{Account, Band, Force, Step, Summary};
use crate::account::spell;
use crate::clock::rfc3339;

/// What the report is about, and its figures.
pub fn head(account: &Account) -> Markup {
    html! {
        header {
            p.eyebrow {
                @if account.run.is_some() { "Run of a scenario" } @else { "Network as it is" }
            }
            h1 {
                span { (&account.title) }
                @if let Some(verdict) = account.verdict {
                    span class={ "badge " (class_of(verdict)) } { (verdict) }
                }
            }
            @if !account.description.is_empty() { p.lead { (&account.description) } }
            (meta(account))
            @if let Some(run) = account.run.as_ref().filter(|run| !run.replay.is_empty()) {
                div.replay {
                    code id="replay" tabindex="0" aria-label="Command that runs the same again" { (&run.replay) }
                    button type="button" hidden data-copy="replay" { "Copy" }
                }
            }
            (tiles(account))
        }
    }
}

const fn class_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "good",
        Verdict::Fail | Verdict::Broken => "bad",
        Verdict::Invalid | Verdict::Interrupted => "warn",
    }
}

fn meta(account: &Account) -> Markup {
    let span = account.span;
    html! {
        ul.meta {
            li { b { "Began" } time { (rfc3339(span.begin_ms / 1_000).replace('T', " ").replace('Z', " UTC")) } }
            li { b { "Took" } (spell::span_ms(span.length_ms())) }
            @if let Some(run) = &account.run {
                li { b { "Seed" } (run.seed) }
                @if !run.engine.is_empty() { li { b { "Engine" } (&run.engine) } }
                @if !run.file.is_empty() { li { b { "File" } (&run.file) } }
            }
            li { b { "Nodes" } (account.nodes.len()) }
            @for (name, value) in &account.parameters {
                li { b { (name) } (value) }
            }
        }
    }
}

fn tile(name: &str, value: &str, more: &str) -> Markup {
    html! {
        li { span.name { (name) } span.value { (value) } span.more { (together(more)) } }
    }
}

/// Keeps a number and its unit on one line.
fn together(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after_digit = out.ends_with(|last: char| last.is_ascii_digit());
        let before_unit = chars.peek().is_some_and(|next| "msh%BKMGT".contains(*next));
        out.push(if c == ' ' && after_digit && before_unit {
            '\u{a0}'
        } else {
            c
        });
    }
    out
}

fn tiles(account: &Account) -> Markup {
    let stale = &account.stale;
    let target = spell::span_ms(account.block_interval_ms);
    let memory = account
        .nodes
        .iter()
        .filter_map(|node| node.memory_peak_bytes)
        .max();
    let proven = account
        .faults
        .iter()
        .filter(|band| band.force == Force::Proven)
        .count();
    let knows = account.knows_faults_of_the_past();
    let quiet_stale = spell::share(stale.quiet_stale, stale.quiet_blocks);
    let (without, force) = match knows {
        true => (
            format!("; without a fault {quiet_stale}"),
            format!("{proven} proven by measurement"),
        ),
        false => (String::new(), "in force now".to_owned()),
    };
    let mean = |of: Option<Summary>| of.map_or("–".into(), |summary| spell::span(summary.mean));
    html! {
        ul.tiles {
            (tile("Blocks found", &stale.blocks.to_string(), &format!("{} on the chain that won", stale.blocks - stale.stale)))
            (tile("Mean interval", &mean(account.intervals.summary), &format!("target {target}")))
            (tile("Stale blocks", &spell::share(stale.stale, stale.blocks), &format!(
                "{} of {}{without}", stale.stale, stale.blocks)))
            @if let Some(quiet) = account.propagation.quiet {
                (tile("Median arrival", &spell::span(quiet.median), &format!(
                    "99th percentile {}{}", spell::span(quiet.p99), if knows { ", without a fault" } else { "" })))
            }
            (tile("Faults", &account.faults.len().to_string(), &force))
            @if let Some(longest) = account.run.as_ref().and_then(|run| run.heal_to_converged_ms.iter().max()) {
                (tile("Healed within", &spell::span_ms(*longest), "the longest of this run"))
            }
            @if let Some(bytes) = memory {
                (tile("Most memory", &spell::bytes(bytes as f64), "of one node"))
            }
        }
    }
}

/// Why it did not pass.
pub fn story(account: &Account, story: &Story) -> Markup {
    let lines = |lines: &[String]| {
        html! {
            ul.plain { @for line in lines { li { (line) } } }
        }
    };
    html! {
        div.story {
            h3 { (&story.headline) }
            dl.pairs {
                dt { "Expected" } dd { (&story.expected) }
                dt { "Found" } dd { b { (&story.found) } }
                @if !story.tips.is_empty() { dt { "Tips" } dd { (lines(&story.tips)) } }
                @if let Some(parting) = &story.parting { dt { "Parted" } dd { (parting) } }
                dt { "Faults in force" }
                dd { @if story.faults.is_empty() { "none" } @else { (lines(&story.faults)) } }
                @if !story.troubles.is_empty() { dt { "Also" } dd { (lines(&story.troubles)) } }
            }
            @if !story.logs.is_empty() {
                h3 { "What nodes said then" }
                pre tabindex="0" { (&story.logs.join("\n")) }
            }
        }
        @if !account.logs.is_empty() { (super::tables::logs(account)) }
    }
}

/// Each fault with what was measured of it.
pub fn faults(account: &Account) -> Markup {
    let begin_ms = account.span.begin_ms;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Faults" {
            table {
                caption { "What was done to the network, and the measurement that proves it. Numbers are those of the timeline." }
                thead { tr {
                    th.n scope="col" { "No." }
                    th.n scope="col" { "From" }
                    th.n scope="col" { "To" }
                    th scope="col" { "Fault" }
                    th scope="col" { "Force" }
                    th scope="col" { "Evidence" }
                } }
                tbody {
                    @for band in &account.faults { (fault(band, begin_ms)) }
                }
            }
        }
    }
}

fn fault(band: &Band, begin_ms: u64) -> Markup {
    let (class, word) = match band.force {
        Force::Proven => ("good-text", "proven"),
        Force::NoEffect => ("bad-text", "no effect"),
        Force::Unproven => ("warn-text", "not measured"),
    };
    html! {
        tr {
            td.n { (band.number) }
            td.n { (spell::since(band.from_ms, begin_ms)) }
            td.n {
                @match band.to_ms {
                    Some(_) if band.is_moment() => "–",
                    Some(to_ms) => (spell::since(to_ms, begin_ms)),
                    None => "the end",
                }
            }
            td.text {
                (&band.title.replace(", ", ",").replace(',', ", "))
            }
            td { span class={ (class) " nowrap" } { (word) } }
            td.text {
                (&band.evidence)
                @for objection in &band.objections { small.bad-text { (objection) } }
                @if !band.probes.is_empty() {
                    details {
                        summary { (spell::count(band.probes.len(), "probe")) }
                        ul.plain.inside { @for probe in &band.probes { li { small { (probe) } } } }
                    }
                }
            }
        }
    }
}

/// Steps with their outcome and evidence.
pub fn steps(account: &Account) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Steps" {
            table {
                caption { "Steps and expectations in the order they began." }
                thead { tr {
                    th scope="col" { "Step" }
                    th.n scope="col" { "At" }
                    th.n scope="col" { "Took" }
                    th scope="col" { "Outcome" }
                    th scope="col" { "What" }
                } }
                tbody { @for step in &account.steps { (row(step)) } }
            }
        }
        @if account.steps_left_out > 0 {
            p.note { "The last " (account.steps_left_out) " steps are not shown; report.json has them." }
        }
    }
}

fn row(step: &Step) -> Markup {
    let (class, word) = match step.outcome {
        StepOutcome::Passed => ("good-text", "passed"),
        StepOutcome::Failed => ("bad-text", "failed"),
        StepOutcome::Broken => ("bad-text", "broken"),
        StepOutcome::Invalid => ("warn-text", "invalid"),
        StepOutcome::Running => ("warn-text", "running"),
        StepOutcome::Abandoned => ("warn-text", "abandoned"),
        StepOutcome::Skipped => ("nowrap", "skipped"),
    };
    let time = |ms: Option<u64>| ms.map_or("–".into(), spell::span_ms);
    html! {
        tr {
            td.nowrap { (&step.path) }
            td.n { (time(step.at_ms)) }
            td.n { (time(step.took_ms)) }
            td { span class=(class) { (word) } }
            td.text {
                (&step.title)
                @for note in &step.notes { small { (note) } }
            }
        }
    }
}

/// The distribution, and what it comes to.
pub fn intervals(account: &Account) -> Markup {
    html! {
        div.pair {
            (distribution::intervals(account))
            div {
                @if let Some(summary) = account.intervals.summary {
                    dl.pairs.short {
                        dt { "Target" } dd { (spell::span_ms(account.block_interval_ms)) }
                        dt { "Mean" } dd { (spell::span(summary.mean)) }
                        (distribution::quantiles(summary))
                        dt { "Intervals" } dd { (summary.count) }
                    }
                }
                p.note {
                    "Blocks of the chain that won, each from its parent, by when the first node had them. "
                    "Mining has no memory: with steady hash power the times follow the exponential law, "
                    "whose median is 69 % of its mean."
                }
            }
        }
    }
}

/// Stale rate and tree.
pub fn forks(account: &Account) -> Markup {
    let stale = &account.stale;
    html! {
        p {
            (stale.stale) " of " (spell::count(stale.blocks, "block")) " lost against another one ("
            (spell::share(stale.stale, stale.blocks)) ")."
            @if account.knows_faults_of_the_past() {
                " Of those found while no fault was in force, " (stale.quiet_stale) " of "
                (stale.quiet_blocks) " did (" (spell::share(stale.quiet_stale, stale.quiet_blocks)) ")."
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Tree of blocks" { (tree::list(account)) }
    }
}
