//! `devnet loss`: links that lose packets.

use devnet_scenario::fault::Fault;
use devnet_scenario::links::Condition;

use super::fault::{self, FaultArgs, select, units};
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet loss 5%                            every link
  devnet loss miner-0 20%                   all links of one node
  devnet loss miner-0:miner-1 5% --for 1m   one link, healed after a minute
  devnet loss miner-0:miner-1 0%            no loss there any more

In containers the kernel drops packets and counts them; in plain processes the nodes hold segments
back for a retransmission. It is measured; exit code 4 if it does not show.";

/// Lose packets on links
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "devnet loss [OPTIONS] [LINK]... <SHARE>")]
pub struct Args {
    /// Links (A:B, or all of a node; none: every link), then the share lost, such as 5%
    #[arg(value_name = "LINK… SHARE", required = true)]
    pub(super) words: Vec<String>,

    /// Only what A sends to B, or what the node sends
    #[arg(long)]
    pub(super) one_way: bool,

    #[command(flatten)]
    pub(super) fault: FaultArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let (share, links) = select::last(&args.words)?;
    let share = units::share(share).map_err(Failure::bad_input)?;
    fault::run(world, &args.fault, None, |layout| {
        Ok(Fault::Condition {
            links: select::links(layout, links, args.one_way)?,
            with: Condition {
                loss: Some(share),
                ..Condition::default()
            },
        })
    })
    .await
}
