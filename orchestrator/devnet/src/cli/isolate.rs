//! `devnet isolate`: nodes that reach nobody.

use super::fault::{self, FaultArgs};
use crate::exit::{Exit, Failure};
use crate::words::Shape;
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
    let shape = Shape::Isolate(args.nodes);
    fault::run(world, &args.fault, None, |layout| shape.cut(layout)).await
}
