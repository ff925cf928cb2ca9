//! What is left to do: idempotent actions in stages.

use serde::{Deserialize, Serialize};

/// Stages to perform one after the other; the actions of one stage are
/// independent and may run in parallel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Stages, none of them empty.
    pub stages: Vec<Vec<Action>>,
}

/// One step. Each may be repeated: what is already so counts as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Write the blueprint to the state folder, making the folder.
    SaveState,
    /// Remove the state folder with all that is left in it.
    RemoveState,
    /// Make the blueprint's network.
    CreateNetwork,
    /// Remove the network with this id.
    RemoveNetwork {
        /// The engine's id.
        id: String,
    },
    /// Make the volume (or data folder) of this node.
    CreateVolume {
        /// Node name.
        node: String,
    },
    /// Remove a volume (or data folder) with all its data.
    RemoveVolume {
        /// Volume name.
        volume: String,
    },
    /// Make the container, or the process's folder and files; do not start.
    CreateNode {
        /// Node name.
        node: String,
    },
    /// Start the container or process.
    StartNode {
        /// Node name.
        node: String,
    },
    /// Thaw the container or process.
    UnpauseNode {
        /// Node name.
        node: String,
    },
    /// Stop and remove a container or process; its volume stays.
    RemoveNode {
        /// The engine's id.
        id: String,
        /// Node name.
        node: String,
        /// Why.
        reason: Removal,
    },
}

/// Why a node is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// The blueprint has no such node.
    Unwanted,
    /// It was made from another plan.
    Drifted,
    /// It can no longer be started.
    Dead,
    /// There is another of that name.
    Duplicate,
    /// Its network or volume has to be made anew.
    Rehoused,
}

impl Plan {
    /// Whether all is as it should be.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Number of actions in all.
    pub fn len(&self) -> usize {
        self.stages.iter().map(Vec::len).sum()
    }

    /// All actions in order.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.stages.iter().flatten()
    }
}
