//! `devnet corrupt`: nodes whose store is damaged.

use devnet_scenario::fault::{Fault, NodeFault};

use super::fault::{self, FaultArgs, select};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet corrupt observer-0             kill it, damage its store, start it again
  devnet corrupt observer-0 --for 30s   then wiped, if it refused its store
  devnet wipe observer-0                the way out by hand

Damaged pages follow from the network's seed. Proof: the node refuses its store in clear words, or
survives. Exit code 4 if it does neither.";

/// Damage the stores of nodes on purpose
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
        Ok(Fault::Node {
            nodes: select::all_nodes(layout, &args.nodes)?,
            what: NodeFault::CorruptStore,
        })
    })
    .await
}
