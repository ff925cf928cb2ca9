//! `devnet sim`: whole networks in one thread and virtual time, many of them.

mod experiment;
mod play;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use minichain_sim::setup::Planted;
use serde_json::json;

use super::OutputArgs;
use super::interrupts::Interrupts;
use crate::exit::{Exit, Failure};
use crate::run::report::quoted;
use crate::simworld::explore::{self, Explored};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet sim explore --seeds 0..1000              a thousand random networks under random faults
  devnet sim explore --seeds 0..1000 --jobs 2     two at a time
  devnet sim explore --seeds 77..78               one of them again

Each seed is a network of 2 to 6 nodes, a load, and up to 8 faults; while it runs no two nodes may
connect conflicting coins, supply must follow the schedule, work must not fall, no node may report a
fault; in the end all must be on one chain. The first seed that fails is shrunk to the least that
still fails and written as a scenario file, which runs with `devnet run` in every world.

Exit codes: 0 nothing failed · 1 a seed failed, or interrupted · 2 bad arguments · 3 the file cannot
be written.";

/// Simulate many networks
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    Explore(ExploreArgs),
    Experiment(experiment::Args),
    Play(play::Args),
}

/// Search seeds for a schedule of faults that breaks a network, and shrink it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExploreArgs {
    /// Seeds from the first to below the last
    #[arg(long, value_name = "A..B", default_value = "0..200", value_parser = seeds)]
    seeds: (u64, u64),

    /// Networks at a time [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Where the shrunk scenario is written
    #[arg(long, value_name = "FILE", default_value = "explored.yaml")]
    out: PathBuf,

    /// Have all nodes make a mistake, to see that it is found; for tests
    #[arg(long, hide = true, value_parser = planted)]
    plant: Option<Planted>,

    #[command(flatten)]
    output: OutputArgs,
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
        Verb::Explore(args) => explore(world, args, interrupts).await,
        Verb::Experiment(args) => experiment::run(world, &args),
        Verb::Play(args) => play::run(world, args, interrupts).await,
    }
}

async fn explore(
    world: &World,
    args: ExploreArgs,
    mut interrupts: Interrupts,
) -> Result<Exit, Failure> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(processors, usize::from);
    let stop = Arc::new(AtomicBool::new(false));
    let (seeds, plant) = (args.seeds, args.plant);
    let bar = bar(world, seeds.1 - seeds.0);
    let exploring = {
        let (stop, bar) = (stop.clone(), bar.clone());
        let work = move || explore::explore(seeds, jobs, plant, &stop, &|| bar.inc(1));
        tokio::task::spawn_blocking(work)
    };
    tokio::pin!(exploring);
    let done = tokio::select! {
        done = &mut exploring => done,
        () = interrupts.next() => {
            stop.store(true, Ordering::Relaxed);
            exploring.await
        }
    };
    bar.finish_and_clear();
    let explored = done
        .map_err(|error| Failure::world(format!("exploring broke off: {error}")))?
        .map_err(Failure::world)?;
    conclude(world, &args, &explored, stop.load(Ordering::Relaxed))
}

/// The first of these seeds, to look at.
fn first_of(invalid: &BTreeMap<u64, String>) -> String {
    let first = invalid.first_key_value();
    first.map_or_else(String::new, |(seed, why)| format!(" (seed {seed}: {why})"))
}

fn conclude(
    world: &World,
    args: &ExploreArgs,
    explored: &Explored,
    was_interrupted: bool,
) -> Result<Exit, Failure> {
    let Explored {
        runs,
        invalid,
        failed,
    } = explored;
    let Some((case, failure)) = failed else {
        world.console.answer(&json!({
            "runs": runs, "invalid": invalid, "failed": null, "interrupted": was_interrupted,
        }))?;
        world.console.say(&format!(
            "{runs} networks, none failed; in {} a fault had no effect{}.",
            invalid.len(),
            first_of(invalid)
        ));
        return Ok(match was_interrupted {
            true => Exit::Failed,
            false => Exit::Success,
        });
    };
    let seed = case.seed;
    let again = format!("devnet sim explore --seeds {seed}..{}", seed + 1);
    world.console.remark(&format!(
        "seed {seed} failed: {}: {}\n  again: {again}\n  shrinking it",
        failure.kind, failure.why
    ));
    let (small, why, tries) = explore::shrink(case, failure, args.plant);
    std::fs::write(&args.out, small.yaml()).map_err(|error| {
        Failure::world(format!("cannot write {}: {error}", args.out.display()))
            .next("Choose another file with --out.")
    })?;
    let faults = small.links.len() + small.nodes.len();
    let file = quoted(&args.out.display().to_string());
    let replay = format!("devnet run {file} --world sim --seed {seed}");
    world.console.answer(&json!({
        "runs": runs, "invalid": invalid, "interrupted": was_interrupted,
        "failed": {
            "seed": seed, "kind": why.kind, "why": why.why, "nodes": small.count(),
            "faults": faults, "tries": tries, "scenario": args.out, "again": again,
            "replay": replay,
        },
    }))?;
    world.console.say(&format!(
        "Shrunk in {tries} runs to {} nodes and {faults} faults: {}: {}\n  {}\n  again: {replay}",
        small.count(),
        why.kind,
        why.why,
        args.out.display()
    ));
    Ok(Exit::Failed)
}

/// A bar of progress, unless nobody would see it move.
fn bar(world: &World, length: u64) -> indicatif::ProgressBar {
    if world.console.is_terminal {
        indicatif::ProgressBar::new(length)
    } else {
        indicatif::ProgressBar::hidden()
    }
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let parsed = text
        .split_once("..")
        .and_then(|(first, end)| Some((first.parse().ok()?, end.parse().ok()?)));
    match parsed {
        Some((first, end)) if first < end => Ok((first, end)),
        Some(_) => Err("there is no seed in it; write it like 0..1000".to_owned()),
        None => Err("it is no range of seeds; write it like 0..1000".to_owned()),
    }
}

fn planted(text: &str) -> Result<Planted, String> {
    match text {
        "last-seen-wins" => Ok(Planted::LastSeenWins),
        _ => Err("there is only last-seen-wins".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_something_in_it() {
        assert_eq!(seeds("3..9"), Ok((3, 9)));
        for odd in ["", "3", "3..", "..9", "9..3", "3..3", "a..b"] {
            assert!(seeds(odd).is_err(), "{odd}");
        }
    }
}
