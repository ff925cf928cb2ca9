//! Processes beside a network's nodes: started, found and ended as nodes are.

use std::path::Path;

use devnet_blueprint::blueprint::ProcessPlan;

use super::layout::NodeFolder;
use super::{running as running_under, spawn, stop};
use crate::engine::EngineError;

/// Starts the process; one that runs already is left alone.
///
/// # Errors
/// It cannot be started.
pub fn start(plan: &ProcessPlan) -> Result<(), EngineError> {
    spawn::start(plan)
}

/// Whether the process of that folder runs.
pub fn running(folder: &Path) -> bool {
    running_under(folder).is_ok_and(|found| !found.is_empty())
}

/// Ends every process whose folder lies below `root`; how many there were.
///
/// # Errors
/// One does not end.
pub async fn stop_all(root: &Path) -> Result<usize, EngineError> {
    let found = running_under(root)?;
    for process in &found {
        stop::stop(&NodeFolder::at(&process.folder)).await?;
    }
    Ok(found.len())
}
