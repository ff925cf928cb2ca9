//! The network of a scenario, from counts, another file, or the file itself.

use std::path::Path;

use devnet_blueprint::Topology;
use devnet_blueprint::quantity::BlockTime;
use devnet_blueprint::topology::Problems;
use devnet_scenario::model::{Counts, Member, Roster, Time, TopologySource};
use devnet_scenario::parse::{Document, Place, Problem, Tree};

use super::Refusal;
use super::told::Told;
use crate::topology_file::{TopologyFile, resolve_binaries};

/// Miners of a network whose scenario says none, as of `devnet up`.
const MINERS_DEFAULT: u32 = 2;

/// The network as a scenario names it.
pub fn roster(topology: &Topology) -> Roster {
    let members = topology.members().into_iter().map(|member| Member {
        name: member.name,
        group: member.group,
        role: member.role.to_string(),
        zone: member.settings.zone,
    });
    Roster {
        nodes: members.collect(),
        block_interval_ms: u64::from(topology.block_time().seconds()) * 1_000,
        accounts: topology.account_names(),
    }
}

/// The checked topology of a scenario.
pub(super) fn topology(document: &Document, path: &Path, text: &str) -> Result<Topology, Refusal> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let refuse = |problems: Vec<Problem>| Refusal {
        told: problems
            .iter()
            .map(|problem| Told::new(path, text, problem))
            .collect(),
    };
    let here = document.tree.find("topology");
    match &document.scenario.topology {
        TopologySource::File(name) => of_file(&folder.join(name))
            .map_err(|failure| Refusal::one(Told::elsewhere(path, here, failure.message()))),
        TopologySource::Counts(counts) => of_counts(counts, document).map_err(refuse),
        TopologySource::Inline(tree) => inline(tree, folder, document).map_err(refuse),
    }
}

fn of_file(path: &Path) -> Result<Topology, crate::exit::Failure> {
    let file = TopologyFile::read(path)?;
    let checked = file.topology.check();
    checked.map_err(|problems| file.refuse(&problems.0))?;
    Ok(file.topology)
}

fn of_counts(counts: &Counts, document: &Document) -> Result<Topology, Vec<Problem>> {
    let at = |key: &str| document.tree.find(&format!("topology.{key}"));
    let miners = counts.miners.unwrap_or(MINERS_DEFAULT.min(counts.nodes));
    let mut topology = Topology::from_counts(counts.nodes, miners).map_err(|problems| {
        let told = problems.0.into_iter();
        told.map(|problem| {
            Problem::at(
                at(problem.path.trim_start_matches('-')),
                problem.flaw.to_string(),
            )
        })
        .collect::<Vec<_>>()
    })?;
    if let Some(time) = counts.block_time {
        let block_time =
            block_time(time).map_err(|what| vec![Problem::at(at("block_time"), what)])?;
        topology.genesis.block_time = Some(block_time);
    }
    topology
        .check()
        .map_err(|problems| placed(problems, document))?;
    Ok(topology)
}

fn block_time(time: Time) -> Result<BlockTime, String> {
    match time {
        Time::Ms(_) => time
            .to_string()
            .parse()
            .map_err(|error: devnet_blueprint::quantity::QuantityError| error.to_string()),
        Time::Blocks(_) => Err("the time between blocks cannot be told in blocks; write 1s".into()),
    }
}

fn inline(tree: &Tree, folder: &Path, document: &Document) -> Result<Topology, Vec<Problem>> {
    let mut topology: Topology = tree.read().map_err(|error| {
        let place: Place = error.place.unwrap_or(tree.place);
        vec![Problem::at(place, error.to_string())]
    })?;
    resolve_binaries(&mut topology, folder);
    topology
        .check()
        .map_err(|problems| placed(problems, document))?;
    Ok(topology)
}

/// Problems of a topology at their places within the scenario.
fn placed(problems: Problems, document: &Document) -> Vec<Problem> {
    let place = |path: &str| document.tree.find(&format!("topology.{path}"));
    let told = problems.0.into_iter();
    told.map(|problem| {
        let what = format!("{}: {}", problem.path, problem.flaw);
        Problem::at(place(&problem.path), what)
    })
    .collect()
}
