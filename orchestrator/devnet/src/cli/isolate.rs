//! `devnet isolate`: nodes that reach nobody.

use devnet_scenario::fault::CutShape;

use super::fault::{self, FaultArgs, select};
use super::partition::cut_of;
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet isolate miner-0              one node apart from all others
  devnet isolate miner-0 miner-1      both, also apart from each other
  devnet isolate miner-0 --for 30s    healed after 30 s, or at Ctrl-C

The same as `devnet partition --isolate`; it replaces any partition before.";

/// Cut single nodes off from everybody
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Nodes, groups or zones
    #[arg(value_name = "NODE", required = true)]
    pub(super) nodes: Vec<String>,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    fault::run(world, &args.fault, None, |layout| {
        let nodes = select::all_nodes(layout, &args.nodes)?;
        cut_of(CutShape::isolate(&nodes), layout)
    })
    .await
}
