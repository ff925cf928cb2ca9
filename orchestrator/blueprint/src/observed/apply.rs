//! A model engine: what an action does to what exists. Strict, so that a plan
//! in a wrong order shows; recording doubles and property tests run on it.

use thiserror::Error;

use super::{NodeState, Observed, ObservedNetwork, ObservedNode, ObservedVolume};
use crate::action::Action;
use crate::blueprint::{Blueprint, NodePlan};
use crate::plan::volume_name;

/// Why an action cannot be performed in the present state.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{action:?} is impossible: {why}")]
pub struct Impossible {
    /// The action.
    pub action: Action,
    /// What stands in its way.
    pub why: &'static str,
}

impl Observed {
    /// Performs one action as an engine would.
    ///
    /// # Errors
    /// What the action builds on is missing, or what it makes is in the way:
    /// an engine would fail here.
    pub fn apply(&mut self, blueprint: &Blueprint, action: &Action) -> Result<(), Impossible> {
        self.perform(blueprint, action).map_err(|why| Impossible {
            action: action.clone(),
            why,
        })
    }

    fn perform(&mut self, blueprint: &Blueprint, action: &Action) -> Result<(), &'static str> {
        match action {
            Action::SaveState => self.state = Some(blueprint.digest()),
            Action::RemoveState => self.state = None,
            Action::CreateNetwork => self.create_network(blueprint)?,
            Action::RemoveNetwork { id } => self.remove_network(id)?,
            Action::CreateVolume { node } => self.create_volume(planned(blueprint, node)?)?,
            Action::RemoveVolume { volume } => self.remove_volume(blueprint, volume)?,
            Action::CreateNode { node } => {
                self.create_node(blueprint, planned(blueprint, node)?)?;
            }
            Action::StartNode { node } => {
                self.change_state(node, &[NodeState::Created, NodeState::Exited])?;
            }
            Action::UnpauseNode { node } => self.change_state(node, &[NodeState::Paused])?,
            Action::RemoveNode { id, .. } => remove_one(&mut self.nodes, |node| node.id == *id)?,
        }
        Ok(())
    }

    fn create_network(&mut self, blueprint: &Blueprint) -> Result<(), &'static str> {
        let plan = blueprint
            .network
            .as_ref()
            .ok_or("the blueprint has no network")?;
        if !self.networks.is_empty() {
            return Err("there is a network already");
        }
        self.networks.push(ObservedNetwork {
            id: plan.name.clone(),
            spec: plan.spec.clone(),
        });
        Ok(())
    }

    fn remove_network(&mut self, id: &str) -> Result<(), &'static str> {
        // Which network a container hangs on is not modelled: none may be left
        // that could hang on this one.
        if !self.nodes.is_empty() && self.networks.len() == 1 {
            return Err("nodes are still attached to the network");
        }
        remove_one(&mut self.networks, |network| network.id == id)
    }

    fn create_volume(&mut self, node: &NodePlan) -> Result<(), &'static str> {
        let name = &node.volume.name;
        if self.volumes.iter().any(|volume| volume.name == *name) {
            return Err("there is a volume of that name already");
        }
        let run = node
            .volume
            .labels
            .get(crate::label::RUN)
            .cloned()
            .unwrap_or_default();
        self.volumes.push(ObservedVolume {
            name: name.clone(),
            run,
        });
        Ok(())
    }

    fn remove_volume(&mut self, blueprint: &Blueprint, name: &str) -> Result<(), &'static str> {
        let volume_of = |node: &str| volume_name(&blueprint.name, node);
        if self.nodes.iter().any(|node| volume_of(&node.node) == name) {
            return Err("a node still uses the volume");
        }
        remove_one(&mut self.volumes, |volume| volume.name == name)
    }

    fn create_node(&mut self, blueprint: &Blueprint, plan: &NodePlan) -> Result<(), &'static str> {
        if self.nodes.iter().any(|node| node.node == plan.name) {
            return Err("there is a node of that name already");
        }
        if blueprint.network.is_some() && self.networks.is_empty() {
            return Err("the network is missing");
        }
        if !self
            .volumes
            .iter()
            .any(|volume| volume.name == plan.volume.name)
        {
            return Err("the volume is missing");
        }
        self.nodes.push(ObservedNode {
            id: plan.container_name().into(),
            node: plan.name.clone(),
            spec: plan.spec.clone(),
            run: blueprint.run_id.clone(),
            state: NodeState::Created,
        });
        Ok(())
    }

    fn change_state(&mut self, node: &str, from: &[NodeState]) -> Result<(), &'static str> {
        let node = self
            .nodes
            .iter_mut()
            .find(|known| known.node == node)
            .ok_or("there is no such node")?;
        if !from.contains(&node.state) {
            return Err("the node is in another state");
        }
        node.state = NodeState::Running;
        Ok(())
    }
}

fn planned<'a>(blueprint: &'a Blueprint, name: &str) -> Result<&'a NodePlan, &'static str> {
    blueprint.node(name).ok_or("the blueprint has no such node")
}

fn remove_one<T>(items: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> Result<(), &'static str> {
    let at = items.iter().position(is_it).ok_or("it does not exist")?;
    items.remove(at);
    Ok(())
}
