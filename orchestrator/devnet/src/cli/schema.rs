//! `devnet schema`: what editors need to know about our files.

use clap::ValueEnum;
use devnet_blueprint::Topology;

use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet schema scenario > scenario.schema.json
  devnet schema topology > topology.schema.json

Then tell your editor, for example by a first line in the file:
  # yaml-language-server: $schema=scenario.schema.json";

/// Print the JSON Schema of scenario or topology files, for editors
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which files
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// What happens to a network
    Scenario,
    /// Which nodes a network has
    Topology,
}

/// Runs the verb.
pub fn run(world: &World, args: &Args) -> Result<Exit, Failure> {
    let topology = Topology::schema();
    let schema = match args.kind {
        Kind::Topology => topology,
        Kind::Scenario => devnet_scenario::schema::scenario(&topology),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::world(format!("cannot write the schema: {error}")))?;
    world.console.say(&text);
    Ok(Exit::Success)
}
