//! Acts on the double's nodes, and how they fare.

use devnet_blueprint::observed::ObservedNode;
use devnet_blueprint::{Blueprint, NodeState};

use super::Recording;
use crate::engine::fault::{cannot, node_to, wrong_state};
use crate::engine::{EngineError, ErrorKind, NodeAct, Vitals};

impl Recording {
    pub(super) fn act_on(
        &self,
        blueprint: &Blueprint,
        node: &str,
        act: &NodeAct,
    ) -> Result<(), EngineError> {
        let mut world = self.world();
        world.calls.push(format!("{act} {node}"));
        node_to(act, blueprint, node)?;
        if world.stubborn.contains(node) {
            return Ok(());
        }
        let network = world.networks.entry(blueprint.name.clone()).or_default();
        let mut nodes = network.observed.nodes.iter_mut();
        let Some(found) = nodes.find(|found| found.node == node) else {
            return Err(EngineError::new(
                ErrorKind::NotFound,
                cannot(act, node),
                "it does not exist",
            ));
        };
        let lives = matches!(found.state, NodeState::Running | NodeState::Paused);
        match act {
            NodeAct::Kill | NodeAct::Stop if lives => found.state = NodeState::Exited,
            NodeAct::Start if !lives => {
                found.state = NodeState::Running;
                world.start(&blueprint.name, node);
            }
            NodeAct::Pause if lives => found.state = NodeState::Paused,
            NodeAct::Pause => {
                return Err(wrong_state(act, node, &blueprint.name, "does not run"));
            }
            NodeAct::Unpause if lives => found.state = NodeState::Running,
            NodeAct::Wipe | NodeAct::CorruptStore { .. } if lives => {
                return Err(wrong_state(act, node, &blueprint.name, "runs"));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn vitals_of(&self, network: &str) -> Vec<Vitals> {
        let world = self.world();
        let Some(network) = world.networks.get(network) else {
            return Vec::new();
        };
        let vitals = |node: &ObservedNode| {
            let is_alive = matches!(node.state, NodeState::Running | NodeState::Paused);
            let life = network.lives.get(&node.node).copied().unwrap_or(0);
            Vitals {
                node: node.node.clone(),
                state: node.state,
                started_at_ms: is_alive.then_some(life * 1_000),
                life: is_alive.then_some(life),
                pid: u32::try_from(life).ok().filter(|_| is_alive),
                exit_code: (node.state == NodeState::Exited).then_some(137),
                was_out_of_memory: false,
                memory_bytes: is_alive.then_some(1 << 20),
                memory_max_bytes: None,
                cpu_ms: is_alive.then_some(10),
            }
        };
        network.observed.nodes.iter().map(vitals).collect()
    }
}
