//! `devnet bench`: what networks cost on this machine, and how that grows.

mod cut;
mod growth;
mod load;
mod own;
mod propagation;

use std::path::PathBuf;
use std::time::Duration;

use super::OutputArgs;
use super::interrupts::Interrupts;
use super::report::{format_table, plain_table};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::world::{EngineChoice, World};

const EXAMPLES: &str = "\
Examples:
  devnet bench                                    3, 10 and 20 nodes, once each
  devnet bench --nodes 10,20,50,100 --rounds 3    medians of three, and how they grow
  devnet bench --engine process --nodes 300       plain processes
  devnet bench --no-partition --json              bringing up, looking, taking down; as data
  devnet bench --nodes 100 --dry-run              what would be made, and whether this machine can

Of each size networks are made one after the other under names of their own (bench-…): brought up
until healthy, looked at, left alone, cut into three, healed, and removed. Times are those of up,
status, partition, heal and down, proofs included, without the start of their processes. CPU is
that of the nodes alone, memory what they hold resident. The exponent b of cost = a * nodes^b is
fitted over all samples on logarithms, with its 95 % interval; `at the end` is that between the
two largest sizes, which what is constant disturbs least.

Nothing is left behind, after Ctrl-C neither.

Exit codes: 0 all was measured · 1 a network did not come through, or interrupted · 2 bad
arguments, or more than the engine can carry · 3 the world broke";

/// Measure what networks cost on this machine, and how that grows with their size
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,

    #[command(flatten)]
    growth: growth::GrowthArgs,
}

/// Benchmarks of one network.
#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    Propagation(propagation::Args),
    Load(load::Args),
}

/// How networks of a benchmark are made.
#[derive(Debug, Clone, clap::Args)]
struct HowArgs {
    /// What runs the nodes
    #[arg(
        long,
        env = "DEVNET_ENGINE",
        hide_env_values = true,
        value_enum,
        default_value_t
    )]
    engine: EngineChoice,

    /// Container image of the nodes, instead of one built from the binary
    #[arg(long, value_name = "IMAGE", conflicts_with = "binary")]
    image: Option<String>,

    /// The nodes' binary, as for `devnet up`
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,

    /// Where keys and identities follow from [default: drawn]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// How long each step may take
    #[arg(long, value_name = "TIME", default_value = "180s", value_parser = parse_duration)]
    timeout: Duration,

    /// Print what would be made and whether this machine can; touch nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    output: OutputArgs,
}

impl Args {
    /// Whether the answer is JSON.
    pub const fn is_json(&self) -> bool {
        match &self.what {
            None => self.growth.how.output.json,
            Some(What::Propagation(args)) => args.how.output.json,
            Some(What::Load(args)) => args.how.output.json,
        }
    }
}

/// Runs the verb.
pub async fn run(world: &World, args: Args, interrupts: Interrupts) -> Result<Exit, Failure> {
    match &args.what {
        None => growth::run(world, &args.growth, interrupts).await,
        Some(What::Propagation(args)) => propagation::run(world, args, interrupts).await,
        Some(What::Load(args)) => load::run(world, args, interrupts).await,
    }
}

/// The table of such rows, of which the first are the titles.
fn table(world: &World, rows: Vec<Vec<String>>) -> String {
    let mut rows = rows.into_iter();
    let titles = rows.next().unwrap_or_default();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = plain_table(&world.console, &titles);
    for row in rows {
        table.add_row(row);
    }
    format_table(table)
}
