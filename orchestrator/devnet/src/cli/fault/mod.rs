//! What every verb that inflicts a fault does: inflict, prove, tell, and take
//! the fault out again when its time is over.

pub mod select;
pub mod show;
pub mod units;

use std::time::{Duration, Instant};

use devnet_scenario::fault::Fault;
use devnet_scenario::world::Outcome;

use self::show::Told;
use super::up::Interrupts;
use super::{NameArgs, OutputArgs};
use crate::clock::{parse_duration, spell_duration};
use crate::exit::{Exit, Failure};
use crate::faults::state::spell_fault;
use crate::faults::{self, Layout, Live};
use crate::state::{Lock, StateError};
use crate::world::World;

/// How long to wait for another call that works on the network, when a fault's
/// time is over.
const BUSY_LIMIT: Duration = Duration::from_secs(60);
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// Options of every fault.
#[derive(Debug, Clone, clap::Args)]
pub struct FaultArgs {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Take it out again after this time, or at Ctrl-C; else it stays until `devnet heal`
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub(super) time: Option<Duration>,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Inflicts the fault that `make` makes of the network, and tells what came of
/// it. The network is locked while it changes, not while time passes.
pub async fn run(
    world: &World,
    args: &FaultArgs,
    interrupts: Option<Interrupts>,
    make: impl FnOnce(&Layout) -> Result<Fault, Failure>,
) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let live = Live::attach(world, name).await?;
    let interrupts = args
        .time
        .map(|_| interrupts.unwrap_or_else(Interrupts::of_process));
    let began = Instant::now();
    let (fault, inflicted) = {
        let _lock = world.states.network(name).lock()?;
        // Another call may have changed the network before the lock was ours.
        live.reload(world)?;
        let fault = make(&live.layout())?;
        let stage = world.console.stage("fault", &spell_fault(&fault));
        let inflicted = faults::inflict_for(world, &live, &fault, args.time).await;
        let inflicted = inflicted.map_err(|failure| half_done(failure, name))?;
        finish(stage, &inflicted.outcome);
        (fault, inflicted)
    };
    let told = Told::new(spell_fault(&fault), &inflicted.outcome, began.elapsed());
    show::tell(world, &live.layout(), &told, args.time.is_some())?;
    let exit = exit_of(&inflicted.outcome);
    let (Some(time), Some(mut interrupts), Some(id)) = (args.time, interrupts, inflicted.id) else {
        if exit == Exit::Success && inflicted.id.is_some() {
            let option = name_option(name);
            world
                .console
                .say(&format!("It stays until: devnet heal{option}"));
        }
        return Ok(exit);
    };
    let is_interrupted = exit == Exit::Success && hold(world, time, &mut interrupts).await;
    let healed = end(world, &live, id).await?;
    Ok(match (exit, healed) {
        (Exit::Success, Exit::Success) if is_interrupted => Exit::Failed,
        (Exit::Success, healed) => healed,
        (exit, _) => exit,
    })
}

/// What the world broke under may be in force in part.
fn half_done(failure: Failure, name: &str) -> Failure {
    match failure.exit() {
        Exit::WorldBroke => failure.next(format!(
            "Part of it may be in force: `devnet heal{}` takes it out.",
            name_option(name)
        )),
        _ => failure,
    }
}

/// Waits until the time is over; whether the user did not want to.
async fn hold(world: &World, time: Duration, interrupts: &mut Interrupts) -> bool {
    let stage = world.console.stage(
        "hold",
        &format!("for {}; Ctrl-C takes it out at once", spell_duration(time)),
    );
    let is_interrupted = tokio::select! {
        () = tokio::time::sleep(time) => false,
        () = interrupts.next() => true,
    };
    if is_interrupted {
        stage.failed("interrupted");
    } else {
        stage.done("its time is over");
    }
    is_interrupted
}

/// Takes the fault out, unless another call has done so.
async fn end(world: &World, live: &Live, id: u32) -> Result<Exit, Failure> {
    let began = Instant::now();
    let _lock = lock_patiently(world, live.name()).await?;
    live.reload(world)?;
    let stage = world.console.stage("heal", "taking the fault out");
    let Some(outcome) = faults::revert(world, live, id).await? else {
        stage.done("another call took it out already");
        return Ok(Exit::Success);
    };
    finish(stage, &outcome);
    let told = Told::new("heal".to_owned(), &outcome, began.elapsed());
    show::tell(world, &live.layout(), &told, true)?;
    Ok(exit_of(&outcome))
}

async fn lock_patiently(world: &World, name: &str) -> Result<Lock, Failure> {
    let began = Instant::now();
    loop {
        match world.states.network(name).lock() {
            Err(StateError::Busy { .. }) if began.elapsed() < BUSY_LIMIT => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Ends the stage with what was measured.
pub fn finish(stage: crate::console::Stage, outcome: &Outcome) {
    match outcome {
        Outcome::Done(evidence) => stage.done(&evidence.summary),
        Outcome::Ineffective(_) => stage.failed("it has not the effect it should have"),
        Outcome::Failed { why } => stage.failed(why),
    }
}

/// The exit code of an outcome.
pub const fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Done(_) => Exit::Success,
        Outcome::Ineffective(_) => Exit::Invalid,
        Outcome::Failed { .. } => Exit::WorldBroke,
    }
}

/// ` --name alpha`, or nothing for the network that needs no name.
pub fn name_option(name: &str) -> String {
    match name == devnet_blueprint::topology::DEFAULT_NAME {
        true => String::new(),
        false => format!(" --name {name}"),
    }
}

#[cfg(test)]
mod tests;
