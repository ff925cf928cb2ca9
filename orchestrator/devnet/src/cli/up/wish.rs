//! From arguments, a file, or what was wished before, to a checked topology.

use std::path::Path;

use devnet_blueprint::topology::Problems;
use devnet_blueprint::{EngineKind, Topology};

use super::Args;
use crate::exit::Failure;
use crate::program::find_binary;
use crate::state::NetworkFolder;
use crate::topology_file::TopologyFile;
use crate::world::EngineChoice;

const NODES_DEFAULT: u32 = 3;
const MINERS_DEFAULT: u32 = 2;

/// The network's name: the one asked for, else the file's, else the default.
pub fn name(args: &Args) -> Result<String, Failure> {
    let asked = &args.network.name;
    match &args.file {
        Some(path) if asked == devnet_blueprint::topology::DEFAULT_NAME => Ok(read(path)?.0.name),
        _ => Ok(asked.clone()),
    }
}

/// The checked wish. Arguments win over the file, and over what was wished when
/// the network was brought up before.
pub fn topology(
    args: &Args,
    name: &str,
    folder: &NetworkFolder,
    is_known: bool,
) -> Result<Topology, Failure> {
    let asks_for_counts = args.nodes.is_some() || args.miners.is_some();
    let wished = args.wished.as_deref().cloned();
    let before = if is_known && wished.is_none() && !asks_for_counts && args.file.is_none() {
        folder.read_wish()?
    } else {
        None
    };
    let (mut topology, file) = match (&args.file, before.or(wished)) {
        (Some(path), _) => {
            let (topology, file) = read(path)?;
            (topology, Some(file))
        }
        (None, Some(before)) => (before, None),
        (None, None) => (of_counts(args)?, None),
    };
    name.clone_into(&mut topology.name);
    apply(args, &mut topology)?;
    topology.check().map_err(|problems| match file {
        Some(file) => file.refuse(&problems.0),
        None => refuse(&problems),
    })?;
    Ok(topology)
}

/// The engine to use: the one asked for, else the topology's.
pub const fn engine(args: &Args, topology: &Topology) -> EngineChoice {
    match (args.engine, topology.engine.kind) {
        (EngineChoice::Auto, Some(kind)) => EngineChoice::of(kind),
        (choice, _) => choice,
    }
}

/// Refuses to move a network to another engine.
pub fn check_engine(args: &Args, name: &str, runs_on: EngineKind) -> Result<(), Failure> {
    if args.engine.allows(runs_on) {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "network `{name}` runs on the {runs_on} engine already"
    ))
    .next(format!(
        "Leave `--engine` out, or run `devnet down --name {name}` first."
    ))
    .next("Another `--name` makes a second network."))
}

/// Refuses a limit that nothing would keep.
pub fn check_memory(args: &Args, engine: EngineKind) -> Result<(), Failure> {
    if args.memory.is_none() || engine == EngineKind::Docker {
        return Ok(());
    }
    Err(
        Failure::bad_input("`--memory` limits containers, and the process engine has none")
            .next("Leave it out, or use `--engine docker`."),
    )
}

/// Refuses an image where nothing can run it.
pub fn check_program(topology: &Topology, engine: EngineKind) -> Result<(), Failure> {
    match (&topology.engine.image, engine) {
        (Some(image), EngineKind::Process) => Err(Failure::bad_input(format!(
            "cannot run the image {image}: the process engine runs binaries"
        ))
        .next("Use `--engine docker`, or give `--binary PATH` instead of `--image`.")),
        _ => Ok(()),
    }
}

fn of_counts(args: &Args) -> Result<Topology, Failure> {
    let nodes = args.nodes.unwrap_or(NODES_DEFAULT);
    let miners = args.miners.unwrap_or_else(|| MINERS_DEFAULT.min(nodes));
    Topology::from_counts(nodes, miners).map_err(|problems| refuse(&problems))
}

fn read(path: &Path) -> Result<(Topology, TopologyFile), Failure> {
    let file = TopologyFile::read(path)?;
    Ok((file.topology.clone(), file))
}

fn apply(args: &Args, topology: &mut Topology) -> Result<(), Failure> {
    if let Some(block_time) = args.block_time {
        topology.genesis.block_time = Some(block_time);
    }
    if let Some(seed) = args.seed {
        topology.seed = Some(seed);
    }
    if let Some(memory) = args.memory {
        let groups = topology.groups.iter_mut().map(|group| &mut group.memory);
        groups.for_each(|limit| *limit = Some(memory));
        let nodes = topology.nodes.values_mut().map(|node| &mut node.memory);
        nodes.for_each(|limit| *limit = None);
    }
    if let Some(image) = &args.image {
        topology.engine.image = Some(image.clone());
        topology.engine.binary = None;
    }
    if let Some(binary) = &args.binary {
        let found = find_binary(Some(binary)).map_err(|error| {
            Failure::bad_input(format!("{}: {}", error.action, error.detail)).next(error.remedy)
        })?;
        topology.engine.binary = Some(found.path.to_string_lossy().into_owned());
        topology.engine.image = None;
    }
    Ok(())
}

/// What is wrong with a wish, one line each.
pub(in crate::cli) fn refuse(problems: &Problems) -> Failure {
    let listed: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
    Failure::bad_input(listed.join("\n       "))
}
