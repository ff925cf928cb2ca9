//! Faults as bands over time.

use std::collections::BTreeSet;

use devnet_scenario::fault::{Cut, Fault, Link, NodeName};
use devnet_scenario::history::faults::{FaultEntry, describe, lasts};
use devnet_scenario::world::{Evidence, ProbeEvidence, Reach};

use super::model::{Band, Force, Span};
use super::recorded::clipped;
use super::source::Source;

/// Faults kept at most.
const BANDS_MAX: usize = 400;
/// Probes told of one fault at most.
const PROBES_MAX: usize = 60;

impl Band {
    /// Whether it was in force at that time.
    pub fn holds(&self, at_ms: u64) -> bool {
        self.force != Force::NoEffect
            && self.from_ms <= at_ms
            && self.to_ms.is_none_or(|to_ms| at_ms < to_ms)
    }

    /// Whether it was over once it was done.
    pub fn is_moment(&self) -> bool {
        self.to_ms == Some(self.from_ms)
    }
}

/// Every fault of a run, and those that are meant to be in force now.
pub fn bands(source: &Source, span: Span) -> Vec<Band> {
    let names = source.names();
    let recorded = source
        .report
        .faults
        .iter()
        .map(|entry| recorded(entry, &names));
    let intended = source
        .intended
        .iter()
        .map(|(fault, since_ms)| intended(fault, *since_ms, &names, span));
    let mut bands: Vec<Band> = recorded.chain(intended).take(BANDS_MAX).collect();
    bands.sort_by_key(|band| band.from_ms);
    for (place, band) in bands.iter_mut().enumerate() {
        band.number = place + 1;
    }
    bands
}

fn recorded(entry: &FaultEntry, names: &[NodeName]) -> Band {
    let evidence = entry.evidence.clone().unwrap_or_default();
    let force = match (entry.in_force_at_ms, &entry.evidence) {
        (Some(_), _) => Force::Proven,
        (None, Some(_)) => Force::NoEffect,
        (None, None) => Force::Unproven,
    };
    let from_ms = entry.in_force_at_ms.unwrap_or(entry.ordered_at_ms);
    // What never came in force is a moment, not a time without end.
    let to_ms = match entry.in_force_at_ms {
        Some(_) => entry.ended_at_ms.map(|to_ms| to_ms.max(from_ms)),
        None => Some(from_ms),
    };
    Band {
        title: clipped(&entry.title),
        from_ms,
        to_ms,
        force,
        ..band(&entry.fault, &evidence, names)
    }
}

fn intended(fault: &Fault, since_ms: u64, names: &[NodeName], span: Span) -> Band {
    Band {
        title: clipped(&describe(fault)),
        from_ms: since_ms.max(span.begin_ms),
        to_ms: (!lasts(fault)).then_some(since_ms),
        force: Force::Unproven,
        ..band(fault, &Evidence::default(), names)
    }
}

fn band(fault: &Fault, evidence: &Evidence, names: &[NodeName]) -> Band {
    let nodes: BTreeSet<NodeName> = match fault {
        Fault::Cut(cut) => ends(&cut.links),
        Fault::Condition { links, .. } => ends(links),
        Fault::Node { nodes, .. } => nodes.iter().cloned().collect(),
    };
    Band {
        number: 0,
        title: String::new(),
        from_ms: 0,
        to_ms: None,
        force: Force::Unproven,
        nodes: nodes.into_iter().collect(),
        groups: match fault {
            Fault::Cut(cut) => groups(cut, names),
            _ => Vec::new(),
        },
        evidence: clipped(&evidence.summary),
        objections: evidence
            .objections
            .iter()
            .take(20)
            .map(|text| clipped(text))
            .collect(),
        probes: evidence.probes.iter().take(PROBES_MAX).map(probe).collect(),
    }
}

fn ends(links: &BTreeSet<Link>) -> BTreeSet<NodeName> {
    let ends = links.iter().flat_map(|link| [&link.from, &link.to]);
    ends.cloned().collect()
}

/// Nodes that could still reach each other, directly or by others; empty where
/// the cut left all together.
fn groups(cut: &Cut, names: &[NodeName]) -> Vec<Vec<NodeName>> {
    let is_open = |a: &NodeName, b: &NodeName| {
        let link = |from: &NodeName, to: &NodeName| Link {
            from: from.clone(),
            to: to.clone(),
        };
        !cut.links.contains(&link(a, b)) && !cut.links.contains(&link(b, a))
    };
    let mut left: Vec<&NodeName> = names.iter().collect();
    let mut groups = Vec::new();
    while let Some(first) = left.first().copied() {
        let mut group = vec![first];
        left.retain(|name| *name != first);
        let mut next = 0;
        while let Some(node) = group.get(next).copied() {
            next += 1;
            let (near, far): (Vec<_>, Vec<_>) = left.iter().partition(|other| is_open(node, other));
            group.extend(near);
            left = far;
        }
        groups.push(group.into_iter().cloned().collect());
    }
    if groups.len() < 2 { Vec::new() } else { groups }
}

fn probe(probe: &ProbeEvidence) -> String {
    let Link { from, to } = &probe.link;
    let before = probe.before.map_or(String::new(), |before| {
        format!(", before {}", spell(before))
    });
    format!(
        "{from} → {to} by {}: {} (should be {}{before})",
        probe.by,
        spell(probe.measured),
        spell(probe.expected)
    )
}

fn spell(reach: Reach) -> String {
    match reach {
        Reach::Open { rtt_ms: Some(rtt) } => format!("open, {rtt:.1} ms"),
        Reach::Open { rtt_ms: None } => "open".into(),
        Reach::Cut => "cut".into(),
        Reach::Unknown => "unknown".into(),
    }
}
