//! The difference between what is planned and what exists, as actions.

use std::collections::BTreeSet;

use crate::action::{Action, Plan, Removal};
use crate::blueprint::{Blueprint, NodePlan};
use crate::observed::{NodeState, Observed, ObservedNode};

/// What turns `observed` into what the blueprint says. Empty where it is so
/// already; against [`Blueprint::empty`] it takes everything away.
///
/// Order of the stages: the state folder is written first and removed last, so
/// that an interrupted run can always be found again; nodes leave before their
/// volumes and networks; networks and volumes come before nodes; entry nodes
/// start while the others are still being made.
pub fn diff(blueprint: &Blueprint, observed: &Observed) -> Plan {
    let verdicts = Verdicts::new(blueprint, observed);
    let mut stages = vec![save_state(blueprint, observed), verdicts.remove_nodes()];
    stages.push([verdicts.remove_networks(), verdicts.remove_volumes()].concat());
    stages.push([verdicts.create_network(), verdicts.create_volumes()].concat());
    let entry = |node: &NodePlan| node.is_entry;
    let other = |node: &NodePlan| !node.is_entry;
    stages.push(verdicts.create_nodes(entry));
    stages.push([verdicts.start_nodes(entry), verdicts.create_nodes(other)].concat());
    stages.push(verdicts.start_nodes(other));
    stages.push(remove_state(blueprint, observed));
    stages.retain(|stage| !stage.is_empty());
    Plan { stages }
}

fn save_state(blueprint: &Blueprint, observed: &Observed) -> Vec<Action> {
    if blueprint.is_empty() || observed.state.as_deref() == Some(blueprint.digest().as_str()) {
        return Vec::new();
    }
    vec![Action::SaveState]
}

fn remove_state(blueprint: &Blueprint, observed: &Observed) -> Vec<Action> {
    if blueprint.is_empty() && observed.state.is_some() {
        return vec![Action::RemoveState];
    }
    Vec::new()
}

/// What is to become of each thing that exists.
struct Verdicts<'a> {
    blueprint: &'a Blueprint,
    observed: &'a Observed,
    /// Position of the network that stays.
    kept_network: Option<usize>,
    /// Names of the volumes that stay.
    kept_volumes: BTreeSet<&'a str>,
    /// Each observed node with the reason to remove it, if any.
    nodes: Vec<(&'a ObservedNode, Option<Removal>)>,
}

impl<'a> Verdicts<'a> {
    fn new(blueprint: &'a Blueprint, observed: &'a Observed) -> Self {
        let kept_network = blueprint.network.as_ref().and_then(|plan| {
            observed
                .networks
                .iter()
                .position(|network| network.spec == plan.spec)
        });
        let kept_volumes = blueprint
            .nodes
            .iter()
            .map(|node| node.volume.name.as_str())
            .filter(|name| {
                let fits = |run: &str| run == blueprint.run_id;
                observed
                    .volumes
                    .iter()
                    .any(|volume| volume.name == *name && fits(&volume.run))
            })
            .collect();
        let mut verdicts = Self {
            blueprint,
            observed,
            kept_network,
            kept_volumes,
            nodes: Vec::new(),
        };
        let mut kept = BTreeSet::new();
        for node in &observed.nodes {
            let removal = verdicts
                .removal(node)
                .or_else(|| (!kept.insert(node.node.as_str())).then_some(Removal::Duplicate));
            verdicts.nodes.push((node, removal));
        }
        verdicts
    }

    /// Why a node cannot stay, duplicates aside.
    fn removal(&self, node: &ObservedNode) -> Option<Removal> {
        let Some(plan) = self.blueprint.node(&node.node) else {
            return Some(Removal::Unwanted);
        };
        let is_housed = self.kept_volumes.contains(plan.volume.name.as_str())
            && self.blueprint.network.is_some() == self.kept_network.is_some();
        if node.spec != plan.spec || node.run != self.blueprint.run_id {
            Some(Removal::Drifted)
        } else if node.state == NodeState::Dead {
            Some(Removal::Dead)
        } else if is_housed {
            None
        } else {
            Some(Removal::Rehoused)
        }
    }

    /// The observed node that stays under that name.
    fn kept(&self, name: &str) -> Option<&'a ObservedNode> {
        self.nodes
            .iter()
            .find(|(node, removal)| removal.is_none() && node.node == name)
            .map(|(node, _)| *node)
    }

    fn remove_nodes(&self) -> Vec<Action> {
        let action = |(node, removal): &(&ObservedNode, Option<Removal>)| {
            let reason = (*removal)?;
            Some(Action::RemoveNode {
                id: node.id.clone(),
                node: node.node.clone(),
                reason,
            })
        };
        self.nodes.iter().filter_map(action).collect()
    }

    fn remove_networks(&self) -> Vec<Action> {
        let networks = self.observed.networks.iter().enumerate();
        networks
            .filter(|(at, _)| self.kept_network != Some(*at))
            .map(|(_, network)| Action::RemoveNetwork {
                id: network.id.clone(),
            })
            .collect()
    }

    fn remove_volumes(&self) -> Vec<Action> {
        let volumes = self.observed.volumes.iter();
        volumes
            .filter(|volume| !self.kept_volumes.contains(volume.name.as_str()))
            .map(|volume| Action::RemoveVolume {
                volume: volume.name.clone(),
            })
            .collect()
    }

    fn create_network(&self) -> Vec<Action> {
        let is_missing = self.blueprint.network.is_some() && self.kept_network.is_none();
        if is_missing {
            vec![Action::CreateNetwork]
        } else {
            Vec::new()
        }
    }

    fn create_volumes(&self) -> Vec<Action> {
        let nodes = self.blueprint.nodes.iter();
        nodes
            .filter(|node| !self.kept_volumes.contains(node.volume.name.as_str()))
            .map(|node| Action::CreateVolume {
                node: node.name.clone(),
            })
            .collect()
    }

    fn create_nodes(&self, wanted: fn(&NodePlan) -> bool) -> Vec<Action> {
        let nodes = self.blueprint.nodes.iter().filter(|node| wanted(node));
        nodes
            .filter(|node| self.kept(&node.name).is_none())
            .map(|node| Action::CreateNode {
                node: node.name.clone(),
            })
            .collect()
    }

    fn start_nodes(&self, wanted: fn(&NodePlan) -> bool) -> Vec<Action> {
        let nodes = self.blueprint.nodes.iter().filter(|node| wanted(node));
        nodes
            .filter_map(|node| {
                let node_name = node.name.clone();
                match self.kept(&node.name).map(|node| node.state) {
                    Some(NodeState::Running) => None,
                    Some(NodeState::Paused) => Some(Action::UnpauseNode { node: node_name }),
                    _ => Some(Action::StartNode { node: node_name }),
                }
            })
            .collect()
    }
}
