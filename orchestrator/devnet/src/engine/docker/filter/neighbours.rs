//! Makes the nodes of large networks known to each other's kernels.
//!
//! The host's kernel remembers a bounded number of neighbours of all containers
//! together, which a mesh of about thirty fills; a node that was told its
//! neighbours takes no room there.

use devnet_blueprint::{Blueprint, NodePlan};
use devnet_netfault::wire::{Command, Meeting, NEIGHBOURS_MAX};

use super::session::Session;
use super::{ANSWER_MAX, DockerEngine};

/// Up to so many nodes a full mesh leaves most of the table, which by default has
/// room for 1,024, to whatever else runs on the host.
const MET_BY_CHANCE_MAX: usize = 24;

impl DockerEngine {
    /// To be called when a node has started. What fails here is no failure of the
    /// start: whether the node is reached is for its health to tell.
    pub(in crate::engine::docker) async fn meet(&self, blueprint: &Blueprint, node: &NodePlan) {
        let Some(meeting) = meeting(blueprint, node) else {
            return;
        };
        let container = node.container_name();
        if let Ok(mut session) = Session::start(&self.docker, &node.name, container).await {
            let _ = session.ask(&Command::Meet(meeting), ANSWER_MAX).await;
        }
    }
}

/// Whom a node has to be told of: nobody in small networks.
fn meeting(blueprint: &Blueprint, node: &NodePlan) -> Option<Meeting> {
    let is_large = blueprint.nodes.len() > MET_BY_CHANCE_MAX;
    let addresses = blueprint.nodes.iter().map(|node| node.ip);
    is_large.then(|| Meeting {
        own: node.ip,
        others: addresses
            .filter(|ip| *ip != node.ip)
            .take(NEIGHBOURS_MAX)
            .collect(),
    })
}
