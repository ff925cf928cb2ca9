//! Propagation, nodes, environment and logs.

use maud::{Markup, html};

use devnet_scenario::history::short;

use super::{distribution, spark};
use crate::account::model::{Account, NodeRow, Propagation, Summary, Usage};
use crate::account::spell;

/// How blocks came to nodes.
pub fn propagation(account: &Account) -> Markup {
    let told = &account.propagation;
    html! {
        div.pair {
            (distribution::arrivals(told, account.quiet_words()))
            div {
                @if let Some(quiet) = told.quiet {
                    dl.pairs.short {
                        (distribution::quantiles(quiet))
                        dt { "Arrivals" } dd { (quiet.count) }
                    }
                }
                p.note {
                    "From the moment the first node had a block to the moment each other one had it, by the "
                    "nodes' logs, of " (spell::count(told.blocks, "block")) ". "
                    @if account.knows_faults_of_the_past() {
                        "These figures are of blocks found while no fault was in force. "
                    }
                    "A block of the other side of a cut arrives after the heal, and counts as long as "
                    "that took."
                }
            }
        }
        (receptions(told, account.quiet_words()))
        (slowest(account))
    }
}

fn receptions(told: &Propagation, quiet: &str) -> Markup {
    let is_split = told.is_split();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Propagation by node" {
            table {
                caption { "Arrival after the first node, by node" }
                thead {
                    tr {
                        th scope="col" rowspan="2" { "Node" }
                        th.n scope="col" rowspan="2" { "Had first" }
                        @if is_split {
                            th scope="colgroup" colspan="4" { (quiet) }
                            th scope="colgroup" colspan="4" { "A fault in force" }
                        } @else {
                            th scope="colgroup" colspan="4" { "After the first" }
                        }
                        th.n scope="col" rowspan="2" { "Never came" }
                    }
                    tr {
                        @for _ in 0..if is_split { 2 } else { 1 } {
                            th.n scope="col" { "Blocks" }
                            th.n scope="col" { "Median" }
                            th.n scope="col" { "p90" }
                            th.n scope="col" { "p99" }
                        }
                    }
                }
                tbody {
                    @for row in &told.nodes {
                        tr {
                            th scope="row" { (&row.node) }
                            td.n { (row.first) }
                            (figures(row.quiet))
                            @if is_split { (figures(row.disturbed)) }
                            td.n { (row.missing) }
                        }
                    }
                }
            }
        }
    }
}

fn figures(summary: Option<Summary>) -> Markup {
    html! {
        @match summary {
            Some(summary) => {
                td.n { (summary.count) }
                td.n { (spell::span(summary.median)) }
                td.n { (spell::span(summary.p90)) }
                td.n { (spell::span(summary.p99)) }
            }
            None => {
                td.n { "0" } td.n { "–" } td.n { "–" } td.n { "–" }
            }
        }
    }
}

fn slowest(account: &Account) -> Markup {
    html! {
        details.paper {
            summary { "Blocks that took longest to reach every node" }
            div.scroll.inside tabindex="0" role="region" aria-label="Slowest blocks" {
                table {
                    thead { tr {
                        th.n scope="col" { "Height" }
                        th scope="col" { "Block" }
                        th scope="col" { "Miner" }
                        th.n scope="col" { "Found at" }
                        th.n scope="col" { "Until the last" }
                        th scope="col" { "Last node" }
                        th scope="col" { "Fault in force" }
                    } }
                    tbody {
                        @for block in &account.propagation.slowest {
                            tr {
                                td.n { (block.height) }
                                td { code title=(block.hash) { (short(&block.hash)) } }
                                td { (block.miner.as_deref().unwrap_or("?")) }
                                td.n { (spell::since(block.at_ms, account.span.begin_ms)) }
                                td.n { (spell::span_ms(block.spread_ms)) }
                                td { (&block.last) }
                                td { @if block.is_disturbed { "yes" } @else { "no" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Every node in figures, and what it used.
pub fn nodes(account: &Account) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Nodes" {
            table {
                caption { "Every node at the end" }
                thead { tr {
                    th scope="col" { "Node" }
                    th scope="col" { "State" }
                    th.n scope="col" { "Height" }
                    th scope="col" { "Tip" }
                    th.n scope="col" { "Mined" }
                    th.n scope="col" { "Stale" }
                    th.n scope="col" { "Reorgs" }
                    th.n scope="col" { "Deepest" }
                    th.n scope="col" { "Restarts" }
                    th.n scope="col" { "Down" }
                } }
                tbody { @for node in &account.nodes { (state(node)) } }
            }
        }
        h3 { "Resources" }
        (resources(account))
    }
}

fn state(node: &NodeRow) -> Markup {
    let (word, why) = node.state.split_once(": ").unwrap_or((&node.state, ""));
    html! {
        tr {
            th scope="row" {
                (&node.name)
                small { (&node.role) @if let Some(zone) = &node.zone { ", " (zone) } }
            }
            td {
                @if word == "up" { span.good-text { "up" } } @else { span.bad-text { (word) } }
                @if !why.is_empty() { small { (why) } }
            }
            td.n { (node.height.map_or("–".into(), |height| height.to_string())) }
            td { @if let Some(tip) = &node.tip { code title=(tip) { (short(tip)) } } @else { "–" } }
            td.n { (node.mined) }
            td.n { (node.mined_stale) }
            td.n { (node.reorgs) }
            td.n { (node.reorg_depth) }
            td.n { (node.restarts) }
            td.n { @if node.down_ms == 0 { "–" } @else { (spell::span_ms(node.down_ms)) } }
        }
    }
}

/// The highest of all nodes' curves.
fn top(usage: &[Usage], of: fn(&Usage) -> &Vec<(u64, f64)>) -> f64 {
    let values = usage.iter().flat_map(of).map(|(_, value)| *value);
    values.fold(0.0, f64::max)
}

fn resources(account: &Account) -> Markup {
    let usage = &account.usage;
    let has_curves = usage.iter().any(|usage| usage.memory.len() > 1);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Resources" {
            table {
                caption {
                    @if has_curves { "What every node used, by samples of its metrics. Curves of one column share one scale." }
                    @else { "What every node used since its process began." }
                }
                thead { tr {
                    th scope="col" { "Node" }
                    @if has_curves { th scope="col" { "Memory" } }
                    th.n scope="col" { "Most" }
                    @if has_curves { th scope="col" { "Processor" } }
                    th.n scope="col" { @if has_curves { "Mean" } @else { "Processor time" } }
                    @if has_curves { th scope="col" { "Transactions waiting" } }
                    th.n scope="col" { "Sent" }
                    th.n scope="col" { "Received" }
                } }
                tbody {
                    @for node in &account.nodes {
                        @let own = usage.iter().find(|usage| usage.node == node.name);
                        (used(account, node, own, has_curves))
                    }
                }
            }
        }
    }
}

fn used(account: &Account, node: &NodeRow, own: Option<&Usage>, has_curves: bool) -> Markup {
    let usage = &account.usage;
    let curve = |what: &str, of: fn(&Usage) -> &Vec<(u64, f64)>| {
        let label = format!("{what} of {} over time", node.name);
        html! {
            td {
                @if let Some(own) = own { (spark::curve(of(own), top(usage, of), account.span, &label)) }
            }
        }
    };
    let bytes = |bytes: Option<f64>| bytes.map_or("–".into(), spell::bytes);
    let cpu = match has_curves {
        true => node.cpu_share.map(spell::percent),
        false => node.cpu_s.map(|seconds| spell::span(seconds * 1e3)),
    };
    html! {
        tr {
            th scope="row" { (&node.name) }
            @if has_curves { (curve("Memory", |usage| &usage.memory)) }
            td.n { (bytes(node.memory_peak_bytes.map(|bytes| bytes as f64))) }
            @if has_curves { (curve("Processor share", |usage| &usage.cpu)) }
            td.n { (cpu.unwrap_or("–".into())) }
            @if has_curves { (curve("Transactions waiting", |usage| &usage.mempool)) }
            td.n { (bytes(node.sent_bytes)) }
            td.n { (bytes(node.received_bytes)) }
        }
    }
}

/// What carried it, what is missing, and the last warnings.
pub fn environment(account: &Account) -> Markup {
    html! {
        dl.pairs {
            @for (name, value) in &account.environment {
                dt { (name) } dd { (value) }
            }
        }
        @if !account.remarks.is_empty() {
            h3 { "To be known" }
            ul { @for remark in &account.remarks { li { (remark) } } }
        }
        @if account.story.is_none() && !account.logs.is_empty() { (logs(account)) }
    }
}

/// The last warnings and errors.
pub fn logs(account: &Account) -> Markup {
    let begin_ms = account.span.begin_ms;
    let lines = account.logs.iter().map(|line| {
        format!(
            "{:>9}  {}  {}",
            spell::since(line.at_ms, begin_ms),
            line.node,
            line.text
        )
    });
    let lines: Vec<String> = lines.collect();
    html! {
        details {
            summary { "The last warnings and errors of the nodes (" (lines.len()) ")" }
            pre.inside tabindex="0" { (&lines.join("\n")) }
        }
    }
}
