//! What `up` would make, before it does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use minichain_api::genesis::GenesisFile;

use super::explain;
use crate::action::Plan;
use crate::blueprint::{Blueprint, NodePlan, Runtime};
use crate::plan::describe_rule;
use crate::quantity::ByteSize;

/// Actions of one stage shown at most.
const ACTIONS_MAX: usize = 12;

/// The blueprint and the actions still to do, as text. Holds no password.
pub fn dry_run(blueprint: &Blueprint, plan: &Plan) -> String {
    let mut text = String::new();
    let mut paragraph = |lines: String| {
        if !lines.is_empty() {
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(&lines);
        }
    };
    paragraph(heading(blueprint));
    paragraph(node_table(&blueprint.nodes));
    paragraph(stages(plan));
    text
}

fn heading(blueprint: &Blueprint) -> String {
    let mut rows = vec![("network", network(blueprint))];
    if let Some(genesis) = &blueprint.genesis {
        rows.push(("chain", chain(genesis)));
        rows.push(("accounts", accounts(genesis)));
    }
    let zones = zones(&blueprint.nodes);
    if !zones.is_empty() {
        rows.push(("zones", zones));
    }
    rows.extend(runtimes(&blueprint.nodes));
    rows.iter().fold(String::new(), |text, (key, value)| {
        text + &format!("{key:<9} {value}\n")
    })
}

fn network(blueprint: &Blueprint) -> String {
    let mut parts = vec![
        blueprint.name.clone(),
        format!("engine {}", blueprint.engine),
    ];
    if let Some(subnet) = blueprint.subnet {
        parts.push(format!("addresses {subnet}"));
    }
    if !blueprint.is_empty() {
        parts.push(format!("run {}", blueprint.run_id));
        parts.push(format!("seed {}", blueprint.seed));
    }
    parts.join(", ")
}

fn chain(genesis: &GenesisFile) -> String {
    let halving = match genesis.reward.halving_interval {
        0 => "for ever".into(),
        blocks => format!("halving every {blocks} blocks"),
    };
    format!(
        "block time {}s, {}, {} H/s at first, reward {} {halving}, mature after {} blocks",
        genesis.spacing_s,
        describe_rule(&genesis.difficulty),
        genesis.initial_hash_rate,
        genesis.reward.initial,
        genesis.coinbase_maturity,
    )
}

fn accounts(genesis: &GenesisFile) -> String {
    if genesis.allocations.is_empty() {
        return "none".into();
    }
    let allocations = genesis.allocations.iter();
    let accounts: Vec<String> = allocations
        .map(|allocation| format!("{} {}", allocation.account, allocation.amount))
        .collect();
    accounts.join(", ")
}

/// Each zone with the number of its nodes.
fn zones(nodes: &[NodePlan]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for zone in nodes.iter().filter_map(|node| node.zone.as_deref()) {
        *counts.entry(zone).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(zone, count)| format!("{zone} {count}"))
        .collect();
    parts.join(", ")
}

/// Each different program with the nodes that run it.
fn runtimes(nodes: &[NodePlan]) -> Vec<(&'static str, String)> {
    let mut programs: Vec<(&'static str, String, Vec<&str>)> = Vec::new();
    for node in nodes {
        let (kind, program) = program(&node.runtime);
        match programs
            .iter_mut()
            .find(|known| (known.0, &known.1) == (kind, &program))
        {
            Some((_, _, users)) => users.push(&node.name),
            None => programs.push((kind, program, vec![&node.name])),
        }
    }
    let is_only = programs.len() == 1;
    programs
        .into_iter()
        .map(|(kind, program, users)| match is_only {
            true => (kind, program),
            false => (kind, format!("{program}: {}", shortened(&users, ", "))),
        })
        .collect()
}

fn program(runtime: &Runtime) -> (&'static str, String) {
    match runtime {
        Runtime::Container(container) => {
            let memory = ByteSize {
                bytes: container.memory_max_bytes,
            };
            ("image", format!("{}, memory {memory}", container.image))
        }
        Runtime::Process(process) => (
            "binary",
            process.command.first().cloned().unwrap_or_default(),
        ),
    }
}

fn node_table(nodes: &[NodePlan]) -> String {
    if nodes.is_empty() {
        return String::new();
    }
    let header = [
        "NODE",
        "ROLE",
        "ADDRESS",
        "RPC",
        "METRICS",
        "HASH RATE",
        "DIALS",
    ];
    let mut rows = vec![header.map(String::from)];
    rows.extend(nodes.iter().map(|node| row(node, nodes)));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

fn row(node: &NodePlan, nodes: &[NodePlan]) -> [String; 7] {
    let mining = &node.config.mining;
    let name_of = |address: &String| {
        let known = nodes
            .iter()
            .find(|other| other.inside.p2p.to_string() == *address);
        known.map_or_else(|| address.clone(), |other| other.name.clone())
    };
    let dialled: Vec<String> = node.config.p2p.bootstrap.iter().map(name_of).collect();
    let dialled: Vec<&str> = dialled.iter().map(String::as_str).collect();
    [
        node.name.clone(),
        node.role.to_string(),
        node.inside.p2p.to_string(),
        node.host.rpc.to_string(),
        node.host.metrics.to_string(),
        if mining.enabled {
            format!("{} H/s", mining.hash_rate)
        } else {
            "-".into()
        },
        if dialled.is_empty() {
            "-".into()
        } else {
            shortened(&dialled, " ")
        },
    ]
}

fn stages(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to do: all of this exists and runs.\n".into();
    }
    let steps = match plan.stages.len() {
        1 => "1 step".into(),
        many => format!("{many} steps"),
    };
    let mut text = format!("Would do, in {steps}:\n");
    for (at, stage) in plan.stages.iter().enumerate() {
        let lines: Vec<String> = stage.iter().map(explain).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>3}. {}", at + 1, shortened(&lines, "\n     "));
    }
    text
}

/// The first few of many, and how many more there are.
fn shortened(items: &[&str], separator: &str) -> String {
    let shown = items[..items.len().min(ACTIONS_MAX)].join(separator);
    match items.len().saturating_sub(ACTIONS_MAX) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}
