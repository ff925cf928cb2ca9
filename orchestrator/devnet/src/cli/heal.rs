//! `devnet heal`: takes faults out.

use std::time::Instant;

use devnet_scenario::fault::Heal;

use super::fault::show::{self, Told};
use super::fault::{exit_of, finish, select};
use super::{NameArgs, OutputArgs};
use crate::exit::{Exit, Failure};
use crate::faults::{self, Layout, Live};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet heal                 everything: cuts, conditions, clocks, rates, disks, dead and frozen nodes
  devnet heal --cuts          partitions only
  devnet heal --conditions    latency, loss and bandwidth, down to the topology's own zones
  devnet heal miner-0         what was done to this node itself; links stay as they are

That every node reaches every other again is measured; exit code 4 if not.";

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

    #[command(flatten)]
    pub(super) network: NameArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let live = Live::attach(world, name).await?;
    let began = Instant::now();
    let outcome = {
        let _lock = world.states.network(name).lock()?;
        // Another call may have changed the network before the lock was ours.
        live.reload(world)?;
        let heal = what(&args, &live.layout())?;
        let stage = world.console.stage("heal", "taking faults out");
        let outcome = faults::heal(world, &live, &heal).await?;
        finish(stage, &outcome);
        outcome
    };
    let told = Told::new("heal".to_owned(), &outcome, began.elapsed());
    show::tell(world, &live.layout(), &told, false)?;
    Ok(exit_of(&outcome))
}

fn what(args: &Args, layout: &Layout) -> Result<Heal, Failure> {
    Ok(match (args.cuts, args.conditions) {
        (true, _) => Heal::Cuts,
        (_, true) => Heal::Conditions,
        _ if args.nodes.is_empty() => Heal::All,
        _ => Heal::Nodes(select::all_nodes(layout, &args.nodes)?),
    })
}
