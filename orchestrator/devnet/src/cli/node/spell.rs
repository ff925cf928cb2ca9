//! A node fault from its beginning to its end.

use std::time::{Duration, Instant};

use devnet_scenario::fault::NodeFault;
use devnet_scenario::world::{Evidence, Outcome};
use serde::Serialize;

use crate::cli::up::Interrupts;
use crate::clock::spell_duration;
use crate::console::{Colour, Stage};
use crate::exit::{Exit, Failure};
use crate::faults::{Live, node};
use crate::state::{Lock, NetworkFolder, StateError};
use crate::world::World;

/// Another call may be at work when the time is over; it is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);
const LOCK_POLL: Duration = Duration::from_millis(200);
/// Between two pictures of the time that is left.
const COUNTDOWN: Duration = Duration::from_millis(250);

/// What shall be done to whom, and for how long.
pub struct Spell {
    /// The verb.
    pub title: &'static str,
    /// To whom.
    pub nodes: Vec<String>,
    /// What.
    pub what: NodeFault,
    /// Taken out after so long; `None`: it stays.
    pub span: Option<Duration>,
}

/// The answer as data.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    network: &'a str,
    verb: &'a str,
    nodes: &'a [String],
    fault: &'a NodeFault,
    /// Whether it did what it should.
    bit: bool,
    evidence: &'a Evidence,
    /// How it was taken out again, if it was.
    reverted: Option<Reverted<'a>>,
    interrupted: bool,
}

#[derive(Debug, Serialize)]
struct Reverted<'a> {
    clean: bool,
    evidence: &'a Evidence,
}

/// Inflicts, proves, waits, takes out.
pub async fn cast(
    world: &World,
    live: &Live,
    spell: &Spell,
    mut interrupts: Interrupts,
) -> Result<Exit, Failure> {
    let folder = world.states.network(live.name());
    let lock = folder.lock()?;
    // Somebody may have changed the network since it was looked at.
    live.reload(world)?;
    let stage = world.console.stage(spell.title, &spell.nodes.join(", "));
    let inflicted = tokio::select! {
        inflicted = node::inflict(world, live, &spell.nodes, &spell.what) => Some(inflicted),
        () = interrupts.next() => None,
    };
    drop(lock);
    let Some(inflicted) = inflicted else {
        stage.failed("interrupted");
        return undo_interrupted(world, live, spell, &folder).await;
    };
    let (bit, evidence) = told(inflicted?, stage)?;
    let mut reverted = None;
    let mut interrupted = false;
    // What had no effect, or the wrong one, is not left in force for a while.
    if let Some(span) = spell.span {
        if bit {
            interrupted = !wait(world, spell, span, &mut interrupts).await;
        }
        reverted = Some(revert(world, live, spell, &folder).await?);
    }
    let answer = Answer {
        network: live.name(),
        verb: spell.title,
        nodes: &spell.nodes,
        fault: &spell.what,
        bit,
        evidence: &evidence,
        reverted: reverted.as_ref().map(|(clean, evidence)| Reverted {
            clean: *clean,
            evidence,
        }),
        interrupted,
    };
    let is_clean = reverted.as_ref().is_none_or(|(clean, _)| *clean);
    if bit && is_clean {
        world.console.answer(&answer)?;
        world.console.say(&next(world, live, spell, interrupted));
        return Ok(if interrupted {
            Exit::Failed
        } else {
            Exit::Success
        });
    }
    // The answer as data holds all the evidence, and the exit code the verdict.
    if world.console.json {
        world.console.answer(&answer)?;
        return Ok(Exit::Invalid);
    }
    Err(invalid(live, spell, bit, &evidence, reverted.as_ref()))
}

/// Tells how it went; an outcome of the world's failing is a failure.
fn told(outcome: Outcome, stage: Stage) -> Result<(bool, Evidence), Failure> {
    match outcome {
        Outcome::Done(evidence) => {
            stage.done(&evidence.summary);
            Ok((true, evidence))
        }
        Outcome::Ineffective(evidence) => {
            stage.failed(&evidence.objections.join("; "));
            Ok((false, evidence))
        }
        Outcome::Failed { why } => {
            stage.failed(&why);
            Err(Failure::world(why))
        }
    }
}

/// Waits for the time to be over; false if the user had enough before.
async fn wait(world: &World, spell: &Spell, span: Duration, interrupts: &mut Interrupts) -> bool {
    let stage = world.console.stage("for", "");
    let until = Instant::now() + span;
    let count_down = async {
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            stage.waiting(&format!(
                "{} for another {}; Ctrl-C undoes it now",
                spell.title,
                spell_duration(left)
            ));
            tokio::time::sleep(left.min(COUNTDOWN)).await;
        }
    };
    tokio::select! {
        () = count_down => true,
        () = interrupts.next() => false,
    }
}

async fn revert(
    world: &World,
    live: &Live,
    spell: &Spell,
    folder: &NetworkFolder,
) -> Result<(bool, Evidence), Failure> {
    let stage = world.console.stage("undo", &spell.nodes.join(", "));
    let _lock = lock_in_time(folder, &stage).await?;
    // The network may be gone by now: then so is the fault.
    if world.states.load(live.name())?.is_none() {
        let summary = format!("network `{}` was taken down meanwhile", live.name());
        stage.done(&summary);
        let evidence = Evidence {
            summary,
            ..Evidence::default()
        };
        return Ok((true, evidence));
    }
    live.reload(world)?;
    let known = still_there(live, spell);
    match node::revert(world, live, &known, &spell.what).await {
        Ok(outcome) => told(outcome, stage),
        Err(failure) => {
            stage.failed(failure.message());
            Err(failure.next(format!(
                "`devnet up --name {}` brings the network back to what was asked for.",
                live.name()
            )))
        }
    }
}

/// Nodes that the plan still has; those that were removed meanwhile need nothing
/// undone, unless their removal is what is to be undone.
fn still_there(live: &Live, spell: &Spell) -> Vec<String> {
    if matches!(spell.what, NodeFault::Remove | NodeFault::Add { .. }) {
        return spell.nodes.clone();
    }
    let roster = live.layout().roster();
    let nodes = spell.nodes.iter();
    nodes
        .filter(|node| roster.contains(node))
        .cloned()
        .collect()
}

/// The lock, as soon as whoever has it is done.
async fn lock_in_time(folder: &NetworkFolder, stage: &Stage) -> Result<Lock, Failure> {
    let began = Instant::now();
    loop {
        match folder.lock() {
            Ok(lock) => return Ok(lock),
            Err(error @ StateError::Busy { .. }) if began.elapsed() < LOCK_PATIENCE => {
                stage.waiting(&error.to_string());
                tokio::time::sleep(LOCK_POLL).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn undo_interrupted(
    world: &World,
    live: &Live,
    spell: &Spell,
    folder: &NetworkFolder,
) -> Result<Exit, Failure> {
    let name = live.name();
    let interrupted = |text: &str| Failure::failed(format!("interrupted; {text}"));
    if !node::leaves_something(&spell.what) {
        return Err(interrupted("it may be half done").next(format!(
            "`devnet up --name {name}` brings back what does not run."
        )));
    }
    let (clean, evidence) = revert(world, live, spell, folder).await?;
    Err(if clean {
        interrupted("what was begun is undone")
    } else {
        interrupted(&evidence.objections.join("; ")).next(format!(
            "`devnet up --name {name}` brings the network back."
        ))
    })
}

fn invalid(
    live: &Live,
    spell: &Spell,
    bit: bool,
    evidence: &Evidence,
    reverted: Option<&(bool, Evidence)>,
) -> Failure {
    let mut objections = evidence.objections.clone();
    if let Some((false, evidence)) = reverted {
        objections.extend(evidence.objections.iter().cloned());
    }
    let what = if bit { "undoing it" } else { "it" };
    let message = format!(
        "{} of {} was done, and {what} had not the effect it should have:\n  {}",
        spell.title,
        spell.nodes.join(", "),
        objections.join("\n  ")
    );
    Failure::invalid(message).next(format!(
        "`devnet status --name {0}` and `devnet logs --name {0} {1}` show more.",
        live.name(),
        spell.nodes.join(" ")
    ))
}

/// What to do next, in a line.
fn next(world: &World, live: &Live, spell: &Spell, interrupted: bool) -> String {
    let name = live.name();
    let option = if name == devnet_blueprint::topology::DEFAULT_NAME {
        String::new()
    } else {
        format!(" --name {name}")
    };
    let nodes = spell.nodes.join(" ");
    let text = match (&spell.what, spell.span, interrupted) {
        (_, Some(_), true) => "Interrupted before its time; it is undone.".to_owned(),
        (_, Some(_), false) => format!("Undone. Next: devnet status{option}"),
        (NodeFault::Kill | NodeFault::Stop, ..) => {
            format!("Next: devnet start {nodes}{option}")
        }
        (NodeFault::Pause, ..) => format!("Next: devnet unpause {nodes}{option}"),
        (NodeFault::Remove | NodeFault::Add { .. } | NodeFault::Upgrade { .. }, ..) => {
            format!("Next: devnet status{option} · devnet up{option} brings the old network back")
        }
        (NodeFault::CorruptStore, ..) => {
            format!("Next: devnet logs {nodes}{option} · devnet wipe {nodes}{option} starts afresh")
        }
        _ => format!("Next: devnet status{option}"),
    };
    world.console.paint(Colour::Grey, &text)
}
