//! From what shall happen on each link to what each node must hold, and back.
//!
//! In containers the receiver's packet filter makes cuts and loss, and the
//! sender's conditioner the rest. Processes share one network namespace: there
//! the sender's conditioner makes everything. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::{Condition, LinkState};
use minichain_api::admin::{Conditions, LinkConditions};

use crate::engine::fault::FilterRules;

/// Shares of loss nearer than this are the same: the kernel counts in whole
/// steps.
const LOSS_STEP: f64 = 0.002;
/// Times and rates nearer than this share of them are the same.
const CLOSE: f64 = 1e-6;

/// How a node is known on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its libp2p id; `None` if it never told.
    pub peer_id: Option<String>,
}

/// How all nodes are known.
pub type Ends = BTreeMap<NodeName, End>;

/// All that one node must hold, or holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// The filter in its namespace; nothing in it where there is none.
    pub filter: FilterRules,
    /// Its conditioner.
    pub conditions: Conditions,
}

/// What each node must hold so that every link is in its state. Nodes that
/// hold nothing are told too.
pub fn holdings(
    kind: EngineKind,
    states: &BTreeMap<Link, LinkState>,
    ends: &Ends,
) -> BTreeMap<NodeName, Holding> {
    let mut holdings: BTreeMap<NodeName, Holding> = ends
        .keys()
        .map(|node| (node.clone(), Holding::default()))
        .collect();
    for (link, state) in states {
        let (Some(from), Some(to)) = (ends.get(&link.from), ends.get(&link.to)) else {
            continue;
        };
        let share = drop_share(state);
        if kind == EngineKind::Docker
            && share > 0.0
            && let Some(receiver) = holdings.get_mut(&link.to)
        {
            receiver.filter.drops.insert(from.ip, share);
        }
        if let Some(peer_id) = &to.peer_id
            && let Some(sender) = holdings.get_mut(&link.from)
        {
            let conditions = conditions(kind, peer_id, state);
            sender.conditions.links.extend(conditions);
        }
    }
    let is_filtering = holdings.values().any(|held| !held.filter.drops.is_empty());
    for (node, held) in &mut holdings {
        held.conditions
            .links
            .sort_by(|a, b| a.peerid.cmp(&b.peerid));
        if is_filtering {
            held.filter.counted = ends
                .iter()
                .filter(|(other, _)| *other != node)
                .map(|(_, end)| end.ip)
                .collect();
            held.filter.counted.sort_unstable();
        }
    }
    holdings
}

/// What nodes that hold this do to the links; the inverse of [`holdings`].
/// Ids and addresses that belong to no node are left out.
pub fn states(held: &BTreeMap<NodeName, Holding>, ends: &Ends) -> BTreeMap<Link, LinkState> {
    let by_ip: BTreeMap<Ipv4Addr, &NodeName> =
        ends.iter().map(|(node, end)| (end.ip, node)).collect();
    let by_id: BTreeMap<&str, &NodeName> = ends
        .iter()
        .filter_map(|(node, end)| Some((end.peer_id.as_deref()?, node)))
        .collect();
    let mut states: BTreeMap<Link, LinkState> = BTreeMap::new();
    for (node, holding) in held {
        for conditions in &holding.conditions.links {
            let Some(to) = by_id.get(conditions.peerid.as_str()) else {
                continue;
            };
            let state = states.entry(Link::new(node, to)).or_default();
            state.cut |= conditions.cut;
            state.condition = state.condition.overlaid(&condition(conditions));
        }
        for (ip, share) in &holding.filter.drops {
            let Some(from) = by_ip.get(ip) else {
                continue;
            };
            let state = states.entry(Link::new(from, node)).or_default();
            if *share >= 1.0 {
                state.cut = true;
            } else {
                state.condition.loss = Some(*share);
            }
        }
    }
    states
}

/// The state in its plainest form: what does nothing is unset, losing all is a
/// cut, and what a cut hides is gone.
#[must_use]
pub fn plain(state: &LinkState) -> LinkState {
    let above_zero = |value: Option<f64>| value.filter(|value| *value > 0.0);
    let loses_all = state.condition.loss.is_some_and(|loss| loss >= 1.0);
    if state.cut || loses_all {
        return LinkState {
            cut: true,
            condition: Condition::default(),
        };
    }
    LinkState {
        cut: false,
        condition: Condition {
            latency_ms: above_zero(state.condition.latency_ms),
            jitter_ms: above_zero(state.condition.jitter_ms),
            loss: above_zero(state.condition.loss),
            rate_bytes_s: state.condition.rate_bytes_s,
        },
    }
}

/// Links on which nothing shall get through.
pub fn cut_links(states: &BTreeMap<Link, LinkState>) -> BTreeSet<Link> {
    let cut = states.iter().filter(|(_, state)| plain(state).cut);
    cut.map(|(link, _)| link.clone()).collect()
}

/// Links whose two states differ, with both in plain form: wanted, found.
pub fn differences(
    wanted: &BTreeMap<Link, LinkState>,
    found: &BTreeMap<Link, LinkState>,
) -> BTreeMap<Link, (LinkState, LinkState)> {
    let links = wanted.keys().chain(found.keys());
    let of = |states: &BTreeMap<Link, LinkState>, link: &Link| {
        states.get(link).map(plain).unwrap_or_default()
    };
    links
        .map(|link| (link.clone(), (of(wanted, link), of(found, link))))
        .filter(|(_, (wanted, found))| !is_same(wanted, found))
        .collect()
}

/// Whether two nodes' conditioners do the same.
pub fn is_same_conditions(a: &Conditions, b: &Conditions) -> bool {
    a.links.len() == b.links.len()
        && a.links.iter().zip(&b.links).all(|(a, b)| {
            a.peerid == b.peerid
                && a.cut == b.cut
                && a.rate_bytes_s == b.rate_bytes_s
                && is_close(a.latency_ms, b.latency_ms)
                && is_close(a.jitter_ms, b.jitter_ms)
                && is_close(a.loss, b.loss)
        })
}

fn drop_share(state: &LinkState) -> f64 {
    if state.cut {
        return 1.0;
    }
    state.condition.loss.unwrap_or_default().clamp(0.0, 1.0)
}

/// `None`: the conditioner has nothing to do there.
fn conditions(kind: EngineKind, peer_id: &str, state: &LinkState) -> Option<LinkConditions> {
    let makes_cuts = kind == EngineKind::Process;
    let condition = &state.condition;
    let conditions = LinkConditions {
        peerid: peer_id.to_owned(),
        cut: makes_cuts && drop_share(state) >= 1.0,
        latency_ms: condition.latency_ms.unwrap_or_default(),
        jitter_ms: condition.jitter_ms.unwrap_or_default(),
        loss: match makes_cuts && !state.cut {
            true if drop_share(state) < 1.0 => drop_share(state),
            _ => 0.0,
        },
        rate_bytes_s: condition.rate_bytes_s,
    };
    let nothing = LinkConditions {
        peerid: peer_id.to_owned(),
        cut: false,
        latency_ms: 0.0,
        jitter_ms: 0.0,
        loss: 0.0,
        rate_bytes_s: None,
    };
    (conditions != nothing).then_some(conditions)
}

fn condition(held: &LinkConditions) -> Condition {
    let above_zero = |value: f64| (value > 0.0).then_some(value);
    Condition {
        latency_ms: above_zero(held.latency_ms),
        jitter_ms: above_zero(held.jitter_ms),
        loss: above_zero(held.loss),
        rate_bytes_s: held.rate_bytes_s,
    }
}

fn is_same(a: &LinkState, b: &LinkState) -> bool {
    let close =
        |a: Option<f64>, b: Option<f64>| is_close(a.unwrap_or_default(), b.unwrap_or_default());
    let (x, y) = (&a.condition, &b.condition);
    let loss = (x.loss.unwrap_or_default() - y.loss.unwrap_or_default()).abs();
    a.cut == b.cut
        && close(x.latency_ms, y.latency_ms)
        && close(x.jitter_ms, y.jitter_ms)
        && loss < LOSS_STEP
        && x.rate_bytes_s == y.rate_bytes_s
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= CLOSE * a.abs().max(b.abs()).max(1.0)
}

#[cfg(test)]
mod tests;
