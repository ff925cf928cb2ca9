//! What exists, as an engine reports it for one devnet name. Engines select by
//! the label [`crate::label::NAME`], so everything in here is ours.

mod apply;

use serde::{Deserialize, Serialize};

pub use apply::Impossible;

/// Everything that exists under one devnet name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Networks. An engine may hold several of one name.
    pub networks: Vec<ObservedNetwork>,
    /// Volumes, or data folders of processes.
    pub volumes: Vec<ObservedVolume>,
    /// Containers or processes, running or not.
    pub nodes: Vec<ObservedNode>,
    /// The state folder: digest of the blueprint in it
    /// ([`crate::Blueprint::digest`]); an empty text where it holds none that
    /// can be read; `None` where there is no folder.
    pub state: Option<String>,
}

/// A network that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedNetwork {
    /// The engine's id; removal goes by it.
    pub id: String,
    /// Its label [`crate::label::SPEC`]; empty where it has none.
    pub spec: String,
}

/// A volume that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedVolume {
    /// Name; removal goes by it.
    pub name: String,
    /// Its label [`crate::label::RUN`]; empty where it has none.
    pub run: String,
}

/// A container or process that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedNode {
    /// The engine's id (container id, or the node's folder); removal goes by it.
    pub id: String,
    /// Its label [`crate::label::NODE`].
    pub node: String,
    /// Its label [`crate::label::SPEC`]; empty where it has none.
    pub spec: String,
    /// Its label [`crate::label::RUN`]; empty where it has none.
    pub run: String,
    /// What it does.
    pub state: NodeState,
}

/// What a container or process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// Made, never started.
    Created,
    /// Runs (a container that is restarting counts as such).
    Running,
    /// Frozen.
    Paused,
    /// Ended.
    Exited,
    /// Neither runs nor can be started; must be made anew.
    Dead,
}

impl Observed {
    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The node of that name; the first where there are several.
    pub fn node(&self, name: &str) -> Option<&ObservedNode> {
        self.nodes.iter().find(|node| node.node == name)
    }
}
