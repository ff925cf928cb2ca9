//! `devnet faults`: what is in force, read back from the nodes.

use std::time::Duration;

use comfy_table::Cell;
use devnet_scenario::fault::Heal;
use devnet_scenario::parting::Parting;
use serde::Serialize;

use super::fault::{WATCH_PAUSE, name_option, sides};
use super::interrupts::Interrupts;
use super::report::{format_table, plain_table};
use super::{NameArgs, OutputArgs};
use crate::clock::{now_ms, spell_duration, time_of_day};
use crate::console::Colour;
use crate::exit::{Exit, Failure};
use crate::faults::proof::spell_state;
use crate::faults::state::spell_fault;
use crate::faults::{self, Active, InForce, Live};
use crate::order;
use crate::world::World;

const EXAMPLES: &str = "\
Examples:
  devnet faults              what is in force, and where it differs from what was asked for
  devnet faults --reapply    put what was asked for in force again, for instance after a node was
                             restarted by other means
  devnet faults --watch      go on: a line whenever a side of the fault of links has a new tip
  devnet faults --json       the same as data

For a fault of links it tells what each side has mined since, and where their chains part.
Exit code 1 if something differs, else 0.";

/// Links shown of those that are not free.
const LINKS_SHOWN: usize = 40;

/// Show which faults are in force, read back from the nodes
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// First put in force again what was asked for
    #[arg(long)]
    pub(super) reapply: bool,

    /// Then tell how far the sides came, until Ctrl-C or until no fault of links is in force
    #[arg(long)]
    pub(super) watch: bool,

    #[command(flatten)]
    pub(super) network: NameArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    #[serde(flatten)]
    found: &'a InForce,
    /// What each side has mined, and where they part.
    progress: Option<&'a Parting>,
}

/// How far the sides came, later on.
#[derive(Serialize)]
struct Line<'a> {
    at_ms: u64,
    progress: &'a Parting,
}

/// Runs the verb.
pub async fn run(world: &World, args: Args) -> Result<Exit, Failure> {
    let name = &args.network.name;
    let live = Live::attach(world, name).await?;
    if args.reapply {
        let lock = world.states.network(name).lock()?;
        let (done, _) = order::reapply(world, &live, lock).await?;
        for problem in &done.problems {
            world.console.remark(&format!("not in force: {problem}"));
        }
    }
    let found = faults::in_force(world, &live).await?;
    let progress = faults::progress::current(world, &live, &Heal::All).await?;
    let answer = Answer {
        name,
        found: &found,
        progress: progress.as_ref(),
    };
    match args.watch {
        true => world.console.answer_line(&answer)?,
        false => world.console.answer(&answer)?,
    }
    world
        .console
        .say(&text(world, name, &found, progress.as_ref()));
    if args.watch {
        watch(world, &live, progress).await?;
    }
    Ok(if found.differences.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    })
}

/// A line for every change, until no fault of links is in force.
async fn watch(world: &World, live: &Live, mut last: Option<Parting>) -> Result<(), Failure> {
    let mut interrupts = Interrupts::of_process();
    while last.is_some() {
        tokio::select! {
            () = tokio::time::sleep(WATCH_PAUSE) => {}
            () = interrupts.next() => break,
        }
        let now = faults::progress::current(world, live, &Heal::All).await?;
        if now == last {
            continue;
        }
        if let Some(progress) = &now {
            let line = Line {
                at_ms: now_ms(),
                progress,
            };
            world.console.answer_line(&line)?;
            let time = time_of_day(line.at_ms);
            world.console.say(&format!("{time}  {progress}"));
        }
        last = now;
    }
    Ok(())
}

fn text(world: &World, name: &str, found: &InForce, progress: Option<&Parting>) -> String {
    let option = name_option(name);
    if found.is_nothing() && found.differences.is_empty() {
        return format!("No fault is in force in network `{name}`.");
    }
    let mut parts = Vec::new();
    if !found.intended.is_empty() {
        parts.push(asked_for(world, &found.intended));
    }
    if let Some(progress) = progress {
        let sides = sides::text(&world.console, progress, None);
        parts.push(format!("Mined since:\n{sides}"));
    }
    if !found.links.is_empty() {
        parts.push(links(found));
    }
    let nodes: Vec<String> = found
        .nodes
        .iter()
        .map(|(node, force)| format!("{node}: {force}"))
        .collect();
    if !nodes.is_empty() {
        parts.push(format!("Nodes in force:\n  {}", nodes.join("\n  ")));
    }
    if !found.differences.is_empty() {
        let title = "What is in force differs from what was asked for:";
        let title = world.console.paint(Colour::Yellow, title);
        parts.push(format!(
            "{title}\n  {}\nNext: devnet faults{option} --reapply puts it in force again.",
            found.differences.join("\n  ")
        ));
    }
    parts.push(format!("Next: devnet heal{option} takes everything out."));
    parts.join("\n\n")
}

fn asked_for(world: &World, intended: &[Active]) -> String {
    let mut table = plain_table(&world.console, &["ID", "FAULT", "SINCE", "UNTIL"]);
    let now_ms = now_ms();
    for active in intended {
        let since_ms = now_ms.saturating_sub(active.since_ms);
        let until = match active.until_ms {
            None => "healed".to_owned(),
            Some(_) if active.is_overdue(now_ms) => {
                format!("overdue; process {} was to take it out", active.owner)
            }
            Some(until_ms) => {
                let left = Duration::from_millis(until_ms.saturating_sub(now_ms));
                format!("{} from now", spell_duration(left))
            }
        };
        table.add_row([
            Cell::new(active.id),
            Cell::new(spell_fault(&active.fault)),
            Cell::new(spell_duration(Duration::from_millis(since_ms))),
            Cell::new(until),
        ]);
    }
    format!("Asked for:\n{}", format_table(table))
}

fn links(found: &InForce) -> String {
    let mut lines: Vec<String> = found
        .links
        .iter()
        .take(LINKS_SHOWN)
        .map(|force| {
            let state = spell_state(&force.state);
            format!("{} -> {}: {state}", force.link.from, force.link.to)
        })
        .collect();
    let more = found.links.len().saturating_sub(LINKS_SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more; --json shows all"));
    }
    format!(
        "Links in force, read back from the nodes:\n  {}",
        lines.join("\n  ")
    )
}
