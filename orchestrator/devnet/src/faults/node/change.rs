//! Nodes added, removed, upgraded, and the network brought back to the plan it
//! came up with.

use devnet_blueprint::plan::volume_name;
use devnet_blueprint::{Action, Blueprint, EngineKind, Plan, diff};
use devnet_scenario::world::Outcome;
use serde::{Deserialize, Serialize};

use super::acts::{Scene, refuse};
use super::proof::{self, heard};
use super::{Finding, outcome};
use crate::clock::now_ms;
use crate::engine::{EngineError, ProgramWish, Report as _, perform_plan};
use crate::exit::Failure;
use crate::faults::Live;
use crate::prepare::ports_for_more;
use crate::probe::{Depth, NodeAddress};
use crate::world::World;

/// The plan a network was brought up with, kept while it is changed. It counts
/// for the changed plan only: bringing the network up again makes it void.
#[derive(Debug, Serialize, Deserialize)]
struct Original {
    /// Digest of the changed plan.
    changed: String,
    /// The plan before all changes.
    original: Blueprint,
}

/// The plan the network was brought up with.
pub fn original(world: &World, now: &Blueprint) -> Result<Blueprint, Failure> {
    let kept: Option<Original> = world.states.network(&now.name).read_original()?;
    Ok(kept
        .filter(|kept| kept.changed == now.digest())
        .map_or_else(|| now.clone(), |kept| kept.original))
}

/// Names of nodes that are not as they were brought up, among those named; no
/// names: among all.
pub fn changed(
    world: &World,
    live: &Live,
    nodes: Option<&[String]>,
) -> Result<Vec<String>, Failure> {
    let now = live.layout();
    let original = original(world, &now.blueprint)?;
    let mut names: Vec<String> = original
        .nodes
        .iter()
        .chain(&now.blueprint.nodes)
        .filter(|node| original.node(&node.name) != now.blueprint.node(&node.name))
        .map(|node| node.name.clone())
        .filter(|name| nodes.is_none_or(|nodes| nodes.contains(name)))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Adds fresh nodes of these names to a group, and waits until they answer.
pub async fn add(
    world: &World,
    live: &Live,
    group: &str,
    names: &[String],
) -> Result<Outcome, Failure> {
    let now = live.layout();
    let original = original(world, &now.blueprint)?;
    let ports = match now.blueprint.engine {
        EngineKind::Docker => ports_for_more(&world.states, live.name(), names.len())?,
        EngineKind::Process => Vec::new(),
    };
    let changed = now
        .blueprint
        .with_added(group, names, &original, &ports)
        .map_err(|error| refuse(&now, &error))?;
    bring_about(world, live, &original, changed, names).await?;
    Scene::new(world, live, names)?.proven_alive().await
}

/// Removes nodes with their data, and looks that nothing is left.
pub async fn remove(world: &World, live: &Live, names: &[String]) -> Result<Outcome, Failure> {
    let now = live.layout();
    let original = original(world, &now.blueprint)?;
    let changed = now
        .blueprint
        .without_nodes(names)
        .map_err(|error| refuse(&now, &error))?;
    bring_about(world, live, &original, changed, names).await?;
    proven_absent(world, live, &now.nodes, names).await
}

/// Lets nodes run another program on the data they have.
pub async fn upgrade(
    world: &World,
    live: &Live,
    names: &[String],
    program: &str,
) -> Result<Outcome, Failure> {
    let now = live.layout();
    let original = original(world, &now.blueprint)?;
    let stage = world.console.stage("program", "looking for the program");
    let wish = program_wish(program);
    let found = live.engine().prepare_program(&wish, &stage).await;
    let found = found.map_err(|error| unusable(live, error))?;
    stage.step(&format!("{} ({})", found.reference, found.origin));
    drop(stage);
    let changed = now
        .blueprint
        .with_program(names, &found.reference)
        .map_err(|error| refuse(&now, &error))?;
    if changed == now.blueprint {
        let said = format!("{} ran {} already", names.join(", "), found.reference);
        return Ok(outcome(vec![Finding::well(said)], now_ms()));
    }
    swap(world, live, &original, changed, names).await
}

/// Brings these nodes back to the plan the network came up with.
pub async fn restore(world: &World, live: &Live, names: &[String]) -> Result<Outcome, Failure> {
    let now = live.layout();
    let original = original(world, &now.blueprint)?;
    let wanted = now.blueprint.restored(names, &original);
    let (gone, back): (Vec<String>, Vec<String>) = names
        .iter()
        .filter(|name| wanted.node(name) != now.blueprint.node(name))
        .cloned()
        .partition(|name| wanted.node(name).is_none());
    if wanted == now.blueprint {
        return Ok(outcome(Vec::new(), now_ms()));
    }
    if wanted.is_empty() {
        return Err(Failure::bad_input("no node would be left"));
    }
    let touched = [gone.clone(), back.clone()].concat();
    let proven = swap(world, live, &original, wanted, &touched).await?;
    let absent = proven_absent(world, live, &now.nodes, &gone).await?;
    Ok(super::merged([absent, proven]))
}

/// Brings a plan about in which nodes may run another program, and proves that
/// each runs it: as a new process, made from the new plan.
async fn swap(
    world: &World,
    live: &Live,
    original: &Blueprint,
    wanted: Blueprint,
    names: &[String],
) -> Result<Outcome, Failure> {
    let known: Vec<String> = names
        .iter()
        .filter(|name| live.layout().blueprint.node(name).is_some())
        .cloned()
        .collect();
    let before = Scene::new(world, live, &known)?.signs().await?;
    bring_about(world, live, original, wanted, names).await?;
    let layout = live.layout();
    let running: Vec<String> = names
        .iter()
        .filter(|name| layout.blueprint.node(name).is_some())
        .cloned()
        .collect();
    let at_ms = now_ms();
    let scene = Scene::new(world, live, &running)?;
    let (after, round) = scene.until_settled(&running).await?;
    let observed = live.observe().await?;
    let judge = |node: &String| {
        let mut found =
            proof::renewed(node, before.get(node), after.get(node), heard(&round, node));
        let planned = layout.blueprint.node(node).map(|plan| plan.spec.as_str());
        if observed.node(node).map(|found| found.spec.as_str()) != planned {
            let objection = format!("{node} was not made from the new plan");
            found.objections.push(objection);
        }
        found
    };
    Ok(outcome(running.iter().map(judge).collect(), at_ms))
}

/// Performs what leads to the new plan as far as these nodes are concerned:
/// others that were killed or frozen on purpose stay as they are.
async fn bring_about(
    world: &World,
    live: &Live,
    original: &Blueprint,
    wanted: Blueprint,
    names: &[String],
) -> Result<(), Failure> {
    let folder = world.states.network(live.name());
    let observed = world.observe(live.engine(), live.name()).await?;
    let todo = only(diff(&wanted, &observed), live.name(), names);
    // Written first: without the new plan in place it does not count.
    folder.write_original(&Original {
        changed: wanted.digest(),
        original: original.clone(),
    })?;
    let stage = world.console.stage("nodes", "changing the network");
    let performed = perform_plan(live.engine(), &world.states, &wanted, &todo, &stage).await;
    drop(stage);
    // Even half done: the state folder holds the new plan by now.
    live.reload(world)?;
    performed?;
    if wanted == *original {
        folder.remove_original()?;
    }
    Ok(())
}

/// The part of a plan that concerns these nodes and the state folder.
fn only(plan: Plan, network: &str, names: &[String]) -> Plan {
    let is_named = |node: &String| names.contains(node);
    let concerns = |action: &Action| match action {
        Action::SaveState => true,
        Action::RemoveState | Action::CreateNetwork | Action::RemoveNetwork { .. } => false,
        Action::RemoveVolume { volume } => names
            .iter()
            .any(|node| volume_name(network, node) == *volume),
        Action::CreateVolume { node }
        | Action::CreateNode { node }
        | Action::StartNode { node }
        | Action::UnpauseNode { node }
        | Action::RemoveNode { node, .. } => is_named(node),
    };
    let stages = plan
        .stages
        .into_iter()
        .map(|stage| stage.into_iter().filter(concerns).collect::<Vec<_>>())
        .filter(|stage| !stage.is_empty());
    Plan {
        stages: stages.collect(),
    }
}

async fn proven_absent(
    world: &World,
    live: &Live,
    before: &[NodeAddress],
    names: &[String],
) -> Result<Outcome, Failure> {
    let at_ms = now_ms();
    let observed = live.observe().await?;
    let addresses: Vec<NodeAddress> = before
        .iter()
        .filter(|address| names.contains(&address.name))
        .cloned()
        .collect();
    let round = world.prober.probe(&addresses, Depth::Chain).await;
    let judge = |node: &String| {
        let volume = volume_name(live.name(), node);
        let mut objections = Vec::new();
        if observed.node(node).is_some() {
            objections.push(format!("{node} still exists"));
        }
        if observed.volumes.iter().any(|found| found.name == volume) {
            objections.push(format!("{node}: its data is still there"));
        }
        if matches!(heard(&round, node), Some(Ok(_))) {
            objections.push(format!("{node} still answers RPC"));
        }
        Finding {
            said: format!("{node} and its data are gone"),
            objections,
        }
    };
    Ok(outcome(names.iter().map(judge).collect(), at_ms))
}

/// A path, where it looks like one; else the reference of an image.
fn program_wish(program: &str) -> ProgramWish {
    if program.starts_with(['/', '.']) {
        ProgramWish {
            image: None,
            binary: Some(program.into()),
        }
    } else {
        ProgramWish {
            image: Some(program.to_owned()),
            binary: None,
        }
    }
}

/// What cannot be run was asked for by the user, unless the engine is away.
fn unusable(live: &Live, error: EngineError) -> Failure {
    use crate::engine::ErrorKind;
    if !matches!(error.kind, ErrorKind::Program | ErrorKind::NotFound) {
        return error.into();
    }
    let remedy = match live.layout().blueprint.engine {
        EngineKind::Docker => error.remedy.clone(),
        EngineKind::Process => {
            "The process engine takes the path of a binary: `--binary PATH`.".into()
        }
    };
    Failure::bad_input(format!("{}: {}", error.action, error.detail)).next(remedy)
}
