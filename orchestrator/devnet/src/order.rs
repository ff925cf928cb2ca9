//! Faults and healing as a person orders them: under the network's lock, on the
//! plan as it is by then, with what the sides had mined beside the outcome.
//!
//! What was ordered is told on the console while it goes on; what came of it is
//! up to whoever ordered. Must never import a verb.

use std::time::{Duration, Instant};

use devnet_scenario::fault::{Fault, Heal};
use devnet_scenario::parting::Parting;
use devnet_scenario::world::Outcome;

use crate::console::Stage;
use crate::exit::{Exit, Failure};
use crate::faults::state::spell_fault;
use crate::faults::{self, Inflicted, Intent, Layout, Live, Reconciled};
use crate::state::{Lock, StateError};
use crate::world::World;

/// Between two tries to take a lock that another call has.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// A fault that was ordered, and what came of it.
#[derive(Debug)]
pub struct Done {
    /// The fault.
    pub fault: Fault,
    /// How it ended.
    pub inflicted: Inflicted,
    /// What the sides of the cut had mined that it took the place of.
    pub replaced: Option<Parting>,
    /// What it took, proof included.
    pub elapsed: Duration,
}

/// Faults that were taken out by order.
#[derive(Debug)]
pub struct Healed {
    /// How it ended.
    pub outcome: Outcome,
    /// What the sides had mined, where links were healed.
    pub progress: Option<Parting>,
    /// What it took, proof included.
    pub elapsed: Duration,
}

/// Takes the network's lock. Where another call has it, `waiting` hears once who
/// that is, and it is waited for, `limit` at most.
///
/// # Errors
/// The other call takes longer, or the state folder cannot be used.
pub async fn lock(
    world: &World,
    name: &str,
    limit: Duration,
    mut waiting: impl FnMut(&StateError),
) -> Result<Lock, Failure> {
    let folder = world.states.network(name);
    let began = Instant::now();
    let mut was_told = false;
    loop {
        match folder.lock() {
            Err(busy @ StateError::Busy { .. }) if began.elapsed() < limit => {
                if !std::mem::replace(&mut was_told, true) {
                    waiting(&busy);
                }
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Inflicts the fault that `make` makes of the network, for that time or until
/// it is healed, and proves it. The network's lock is held until it is proven.
///
/// # Errors
/// `make` refused, or the world broke.
pub async fn inflict(
    world: &World,
    live: &Live,
    _lock: Lock,
    time: Option<Duration>,
    make: impl FnOnce(&Layout) -> Result<Fault, Failure>,
) -> Result<Done, Failure> {
    let began = Instant::now();
    // Another call may have changed the network before the lock was ours.
    live.reload(world)?;
    let fault = make(&live.layout())?;
    let stage = world.console.stage("fault", &spell_fault(&fault));
    let replaced = match fault {
        Fault::Cut(_) => faults::progress::current(world, live, &Heal::Cuts).await?,
        Fault::Condition { .. } | Fault::Node { .. } => None,
    };
    let inflicted = faults::inflict_for(world, live, &fault, time).await;
    let inflicted = inflicted.map_err(|failure| half_done(failure, live.name()))?;
    finish(stage, &inflicted.outcome);
    Ok(Done {
        fault,
        inflicted,
        replaced,
        elapsed: began.elapsed(),
    })
}

/// Takes out what `make` names, and proves that it is gone. The network's lock is
/// held until it is proven.
///
/// # Errors
/// As [`inflict`].
pub async fn heal(
    world: &World,
    live: &Live,
    _lock: Lock,
    make: impl FnOnce(&Layout) -> Result<Heal, Failure>,
) -> Result<Healed, Failure> {
    let began = Instant::now();
    live.reload(world)?;
    let heal = make(&live.layout())?;
    // A file of faults that cannot be read hinders no healing.
    let progress = faults::progress::current(world, live, &heal).await;
    let stage = world.console.stage("heal", "taking faults out");
    let outcome = faults::heal(world, live, &heal).await?;
    finish(stage, &outcome);
    Ok(Healed {
        outcome,
        progress: progress.ok().flatten(),
        elapsed: began.elapsed(),
    })
}

/// Takes the fault of that number out, and proves that it is gone; `None` if
/// another call has done so. The network's lock is held until it is proven.
///
/// # Errors
/// As [`inflict`].
pub async fn lift(
    world: &World,
    live: &Live,
    _lock: Lock,
    id: u32,
) -> Result<Option<Healed>, Failure> {
    let began = Instant::now();
    live.reload(world)?;
    let progress = progress(world, live, id).await?;
    let stage = world.console.stage("heal", "taking the fault out");
    let Some(outcome) = faults::revert(world, live, id).await? else {
        stage.done("another call took it out already");
        return Ok(None);
    };
    finish(stage, &outcome);
    Ok(Some(Healed {
        outcome,
        progress,
        elapsed: began.elapsed(),
    }))
}

/// Puts in force again what was asked for, and tells how long that took. The
/// network's lock is held until it is proven.
///
/// # Errors
/// As [`inflict`].
pub async fn reapply(
    world: &World,
    live: &Live,
    _lock: Lock,
) -> Result<(Reconciled, Duration), Failure> {
    let began = Instant::now();
    live.reload(world)?;
    let running = live.running().await?;
    let done = faults::reconcile(world, live, &running).await?;
    Ok((done, began.elapsed()))
}

/// What the sides of the fault of that number have mined; `None` if it is not
/// one of links, or is in force no more.
///
/// # Errors
/// The intent cannot be read.
pub async fn progress(world: &World, live: &Live, id: u32) -> Result<Option<Parting>, Failure> {
    let intent = Intent::load(&world.states.network(live.name()))?;
    let active = intent.faults().iter().find(|active| active.id == id);
    Ok(match active {
        Some(active) => faults::progress::of(&live.layout(), active).await,
        None => None,
    })
}

/// Ends the stage with what was measured.
pub fn finish(stage: Stage, outcome: &Outcome) {
    match outcome {
        Outcome::Done(evidence) => stage.done(&evidence.summary),
        Outcome::Ineffective(_) => stage.failed("it has not the effect it should have"),
        Outcome::Failed { why } => stage.failed(why),
    }
}

/// ` --name alpha`, or nothing for the network that needs no name.
pub fn name_option(name: &str) -> String {
    match name == devnet_blueprint::topology::DEFAULT_NAME {
        true => String::new(),
        false => format!(" --name {name}"),
    }
}

/// What the world broke under may be in force in part.
pub fn half_done(failure: Failure, name: &str) -> Failure {
    match failure.exit() {
        Exit::WorldBroke => failure.next(format!(
            "Part of it may be in force: `devnet heal{}` takes it out.",
            name_option(name)
        )),
        _ => failure,
    }
}
