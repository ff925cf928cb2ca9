//! `devnet skew`: clocks that are wrong.

use devnet_scenario::fault::{Fault, NodeFault};

use super::fault::{self, FaultArgs, select, units};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet skew miner-0 +5s              its clock is five seconds fast
  devnet skew miner -90s --for 1m      all miners are late, for a minute
  devnet skew miner-0 0s               right again

Only the nodes' own notion of time is changed, not that of this host.";

/// Set clocks of nodes off
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet skew [OPTIONS] <NODE>... <OFFSET>")]
pub struct Args {
    /// Nodes, groups or zones, then the offset, such as +5s or -90s
    #[arg(value_name = "NODE… OFFSET", required = true, num_args = 2.., allow_hyphen_values = true)]
    pub(super) words: Vec<String>,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let (value, nodes) = select::last(&args.words)?;
    let value = units::offset_ms(value).map_err(Failure::bad_input)?;
    fault::run(world, &args.fault, None, |layout| {
        Ok(Fault::Node {
            nodes: select::all_nodes(layout, nodes)?,
            what: NodeFault::ClockSkew { offset_ms: value },
        })
    })
    .await
}
