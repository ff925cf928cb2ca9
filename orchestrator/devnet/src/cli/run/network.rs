//! The network of a run: its own, made for it and taken down after it, or one
//! that exists and stays.

use std::sync::Arc;
use std::time::Duration;

use devnet_blueprint::Topology;
use tokio::time::{Instant, sleep};

use super::super::up::bring_up::{Brought, bring_up, take_back};
use super::super::up::{self, Own, condition_links, describe_health};
use super::super::wait::{Patience, until_healthy};
use super::Args;
use super::one::Plan;
use super::scenario::Loaded;
use crate::console::Stage;
use crate::engine::ErrorKind;
use crate::exit::Failure;
use crate::faults::{self, Live};
use crate::health::Wish;
use crate::state::Lock;
use crate::world::World;

/// How long an engine that is being restarted is waited for, and between two
/// tries.
const ENGINE_BACK: Duration = Duration::from_secs(30);
const ENGINE_PAUSE: Duration = Duration::from_millis(500);

/// A network that scenarios run on.
pub struct Network {
    /// The network.
    pub live: Arc<Live>,
    /// What it was planned from; `None` for one that was there before.
    pub topology: Option<Topology>,
}

/// The right to work on a network, and whether it is there already.
pub struct Claim {
    _lock: Lock,
    up: up::Args,
    /// Whether this run makes it, and so takes it down.
    pub is_ours: bool,
}

impl Claim {
    /// Claims the name of the plan.
    ///
    /// # Errors
    /// Another devnet works on it, or the state folder cannot be used.
    pub fn new(world: &World, args: &Args, loaded: &Loaded, plan: &Plan) -> Result<Self, Failure> {
        let folder = world.states.network(&plan.network);
        let lock = folder.lock()?;
        Ok(Self {
            is_ours: !folder.exists(),
            up: up_args(args, loaded, plan),
            _lock: lock,
        })
    }
}

/// Brings the claimed network up, or attaches to it, and waits until it is
/// healthy. Nothing of an earlier run is left in it.
pub async fn ready(world: &World, claim: &Claim, plan: &Plan) -> Result<Network, Failure> {
    let name = &plan.network;
    let network = match claim.is_ours {
        true => made(world, claim, name).await?,
        false => Network {
            live: Arc::new(Live::attach(world, name).await?),
            topology: None,
        },
    };
    if !claim.is_ours {
        for left in faults::flush(world, &network.live).await? {
            world
                .console
                .remark(&format!("  cleared of an earlier run: {left}"));
        }
    }
    let layout = network.live.layout();
    let stage = world.console.stage("health", "asking the nodes");
    let patience = Patience {
        timeout: claim.up.timeout,
        wish: Wish { height_min: 0 },
    };
    let engine = network.live.engine();
    match until_healthy(world, engine, name, &layout.nodes, &patience, &stage).await {
        Ok(round) => stage.done(&describe_health(&layout.nodes, &round)),
        Err(failure) => {
            stage.failed("the network is not healthy");
            return Err(failure);
        }
    }
    Ok(network)
}

/// Removes the network with everything it left.
pub async fn take_down(world: &World, claim: &Claim, plan: &Plan) -> Result<(), Failure> {
    let stage = world.console.stage("down", "removing the network");
    until_engine_answers(world, &plan.network, &stage).await;
    match take_back(world, &claim.up, &plan.network).await {
        Ok(()) => {
            stage.done("the network is gone");
            Ok(())
        }
        Err(failure) => {
            stage.failed("something is left");
            let advice = format!("`devnet down --name {}` removes it.", plan.network);
            Err(failure.next(advice))
        }
    }
}

/// Nobody else takes down what a run has made, so an engine that was lost in its
/// course is given time to come back. Where nothing was made, nothing waits.
async fn until_engine_answers(world: &World, name: &str, stage: &Stage) {
    let Ok(Some(blueprint)) = world.states.load(name) else {
        return;
    };
    let began = Instant::now();
    while began.elapsed() < ENGINE_BACK {
        match world.engines.connect(blueprint.engine).await {
            Err(error) if matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut) => {
                stage.waiting("the engine is away; waiting for it");
                sleep(ENGINE_PAUSE).await;
            }
            _ => return,
        }
    }
}

async fn made(world: &World, claim: &Claim, name: &str) -> Result<Network, Failure> {
    let Brought {
        engine, blueprint, ..
    } = bring_up(world, &claim.up, name).await?;
    condition_links(world, &engine, &blueprint).await?;
    Ok(Network {
        live: Arc::new(Live::new(engine, blueprint)),
        topology: claim.up.wished.as_deref().cloned(),
    })
}

/// The same as `devnet up` would be given.
fn up_args(args: &Args, loaded: &Loaded, plan: &Plan) -> up::Args {
    up::Args {
        verbose: args.verbose,
        output: args.output,
        ..up::Args::from(Own {
            name: plan.network.clone(),
            topology: loaded.file.topology.clone(),
            engine: args.engine,
            image: args.image.clone(),
            binary: args.binary.clone(),
            seed: Some(plan.seed),
            timeout: args.timeout,
        })
    }
}
