//! `devnet top`: a live view of a network on the whole terminal.

use std::time::Duration;

use super::NameArgs;
use super::interrupts::Interrupts;
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::faults::Intent;
use crate::faults::state::spell_fault;
use crate::order::name_option;
use crate::top::{self, Wish, screen};
use crate::world::World;

/// Between two looks at least; more would cost the nodes too much.
const PAUSE_MIN: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  devnet top                 nodes, branches, block intervals, faults and logs of `local`
  devnet top --name big --every 2s
  NO_COLOR=1 devnet top      without colours

Keys: arrows move, space marks, p cuts the marked nodes off, h heals, k kills or starts, z pauses or
thaws, l shows one node's log, ? explains, q quits. What harms is asked for twice. Every key does
what the verb of that name does, with the same proof.

Faults stay when the view ends. On what is no terminal: devnet status --watch.
Exit codes: 0 quit · 1 there is no such network · 2 no terminal · 3 the world broke";

/// Show the network live on the whole terminal, with keys that hurt and heal it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: NameArgs,

    /// Between two looks at the network
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    pub(super) every: Duration,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    screen::check()?;
    let name = &args.network.name;
    let wish = Wish {
        pause: args.every.max(PAUSE_MIN),
        colour: world.console.colour,
    };
    top::run(world, name, wish, interrupts.next()).await?;
    if let Ok(intent) = Intent::load(&world.states.network(name))
        && !intent.is_empty()
    {
        let faults = intent.faults().iter();
        let faults: Vec<String> = faults.map(|active| spell_fault(&active.fault)).collect();
        world.console.remark(&format!(
            "In force until `devnet heal{}`: {}.",
            name_option(name),
            faults.join("; ")
        ));
    }
    Ok(Exit::Success)
}
