//! `devnet heal`: takes faults out.

use std::time::{Duration, Instant};

use devnet_scenario::fault::Heal;
use devnet_scenario::parting::{Aftermath, Parting};

use super::fault::show::{self, Told};
use super::fault::{WATCH_PAUSE, exit_of, select};
use super::{NameArgs, OutputArgs};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::faults::{self, Layout, Live};
use crate::order::{self, Healed};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet heal                 everything: links, clocks, rates, disks, dead and frozen nodes
  devnet heal --cuts          partitions only
  devnet heal --conditions    latency, loss and bandwidth, down to the topology's own zones
  devnet heal miner-0         what was done to this node itself; links stay as they are
  devnet heal --wait 20s      and wait, at most that long, until every node follows one branch

That every node reaches every other again is measured. What each side had mined, where they
parted and whose branch won is told at the end; without --wait as far as it is known at once.

Exit code 4 if a fault is still in force, 1 if no branch has won in time.";

/// Take faults out, and prove that they are gone
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only what was done to these nodes: names of nodes, groups or zones
    #[arg(value_name = "NODE", conflicts_with_all = ["cuts", "conditions"])]
    pub(super) nodes: Vec<String>,

    /// Only cuts
    #[arg(long, conflicts_with = "conditions")]
    pub(super) cuts: bool,

    /// Only latency, loss and bandwidth
    #[arg(long)]
    pub(super) conditions: bool,

    /// After a fork, wait at most this long until every node follows one side's branch
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) wait: Option<Duration>,

    #[command(flatten)]
    pub(super) network: NameArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let live = Live::attach(world, name).await?;
    let lock = world.states.network(name).lock()?;
    let Healed {
        outcome,
        progress,
        elapsed,
    } = order::heal(world, &live, lock, |layout| what(&args, layout)).await?;
    let told = Told::new("heal".to_owned(), &outcome, elapsed);
    let aftermath = match &progress {
        Some(progress) => after(world, &live, progress, args.wait).await,
        None => None,
    };
    let is_open = aftermath
        .as_ref()
        .is_some_and(|after| after.winner.is_none());
    show::tell(
        world,
        &live.layout(),
        &told.with(progress, aftermath),
        false,
    )?;
    Ok(match exit_of(&outcome) {
        Exit::Success if is_open && args.wait.is_some() => Exit::Failed,
        exit => exit,
    })
}

/// What became of the branches, at once or within that time.
async fn after(
    world: &World,
    live: &Live,
    progress: &Parting,
    time: Option<Duration>,
) -> Option<Aftermath> {
    let layout = live.layout();
    let mut aftermath = faults::progress::aftermath(&layout, progress).await?;
    let (Some(time), began) = (time, Instant::now()) else {
        return Some(aftermath);
    };
    let stage = world
        .console
        .stage("branches", "waiting until every node follows one");
    while aftermath.winner.is_none() && began.elapsed() < time {
        tokio::time::sleep(WATCH_PAUSE).await;
        match faults::progress::aftermath(&layout, progress).await {
            Some(now) => aftermath = now,
            None => break,
        }
    }
    match &aftermath.winner {
        Some(label) => stage.done(&format!("side {label}'s won")),
        None => stage.failed("none has won in time"),
    }
    Some(aftermath)
}

fn what(args: &Args, layout: &Layout) -> Result<Heal, Failure> {
    Ok(match (args.cuts, args.conditions) {
        (true, _) => Heal::Cuts,
        (_, true) => Heal::Conditions,
        _ if args.nodes.is_empty() => Heal::All,
        _ => Heal::Nodes(select::all_nodes(layout, &args.nodes)?),
    })
}
