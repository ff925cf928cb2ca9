//! `devnet sim`: whole networks in one thread and virtual time, many of them.

mod experiment;
mod explore;
mod play;

use super::OutputArgs;
use super::interrupts::Interrupts;
use crate::exit::{Exit, Failure};
use crate::world::World;

/// Simulate many networks
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    Explore(explore::Args),
    Experiment(experiment::Args),
    Play(play::Args),
}

impl Verb {
    /// Whether the answer is JSON.
    pub const fn is_json(&self) -> bool {
        match self {
            Self::Explore(args) => args.output.json,
            Self::Experiment(args) => args.output.json,
            Self::Play(_) => false,
        }
    }
}

/// Runs the verb.
pub async fn run(world: &World, verb: Verb, interrupts: Interrupts) -> Result<Exit, Failure> {
    match verb {
        Verb::Explore(args) => explore::run(world, args, interrupts).await,
        Verb::Experiment(args) => experiment::run(world, args, interrupts).await,
        Verb::Play(args) => play::run(world, args, interrupts).await,
    }
}

/// A bar of progress, unless nobody would see it move.
fn bar(world: &World, length: u64) -> indicatif::ProgressBar {
    if world.console.is_terminal {
        indicatif::ProgressBar::new(length)
    } else {
        indicatif::ProgressBar::hidden()
    }
}
