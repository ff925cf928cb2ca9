//! `devnet bandwidth`: narrow links.

use devnet_scenario::links::Condition;

use super::fault::links::{self, LinkArgs};
use crate::exit::{Exit, Failure};
use crate::words::provable_rate;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet bandwidth 1mbit                           every link
  devnet bandwidth miner-0 250kbit                 all links of one node
  devnet bandwidth miner-0:miner-1 64kB --for 1m   one link, healed after a minute

The rate is that of one direction of one link. It is measured by the time a payload takes;
exit code 4 if it does not show. Above 13 MB/s nothing can be measured, so that is refused.";

/// Narrow links down to a data rate
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet bandwidth [OPTIONS] [LINK]... <RATE>")]
pub struct Args {
    /// Links (A:B, or all of a node; none: every link), then the rate, such as 1mbit or 64kB
    #[arg(value_name = "LINK… RATE", required = true)]
    pub(super) words: Vec<String>,

    #[command(flatten)]
    pub(super) on: LinkArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    links::run(world, &args.words, &args.on, |rate| {
        let rate = provable_rate(rate)?;
        Ok(Condition {
            rate_bytes_s: Some(rate),
            ..Condition::default()
        })
    })
    .await
}
