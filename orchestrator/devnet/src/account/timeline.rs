//! Every node over time: its tips, and when it did not answer.

use std::collections::BTreeSet;

use super::model::{Lane, Outage, Span, TipAt};
use super::source::Source;
use super::tree::Chain;

/// Nodes shown over time at most.
const LANES_MAX: usize = 60;
/// Changes of one node's tip that are kept at most, the latest.
const TIPS_MAX: usize = 20_000;

/// The lanes, in the order of the roster.
pub fn lanes(source: &Source, chain: &Chain, span: Span) -> Vec<Lane> {
    let names = source.names().into_iter().take(LANES_MAX);
    names
        .map(|node| Lane {
            tips: tips(source, chain, &node, span),
            outages: outages(source, &node, span),
            node,
        })
        .collect()
}

/// Tips by the node's own log, to the millisecond; where it says nothing of a
/// tip, by the looks at the node.
fn tips(source: &Source, chain: &Chain, node: &str, span: Span) -> Vec<TipAt> {
    let told = source.book.of(node).iter().filter(|mention| mention.is_tip);
    let known: BTreeSet<&str> = told.clone().map(|mention| mention.hash.as_str()).collect();
    let by_log = told.map(|mention| TipAt {
        at_ms: mention.at_ms,
        height: mention.height,
        hash: mention.hash.clone(),
        lost: mention.lost,
        is_best: chain.is_best(&mention.hash),
    });
    let looks = source.report.nodes.get(node).map(|node| node.tips.iter());
    let by_look = looks
        .into_iter()
        .flatten()
        .filter(|change| !known.contains(change.tip.as_str()))
        .map(|change| TipAt {
            at_ms: change.at_ms,
            height: change.height,
            hash: change.tip.clone(),
            lost: change.reorg_depth,
            is_best: chain.is_best(&change.tip),
        });
    let mut tips: Vec<TipAt> = by_log.chain(by_look).collect();
    tips.sort_by_key(|tip| tip.at_ms);
    tips.dedup_by(|later, earlier| later.hash == earlier.hash);
    // The last one before the begin is the tip at the begin.
    let before = tips.partition_point(|tip| tip.at_ms < span.begin_ms);
    tips.drain(..before.saturating_sub(1));
    tips.retain(|tip| tip.at_ms <= span.end_ms);
    for tip in &mut tips {
        tip.at_ms = tip.at_ms.max(span.begin_ms);
    }
    tips.drain(..tips.len().saturating_sub(TIPS_MAX));
    tips
}

/// Times without an answer.
pub fn outages(source: &Source, node: &str, span: Span) -> Vec<Outage> {
    let Some(node) = source.report.nodes.get(node) else {
        return Vec::new();
    };
    let ends = node.states.iter().skip(1).map(|state| Some(state.at_ms));
    let changes = node.states.iter().zip(ends.chain([None]));
    changes
        .filter(|(state, _)| !state.up)
        .map(|(state, end)| Outage {
            from_ms: state.at_ms.max(span.begin_ms),
            to_ms: end,
            state: super::recorded::clipped(&state.state),
        })
        .collect()
}
