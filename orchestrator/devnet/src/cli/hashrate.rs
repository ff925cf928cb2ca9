//! `devnet hashrate`: miners that are faster or slower.

use devnet_scenario::fault::{Fault, NodeFault};

use super::fault::{self, FaultArgs, select, units};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet hashrate miner-0 0               it mines no more
  devnet hashrate miner-0 40k             twice as fast as planned, say
  devnet hashrate miner 1000 --for 1m     all miners are slow, for a minute";

/// Change the hash rate of miners
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet hashrate [OPTIONS] <NODE>... <RATE>")]
pub struct Args {
    /// Miners or groups, then hashes a second, such as 20000 or 20k; 0 idles them
    #[arg(value_name = "NODE… RATE", required = true, num_args = 2.., allow_hyphen_values = true)]
    pub(super) words: Vec<String>,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let (value, nodes) = select::last(&args.words)?;
    let value = units::hash_rate(value).map_err(Failure::bad_input)?;
    fault::run(world, &args.fault, None, |layout| {
        Ok(Fault::Node {
            nodes: select::all_nodes(layout, nodes)?,
            what: NodeFault::HashRate {
                hashes_per_second: value,
            },
        })
    })
    .await
}
