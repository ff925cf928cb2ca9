//! Plain processes of this host, each on a loopback address of its own.
//!
//! A node is a detached process in its own process group, with a folder for
//! its data, configuration, log and pid file below the state folder. It
//! outlives the call that started it and takes no notice of its terminal:
//! input is closed, output goes to a file, and signals typed at a terminal
//! reach the terminal's own process group only.
//!
//! The truth about what runs is the system's process table: every node carries
//! its folder's path in its environment. Linux only, because of /proc and
//! because other systems route 127.0.0.1 alone.

mod act;
mod check;
mod found;
mod layout;
mod log;
mod procfs;
pub mod services;
mod spawn;
mod stop;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use devnet_blueprint::blueprint::ProcessPlan;
use devnet_blueprint::observed::ObservedVolume;
use devnet_blueprint::{Action, Blueprint, EngineKind, NodePlan, Observed, Runtime, label};
use futures::FutureExt as _;

use self::found::{Found, summary};
use self::layout::{NODES_FOLDER, NodeFile, NodeFolder, node_folders};
use self::procfs::{NodeProcess, processes_under};
use super::capacity::{Demand, Host, Shortage};
use super::{
    Answer, Check, Endpoint, Engine, EngineError, ErrorKind, LogStream, LogWish, NetworkSummary,
    NodeAct, Program, ProgramWish, Report, UsedSubnet, Vitals,
};
use crate::program::find_binary;
use crate::state::{StateFolder, create_private_folder};

pub use check::free_block;
pub(super) use procfs::{cpu_ms, resident_bytes};

/// Runs nodes as processes of this host.
#[derive(Clone, Debug)]
pub struct ProcessEngine {
    states: StateFolder,
}

impl ProcessEngine {
    /// An engine whose nodes live below `states`.
    pub const fn new(states: StateFolder) -> Self {
        Self { states }
    }

    fn nodes_folder(&self, network: &str) -> PathBuf {
        self.states.network(network).path().join(NODES_FOLDER)
    }

    /// The network's nodes: every folder, and every process whose folder is
    /// gone.
    fn nodes(&self, network: &str) -> Result<Vec<Found>, EngineError> {
        let root = self.nodes_folder(network);
        let mut processes: BTreeMap<PathBuf, Vec<NodeProcess>> = BTreeMap::new();
        for process in running(&root)? {
            processes
                .entry(process.folder.clone())
                .or_default()
                .push(process);
        }
        let mut found = Vec::new();
        for folder in node_folders(&root)? {
            let processes = processes.remove(folder.path()).unwrap_or_default();
            found.push(Found {
                file: folder.read_node(),
                folder,
                processes,
            });
        }
        let homeless = processes.into_iter().map(|(path, processes)| Found {
            folder: NodeFolder::at(path),
            file: None,
            processes,
        });
        found.extend(homeless);
        Ok(found)
    }

    fn observe_now(&self, network: &str) -> Result<Observed, EngineError> {
        let mut observed = Observed::default();
        for found in self.nodes(network)? {
            if let Some(file) = &found.file {
                log::bound(&file.log_file);
            }
            if let Some(labels) = found.folder.read_volume() {
                let run = labels.get(label::RUN).cloned().unwrap_or_default();
                observed.volumes.push(ObservedVolume {
                    name: volume_name(network, &found),
                    run,
                });
            }
            observed.nodes.extend(found.observed());
        }
        Ok(observed)
    }

    fn list_now(&self) -> Result<Vec<NetworkSummary>, EngineError> {
        let mut names = self.states.names()?;
        let root = self.states.root();
        let of_processes = running(root)?.into_iter().filter_map(|process| {
            let inner = process.folder.strip_prefix(root).ok()?;
            Some(inner.iter().next()?.to_str()?.to_owned())
        });
        names.extend(of_processes);
        names.sort();
        names.dedup();
        let mut summaries = Vec::new();
        for name in names {
            let nodes = self.nodes(&name)?;
            if !nodes.is_empty() {
                summaries.push(summary(name, &nodes));
            }
        }
        Ok(summaries)
    }

    async fn perform_now(&self, blueprint: &Blueprint, action: &Action) -> Result<(), EngineError> {
        match action {
            Action::CreateVolume { node } => create_volume(planned(blueprint, node)?.0),
            Action::CreateNode { node } => {
                let (node, plan) = planned(blueprint, node)?;
                create_node(node, plan)
            }
            Action::StartNode { node } => {
                let (_, plan) = planned(blueprint, node)?;
                spawn::start(plan)
            }
            Action::UnpauseNode { node } => {
                let (_, plan) = planned(blueprint, node)?;
                stop::resume(&plan.folder)
            }
            Action::RemoveNode { id, .. } => {
                let folder = NodeFolder::at(id);
                stop::stop(&folder).await?;
                folder.remove_node()
            }
            Action::RemoveVolume { volume } => {
                let prefix = volume_prefix(&blueprint.name);
                let node = volume.strip_prefix(&prefix).unwrap_or(volume);
                NodeFolder::at(self.nodes_folder(&blueprint.name).join(node)).remove_volume()
            }
            // Processes share the host's loopback; there is no network to make,
            // and the state folder is not an engine's.
            Action::CreateNetwork
            | Action::RemoveNetwork { .. }
            | Action::SaveState
            | Action::RemoveState => Ok(()),
        }
    }

    fn endpoints_now(&self, network: &str) -> Result<Vec<Endpoint>, EngineError> {
        let nodes = self.nodes(network)?;
        Ok(nodes.iter().filter_map(Found::endpoint).collect())
    }
}

impl Engine for ProcessEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Process
    }

    fn observe<'a>(&'a self, network: &'a str) -> Answer<'a, Observed> {
        async move { self.observe_now(network) }.boxed()
    }

    fn list(&self) -> Answer<'_, Vec<NetworkSummary>> {
        async move { self.list_now() }.boxed()
    }

    fn perform<'a>(&'a self, blueprint: &'a Blueprint, action: &'a Action) -> Answer<'a, ()> {
        self.perform_now(blueprint, action).boxed()
    }

    fn logs<'a>(&'a self, network: &'a str, wish: &'a LogWish) -> Answer<'a, LogStream> {
        async move {
            let found = self.nodes(network)?;
            let files = found.into_iter().filter_map(|found| {
                let name = found.folder.node();
                let wanted = wish.nodes.is_empty() || wish.nodes.contains(&name);
                Some((name, found.file?.log_file)).filter(|_| wanted)
            });
            Ok(log::stream(files.collect(), wish))
        }
        .boxed()
    }

    fn checks(&self) -> Answer<'_, Vec<Check>> {
        async move { Ok(check::checks()) }.boxed()
    }

    fn used_subnets(&self) -> Answer<'_, Vec<UsedSubnet>> {
        async move { Ok(super::routes::host_routes()) }.boxed()
    }

    fn shortages(&self, demand: Demand) -> Vec<Shortage> {
        Host::read().shortages(demand)
    }

    fn resolve_program<'a>(&'a self, wish: &'a ProgramWish) -> Answer<'a, Program> {
        async move {
            if let Some(image) = &wish.image {
                let action = format!("cannot run image {image}");
                return Err(EngineError::new(
                    ErrorKind::Program,
                    action,
                    "the process engine runs binaries, not images",
                )
                .remedy("Use `--engine docker`, or give `--binary PATH` instead of `--image`."));
            }
            let binary = find_binary(wish.binary.as_deref())?;
            Ok(Program {
                reference: binary.path.to_string_lossy().into_owned(),
                origin: binary.origin,
                to_build: false,
            })
        }
        .boxed()
    }

    fn prepare_program<'a>(
        &'a self,
        wish: &'a ProgramWish,
        _report: &'a dyn Report,
    ) -> Answer<'a, Program> {
        self.resolve_program(wish)
    }

    fn endpoints<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Endpoint>> {
        async move { self.endpoints_now(network) }.boxed()
    }

    fn act<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        node: &'a str,
        act: &'a NodeAct,
    ) -> Answer<'a, ()> {
        self.act_now(blueprint, node, act).boxed()
    }

    fn vitals<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Vitals>> {
        async move { self.vitals_now(network) }.boxed()
    }
}

/// The live processes below `root`.
fn running(root: &Path) -> Result<Vec<NodeProcess>, EngineError> {
    processes_under(root).map_err(|error| {
        EngineError::new(
            ErrorKind::Unsupported,
            "cannot list processes in /proc",
            error,
        )
        .remedy(
            "The process engine needs Linux with /proc mounted; use `--engine docker` elsewhere.",
        )
    })
}

/// A node of the blueprint with its process.
fn planned<'a>(
    blueprint: &'a Blueprint,
    name: &str,
) -> Result<(&'a NodePlan, &'a ProcessPlan), EngineError> {
    let missing = |detail: &str| {
        EngineError::new(
            ErrorKind::NotFound,
            format!("cannot prepare {name}"),
            detail,
        )
    };
    let node = blueprint
        .node(name)
        .ok_or_else(|| missing("the plan has no such node"))?;
    match &node.runtime {
        Runtime::Process(process) => Ok((node, process)),
        Runtime::Container(_) => Err(missing("it is planned as a container")),
    }
}

fn create_volume(node: &NodePlan) -> Result<(), EngineError> {
    let Some(data) = &node.volume.folder else {
        return Ok(());
    };
    create_private_folder(data)?;
    let folder = NodeFolder::at(data.parent().unwrap_or(data));
    folder.write_volume(&node.volume.labels)
}

/// Writes the node's files; the labels last, so that a crash before them leaves
/// a node that is not yet created.
fn create_node(node: &NodePlan, plan: &ProcessPlan) -> Result<(), EngineError> {
    create_private_folder(&plan.folder)?;
    for file in &plan.files {
        if let Some(parent) = file.path.parent() {
            create_private_folder(parent)?;
        }
        crate::state::write_private_file(&file.path, file.text.as_bytes())?;
    }
    match std::fs::remove_file(&plan.pid_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(EngineError::of_file("remove", &plan.pid_file, &error));
        }
        _ => {}
    }
    NodeFolder::at(&plan.folder).write_node(&NodeFile {
        labels: node.labels.clone(),
        pid_file: plan.pid_file.clone(),
        log_file: plan.log_file.clone(),
        config_file: plan.files.first().map(|file| file.path.clone()),
        stop_timeout_s: plan.stop_timeout_s,
    })
}

fn volume_prefix(network: &str) -> String {
    format!("{}-", devnet_blueprint::plan::network_name(network))
}

fn volume_name(network: &str, found: &Found) -> String {
    format!("{}{}", volume_prefix(network), found.folder.node())
}
