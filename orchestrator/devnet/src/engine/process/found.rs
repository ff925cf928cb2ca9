//! A node as found on this host: its folder, and the processes that carry its
//! marker.

use std::path::Path;

use devnet_blueprint::blueprint::RpcAccess;
use devnet_blueprint::observed::ObservedNode;
use devnet_blueprint::{EngineKind, NodeState, label};
use minichain_api::config::NodeConfig;

use super::layout::{NodeFile, NodeFolder};
use super::procfs::NodeProcess;
use crate::engine::{Endpoint, NetworkSummary};

/// A node as found on this host.
#[derive(Debug)]
pub struct Found {
    /// Its folder, which may be gone.
    pub folder: NodeFolder,
    /// What was written when it was created, if it was.
    pub file: Option<NodeFile>,
    /// Its live processes; more than one only by mishap.
    pub processes: Vec<NodeProcess>,
}

impl Found {
    /// What the planner is told; nothing where there is only data.
    pub fn observed(&self) -> Option<ObservedNode> {
        if self.file.is_none() && self.processes.is_empty() {
            return None;
        }
        let label = |name| self.label(name).to_owned();
        Some(ObservedNode {
            id: self.folder.path().to_string_lossy().into_owned(),
            node: self.folder.node(),
            spec: label(label::SPEC),
            run: label(label::RUN),
            state: self.state(),
        })
    }

    fn state(&self) -> NodeState {
        if self.processes.is_empty() {
            let was_started = self
                .file
                .as_ref()
                .is_some_and(|file| file.pid_file.exists());
            if was_started {
                NodeState::Exited
            } else {
                NodeState::Created
            }
        } else if self.processes.iter().all(|process| process.is_stopped) {
            NodeState::Paused
        } else {
            NodeState::Running
        }
    }

    fn label(&self, name: &str) -> &str {
        self.file
            .as_ref()
            .and_then(|file| file.labels.get(name))
            .map_or("", String::as_str)
    }

    /// How to reach it; `None` if it was never created.
    pub fn endpoint(&self) -> Option<Endpoint> {
        let file = self.file.as_ref()?;
        let label = |name| self.label(name).to_owned();
        Some(Endpoint {
            node: self.folder.node(),
            role: label(label::ROLE),
            state: self.state(),
            ip: label(label::IP),
            rpc: label(label::RPC),
            metrics: label(label::METRICS),
            access: file.config_file.as_deref().and_then(read_access),
        })
    }
}

/// All nodes of one network in a line.
pub fn summary(name: String, nodes: &[Found]) -> NetworkSummary {
    let first = |label| {
        nodes
            .iter()
            .map(|found| found.label(label))
            .find(|text| !text.is_empty())
            .unwrap_or("")
    };
    let count = |nodes: usize| u32::try_from(nodes).unwrap_or(u32::MAX);
    NetworkSummary {
        name,
        engine: EngineKind::Process,
        run_id: first(label::RUN).to_owned(),
        created_at_s: first(label::CREATED).parse().unwrap_or(0),
        owner: first(label::OWNER).to_owned(),
        nodes: count(nodes.len()),
        running: count(
            nodes
                .iter()
                .filter(|node| !node.processes.is_empty())
                .count(),
        ),
    }
}

/// How to sign in at the node, from its configuration.
fn read_access(config_file: &Path) -> Option<RpcAccess> {
    let text = std::fs::read_to_string(config_file).ok()?;
    let config: NodeConfig = serde_yaml::from_str(&text).ok()?;
    Some(RpcAccess {
        user: config.rpc.user?,
        password: config.rpc.password?,
    })
}
