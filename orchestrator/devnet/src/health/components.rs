//! Which nodes hang together.

use std::collections::BTreeMap;

use crate::probe::{NodeAddress, Round};

/// Nodes, and who of them hangs together.
#[derive(Clone, Debug, Default)]
pub struct Components {
    /// Each node's component, named by one of its nodes.
    of: BTreeMap<String, String>,
}

impl Components {
    /// Nodes of which each is alone.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            of: names.into_iter().map(|name| (name.clone(), name)).collect(),
        }
    }

    /// Those that must hang together, by who was told to dial whom.
    pub fn wished(nodes: &[NodeAddress]) -> Self {
        let mut all = Self::new(nodes.iter().map(|node| node.name.clone()));
        for node in nodes {
            for other in &node.dials {
                all.join(&node.name, other);
            }
        }
        // Where nobody is known to dial anybody (the blueprint is lost), all
        // nodes of the network belong together.
        if let Some(first) = nodes.first()
            && nodes.iter().all(|node| node.dials.is_empty())
        {
            for node in nodes {
                all.join(&first.name, &node.name);
            }
        }
        all
    }

    /// Those that do, by who is connected with whom.
    pub fn joined(round: &Round) -> Self {
        let answered: Vec<_> = round
            .nodes
            .iter()
            .filter_map(|(name, facts)| Some((name, facts.as_ref().ok()?)))
            .collect();
        let by_id: BTreeMap<&str, &String> = answered
            .iter()
            .map(|(name, facts)| (facts.network.peerid.as_str(), *name))
            .collect();
        let mut all = Self::new(answered.iter().map(|(name, _)| (*name).clone()));
        for (name, facts) in &answered {
            for peer in &facts.peers {
                if let Some(other) = by_id.get(peer.peerid.as_str()) {
                    all.join(name, other);
                }
            }
        }
        all
    }

    /// Makes one component of two; whether they were two. A stranger joins
    /// nobody.
    pub fn join(&mut self, a: &str, b: &str) -> bool {
        let (Some(a), Some(b)) = (self.of.get(a).cloned(), self.of.get(b).cloned()) else {
            return false;
        };
        if a == b {
            return false;
        }
        for component in self.of.values_mut().filter(|component| **component == b) {
            component.clone_from(&a);
        }
        true
    }

    /// The component of a node, named by one of its nodes; `None` for a
    /// stranger.
    pub fn of(&self, node: &str) -> Option<&str> {
        self.of.get(node).map(String::as_str)
    }

    /// Whether two nodes hang together.
    pub fn same(&self, a: &str, b: &str) -> bool {
        matches!((self.of.get(a), self.of.get(b)), (Some(a), Some(b)) if a == b)
    }
}
