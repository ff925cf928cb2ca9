//! `devnet sim experiment`: a published result, done again.

use std::path::PathBuf;

use serde_json::json;

use super::super::OutputArgs;
use super::super::report::{format_table, plain_table};
use super::bar;
use crate::exit::{Exit, Failure};
use crate::simworld::experiment::{self, Experiment, Row};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet sim experiment list                          what there is
  devnet sim experiment poisson                       block intervals against the exponential
  devnet sim experiment halves --quick                the size that tests run
  devnet sim experiment flooding --svg flooding.svg   with a picture

tests/experiments/README.md explains each.

Exit codes: 0 all figures within their tolerance · 1 one is not · 2 there is no such experiment ·
3 the picture cannot be written.";

/// Do a published result again, and hold it against the theory
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Its name, or `list`
    #[arg(value_name = "NAME")]
    name: String,

    /// A smaller size, with wider tolerances
    #[arg(long)]
    quick: bool,

    /// Write a picture of the result
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Runs the verb.
pub fn run(world: &World, args: &Args) -> Result<Exit, Failure> {
    let all = experiment::all().map_err(Failure::world)?;
    if args.name == "list" {
        return list(world, &all);
    }
    let Some(wanted) = all.iter().find(|one| one.name == args.name) else {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        return Err(
            Failure::bad_input(format!("there is no experiment `{}`", args.name))
                .next(format!("There are: {}.", names.join(", "))),
        );
    };
    let size = match args.quick {
        true => wanted.quick,
        false => wanted.full,
    };
    let bar = bar(world, wanted.measure.length(size));
    let rows = experiment::measure(wanted, size, &|passed| bar.inc(passed));
    bar.finish_and_clear();
    let rows = rows.map_err(Failure::world)?;
    if let Some(path) = &args.svg {
        let picture = experiment::svg(wanted, &rows).map_err(Failure::world)?;
        std::fs::write(path, picture).map_err(|error| {
            Failure::world(format!("cannot write {}: {error}", path.display()))
                .next("Choose another file with --svg.")
        })?;
    }
    let holds = rows.iter().all(Row::holds);
    world.console.answer(&json!({
        "experiment": wanted.name, "reference": wanted.reference, "rows": rows, "holds": holds,
    }))?;
    world.console.say(&table(world, wanted, &rows));
    Ok(match holds {
        true => Exit::Success,
        false => Exit::Failed,
    })
}

fn list(world: &World, all: &[Experiment]) -> Result<Exit, Failure> {
    let told = all.iter();
    let told: Vec<_> = told
        .map(|one| json!({ "name": one.name, "title": one.title, "reference": one.reference }))
        .collect();
    world.console.answer(&told)?;
    for one in all {
        world.console.say(&format!("{:16} {}", one.name, one.title));
    }
    Ok(Exit::Success)
}

fn table(world: &World, experiment: &Experiment, rows: &[Row]) -> String {
    let titles = ["", "measured", "wanted", "tolerance", ""];
    let mut table = plain_table(&world.console, &titles);
    for row in rows {
        table.add_row([
            row.what.clone(),
            format!("{:.4}", row.measured),
            format!("{:.4}", row.expected),
            row.bounds(),
            if row.holds() { "holds" } else { "IS OFF" }.to_owned(),
        ]);
    }
    let (title, reference) = (&experiment.title, &experiment.reference);
    format!("{title}\n{}\n{reference}", format_table(table))
}
