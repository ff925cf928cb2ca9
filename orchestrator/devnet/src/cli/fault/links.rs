//! Faults of links that are told as links and one quantity: `LINK… QUANTITY`.

use devnet_scenario::fault::Fault;
use devnet_scenario::links::Condition;

use super::{FaultArgs, select};
use crate::exit::{Exit, Failure};
use crate::world::World;

/// Options beside the words.
#[derive(Debug, Clone, clap::Args)]
pub struct LinkArgs {
    /// Only what A sends to B, or what the node sends
    #[arg(long)]
    pub(in crate::cli) one_way: bool,

    #[command(flatten)]
    pub(in crate::cli) fault: FaultArgs,
}

/// Inflicts the condition that `make` reads out of the last word, on the links
/// of the words before it.
pub async fn run(
    world: &World,
    words: &[String],
    args: &LinkArgs,
    make: impl FnOnce(&str) -> Result<Condition, Failure>,
) -> Result<Exit, Failure> {
    let (quantity, links) = select::last(words)?;
    let with = make(quantity)?;
    super::run(world, &args.fault, None, |layout| {
        let links = select::links(layout, links, args.one_way)?;
        Ok(Fault::Condition { links, with })
    })
    .await
}
