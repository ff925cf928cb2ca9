//! `devnet run`: scenarios on live networks or in the simulator, from files to a
//! verdict.

mod network;
mod one;
mod output;
pub(super) mod scenario;
mod simulated;

use std::path::{Path, PathBuf};
use std::time::Duration;

use devnet_scenario::report::Verdict;

use self::one::Plan;
use self::scenario::Loaded;
use super::interrupts::Interrupts;
use super::{OutputArgs, name};
use crate::clock::parse_duration;
use crate::exit::{Exit, Failure};
use crate::run::record::{RunRecord, exit_of_all};
use crate::run::{github, junit};
use crate::scenario_file::{Refusal, ScenarioFile};
use crate::world::{EngineChoice, World};

const EXAMPLES: &str = "\
Examples:
  devnet run tests/scenarios/smoke.yaml              one scenario on a network of its own
  devnet run tests/scenarios/*.yaml --junit out.xml  many, one after the other, for CI
  devnet run two-way.yaml --set cut=30s --seed 7     other parameters; the same draws again
  devnet run two-way.yaml --repeat 30                how often does it fail?
  devnet run two-way.yaml --keep                     leave the network up to look at it
  devnet run two-way.yaml --name lab                 on the network `lab`, which stays
  devnet run two-way.yaml --world sim                in virtual time: seconds, and the same for a seed

Exit codes: 0 pass · 1 fail, or interrupted · 2 a scenario or argument that cannot work; nothing \
was started · 3 the world broke · 4 invalid: a fault had no effect, so nothing is proven. Of \
several runs the worst counts: 3, then 4, then 1.

Ctrl-C goes to the scenario's end: faults are healed, the network is taken down. A second Ctrl-C \
leaves at once. Networks of runs are named run-SCENARIO-…, as `devnet ls` shows; what one has left, \
also after a kill -9, `devnet down --name NAME` removes, and `devnet down --all` all at once.";

/// What a file says that these nodes cannot be told.
const NOT_FOR_LIVE: &str = "`sim` is for --world sim alone; the nodes of this run have lines and \
machines of their own";

/// Most runs of one file.
const REPEAT_MAX: u32 = 10_000;

/// Run scenarios on live networks, or in the simulator, and judge what the chain made of them
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Scenarios in YAML
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Where they run: on containers, on processes, in the simulator, or on
    /// whatever `--engine` says
    #[arg(long, value_enum, default_value_t, hide_default_value = true)]
    world: WorldChoice,

    /// What runs the nodes, where `--world` does not say
    #[arg(
        long,
        env = "DEVNET_ENGINE",
        hide_env_values = true,
        value_enum,
        default_value_t
    )]
    engine: EngineChoice,

    /// Where all random choices follow from [default: drawn, and told]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Set a parameter of the scenario
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    sets: Vec<(String, String)>,

    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Write a bundle of each run below this folder, also of those that pass
    /// [default: devnet-bundle, only of those that do not]
    #[arg(long, value_name = "FOLDER")]
    bundle: Option<PathBuf>,

    /// Leave the network up
    #[arg(long)]
    keep: bool,

    /// Run each scenario so often, and tell how often it fails
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(REPEAT_MAX)))]
    repeat: u32,

    /// The network's name; one that exists is used and stays [default: one for each run]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,

    /// Container image of the nodes, instead of one built from the binary
    #[arg(long, value_name = "IMAGE", conflicts_with = "binary")]
    image: Option<String>,

    /// The nodes' binary, instead of $MINICHAIN_BIN, the one beside devnet, or the first in PATH
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,

    /// Run each again in a second process, and fail if anything went otherwise;
    /// only with `--world sim`
    #[arg(long)]
    check_determinism: bool,

    /// How long to wait for the network to be healthy before the first step
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,

    /// Name every single step of bringing networks up and down
    #[arg(short, long)]
    pub(super) verbose: bool,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Where scenarios run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum WorldChoice {
    /// On containers or processes, as `--engine` says.
    #[default]
    Live,
    /// On containers.
    Docker,
    /// On plain processes.
    Process,
    /// In the simulator: one thread, virtual time, the same for the same seed.
    Sim,
}

pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is no assignment; write it like cut=30s")),
    }
}

/// Runs the verb.
pub async fn run(
    world: &World,
    mut args: Args,
    mut interrupts: Interrupts,
) -> Result<Exit, Failure> {
    match args.world {
        WorldChoice::Live => {}
        WorldChoice::Docker => args.engine = EngineChoice::Docker,
        WorldChoice::Process => args.engine = EngineChoice::Process,
        WorldChoice::Sim => simulated::check_args(&args)?,
    }
    if args.check_determinism && args.world != WorldChoice::Sim {
        return Err(Failure::bad_input(
            "--check-determinism compares two runs to the byte, which only --world sim can promise",
        ));
    }
    let loaded = load_all(world, &args)?;
    let mut ran = Vec::new();
    'files: for loaded in &loaded {
        for round in 0..args.repeat {
            let record = match one_round(world, &args, loaded, round, &mut interrupts).await? {
                Ok(record) => record,
                Err((record, failure)) => {
                    ran.push(*record);
                    write_results(&args, &ran)?;
                    return Err(failure);
                }
            };
            let was_interrupted = record.verdict == Verdict::Interrupted;
            ran.push(record);
            if was_interrupted {
                break 'files;
            }
        }
    }
    write_results(&args, &ran)?;
    output::conclude(world, &args, &ran)?;
    Ok(exit_of_all(&ran))
}

/// Reads and checks every file before anything is started.
fn load_all(world: &World, args: &Args) -> Result<Vec<Loaded>, Failure> {
    let mut loaded = Vec::new();
    let mut refused = Vec::new();
    for path in &args.files {
        let examined = match args.world {
            WorldChoice::Sim => ScenarioFile::examine_simulated(path, &args.sets),
            _ => ScenarioFile::examine(path, &args.sets),
        };
        match examined {
            Ok(file) => {
                for warning in &file.warnings {
                    world.console.remark(&warning.to_string());
                }
                if args.world != WorldChoice::Sim && file.scenario.sim.is_some() {
                    let path = path.display();
                    world.console.remark(&format!("{path}: {NOT_FOR_LIVE}"));
                }
                loaded.push(Loaded::new(file, &args.sets)?);
            }
            Err(refusal) => refused.extend(refusal.told),
        }
    }
    if refused.is_empty() {
        return Ok(loaded);
    }
    if github::is_here() {
        for told in &refused {
            let line = told.line.unwrap_or(1);
            let shown = github::error(&told.file, line, "bad scenario", &told.message);
            world.console.remark(&shown);
        }
    }
    let told = Refusal { told: refused };
    Err(told.failure().next("Nothing was started."))
}

async fn one_round(
    world: &World,
    args: &Args,
    loaded: &Loaded,
    round: u32,
    interrupts: &mut Interrupts,
) -> Result<Round, Failure> {
    let on_github = github::is_here();
    let title = match args.repeat {
        1 => loaded.name().to_owned(),
        count => format!("{} ({} of {count})", loaded.name(), round + 1),
    };
    if on_github {
        world.console.remark(&github::group(&title));
    }
    output::announce(world, &title, loaded);
    let plan = Plan::draw(args, loaded)?;
    let ran = match args.world {
        WorldChoice::Sim => simulated::run(world, args, loaded, &plan, interrupts).await,
        _ => one::run(world, args, loaded, &plan, interrupts).await,
    };
    if on_github {
        world.console.remark(github::END_GROUP);
    }
    let ran = match ran {
        Ok(record) => {
            output::verdict(world, &record);
            Ok(record)
        }
        Err(failure) => Err((
            Box::new(one::left_early(args, loaded, &plan, &failure)),
            failure,
        )),
    };
    if on_github {
        let record = match &ran {
            Ok(record) => record,
            Err((record, _)) => record,
        };
        for line in github::annotations(record) {
            world.console.remark(&line);
        }
    }
    Ok(ran)
}

/// A run that came to its end, or what is known of one that the user left at
/// once, with the failure that says how to clear up.
type Round = Result<RunRecord, (Box<RunRecord>, Failure)>;

/// What CI reads, also of a run that the user left at once.
fn write_results(args: &Args, ran: &[RunRecord]) -> Result<(), Failure> {
    match &args.junit {
        Some(path) => write_junit(path, ran),
        None => Ok(()),
    }
}

fn write_junit(path: &Path, ran: &[RunRecord]) -> Result<(), Failure> {
    let broke = |why: String| Failure::world(format!("cannot write {}: {why}", path.display()));
    let text = junit::junit(ran).map_err(broke)?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| broke(error.to_string()))?;
    }
    std::fs::write(path, text).map_err(|error| broke(error.to_string()))
}
