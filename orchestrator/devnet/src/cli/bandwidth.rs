//! `devnet bandwidth`: narrow links.

use devnet_scenario::fault::Fault;
use devnet_scenario::links::Condition;

use super::fault::{self, FaultArgs, select, units};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet bandwidth 1mbit                           every link
  devnet bandwidth miner-0 250kbit                 all links of one node
  devnet bandwidth miner-0:miner-1 64kB --for 1m   one link, healed after a minute

The rate is that of one direction of one link. It is read back
from the nodes, and measured by the time a payload takes; above about 13 MB/s it is
read back alone.";

/// Narrow links down to a data rate
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet bandwidth [OPTIONS] [LINK]... <RATE>")]
pub struct Args {
    /// Links (A:B, or all of a node; none: every link), then the rate, such as 1mbit or 64kB
    #[arg(value_name = "LINK… RATE", required = true)]
    pub(super) words: Vec<String>,

    /// Only what A sends to B, or what the node sends
    #[arg(long)]
    pub(super) one_way: bool,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let (rate, links) = select::last(&args.words)?;
    let rate = units::rate_bytes_s(rate).map_err(Failure::bad_input)?;
    fault::run(world, &args.fault, None, |layout| {
        Ok(Fault::Condition {
            links: select::links(layout, links, args.one_way)?,
            with: Condition {
                rate_bytes_s: Some(rate),
                ..Condition::default()
            },
        })
    })
    .await
}
