//! Prometheus and Grafana beside a network, and the exporter that feeds them.
//!
//! ```text
//! Wish ──► Choice (images, programs, ports) ──► Stack ──► files, processes, containers
//! ```
//!
//! [`choose`] and [`stack`] decide, the rest performs. What cannot be had is
//! told in one line, and the others run without it. Nothing in here takes the
//! network's lock: that is up to whoever calls. Must never import a verb.

pub mod choose;
mod containers;
mod embedded;
pub mod stack;
mod start;

use bollard::Docker;
use devnet_blueprint::{Blueprint, EngineKind};

use self::choose::{Preview, choose, has_made};
use self::stack::{Links, Places, Stack, scrape_interval_s};
use crate::console::Stage;
use crate::engine::process::services;
use crate::engine::{Engine, EngineError};
use crate::exit::Failure;
use crate::state::{NetworkFolder, create_private_folder, write_private_file};
use crate::world::World;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Image of Prometheus, if not the one planned before or the usual one.
    pub prometheus_image: Option<String>,
    /// Image of Grafana, likewise.
    pub grafana_image: Option<String>,
    /// Whether images may be pulled; otherwise only those at hand are used.
    pub may_pull: bool,
}

/// Where to look at a network, if anything watches it.
pub fn links(folder: &NetworkFolder) -> Option<Links> {
    let stack: Option<Stack> = folder.read_stack().ok()?;
    Some(stack?.links())
}

/// Whether something was brought up to watch the network.
pub fn is_wished(folder: &NetworkFolder) -> bool {
    links(folder).is_some()
}

/// What [`ensure`] would run, and where. Touches nothing, pulls nothing.
///
/// # Errors
/// The state folder cannot be read, or there is no free port.
pub async fn preview(
    world: &World,
    blueprint: &Blueprint,
    wish: &Wish,
) -> Result<Preview, Failure> {
    let folder = world.states.network(&blueprint.name);
    let places = Places::new(folder.monitoring());
    let before: Option<Stack> = folder.read_stack()?;
    let docker = docker(world).await.ok().flatten();
    let choice = choose(blueprint, before.as_ref(), wish, &places, docker.as_ref()).await?;
    Ok(choice.preview())
}

/// Brings up what watches the network, and brings back what has died.
///
/// # Errors
/// The state folder cannot be written, or the exporter does not start. What
/// cannot be had of the rest is told through `stage`.
pub async fn ensure(
    world: &World,
    engine: &dyn Engine,
    blueprint: &Blueprint,
    wish: &Wish,
    stage: &Stage,
) -> Result<Links, Failure> {
    let folder = world.states.network(&blueprint.name);
    let places = Places::new(folder.monitoring());
    let docker = match engine.containers() {
        Some(docker) => Some(docker),
        None => docker(world).await.ok().flatten(),
    };
    let docker = docker.as_ref();
    let before: Option<Stack> = folder.read_stack()?;
    let mut choice = choose(blueprint, before.as_ref(), wish, &places, docker).await?;
    choice.pull(docker, stage).await;
    for gap in choice.gaps() {
        stage.line(&format!("  {gap}"));
    }
    let mut stack = choice.stack(before.as_ref());
    write_files(&stack, &places, blueprint)?;
    // Written before anything starts: `down` must know of it.
    folder.write_stack(&stack)?;
    start::exporter(world, &stack, &places).await?;
    start::prometheus(&mut stack, &places, docker, stage).await;
    start::grafana(&mut stack, &places, docker, stage).await;
    folder.write_stack(&stack)?;
    Ok(stack.links())
}

/// Ends and removes what watches the network; how much there was. Processes go
/// first, whatever becomes of containers.
///
/// # Errors
/// A process does not end, the engine refused, or containers were made on an
/// engine that cannot be reached now.
pub async fn remove(world: &World, name: &str) -> Result<usize, EngineError> {
    let folder = world.states.network(name);
    let ended = services::stop_all(&folder.monitoring()).await?;
    // A plan that cannot be read is no reason to leave anything.
    let stack: Option<Stack> = folder.read_stack().ok().flatten();
    let removed = match docker(world).await {
        Ok(Some(docker)) => containers::remove_all(&docker, name).await?,
        Ok(None) => 0,
        Err(error) if stack.as_ref().is_some_and(has_made) => return Err(left(&folder, &error)),
        Err(_) => 0,
    };
    Ok(ended + removed)
}

/// Removing the rest now would forget that they were made.
fn left(folder: &NetworkFolder, error: &EngineError) -> EngineError {
    let name = folder.name();
    let why = error.detail.lines().next().unwrap_or_default();
    EngineError::new(
        error.kind,
        format!("removing the containers that watch {name}"),
        format!("they were made on Docker, which cannot be reached now ({why})"),
    )
    .remedy(format!(
        "Start Docker (`devnet doctor` says what it lacks), then `devnet down --name {name}` \
         again. The network's nodes are left as they were.\n\
         If it is gone for good, remove {} first.",
        folder.stack_file().display()
    ))
}

/// Docker, where it can be reached; `None` if the engine has no containers.
async fn docker(world: &World) -> Result<Option<Docker>, EngineError> {
    let engine = world.engines.connect(EngineKind::Docker).await?;
    Ok(engine.containers())
}

fn write_files(stack: &Stack, places: &Places, blueprint: &Blueprint) -> Result<(), Failure> {
    for path in places.folders() {
        create_private_folder(&path)?;
    }
    let genesis = blueprint.genesis.as_ref();
    let spacing_s = genesis.map_or(1, |genesis| genesis.spacing_s);
    for (path, text) in stack.files(places, scrape_interval_s(spacing_s)) {
        write_private_file(&path, text.as_bytes())?;
    }
    Ok(())
}
