//! `devnet doctor`: what could keep devnet from working here, and what to do.

mod host;

use serde::Serialize;

use super::OutputArgs;
use crate::console::{Colour, Console};
use crate::engine::{Check, CheckStatus, EngineError};
use crate::exit::{Exit, Failure};
use crate::world::{EngineChoice, World};
use devnet_blueprint::EngineKind;

const EXAMPLES: &str = "\
Examples:
  devnet doctor                     host, Docker and plain processes
  devnet doctor --engine process    only what plain processes need
  devnet doctor --json              the same as data

Exit code 0 if a network can be brought up on the engine asked for (by default: on any), else 1.";

/// Check what could keep devnet from working here, and say what to do
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Engine to check; auto checks both, and one that works is enough
    #[arg(
        long,
        env = "DEVNET_ENGINE",
        hide_env_values = true,
        value_enum,
        default_value_t
    )]
    pub(super) engine: EngineChoice,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Checks of one part of the world.
#[derive(Debug, Serialize)]
struct Section {
    part: &'static str,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Answer {
    usable: bool,
    sections: Vec<Section>,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let mut sections = vec![Section {
        part: "host",
        checks: host::checks(&world.states),
    }];
    for kind in [EngineKind::Docker, EngineKind::Process] {
        if args.engine.allows(kind) {
            sections.push(engine(world, kind).await);
        }
    }
    let usable = is_usable(&sections);
    let answer = Answer { usable, sections };
    world.console.answer(&answer)?;
    for section in &answer.sections {
        world.console.say(&text(&world.console, section));
    }
    let (colour, verdict) = match usable {
        true => (Colour::Green, "A network can be brought up: `devnet up`."),
        false => (
            Colour::Red,
            "No network can be brought up yet; see the lines marked fail.",
        ),
    };
    world.console.say(&world.console.paint(colour, verdict));
    Ok(if usable { Exit::Success } else { Exit::Failed })
}

async fn engine(world: &World, kind: EngineKind) -> Section {
    let part = match kind {
        EngineKind::Docker => "docker",
        EngineKind::Process => "process",
    };
    let checks = async {
        let engine = world.engines.connect(kind).await?;
        let mut checks = engine.checks().await?;
        if kind == EngineKind::Docker {
            checks.push(host::subnet(&engine.used_subnets().await?));
        }
        Ok(checks)
    };
    let checks = checks.await.unwrap_or_else(|error: EngineError| {
        vec![Check {
            name: "engine".into(),
            status: CheckStatus::Fail,
            detail: format!("{}: {}", error.action, error.detail),
            remedy: error.remedy,
        }]
    });
    Section { part, checks }
}

/// The host is sound, and so is one of the engines.
fn is_usable(sections: &[Section]) -> bool {
    let is_sound = |section: &Section| {
        section
            .checks
            .iter()
            .all(|check| check.status != CheckStatus::Fail)
    };
    let (host, engines): (Vec<&Section>, Vec<&Section>) =
        sections.iter().partition(|section| section.part == "host");
    host.into_iter().all(is_sound) && engines.into_iter().any(is_sound)
}

fn text(console: &Console, section: &Section) -> String {
    let width = section
        .checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    let mut text = format!("{}\n", section.part);
    for check in &section.checks {
        let (colour, word) = match check.status {
            CheckStatus::Ok => (Colour::Green, "ok  "),
            CheckStatus::Warn => (Colour::Yellow, "warn"),
            CheckStatus::Fail => (Colour::Red, "fail"),
        };
        let (word, name) = (console.paint(colour, word), &check.name);
        text.push_str(&format!("  {word}  {name:<width$}  {}\n", check.detail));
        for line in check.remedy.lines() {
            text.push_str(&format!("        {:<width$}  → {line}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(part: &'static str, status: CheckStatus) -> Section {
        let check = Check {
            name: "x".into(),
            status,
            detail: "found".into(),
            remedy: "do this".into(),
        };
        Section {
            part,
            checks: vec![check],
        }
    }

    #[test]
    fn one_engine_that_works_is_enough_on_a_sound_host() {
        use CheckStatus::{Fail, Ok, Warn};
        let verdict = |host, docker, process| {
            is_usable(&[
                section("host", host),
                section("docker", docker),
                section("process", process),
            ])
        };
        assert!(verdict(Ok, Fail, Ok));
        assert!(verdict(Warn, Warn, Fail));
        assert!(!verdict(Ok, Fail, Fail));
        assert!(!verdict(Fail, Ok, Ok));
    }

    #[test]
    fn a_check_shows_what_to_do_below_what_was_found() {
        let console = Console {
            colour: false,
            ..Console::detect(false, false)
        };
        let text = text(&console, &section("docker", CheckStatus::Fail));
        assert_eq!(text, "docker\n  fail  x  found\n           → do this\n");
    }
}
