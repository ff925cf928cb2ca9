//! What every verb that inflicts a fault does: inflict, prove, tell, and take
//! the fault out again when its time is over.

pub mod links;
pub mod show;
pub mod sides;

use std::time::Duration;

use devnet_scenario::fault::Fault;
use devnet_scenario::world::Outcome;

use self::show::Told;
use super::interrupts::Interrupts;
use super::{NameArgs, OutputArgs};
use crate::clock::{parse_duration, spell_duration};
use crate::exit::{Exit, Failure};
use crate::faults::state::spell_fault;
use crate::faults::{self, Layout, Live};
pub use crate::order::name_option;
use crate::order::{self, Done, Healed};
pub use crate::words::{select, units};
use crate::world::World;

/// How long to wait for another call that works on the network, when a fault's
/// time is over.
const BUSY_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at what the sides have mined.
pub const WATCH_PAUSE: Duration = Duration::from_millis(500);

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
    let lock = world.states.network(name).lock()?;
    let Done {
        fault,
        inflicted,
        replaced,
        elapsed,
    } = order::inflict(world, &live, lock, args.time, make).await?;
    let told = Told::new(spell_fault(&fault), &inflicted.outcome, elapsed);
    let progress = match inflicted.id {
        Some(id) => order::progress(world, &live, id).await?,
        None => None,
    };
    let told = told.with(progress, None).instead_of(replaced);
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
    let is_interrupted =
        exit == Exit::Success && hold(world, &live, id, (time, &mut interrupts)).await;
    let healed = end(world, &live, id).await?;
    Ok(match (exit, healed) {
        (Exit::Success, Exit::Success) if is_interrupted => Exit::Failed,
        (Exit::Success, healed) => healed,
        (exit, _) => exit,
    })
}

/// Waits until the time is over, and tells meanwhile how far the sides came;
/// whether the user did not want to.
async fn hold(
    world: &World,
    live: &Live,
    id: u32,
    (time, interrupts): (Duration, &mut Interrupts),
) -> bool {
    let doing = format!("for {}; Ctrl-C takes it out at once", spell_duration(time));
    let stage = world.console.stage("hold", &doing);
    let watch = async {
        // Only a moving line has room for it.
        if !world.console.is_terminal {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(WATCH_PAUSE).await;
            if let Ok(Some(progress)) = order::progress(world, live, id).await {
                stage.waiting(&format!("{doing}: {progress}"));
            }
        }
    };
    let is_interrupted = tokio::select! {
        () = tokio::time::sleep(time) => false,
        () = interrupts.next() => true,
        never = watch => never,
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
    let lock = order::lock(world, live.name(), BUSY_LIMIT, |_| ()).await?;
    let Some(Healed {
        outcome,
        progress,
        elapsed,
    }) = order::lift(world, live, lock, id).await?
    else {
        return Ok(Exit::Success);
    };
    let told = Told::new("heal".to_owned(), &outcome, elapsed);
    let aftermath = match &progress {
        Some(progress) => faults::progress::aftermath(&live.layout(), progress).await,
        None => None,
    };
    let told = told.with(progress, aftermath);
    show::tell(world, &live.layout(), &told, true)?;
    Ok(exit_of(&outcome))
}

/// The exit code of an outcome.
pub const fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Done(_) => Exit::Success,
        Outcome::Ineffective(_) => Exit::Invalid,
        Outcome::Failed { .. } => Exit::WorldBroke,
    }
}

#[cfg(test)]
mod tests;
