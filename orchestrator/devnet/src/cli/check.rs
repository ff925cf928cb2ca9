//! `devnet check`: whether scenario files can be run, before anything starts.

use std::path::PathBuf;

use serde::Serialize;

use super::OutputArgs;
use crate::console::Colour;
use crate::exit::{Exit, Failure};
use crate::scenario_file::{ScenarioFile, Told};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet check tests/scenarios/smoke.yaml     keys, names, groups, times, claims
  devnet check tests/scenarios/*.yaml         several files
  devnet check chaos.yaml --set faults=50     with a parameter set
  devnet check smoke.yaml --json              every problem as data, with its place

Exit code 0 if every file can be run (warnings allowed), else 2.";

/// Check scenario files: every problem at its place, nothing is started
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Set a parameter of the scenarios; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = set)]
    sets: Vec<(String, String)>,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What came of one file.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    valid: bool,
    /// Name of the scenario; null where it cannot be read.
    name: Option<String>,
    /// Nodes of its network; null where it cannot be read.
    nodes: Option<usize>,
    problems: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Answer {
    valid: bool,
    files: Vec<Checked>,
}

/// Runs the verb.
pub fn run(world: &World, args: &Args) -> Result<Exit, Failure> {
    let examine = |path: &PathBuf| Checked::of(path, ScenarioFile::examine(path, &args.sets));
    let files: Vec<Checked> = args.files.iter().map(examine).collect();
    let valid = files.iter().all(|file| file.valid);
    let answer = Answer { valid, files };
    world.console.answer(&answer)?;
    if !args.output.json {
        answer.files.iter().for_each(|file| tell(world, file));
    }
    match valid {
        true => Ok(Exit::Success),
        false => Ok(Exit::BadInput),
    }
}

fn tell(world: &World, file: &Checked) {
    for problem in &file.problems {
        world.console.remark(&problem.to_string());
    }
    if !file.valid {
        return;
    }
    let name = file.name.as_deref().unwrap_or_default();
    let nodes = file.nodes.unwrap_or_default();
    let text = format!("{}: {name} can be run, on {nodes} nodes", file.file);
    world
        .console
        .say(&world.console.paint(Colour::Green, &text));
}

impl Checked {
    fn of(
        path: &std::path::Path,
        read: Result<ScenarioFile, crate::scenario_file::Refusal>,
    ) -> Self {
        let file = path.display().to_string();
        match read {
            Ok(read) => Self {
                file,
                valid: true,
                name: Some(read.scenario.name),
                nodes: Some(read.roster.nodes.len()),
                problems: read.warnings,
            },
            Err(refusal) => Self {
                file,
                valid: false,
                name: None,
                nodes: None,
                problems: refusal.told,
            },
        }
    }
}

/// Reads `name=value`, for `--set`.
pub(super) fn set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write it as name=value".into()),
    }
}
