//! `devnet report`: what a run or a network did, as text, as data, or as one
//! page.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{NameArgs, OutputArgs};
use super::live;
use crate::account::source::Source;
use crate::account::{Account, html, read, spell, text};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet report devnet-bundle/smoke-7                     a run, from its bundle
  devnet report devnet-bundle/smoke-7 --html smoke.html   the same as a page for a browser
  devnet report --html now.html                           a network as it is, with its logs
  devnet report --since 10m                               only its last ten minutes
  devnet report devnet-bundle/smoke-7 --json | jq .stale  for scripts

A page is one file: it asks for nothing from anywhere and can be sent as it is. Every bundle holds \
its own as report.html. A network that lives has no steps, no verdict, and no record of faults that \
are over.";

/// Tell what a run or a network did: forks, block times, propagation, faults
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folder of a bundle; none: the network
    #[arg(value_name = "BUNDLE")]
    bundle: Option<PathBuf>,

    #[command(flatten)]
    network: NameArgs,

    /// Write a page for a browser to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Of a network, only this last time, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "bundle")]
    since: Option<Duration>,

    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let source = source(world, &args).await?;
    let account = Account::of(&source);
    world.console.answer(&account)?;
    match &args.html {
        Some(path) => {
            let page = html::page(&account);
            write(path, &page)?;
            let bytes = spell::bytes(page.len() as f64);
            world.console.say(&format!("{} ({bytes})", path.display()));
        }
        None => world.console.say(&text(&account)),
    }
    Ok(Exit::Success)
}

async fn source(world: &World, args: &Args) -> Result<Source, Failure> {
    match &args.bundle {
        Some(folder) => read::bundle(folder),
        None => live::gather(world, &args.network.name, args.since).await,
    }
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|error| {
        Failure::world(format!("cannot write {}: {error}", path.display()))
            .next("Give --html a file in a folder that is there and can be written to.")
    })
}
