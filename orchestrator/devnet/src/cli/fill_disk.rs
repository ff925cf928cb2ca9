//! `devnet fill-disk`: nodes whose disk is full.

use devnet_scenario::fault::{Fault, NodeFault};

use super::fault::{self, FaultArgs, select};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet fill-disk miner-0              it can write nothing more
  devnet fill-disk miner-0 --for 30s    room again after 30 s

The node meets its disk quota; the disk of this host has nothing to do with it.";

/// Let the disks of nodes be full
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
            what: NodeFault::FillDisk,
        })
    })
    .await
}
