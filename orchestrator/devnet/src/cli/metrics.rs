//! `devnet metrics`: the reference of a network's metrics.

use crate::exit::{Exit, Failure};
use crate::exporter;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet metrics                                   what `devnet exporter` serves
  { minichain metrics; devnet metrics; } > METRICS.md";

/// Print the reference of every metric of a network as a whole (Markdown)
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the verb.
pub fn run(world: &World, _args: Args) -> Result<Exit, Failure> {
    world.console.say(exporter::reference().trim_end());
    Ok(Exit::Success)
}
