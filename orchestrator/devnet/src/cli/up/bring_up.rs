//! Plans, compares with what exists, and performs the difference.

use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::{
    Blueprint, EngineKind, NodeState, Observed, Plan, PlanError, diff, plan, render,
};

use super::{Args, wish};
use crate::engine::{Demand, Engine, EngineError, Silent, perform_plan};
use crate::exit::Failure;
use crate::monitoring;
use crate::prepare::{self, Birth, Prepared, Refused, Request, port_is_free};
use crate::world::{World, is_worth_another_choice};

/// Attempts with other subnets or ports, if those chosen turn out to be taken.
const ATTEMPTS_MAX: usize = 5;
/// A daemon may finish what it was asked after we stopped listening.
const SETTLE: Duration = Duration::from_millis(300);
const SETTLE_ROUNDS: usize = 10;
/// So few steps are named, more are counted.
const STEPS_NAMED_MAX: usize = 3;

/// A network with all its parts in place.
pub struct Brought {
    /// What carries it.
    pub engine: Arc<dyn Engine>,
    /// Its plan.
    pub blueprint: Blueprint,
    /// How much had to be done.
    pub actions: usize,
}

/// A plan, and what exists beside it.
pub struct Planned {
    /// The plan.
    pub blueprint: Blueprint,
    /// What exists.
    pub observed: Observed,
}

/// What one `up` works with.
struct Job<'a> {
    world: &'a World,
    name: &'a str,
    engine: Arc<dyn Engine>,
    topology: devnet_blueprint::Topology,
    previous: Option<Blueprint>,
}

/// Brings every part of the network into place; their health is another
/// matter.
pub async fn bring_up(world: &World, args: &Args, name: &str) -> Result<Brought, Failure> {
    let mut job = Job::new(world, args, name).await?;
    let observed = job.observe().await?;
    job.check_room(&observed)?;
    job.release_what_is_lost(&observed).await?;
    let mut program = job.program(&Silent, false).await?;
    if program.to_build {
        let stage = world.console.stage("image", "building the nodes' image");
        program = job.program(&stage, true).await?;
        stage.done(&format!("built {} {}", program.reference, program.origin));
    }
    let stage = world.console.stage("plan", "choosing addresses");
    let birth = Birth::draw(args.seed)?;
    let mut refused = Refused::default();
    let mut prepared = job.prepare(&birth, program, &refused, true, &stage).await?;
    let mut blueprint = job.plan(&prepared)?;
    stage.done(&describe_plan(&job, &prepared, &blueprint));
    let mut todo = diff(&blueprint, &observed);
    let mut actions = todo.len();
    for attempt in 1.. {
        let Some(error) = job.perform(&blueprint, &todo).await? else {
            break;
        };
        if attempt >= ATTEMPTS_MAX || !is_worth_another_choice(error.kind) {
            return Err(error.into());
        }
        world
            .console
            .remark(&format!("  {}; trying others.", error.detail));
        refused.subnets.extend(blueprint.subnet);
        refused.ports.extend(ports(&blueprint));
        let observed = job.observe().await?;
        job.release_what_is_lost(&observed).await?;
        prepared = job
            .prepare(&birth, prepared.program, &refused, true, &Silent)
            .await?;
        blueprint = job.plan(&prepared)?;
        todo = diff(&blueprint, &observed);
        actions += todo.len();
    }
    Ok(Brought {
        engine: job.engine,
        blueprint,
        actions,
    })
}

/// Plans without touching anything.
pub async fn plan_only(world: &World, args: &Args, name: &str) -> Result<Planned, Failure> {
    let mut job = Job::new(world, args, name).await?;
    let observed = job.observe().await?;
    job.check_room(&observed)?;
    job.release_what_is_lost(&observed).await?;
    let birth = Birth::draw(args.seed)?;
    let program = job.program(&Silent, false).await?;
    let prepared = job
        .prepare(&birth, program, &Refused::default(), false, &Silent)
        .await?;
    Ok(Planned {
        blueprint: job.plan(&prepared)?,
        observed,
    })
}

/// Removes all of a network that an interrupted `up` has begun, until nothing
/// is seen of it any more.
pub async fn take_back(world: &World, args: &Args, name: &str) -> Result<(), Failure> {
    let begun = world
        .states
        .load(name)
        .ok()
        .flatten()
        .map(|blueprint| blueprint.engine);
    let engine = match begun {
        Some(kind) => world.engines.connect(kind).await?,
        None => world.engine(args.engine).await?,
    };
    monitoring::remove(world, name).await?;
    let nothing = Blueprint::empty(name, engine.kind());
    let mut quiet = 0;
    for _ in 0..SETTLE_ROUNDS {
        let todo = diff(&nothing, &world.observe(&*engine, name).await?);
        // Seen twice to be empty: a late answer of the daemon has arrived.
        quiet = if todo.is_empty() { quiet + 1 } else { 0 };
        if quiet == 2 {
            break;
        }
        perform_plan(&*engine, &world.states, &nothing, &todo, &Silent).await?;
        tokio::time::sleep(SETTLE).await;
    }
    Ok(())
}

impl<'a> Job<'a> {
    async fn new(world: &'a World, args: &'a Args, name: &'a str) -> Result<Self, Failure> {
        let folder = world.states.network(name);
        let previous = world.states.load(name)?;
        let topology = wish::topology(args, name, &folder, previous.is_some())?;
        let engine = match &previous {
            Some(before) => {
                wish::check_engine(args, name, before.engine)?;
                world.engines.connect(before.engine).await?
            }
            None => world.engine(wish::engine(args, &topology)).await?,
        };
        wish::check_program(&topology, engine.kind())?;
        wish::check_memory(args, engine.kind())?;
        Ok(Self {
            world,
            name,
            engine,
            topology,
            previous,
        })
    }

    /// What exists under this name; refused where it is not ours.
    async fn observe(&self) -> Result<Observed, Failure> {
        let observed = self.world.observe(&*self.engine, self.name).await?;
        let own_run = self.previous.as_ref().map(|before| before.run_id.as_str());
        let has_plan = self.world.states.load(self.name)?.is_some();
        let is_foreign = |run: &str| match own_run {
            Some(own) => run != own,
            None => !has_plan,
        };
        let strangers = observed
            .nodes
            .iter()
            .filter(|node| is_foreign(&node.run))
            .count();
        if strangers == 0 {
            return Ok(observed);
        }
        let (name, engine) = (self.name, self.engine.kind());
        let folder = self.world.states.network(name);
        Err(Failure::failed(format!(
            "there are {strangers} nodes of another network `{name}` on the {engine} engine; \
             their plan is not in {}",
            folder.path().display()
        ))
        .next("If somebody else brought them up, choose another `--name`.")
        .next(format!(
            "If they are left over, `devnet down --name {name}` removes them."
        )))
    }

    /// Refuses more nodes than this host can carry.
    fn check_room(&self, observed: &Observed) -> Result<(), Failure> {
        let nodes = self.topology.node_count();
        let states = observed.nodes.iter().map(|node| node.state);
        let running = states.filter(|state| *state == NodeState::Running).count();
        let demand = Demand {
            engine: self.engine.kind(),
            nodes,
            more: nodes.saturating_sub(u32::try_from(running).unwrap_or(u32::MAX)),
        };
        let shortages = self.engine.shortages(demand);
        if shortages.is_empty() {
            return Ok(());
        }
        let what: Vec<&str> = shortages.iter().map(|short| short.what.as_str()).collect();
        let failure = Failure::bad_input(what.join("; "));
        Err(shortages
            .iter()
            .fold(failure, |failure, short| failure.next(&short.remedy)))
    }

    /// Where the network stood still, others may have taken its place.
    async fn release_what_is_lost(&mut self, observed: &Observed) -> Result<(), Failure> {
        if let Some(previous) = &mut self.previous {
            let used = self.engine.used_subnets().await?;
            prepare::release_what_is_lost(previous, observed, &used, port_is_free);
        }
        Ok(())
    }

    fn request(&self, build: bool) -> Request<'_> {
        Request {
            states: &self.world.states,
            engine: &*self.engine,
            topology: &self.topology,
            previous: self.previous.clone(),
            build,
        }
    }

    async fn program(
        &self,
        report: &dyn crate::engine::Report,
        build: bool,
    ) -> Result<crate::engine::Program, EngineError> {
        prepare::program(&self.request(build), report).await
    }

    async fn prepare(
        &self,
        birth: &Birth,
        program: crate::engine::Program,
        refused: &Refused,
        build: bool,
        report: &dyn crate::engine::Report,
    ) -> Result<Prepared, EngineError> {
        prepare::prepare(self.request(build), birth, program, refused, report).await
    }

    fn plan(&self, prepared: &Prepared) -> Result<Blueprint, Failure> {
        plan(&self.topology, &prepared.input).map_err(|error| match error {
            PlanError::Topology(problems) => Failure::bad_input(problems.to_string()),
            other => Failure::bad_input(other.to_string()),
        })
    }

    /// Performs what is to do; a failure of the engine is handed back, because
    /// another choice may help.
    async fn perform(
        &self,
        blueprint: &Blueprint,
        todo: &Plan,
    ) -> Result<Option<EngineError>, Failure> {
        if todo.is_empty() {
            return Ok(None);
        }
        let stage = self
            .world
            .console
            .stage("nodes", "bringing the network into place");
        self.world
            .states
            .network(self.name)
            .write_wish(&self.topology)?;
        let performed =
            perform_plan(&*self.engine, &self.world.states, blueprint, todo, &stage).await;
        match performed {
            Ok(done) => {
                stage.done(&describe_work(blueprint, todo, done));
                Ok(None)
            }
            Err(error) => {
                stage.failed(&error.action);
                Ok(Some(error))
            }
        }
    }
}

fn ports(blueprint: &Blueprint) -> impl Iterator<Item = u16> + '_ {
    let is_docker = blueprint.engine == EngineKind::Docker;
    let nodes = blueprint.nodes.iter().filter(move |_| is_docker);
    nodes.flat_map(|node| [node.host.rpc.port(), node.host.metrics.port()])
}

fn describe_plan(job: &Job<'_>, prepared: &Prepared, blueprint: &Blueprint) -> String {
    let miners = blueprint.miners().count();
    let engine = match blueprint.engine {
        EngineKind::Docker => "Docker",
        EngineKind::Process => "plain processes",
    };
    let place = blueprint
        .subnet
        .map_or_else(String::new, |subnet| format!(" in {subnet}"));
    let nodes = match blueprint.nodes.len() {
        1 => "1 node".to_owned(),
        count => format!("{count} nodes"),
    };
    let again = if job.previous.is_some() {
        ", planned before"
    } else {
        ""
    };
    format!(
        "{nodes}, {miners} mining, on {engine}{place}{again}; {} ({})",
        prepared.program.reference, prepared.program.origin
    )
}

fn describe_work(blueprint: &Blueprint, todo: &Plan, done: usize) -> String {
    let count = blueprint.nodes.len();
    let running = match (blueprint.engine, count) {
        (EngineKind::Docker, 1) => "1 container running".to_owned(),
        (EngineKind::Docker, _) => format!("{count} containers running"),
        (EngineKind::Process, 1) => "1 process running".to_owned(),
        (EngineKind::Process, _) => format!("{count} processes running"),
    };
    if done > STEPS_NAMED_MAX {
        return format!("{running}, {done} steps");
    }
    let steps: Vec<String> = todo.actions().map(render::done).collect();
    format!("{running}; {}", steps.join(", "))
}
