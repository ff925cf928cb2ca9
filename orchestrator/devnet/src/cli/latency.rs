//! `devnet latency`: slow links.

use devnet_scenario::fault::Fault;
use devnet_scenario::links::Condition;

use super::fault::{self, FaultArgs, select, units};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet latency --delay 80ms                             every link
  devnet latency miner-0 --delay 80ms --jitter 10ms       all links of one node
  devnet latency miner-0:miner-1 --delay 200ms --for 1m   one link, healed after a minute
  devnet latency europe:asia --delay 120ms                all links between two zones
  devnet latency miner-0:miner-1 --delay 0                no latency there any more

The delay is that of one direction; a round trip takes it twice. It is measured; exit code 4 if
it does not show. Of jitter it is measured whether round trips spread at least as they should;
on a single link that takes 17 of them.";

/// Slow links down
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Links: A:B, or all of a node; nodes, groups or zones, comma-separated [default: every link]
    #[arg(value_name = "LINK")]
    pub(super) links: Vec<String>,

    /// Delay of each direction, such as 80ms
    #[arg(long, value_name = "TIME", value_parser = units::delay_ms)]
    pub(super) delay: f64,

    /// Standard deviation of the delay, such as 10ms
    #[arg(long, value_name = "TIME", value_parser = units::delay_ms)]
    pub(super) jitter: Option<f64>,

    /// Only what A sends to B, or what the node sends
    #[arg(long)]
    pub(super) one_way: bool,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    fault::run(world, &args.fault, None, |layout| {
        Ok(Fault::Condition {
            links: select::links(layout, &args.links, args.one_way)?,
            with: Condition {
                latency_ms: Some(args.delay),
                jitter_ms: args.jitter,
                ..Condition::default()
            },
        })
    })
    .await
}
