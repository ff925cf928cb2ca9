//! `devnet down`: removes networks with everything they left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use devnet_blueprint::{Action, Blueprint, EngineKind, Plan, diff};
use serde::Serialize;

use super::{NameArgs, OutputArgs};
use crate::clock::{now_s, parse_duration};
use crate::engine::{Engine, EngineError, ErrorKind, Report, perform_plan};
use crate::exit::{Exit, Failure};
use crate::monitoring;
use crate::prepare::owner;
use crate::state::Lock;
use crate::world::{EngineChoice, World};

const EXAMPLES: &str = "\
Examples:
  devnet down                          the network `local`
  devnet down --name big               another one
  devnet down --all                    every network of yours
  devnet down --all --older-than 1h    those forgotten by yesterday's tests

What a killed `up` has left is found by its labels and by its processes, and removed as well.";

/// What a daemon still does after whoever asked it was killed takes no longer.
const SETTLE: Duration = Duration::from_millis(1_500);
/// Looks at one engine at most.
const ROUNDS_MAX: usize = 8;

/// Remove a network: nodes, data, container network, state folder
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Every network you brought up, whatever its name
    #[arg(long)]
    pub(super) all: bool,

    /// With --all: only those older than this, such as 1h
    #[arg(long, value_name = "AGE", requires = "all", value_parser = parse_duration)]
    pub(super) older_than: Option<Duration>,

    /// Name every single step
    #[arg(short, long)]
    pub(super) verbose: bool,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Serialize)]
struct Answer {
    removed: Vec<Removed>,
    elapsed_ms: u128,
}

/// What was removed of one network.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Removed {
    name: String,
    nodes: usize,
    volumes: usize,
    networks: usize,
    state_folders: usize,
    /// Exporter, Prometheus, Grafana.
    watchers: usize,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let began = Instant::now();
    let (engines, unreachable) = world.all_engines(EngineChoice::Auto).await;
    let names = if args.all {
        names_of_mine(world, &engines, args.older_than.unwrap_or_default()).await?
    } else {
        vec![args.network.name.clone()]
    };
    let (mut removed, mut failures) = (Vec::new(), Vec::new());
    for name in &names {
        match take_down(world, &engines, &unreachable, name).await {
            Ok(found) => removed.push(found),
            Err(failure) if args.all => {
                world.console.remark(&failure.to_string());
                failures.push(name.clone());
            }
            Err(failure) => return Err(failure),
        }
    }
    if !failures.is_empty() {
        let names = failures.join(", ");
        return Err(
            Failure::world(format!("these networks are not wholly removed: {names}"))
                .next("The reasons stand above; the same command again goes on."),
        );
    }
    removed.retain(|found| !found.is_nothing());
    world.console.say(&conclusion(&args, &removed));
    world.console.answer(&Answer {
        removed,
        elapsed_ms: began.elapsed().as_millis(),
    })?;
    Ok(Exit::Success)
}

/// Removes one network from every engine that holds anything of it.
async fn take_down(
    world: &World,
    engines: &[Arc<dyn Engine>],
    unreachable: &[EngineError],
    name: &str,
) -> Result<Removed, Failure> {
    let lock = world.states.network(name).lock()?;
    // A plan that cannot be read is no reason to leave anything: all engines
    // are looked at then.
    let blueprint = world.states.load(name).ok().flatten();
    if let Some(kind) = blueprint.as_ref().map(|blueprint| blueprint.engine)
        && !engines.iter().any(|engine| engine.kind() == kind)
    {
        // Forgetting the plan now would leave the nodes behind for good.
        let why = world.engines.connect(kind).await.err();
        let failure = why.map_or_else(|| Failure::world("the engine went away"), Failure::from);
        return Err(failure.next(format!("Network `{name}` runs there; nothing was removed.")));
    }
    let mut removed = Removed {
        name: name.to_owned(),
        ..Removed::default()
    };
    let kind = blueprint.as_ref().map(|blueprint| blueprint.engine);
    let mut engines: Vec<&Arc<dyn Engine>> = engines.iter().collect();
    engines.sort_by_key(|engine| Some(engine.kind()) == kind);
    let stage = world.console.stage("down", &format!("removing {name}"));
    removed.watchers = match monitoring::remove(world, name).await {
        Ok(watchers) => watchers,
        Err(error) => {
            stage.failed(&format!("{name}: {}", error.action));
            return Err(error.into());
        }
    };
    for engine in &engines {
        let cleared = clear(world, &***engine, name, &lock, &stage, &mut removed).await;
        if let Err(error) = cleared {
            stage.failed(&format!("{name}: {}", error.action));
            return Err(error.into());
        }
    }
    // The folder goes last of all, so that an interrupted call can go on.
    let folder = world.states.network(name);
    if folder.exists() {
        folder.remove()?;
        removed.state_folders = 1;
    }
    if !removed.is_nothing() {
        stage.done(&format!("{name}: {removed} removed"));
    }
    if removed.is_nothing() && blueprint.is_none() {
        for error in unreachable {
            let why = error.detail.lines().next().unwrap_or_default();
            world.console.remark(&format!(
                "Docker could not be asked about `{name}` ({why})."
            ));
        }
    }
    Ok(removed)
}

/// Removes all that one engine holds of the network, and looks again: a daemon
/// also finishes what a killed `up` had asked of it.
async fn clear(
    world: &World,
    engine: &dyn Engine,
    name: &str,
    lock: &Lock,
    report: &dyn Report,
    removed: &mut Removed,
) -> Result<(), EngineError> {
    let nothing = Blueprint::empty(name, engine.kind());
    let mut is_settled = engine.kind() == EngineKind::Process || !lock.was_abandoned();
    for _ in 0..ROUNDS_MAX {
        let todo = diff(&nothing, &engine.observe(name).await?);
        if !todo.is_empty() {
            removed.count(&todo);
            match perform_plan(engine, &world.states, &nothing, &todo, report).await {
                Ok(_) => {}
                Err(error) if is_settled => return Err(error),
                // A container that appears in the midst still holds its volume.
                Err(_) => {
                    tokio::time::sleep(SETTLE).await;
                    is_settled = true;
                }
            }
        } else if is_settled {
            return Ok(());
        } else {
            tokio::time::sleep(SETTLE).await;
            is_settled = true;
        }
    }
    Err(EngineError::new(
        ErrorKind::Refused,
        format!("removing {name}"),
        "it comes back as fast as it is removed",
    )
    .remedy("Another program brings it up at the same time; end that one first."))
}

/// Networks of this user, by label or by state folder, that are old enough.
async fn names_of_mine(
    world: &World,
    engines: &[Arc<dyn Engine>],
    older_than: Duration,
) -> Result<Vec<String>, Failure> {
    let me = owner();
    let mut born: BTreeMap<String, u64> = BTreeMap::new();
    for name in world.states.names()? {
        let at_s = match world.states.load(&name) {
            Ok(Some(blueprint)) => blueprint.created_at_s.into(),
            _ => folder_born_s(world, &name),
        };
        born.insert(name, at_s);
    }
    for engine in engines {
        for network in engine.list().await? {
            if network.owner == me || born.contains_key(&network.name) {
                born.entry(network.name).or_insert(network.created_at_s);
            }
        }
    }
    let limit_s = now_s().saturating_sub(older_than.as_secs());
    Ok(born
        .into_iter()
        .filter(|(_, at_s)| *at_s <= limit_s)
        .map(|(name, _)| name)
        .collect())
}

/// When a folder without a readable plan was last changed.
fn folder_born_s(world: &World, name: &str) -> u64 {
    let modified = world
        .states
        .network(name)
        .path()
        .metadata()
        .and_then(|found| found.modified());
    modified
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |age| age.as_secs())
}

fn conclusion(args: &Args, removed: &[Removed]) -> String {
    match (removed, args.all) {
        ([], true) => "Nothing to do: there is no such network of yours.".into(),
        ([], false) => format!(
            "Nothing to do: there is no network `{}`.",
            args.network.name
        ),
        ([one], _) => format!("Network `{}` is gone.", one.name),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|found| found.name.as_str()).collect();
            format!("{} networks are gone: {}.", several.len(), names.join(", "))
        }
    }
}

impl Removed {
    fn count(&mut self, todo: &Plan) {
        for action in todo.actions() {
            match action {
                Action::RemoveNode { .. } => self.nodes += 1,
                Action::RemoveVolume { .. } => self.volumes += 1,
                Action::RemoveNetwork { .. } => self.networks += 1,
                _ => {}
            }
        }
    }

    const fn is_nothing(&self) -> bool {
        let parts = self.nodes + self.volumes + self.networks;
        parts + self.state_folders + self.watchers == 0
    }
}

impl std::fmt::Display for Removed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            (self.nodes, "node"),
            (self.volumes, "data volume"),
            (self.networks, "network"),
            (self.watchers, "watcher"),
            (self.state_folders, "state folder"),
        ];
        let spelled: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| match count {
                1 => format!("1 {what}"),
                count => format!("{count} {what}s"),
            })
            .collect();
        f.write_str(&spelled.join(", "))
    }
}
