//! Faults of single processes, and how they fare.

use std::fs::OpenOptions;
use std::path::Path;

use devnet_blueprint::{Blueprint, NodeState};
use minichain_api::config::STORE_FILE;

use super::layout::NodeFolder;
use super::procfs::{cpu_ms, resident_bytes, started_at_ms};
use super::{Found, ProcessEngine, planned, running, spawn, stop};
use crate::engine::damage::{FILE_BYTES_MAX, damage};
use crate::engine::fault::{cannot, node_to, wrong_state};
use crate::engine::{EngineError, ErrorKind, NodeAct, Vitals};

impl ProcessEngine {
    pub(super) async fn act_now(
        &self,
        blueprint: &Blueprint,
        name: &str,
        act: &NodeAct,
    ) -> Result<(), EngineError> {
        node_to(act, blueprint, name)?;
        let (_, plan) = planned(blueprint, name)?;
        let folder = NodeFolder::at(&plan.folder);
        match act {
            NodeAct::Kill => stop::kill(&folder).await,
            NodeAct::Stop => stop::stop(&folder).await,
            NodeAct::Start => spawn::start(plan),
            NodeAct::Unpause => stop::resume(&plan.folder),
            NodeAct::Pause if running(&plan.folder)?.is_empty() => {
                Err(wrong_state(act, name, &blueprint.name, "does not run"))
            }
            NodeAct::Pause => stop::freeze(&folder).await,
            NodeAct::Wipe | NodeAct::CorruptStore { .. } if !running(&plan.folder)?.is_empty() => {
                Err(wrong_state(act, name, &blueprint.name, "runs"))
            }
            NodeAct::Wipe => folder.empty_data(),
            NodeAct::CorruptStore { seed } => {
                corrupt(&cannot(act, name), &folder.data().join(STORE_FILE), *seed)
            }
        }
    }

    pub(super) fn vitals_now(&self, network: &str) -> Result<Vec<Vitals>, EngineError> {
        let nodes = self.nodes(network)?;
        Ok(nodes.iter().filter_map(vitals).collect())
    }
}

fn vitals(found: &Found) -> Option<Vitals> {
    let observed = found.observed()?;
    let process = found.processes.first().map(|process| process.life);
    let pid = process.and_then(|life| u32::try_from(life.pid).ok());
    Some(Vitals {
        node: observed.node,
        state: observed.state,
        started_at_ms: process.and_then(started_at_ms),
        life: process.map(|life| life.start_ticks),
        pid,
        // A detached process tells its code to init alone.
        exit_code: None,
        was_out_of_memory: false,
        memory_bytes: pid
            .filter(|_| observed.state != NodeState::Exited)
            .and_then(resident_bytes),
        memory_max_bytes: None,
        cpu_ms: pid.and_then(cpu_ms),
    })
}

fn corrupt(action: &str, file: &Path, seed: u64) -> Result<(), EngineError> {
    let refused = |why: &dyn std::fmt::Display| EngineError::new(ErrorKind::Refused, action, why);
    let mut store = match OpenOptions::new().read(true).write(true).open(file) {
        Ok(store) => store,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refused(&"it has no store"));
        }
        Err(error) => return Err(EngineError::of_file("open", file, &error)),
    };
    let size = store
        .metadata()
        .map_err(|error| EngineError::of_file("read", file, &error))?
        .len();
    if size > FILE_BYTES_MAX {
        let most = FILE_BYTES_MAX >> 20;
        return Err(refused(&format_args!("its store is larger than {most} MB")));
    }
    damage(&mut store, seed).map_err(|error| refused(&error))?;
    Ok(())
}
