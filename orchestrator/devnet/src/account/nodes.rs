//! Nodes in figures, and what they used over time.

use devnet_scenario::report::NodeReport;

use super::model::{NodeRow, Span, Usage};
use super::recorded::clipped;
use super::samples::{Samples, Taken};
use super::source::Source;
use super::timeline::outages;
use super::tree::Found;

/// Nodes with curves at most.
const CURVES_MAX: usize = 60;

/// One row for each node.
pub fn rows(source: &Source, blocks: &[Found], span: Span) -> Vec<NodeRow> {
    let names = source.names();
    names
        .iter()
        .map(|name| row(source, blocks, span, name))
        .collect()
}

fn row(source: &Source, blocks: &[Found], span: Span, name: &str) -> NodeRow {
    let entry = source.report.roster.iter().find(|entry| entry.name == name);
    let seen = source.report.nodes.get(name);
    let samples = source.samples.get(name);
    let mined = blocks
        .iter()
        .filter(|block| block.miner.as_deref() == Some(name));
    let tip = source.tips.get(name);
    let last = seen.and_then(|node| node.tips.last());
    let of_samples = |of: fn(&Taken) -> Option<f64>| samples.and_then(|x| x.growth(of));
    let cpu_s = of_samples(|taken| taken.cpu_s);
    let sampled_s = samples.and_then(sampled_s);
    NodeRow {
        name: name.to_owned(),
        role: entry.map(|entry| clipped(&entry.role)).unwrap_or_default(),
        zone: entry.and_then(|entry| entry.zone.as_deref().map(clipped)),
        state: seen.map_or_else(|| "?".to_owned(), state),
        height: tip.map(|tip| tip.height).or(last.map(|last| last.height)),
        tip: tip
            .map(|tip| tip.tip.clone())
            .or(last.map(|last| last.tip.clone())),
        mined: mined.clone().count(),
        mined_stale: mined.filter(|block| !block.is_best).count(),
        reorgs: reorgs(source, span, name),
        reorg_depth: reorg_depth(source, span, name),
        restarts: seen.map_or(0, |node| node.restarts),
        down_ms: down_ms(source, span, name),
        memory_peak_bytes: memory_peak(seen, samples),
        cpu_s,
        cpu_share: cpu_s
            .zip(sampled_s)
            .map(|(cpu_s, sampled_s)| cpu_s / sampled_s),
        sent_bytes: of_samples(|taken| taken.sent),
        received_bytes: of_samples(|taken| taken.received),
    }
}

fn state(node: &NodeReport) -> String {
    node.states
        .last()
        .map_or_else(|| "?".to_owned(), |state| clipped(&state.state))
}

/// Seconds from the first sample to the last.
fn sampled_s(samples: &Samples) -> Option<f64> {
    let (first, last) = (samples.taken.first()?, samples.taken.last()?);
    let ms = last.at_ms.checked_sub(first.at_ms).filter(|ms| *ms > 0)?;
    Some(ms as f64 / 1e3)
}

fn losses<'a>(source: &'a Source, span: Span, name: &'a str) -> impl Iterator<Item = u32> + 'a {
    let told = source.book.of(name).iter();
    let inside = told.filter(move |mention| span.holds(mention.at_ms));
    inside
        .filter(|mention| mention.lost > 0)
        .map(|mention| mention.lost)
}

/// By the node's log, or by the looks at it.
fn reorgs(source: &Source, span: Span, name: &str) -> usize {
    let by_log = losses(source, span, name).count();
    let node = source.report.nodes.get(name);
    let by_look = node.map_or(0, |node| {
        node.tips
            .iter()
            .filter(|change| change.reorg_depth > 0)
            .count()
    });
    by_log.max(by_look)
}

fn reorg_depth(source: &Source, span: Span, name: &str) -> u32 {
    let by_look = source
        .report
        .nodes
        .get(name)
        .map_or(0, |node| node.reorg_depth);
    losses(source, span, name).max().unwrap_or(0).max(by_look)
}

fn down_ms(source: &Source, span: Span, name: &str) -> u64 {
    let outages = outages(source, name, span).into_iter();
    outages
        .map(|outage| {
            let to_ms = outage.to_ms.unwrap_or(span.end_ms).min(span.end_ms);
            to_ms.saturating_sub(outage.from_ms)
        })
        .sum()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of memory; casts of floats saturate"
)]
fn memory_peak(seen: Option<&NodeReport>, samples: Option<&Samples>) -> Option<u64> {
    let by_look = seen.and_then(|node| node.memory_peak_bytes);
    let sampled = samples.into_iter().flat_map(|samples| &samples.taken);
    let by_sample = sampled
        .filter_map(|taken| taken.memory)
        .map(|bytes| bytes as u64)
        .max();
    by_look.max(by_sample)
}

/// Curves of every node that was sampled.
pub fn usage(source: &Source, span: Span) -> Vec<Usage> {
    let names = source.names().into_iter();
    let sampled = names.filter_map(|node| {
        let samples = source.samples.get(&node)?;
        let curve = |of: fn(&Taken) -> Option<f64>| {
            let points = samples.taken.iter().filter_map(|x| Some((x.at_ms, of(x)?)));
            points
                .filter(|(at_ms, _)| span.holds(*at_ms))
                .collect::<Vec<_>>()
        };
        let mut cpu = samples.rates(|taken| taken.cpu_s);
        cpu.retain(|(at_ms, _)| span.holds(*at_ms));
        Some(Usage {
            memory: curve(|taken| taken.memory),
            mempool: curve(|taken| taken.mempool),
            cpu,
            node,
        })
    });
    sampled.take(CURVES_MAX).collect()
}
