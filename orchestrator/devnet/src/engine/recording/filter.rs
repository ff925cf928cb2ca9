//! Packet filters of the double: rules kept by node, probes answered and
//! packets counted as a kernel would.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use devnet_blueprint::{Blueprint, NodeState, Observed};

use crate::engine::fault::{FilterRules, Packets, ProbeResult};
use crate::engine::{EngineError, ErrorKind, FilterAnswer, FilterOrder};

/// What a round trip takes in the double.
const RTT_US: u64 = 200;

/// The filters of one network's nodes.
#[derive(Debug, Default)]
pub struct Filters {
    nodes: BTreeMap<String, Filter>,
    /// Rules are kept and read back, and every packet passes all the same.
    pub are_ineffective: bool,
}

#[derive(Debug, Default)]
struct Filter {
    rules: Option<FilterRules>,
    packets: BTreeMap<Ipv4Addr, Packets>,
    /// Packets that arrived, counted or not; thins losses out evenly.
    arrived: BTreeMap<Ipv4Addr, u64>,
}

impl Filters {
    /// A node's namespace is made anew, as by a restart.
    pub fn lose(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// As [`Engine::filter`](crate::engine::Engine::filter).
    pub fn perform(
        &mut self,
        blueprint: &Blueprint,
        observed: &Observed,
        orders: &[FilterOrder],
    ) -> Vec<Result<FilterAnswer, EngineError>> {
        let begun: Vec<Result<(), EngineError>> = orders
            .iter()
            .map(|order| self.set(blueprint, observed, order))
            .collect();
        let mut probes = Vec::new();
        for (order, begun) in orders.iter().zip(&begun) {
            probes.push(match begun {
                Ok(()) => self.probe(blueprint, observed, order),
                Err(_) => Vec::new(),
            });
        }
        let answers = orders.iter().zip(begun).zip(probes);
        answers
            .map(|((order, begun), probes)| {
                begun?;
                let filter = self.nodes.entry(order.node.clone()).or_default();
                Ok(FilterAnswer {
                    node: order.node.clone(),
                    rules: filter.rules.clone(),
                    packets: filter.packets.clone(),
                    probes,
                })
            })
            .collect()
    }

    fn set(
        &mut self,
        blueprint: &Blueprint,
        observed: &Observed,
        order: &FilterOrder,
    ) -> Result<(), EngineError> {
        let refusal = |kind, detail: &str| {
            let action = format!("filtering packets of {}", order.node);
            Err(EngineError::new(kind, action, detail))
        };
        if blueprint.node(&order.node).is_none() {
            return refusal(ErrorKind::NotFound, "the blueprint has no such node");
        }
        let state = observed.node(&order.node).map(|node| node.state);
        if state != Some(NodeState::Running) {
            return refusal(ErrorKind::NotFound, "it is not running");
        }
        let Some(rules) = &order.rules else {
            return Ok(());
        };
        let named = rules.drops.keys().chain(&rules.counted);
        let filter = Filter {
            packets: named.map(|ip| (*ip, Packets::default())).collect(),
            rules: (*rules != FilterRules::default()).then(|| rules.clone()),
            arrived: BTreeMap::new(),
        };
        self.nodes.insert(order.node.clone(), filter);
        Ok(())
    }

    fn probe(
        &mut self,
        blueprint: &Blueprint,
        observed: &Observed,
        order: &FilterOrder,
    ) -> Vec<ProbeResult> {
        let Some(own) = blueprint.node(&order.node) else {
            return Vec::new();
        };
        let mut results = Vec::new();
        for target in &order.probes {
            let other = blueprint.nodes.iter().find(|node| node.ip == *target.ip());
            let is_there = |name: &str| {
                let state = observed.node(name).map(|node| node.state);
                // A frozen node's kernel goes on answering.
                matches!(state, Some(NodeState::Running | NodeState::Paused))
            };
            let connects = other.is_some_and(|other| {
                is_there(&other.name)
                    && self.arrives(own.ip, &other.name)
                    && self.arrives(other.ip, &own.name)
            });
            results.push(if connects {
                ProbeResult::Connected { rtt_us: RTT_US }
            } else {
                ProbeResult::TimedOut
            });
        }
        results
    }

    /// Whether one packet of `sender` gets through at `receiver`.
    fn arrives(&mut self, sender: Ipv4Addr, receiver: &str) -> bool {
        let filter = self.nodes.entry(receiver.to_owned()).or_default();
        let rules = filter.rules.as_ref();
        let share = rules
            .and_then(|rules| rules.drops.get(&sender).copied())
            .unwrap_or_default();
        let is_counted = rules.is_some_and(|rules| rules.counted.contains(&sender));
        let arrived = filter.arrived.entry(sender).or_default();
        let is_dropped = !self.are_ineffective && is_due(*arrived, share);
        *arrived += 1;
        let packets = filter.packets.entry(sender).or_default();
        if is_dropped {
            packets.dropped += 1;
        } else if is_counted {
            packets.passed += 1;
        }
        !is_dropped
    }
}

/// Whether the packet after `arrived` others is one of the `share` dropped.
fn is_due(arrived: u64, share: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "doubles see few packets")]
    let sum = |count: u64| (count as f64 * share).floor();
    sum(arrived + 1) > sum(arrived)
}

#[cfg(test)]
mod tests;
