//! What all faults together do to each link.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::{Cut, Fault, Heal, Link};

/// What happens to what is sent on a link. Unset fields leave things as they
/// are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// One-way delay in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Standard deviation of the delay in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<f64>,
    /// Share of packets lost, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Bytes a second at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_bytes_s: Option<u64>,
}

/// The whole state of one link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkState {
    /// Nothing gets through.
    pub cut: bool,
    /// What happens to the rest.
    pub condition: Condition,
}

/// Every link that is not free, with its state: the whole network state that
/// worlds apply. A link that is not in it is free.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkTable {
    /// Conditions of the topology itself (zones); healing returns to them.
    base: BTreeMap<Link, Condition>,
    /// Conditions by faults.
    conditions: BTreeMap<Link, Condition>,
    cut: Option<Cut>,
}

impl LinkTable {
    /// A network without faults, with the topology's own conditions.
    pub fn new(base: BTreeMap<Link, Condition>) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// Takes a fault in. Faults of nodes change no link.
    pub fn inflict(&mut self, fault: &Fault) {
        match fault {
            Fault::Cut(cut) => self.cut = (!cut.links.is_empty()).then(|| cut.clone()),
            Fault::Condition { links, with } => {
                for link in links {
                    let condition = self.conditions.entry(link.clone()).or_default();
                    *condition = condition.overlaid(with);
                }
            }
            Fault::Node { .. } => {}
        }
    }

    /// Takes faults out.
    pub fn heal(&mut self, heal: &Heal) {
        if matches!(heal, Heal::All | Heal::Cuts) {
            self.cut = None;
        }
        if matches!(heal, Heal::All | Heal::Conditions) {
            self.conditions.clear();
        }
    }

    /// The cut in force.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Every link that is not free.
    pub fn states(&self) -> BTreeMap<Link, LinkState> {
        let mut states: BTreeMap<Link, LinkState> = BTreeMap::new();
        for (link, condition) in &self.base {
            states.entry(link.clone()).or_default().condition = *condition;
        }
        for (link, condition) in &self.conditions {
            let state = states.entry(link.clone()).or_default();
            state.condition = state.condition.overlaid(condition);
        }
        for link in self.cut.iter().flat_map(|cut| &cut.links) {
            states.entry(link.clone()).or_default().cut = true;
        }
        states.retain(|_, state| *state != LinkState::default());
        states
    }

    /// Whether nothing but the topology's own conditions is in force.
    pub fn is_healed(&self) -> bool {
        self.cut.is_none() && self.conditions.is_empty()
    }
}

impl Condition {
    /// This with the fields that `over` sets.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        Self {
            latency_ms: over.latency_ms.or(self.latency_ms),
            jitter_ms: over.jitter_ms.or(self.jitter_ms),
            loss: over.loss.or(self.loss),
            rate_bytes_s: over.rate_bytes_s.or(self.rate_bytes_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fault::CutShape;

    fn condition(latency_ms: f64) -> Condition {
        Condition {
            latency_ms: Some(latency_ms),
            ..Condition::default()
        }
    }

    #[test]
    fn a_new_cut_replaces_the_old_one_and_keeps_conditions() {
        let roster: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let isolate = |name: &str| {
            let shape = CutShape::isolate(&[name.to_owned()]);
            Fault::Cut(Cut::new(shape, &roster).unwrap())
        };
        let mut table = LinkTable::default();
        table.inflict(&Fault::Condition {
            links: BTreeSet::from([Link::new("a", "b")]),
            with: condition(50.0),
        });
        table.inflict(&isolate("a"));
        table.inflict(&isolate("c"));
        let states = table.states();
        assert!(!states[&Link::new("a", "b")].cut);
        assert_eq!(states[&Link::new("a", "b")].condition, condition(50.0));
        assert!(states[&Link::new("a", "c")].cut);
        assert_eq!(states.len(), 5);
    }

    #[test]
    fn healing_returns_to_the_topologys_own_conditions() {
        let link = Link::new("a", "b");
        let base = BTreeMap::from([(link.clone(), condition(20.0))]);
        let mut table = LinkTable::new(base);
        table.inflict(&Fault::Condition {
            links: BTreeSet::from([link.clone()]),
            with: Condition {
                loss: Some(0.5),
                latency_ms: Some(90.0),
                ..Condition::default()
            },
        });
        assert_eq!(table.states()[&link].condition.latency_ms, Some(90.0));
        table.heal(&Heal::All);
        assert!(table.is_healed());
        assert_eq!(table.states()[&link].condition, condition(20.0));
    }
}
