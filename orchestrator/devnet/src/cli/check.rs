//! `devnet check`: whether scenario files can be run, before anything starts.

use std::path::PathBuf;

use serde::Serialize;

use super::OutputArgs;
use crate::console::Colour;
use crate::exit::{Exit, Failure};
use crate::run::github;
use crate::scenario_file::{ScenarioFile, Told};
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet check tests/scenarios/smoke.yaml     keys, names, groups, times, claims
  devnet check tests/scenarios/*.yaml         several files
  devnet check chaos.yaml --set faults=50     with a parameter set
  devnet check smoke.yaml --json              every problem as data, with its place
  devnet check smoke.yaml --world sim         whether the simulator can run it

In a GitHub workflow every problem is also shown beside its file. Exit code 0 if every file can be run (warnings allowed), else 2.";

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

    /// For which world; `sim` also refuses what the simulator has no notion of
    #[arg(long, value_enum, default_value_t, hide_default_value = true)]
    world: CheckedWorld,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Which world a scenario is checked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum CheckedWorld {
    /// Containers or processes.
    #[default]
    Live,
    /// The simulator.
    Sim,
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
    let examine = |path: &PathBuf| {
        let examined = match args.world {
            CheckedWorld::Live => ScenarioFile::examine(path, &args.sets),
            CheckedWorld::Sim => ScenarioFile::examine_simulated(path, &args.sets),
        };
        Checked::of(path, examined)
    };
    let files: Vec<Checked> = args.files.iter().map(examine).collect();
    let valid = files.iter().all(|file| file.valid);
    let answer = Answer { valid, files };
    world.console.answer(&answer)?;
    if github::is_here() {
        let problems = answer.files.iter().flat_map(|file| &file.problems);
        for line in problems.map(annotated) {
            world.console.remark(&line);
        }
    }
    if !args.output.json {
        answer.files.iter().for_each(|file| tell(world, file));
    }
    match valid {
        true => Ok(Exit::Success),
        false => Ok(Exit::BadInput),
    }
}

/// A problem as GitHub shows it beside the file.
fn annotated(problem: &Told) -> String {
    let place = (problem.file.as_str(), problem.line.unwrap_or(1));
    let title = match problem.severity {
        "warning" => "odd scenario",
        _ => "bad scenario",
    };
    github::annotation(problem.severity, place, title, &problem.message)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_annotated_at_their_line_with_their_weight() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bad.yaml");
        let text = "name: bad\ntopology: { nodes: 3, miners: 1 }\nsteps:\n  - kil: miner-0\n";
        std::fs::write(&path, text).expect("a writable disk");
        let refusal = ScenarioFile::examine(&path, &[]).expect_err("there is no such verb");
        let line = annotated(&refusal.told[0]);
        assert!(line.starts_with("::error file="), "{line}");
        assert!(line.contains(",line=4,title=bad scenario::"), "{line}");
        let odd = Told {
            severity: "warning",
            ..refusal.told[0].clone()
        };
        assert!(annotated(&odd).starts_with("::warning "));
    }
}
