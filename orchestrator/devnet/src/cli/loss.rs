//! `devnet loss`: links that lose packets.

use devnet_scenario::links::Condition;

use super::fault::links::{self, LinkArgs};
use super::fault::units;
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet loss 5%                            every link
  devnet loss miner-0 20%                   all links of one node
  devnet loss miner-0:miner-1 5% --for 1m   one link, healed after a minute
  devnet loss miner-0:miner-1 0%            no loss there any more

In containers the kernel drops packets and counts them; in plain processes the nodes hold segments
back for a retransmission. It is measured; exit code 4 if it does not show, or if less than 14
losses are to be expected of all probes: below 0.1 % in containers, and in plain processes below
about 1 % on a single link.";

/// Lose packets on links
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet loss [OPTIONS] [LINK]... <SHARE>")]
pub struct Args {
    /// Links (A:B, or all of a node; none: every link), then the share lost, such as 5%
    #[arg(value_name = "LINK… SHARE", required = true)]
    pub(super) words: Vec<String>,

    #[command(flatten)]
    pub(super) on: LinkArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    links::run(world, &args.words, &args.on, |share| {
        let share = units::share(share).map_err(Failure::bad_input)?;
        Ok(Condition {
            loss: Some(share),
            ..Condition::default()
        })
    })
    .await
}
