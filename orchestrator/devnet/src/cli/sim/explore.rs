//! `devnet sim explore`: seeds, searched for a schedule that breaks a network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use minichain_sim::setup::Planted;
use serde_json::json;

use super::{Interrupts, OutputArgs, bar};
use crate::exit::{Exit, Failure};
use crate::run::report::quoted;
use crate::simworld::explore::{
    self, Case, Explored, Failed, NODES_MAX, NODES_MIN, RUNS_MAX, Ranges, Search, Storage, Tally,
};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet sim explore --seeds 0..1000              a thousand random networks under random faults
  devnet sim explore --seeds 0..1000 --jobs 2     two at a time
  devnet sim explore --seeds 77..78               one of them again
  devnet sim explore --seeds 0..20 --nodes 2..50  larger networks, 2 to 49 nodes
  devnet sim explore --seeds 0..3 --nodes 200     200 nodes each
  devnet sim explore --seeds 0..1000 --wide       slow validation, late starts, more faults

Each seed is a network of 2 to 6 nodes, all connected or in a line or a ring, a load, and up to 8
faults; while it runs no two nodes may connect conflicting coins, supply must follow the schedule,
work must not fall, no node may report a fault; in the end all must be on one chain. The first seed
that fails is shrunk to the least that still fails and written as a scenario file, which runs with
`devnet run` in every world. What is found does not depend on how many networks run at a time.

Faults of links are cuts, delays and losses; nodes are killed, paused, restarted and wiped, join and
leave, and their clocks are off. Faults of storage are crashes that lose what was not flushed, writes
that reach the disk in part, and full disks. In the end it tells how many networks went through
which, counting of storage faults only what was seen to bite; --json has it under `held`.

With --nodes networks are as large as you say, 2 to 1000 nodes; beyond 64 those that are all
connected each find 8 others. With --wide there are up to 16 faults more, clocks are off by up to
32 s instead of 4, nodes start up to 10 s late, and validating takes up to 100 ms for a block, 10 ms
for an input and 2 ms for 1,000 bytes. A seed draws all else as it does without.

Ctrl-C ends the search and tells what it has found; while a failure is shrunk, it writes the least
that still failed so far.

Exit codes: 0 nothing failed · 1 a seed failed, or interrupted · 2 bad arguments · 3 the file cannot
be written.";

/// Search seeds for a schedule of faults that breaks a network, and shrink it
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Seeds from the first to below the last
    #[arg(long, value_name = "A..B", default_value = "0..200", value_parser = seeds)]
    seeds: (u64, u64),

    /// Nodes of the networks, from the first number to below the last; one number: of each
    #[arg(long, value_name = "A..B", default_value = "2..7", value_parser = sizes)]
    nodes: (u32, u32),

    /// Draw from wider ranges: validation takes time, nodes start late, clocks are farther off,
    /// and there are more faults
    #[arg(long)]
    wide: bool,

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
    pub(super) output: OutputArgs,
}

/// What a search came to.
struct Searched {
    explored: Explored,
    was_interrupted: bool,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
    let search = search(&args);
    let ((first, end), jobs) = (search.seeds, search.jobs);
    world.console.remark(&format!(
        "exploring seeds {first} to {}, {}, {jobs} at a time",
        end - 1,
        spell(search.ranges)
    ));
    let bar = bar(world, end - first);
    let told = bar.clone();
    let work = move |stop: &_| explore::explore(&search, stop, &|| told.inc(1));
    let (explored, was_interrupted) = interrupts.end(work).await?;
    bar.finish_and_clear();
    let mut searched = Searched {
        explored: explored.map_err(Failure::world)?,
        was_interrupted,
    };
    match searched.explored.failed.take() {
        None => nothing_failed(world, &searched),
        Some((case, failed)) => shrink(world, &args, interrupts, searched, (case, failed)).await,
    }
}

fn search(args: &Args) -> Search {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Search {
        seeds: args.seeds,
        ranges: Ranges {
            nodes: args.nodes,
            is_wide: args.wide,
        },
        jobs: args.jobs.map_or(processors, usize::from),
        planted: args.plant,
    }
}

/// What networks there are.
fn spell(ranges: Ranges) -> String {
    let nodes = match ranges.nodes {
        (fewest, most) if fewest == most => format!("networks of {most} nodes"),
        (fewest, most) => format!("networks of {fewest} to {most} nodes"),
    };
    match ranges.is_wide {
        true => format!("{nodes} from wide ranges"),
        false => nodes,
    }
}

fn nothing_failed(world: &World, searched: &Searched) -> Result<Exit, Failure> {
    let Explored {
        runs,
        invalid,
        held,
        ..
    } = &searched.explored;
    world.console.answer(&json!({
        "runs": runs, "invalid": invalid, "held": held, "failed": null,
        "interrupted": searched.was_interrupted,
    }))?;
    let so_far = if searched.was_interrupted {
        "Interrupted: "
    } else {
        ""
    };
    world.console.say(&format!(
        "{so_far}{runs} networks, none failed; in {} a fault had no effect{}.",
        invalid.len(),
        first_of(invalid)
    ));
    world.console.say(&tell_faults(held));
    Ok(match searched.was_interrupted {
        true => Exit::Failed,
        false => Exit::Success,
    })
}

/// The first of these seeds, to look at.
fn first_of(invalid: &BTreeMap<u64, String>) -> String {
    let first = invalid.first_key_value();
    first.map_or_else(String::new, |(seed, why)| format!(" (seed {seed}: {why})"))
}

/// What the networks went through that held.
fn tell_faults(held: &Tally) -> String {
    let Tally {
        networks,
        by_fault,
        storage,
    } = held;
    let Storage {
        lost_unflushed,
        torn_write,
        refused_store,
        full_disk,
        ..
    } = storage;
    let by_fault: Vec<String> = by_fault
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    format!(
        "Of the {networks} that held, {} had storage faults: in {lost_unflushed} a crash lost what \
         was not flushed, in {torn_write} a write was torn (in {refused_store} a node refused its \
         store), in {full_disk} a node ended on a full disk.\nNetworks by fault: {}.",
        storage.networks,
        by_fault.join(", ")
    )
}

/// Makes a failure small, unless the user has enough of it, and writes it down.
async fn shrink(
    world: &World,
    args: &Args,
    mut interrupts: Interrupts,
    searched: Searched,
    (case, failed): (Case, Failed),
) -> Result<Exit, Failure> {
    let seed = case.seed;
    let again = format!(
        "devnet sim explore --seeds {seed}..{}{}",
        seed.saturating_add(1),
        search(args).ranges
    );
    let next = if searched.was_interrupted {
        ""
    } else {
        "\n  shrinking it"
    };
    world.console.remark(&format!(
        "seed {seed} failed: {}: {}\n  again: {again}{next}",
        failed.kind, failed.why
    ));
    let bar = bar(world, RUNS_MAX.into());
    let (told, plant) = (bar.clone(), args.plant);
    let ((small, why, tries), was_interrupted) = match searched.was_interrupted {
        true => ((case, failed, 0), true),
        false => {
            let work =
                move |stop: &_| explore::shrink(&case, &failed, plant, stop, &|| told.inc(1));
            interrupts.end(work).await?
        }
    };
    bar.finish_and_clear();
    std::fs::write(&args.out, small.yaml()).map_err(|error| {
        Failure::world(format!("cannot write {}: {error}", args.out.display()))
            .next("Choose another file with --out.")
    })?;
    let faults = small.links.len() + small.nodes.len();
    let file = quoted(&args.out.display().to_string());
    let replay = format!("devnet run {file} --world sim --seed {seed}");
    let Explored {
        runs,
        invalid,
        held,
        ..
    } = &searched.explored;
    world.console.answer(&json!({
        "runs": runs, "invalid": invalid, "held": held, "interrupted": was_interrupted,
        "failed": {
            "seed": seed, "kind": why.kind, "why": why.why, "nodes": small.count(),
            "faults": faults, "tries": tries, "scenario": args.out, "again": again,
            "replay": replay,
        },
    }))?;
    let shrunk = if was_interrupted {
        "Interrupted; shrunk"
    } else {
        "Shrunk"
    };
    world.console.say(&format!(
        "{shrunk} in {tries} runs to {} nodes and {faults} faults: {}: {}\n  {}\n  again: {replay}",
        small.count(),
        why.kind,
        why.why,
        args.out.display()
    ));
    Ok(Exit::Failed)
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

/// The fewest and the most nodes of a network.
fn sizes(text: &str) -> Result<(u32, u32), String> {
    let range = match text.split_once("..") {
        Some((fewest, end)) => fewest.parse().ok().zip(end.parse().ok()),
        None => text
            .parse()
            .ok()
            .map(|only: u32| (only, only.saturating_add(1))),
    };
    let (fewest, end) = range.ok_or("it is no size of networks; write it like 2..50, or 200")?;
    if fewest >= end {
        return Err("there is no size in it; write it like 2..50, or 200 for one size".to_owned());
    }
    let most = end - 1;
    if fewest < NODES_MIN || most > NODES_MAX {
        return Err(format!(
            "networks have {NODES_MIN} to {NODES_MAX} nodes; choose from {NODES_MIN}..{}",
            NODES_MAX + 1
        ));
    }
    Ok((fewest, most))
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

    #[test]
    fn sizes_are_one_or_a_range_within_bounds() {
        assert_eq!(sizes("200"), Ok((200, 200)));
        assert_eq!(sizes("2..7"), Ok(Ranges::default().nodes));
        assert_eq!(sizes("2..1001"), Ok((NODES_MIN, NODES_MAX)));
        for odd in [
            "", "1", "0..7", "1001", "2..1002", "7..2", "3..3", "a..b", "5..", "-3",
        ] {
            assert!(sizes(odd).is_err(), "{odd}");
        }
        for ranges in ["7", "40..50"] {
            let nodes = sizes(ranges).unwrap();
            let told = Ranges {
                nodes,
                is_wide: false,
            }
            .to_string();
            assert_eq!(told, format!(" --nodes {ranges}"));
        }
    }
}
