//! What other networks hold, so that this one keeps away from it.

use std::collections::BTreeSet;

use devnet_blueprint::Subnet;
use devnet_blueprint::blueprint::Runtime;
use devnet_blueprint::plan::HOST_PORTS_PER_NODE;

use super::free_ports;
use crate::engine::EngineError;
use crate::state::StateFolder;

/// What other networks of this user hold, running or not.
#[derive(Default)]
pub struct Others {
    pub subnets: Vec<Subnet>,
    pub ports: BTreeSet<u16>,
}

impl Others {
    /// Those of every network but `own`.
    pub fn read(states: &StateFolder, own: &str) -> Result<Self, EngineError> {
        let mut others = Self::default();
        for name in states.names()? {
            if name == own {
                continue;
            }
            // One that cannot be read holds nothing we could know of.
            let Ok(Some(blueprint)) = states.load(&name) else {
                continue;
            };
            others.subnets.extend(blueprint.subnet);
            let containers = blueprint
                .nodes
                .iter()
                .filter(|n| matches!(n.runtime, Runtime::Container(_)));
            others.ports.extend(
                containers.flat_map(|node| [node.host.rpc.port(), node.host.metrics.port()]),
            );
        }
        Ok(others)
    }
}

/// Host ports for so many more containers of a network: free now, and not
/// another network's.
pub fn ports_for_more(
    states: &StateFolder,
    name: &str,
    nodes: usize,
) -> Result<Vec<u16>, EngineError> {
    let others = Others::read(states, name)?;
    // Those of the network's own stopped nodes look free as well, and the
    // planner leaves them out: so some more are offered.
    let own = states.load(name)?.map_or(0, |plan| plan.nodes.len());
    let count = (nodes + own).saturating_mul(HOST_PORTS_PER_NODE as usize);
    Ok(free_ports(name, count, &others.ports))
}
