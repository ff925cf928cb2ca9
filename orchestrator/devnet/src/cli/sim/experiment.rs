//! `devnet sim experiment`: a published result, done again.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::OutputArgs;
use super::super::report::{format_table, plain_table};
use super::{Interrupts, bar};
use crate::exit::{Exit, Failure};
use crate::simworld::experiment::{self, Ended, Experiment, Row, Watch};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet sim experiment list                          what there is
  devnet sim experiment poisson                       block intervals against the exponential
  devnet sim experiment halves --quick                the size that tests run
  devnet sim experiment flooding --svg flooding.svg   with a picture

tests/experiments/README.md explains each. Ctrl-C ends the measurement and tells the figures that
were known by then.

Exit codes: 0 all figures within their tolerance · 1 one is not, or interrupted · 2 there is no such
experiment · 3 it cannot be measured, or the picture cannot be written.";

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

/// What was measured.
struct Measured {
    rows: Vec<Row>,
    was_interrupted: bool,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, mut interrupts: Interrupts) -> Result<Exit, Failure> {
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
    let measured = measure(world, &args, wanted, &mut interrupts).await?;
    if let Some(path) = &args.svg {
        draw(path, wanted, &measured.rows)?;
    }
    conclude(world, wanted, &measured)
}

async fn measure(
    world: &World,
    args: &Args,
    wanted: &Experiment,
    interrupts: &mut Interrupts,
) -> Result<Measured, Failure> {
    let (size, words) = match args.quick {
        true => (wanted.quick, "quick size"),
        false => (wanted.full, "full size"),
    };
    let name = &wanted.name;
    world.console.remark(&format!("measuring {name}, {words}"));
    let bar = bar(world, wanted.measure.length(size));
    let (told, wanted) = (bar.clone(), wanted.clone());
    let work = move |stop: &_| {
        let mut rows = Vec::new();
        let tick = |passed| told.inc(passed);
        let watch = Watch { tick: &tick, stop };
        (experiment::measure(&wanted, size, &watch, &mut rows), rows)
    };
    let ((ended, rows), _) = interrupts.end(work).await?;
    bar.finish_and_clear();
    match ended {
        Err(Ended::Broke(why)) => Err(Failure::world(why)),
        Ok(()) | Err(Ended::Interrupted) => Ok(Measured {
            rows,
            was_interrupted: ended.is_err(),
        }),
    }
}

fn draw(path: &Path, wanted: &Experiment, rows: &[Row]) -> Result<(), Failure> {
    let picture = experiment::svg(wanted, rows).map_err(Failure::world)?;
    std::fs::write(path, picture).map_err(|error| {
        Failure::world(format!("cannot write {}: {error}", path.display()))
            .next("Choose another file with --svg.")
    })
}

/// Tells the figures; those of a measurement that was interrupted prove nothing.
fn conclude(world: &World, wanted: &Experiment, measured: &Measured) -> Result<Exit, Failure> {
    let Measured {
        rows,
        was_interrupted,
    } = measured;
    let holds = !was_interrupted && rows.iter().all(Row::holds);
    world.console.answer(&json!({
        "experiment": wanted.name, "reference": wanted.reference, "rows": rows, "holds": holds,
        "interrupted": was_interrupted,
    }))?;
    world.console.say(&table(world, wanted, rows));
    if *was_interrupted {
        let count = rows.len();
        let told = format!("Interrupted: {count} figures were known by then.");
        world.console.say(&told);
    }
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
