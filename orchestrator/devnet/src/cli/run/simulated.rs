//! One run in the simulator: the same runner, records and bundle as on a live
//! network, and nothing to take down.

use std::path::Path;
use std::process::Stdio;

use devnet_scenario::report::Verdict;
use futures::FutureExt as _;
use minichain_sim::check::Violation;
use tokio::process::Command;

use super::super::interrupts::Interrupts;
use super::Args;
use super::one::{Plan, broke, bundle_folder, facts, incomplete};
use super::output::Printer;
use super::scenario::Loaded;
use crate::exit::Failure;
use crate::run::bundle::{self, Parts, Versions};
use crate::run::chronicle::Chronicle;
use crate::run::record::{Case, CaseStatus, RunRecord};
use crate::run::report;
use crate::simworld::ENGINE;
use crate::simworld::play::{self, Play};
use crate::world::World;

/// Why a run has no end.
const LEFT: &str = "interrupted twice; the simulation was left where it stood";

/// Whether the arguments have a meaning in the simulator.
///
/// # Errors
/// One that has none.
pub fn check_args(args: &Args) -> Result<(), Failure> {
    let odd = [
        (args.keep, "--keep"),
        (args.name.is_some(), "--name"),
        (args.image.is_some(), "--image"),
        (args.binary.is_some(), "--binary"),
    ];
    match odd.into_iter().find(|(is_given, _)| *is_given) {
        None => Ok(()),
        Some((_, name)) => Err(Failure::bad_input(format!(
            "{name} has no meaning with --world sim: there are no programs, and nothing stays"
        ))
        .next("Leave it out, or use --world docker or --world process.")),
    }
}

/// Runs one scenario once.
///
/// # Errors
/// The user interrupted twice.
pub async fn run(
    world: &World,
    args: &Args,
    loaded: &Loaded,
    plan: &Plan,
    interrupts: &mut Interrupts,
) -> Result<RunRecord, Failure> {
    let mut facts = facts(args, loaded, plan);
    ENGINE.clone_into(&mut facts.engine);
    let begun = Play::network(&loaded.file, &plan.network, plan.seed)
        .and_then(|net| Play::begin(&loaded.file, net, &loaded.payers(), plan.seed));
    let mut play = match begun {
        Ok(play) => play,
        Err(why) => return Ok(broke(&facts, &Failure::world(why))),
    };
    let (chronicle, was_interrupted) = driven(world, &mut play, interrupts).await?;
    let violations = play.violations();
    let mut record = report::record(&facts, play.report(), &loaded.tree);
    judge(&mut record, &play, &violations);
    // What was interrupted ended at a moment that no other process has.
    if args.check_determinism && !was_interrupted {
        world.console.remark("  once more, in a second process");
        compare(args, loaded, &mut record, interrupts).await;
    }
    if record.verdict != Verdict::Pass || args.bundle.is_some() {
        let folder = bundle_folder(args, &record);
        write_bundle(world, &folder, loaded, &play, &chronicle, &mut record);
    }
    Ok(record)
}

/// Drives a run to its end; tells what happened, and whether the user
/// interrupted.
async fn driven(
    world: &World,
    play: &mut Play,
    interrupts: &mut Interrupts,
) -> Result<(Chronicle, bool), Failure> {
    let mut printer = Printer::new(world, play.start_ms(), play.news());
    let mut interrupted = interrupts.next();
    let mut was_interrupted = false;
    while play.turn(&mut printer) {
        // Signals are heard only while the runtime has a turn.
        tokio::task::yield_now().await;
        if interrupted.as_mut().now_or_never().is_some() {
            if std::mem::replace(&mut was_interrupted, true) {
                return Err(Failure::failed(LEFT));
            }
            interrupted = interrupts.next();
            play.interrupt(&mut printer);
        }
    }
    Ok((printer.finish(), was_interrupted))
}

/// Adds what only the simulator can tell: whether anything happened that must
/// never happen, and the digest.
fn judge(record: &mut RunRecord, play: &Play, violations: &[Violation]) {
    record.digest = Some(play.net().digest());
    record.verdict = play::verdict(play.report(), violations);
    let texts: Vec<String> = violations
        .iter()
        .map(|violation| play::tell(play.net(), violation))
        .collect();
    if let Some(first) = texts.first() {
        if record.reason.is_empty() {
            record.reason.clone_from(first);
        }
        record.story = format!("{}\nUnsafe:\n  {}\n", record.story, texts.join("\n  "));
    }
    record.cases.push(Case {
        name: "safety held all along".to_owned(),
        status: match violations.is_empty() {
            true => CaseStatus::Passed,
            false => CaseStatus::Failed,
        },
        message: texts.join("\n"),
        elapsed_ms: 0,
        line: None,
    });
}

/// Runs the same in a second process and compares.
async fn compare(
    args: &Args,
    loaded: &Loaded,
    record: &mut RunRecord,
    interrupts: &mut Interrupts,
) {
    let other = tokio::select! {
        other = again(args, loaded, record.seed) => Some(other),
        () = interrupts.next() => None,
    };
    let (status, message) = match (&other, &record.digest) {
        (Some(Ok(other)), Some(own)) if other == own => (CaseStatus::Passed, String::new()),
        (Some(Ok(other)), own) => {
            let own = own.as_deref().unwrap_or("nothing");
            let message = format!("another process came to digest {other}, this one to {own}");
            (CaseStatus::Failed, message)
        }
        (Some(Err(why)), _) => (CaseStatus::Errored, why.clone()),
        (None, _) => {
            let message = "interrupted before the second process ended";
            (CaseStatus::Skipped, message.to_owned())
        }
    };
    let verdict = match status {
        CaseStatus::Passed => Verdict::Pass,
        CaseStatus::Failed => Verdict::Fail,
        CaseStatus::Errored => Verdict::Broken,
        CaseStatus::Skipped => Verdict::Interrupted,
    };
    record.verdict = record.verdict.max(verdict);
    if record.reason.is_empty() {
        record.reason.clone_from(&message);
    }
    record.cases.push(Case {
        name: "a second process makes the same of it".to_owned(),
        status,
        message,
        elapsed_ms: 0,
        line: None,
    });
}

/// The digest of the same run in a process of its own, which ends if nobody
/// waits for it.
async fn again(args: &Args, loaded: &Loaded, seed: u64) -> Result<String, String> {
    let told = |error: std::io::Error| format!("cannot run a second process: {error}");
    let mut command = Command::new(std::env::current_exe().map_err(told)?);
    command.kill_on_drop(true).stdin(Stdio::null());
    command.arg("run").arg(&loaded.file.path);
    command.args(["--world", ENGINE, "--json", "--seed", &seed.to_string()]);
    for (name, value) in &args.sets {
        command.args(["--set", &format!("{name}={value}")]);
    }
    let out = command.output().await.map_err(told)?;
    let answer: serde_json::Value = serde_json::from_slice(&out.stdout)
        .map_err(|error| format!("the second process told nothing ({}): {error}", out.status))?;
    let digest = answer["runs"][0]["digest"].as_str();
    digest.map(str::to_owned).ok_or_else(|| {
        let why = &answer["runs"][0]["reason"];
        format!("the second process came to no digest: {why}")
    })
}

/// Writes the bundle; what cannot be written is told, and changes no verdict.
fn write_bundle(
    world: &World,
    folder: &Path,
    loaded: &Loaded,
    play: &Play,
    chronicle: &Chronicle,
    record: &mut RunRecord,
) {
    record.bundle = Some(folder.to_owned());
    let spool = tempfile::tempdir();
    let spooled = spool
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|spool| {
            let logs = play.net().journal().spool(spool.path());
            logs.map_err(|error| error.to_string())
        });
    let mut problems = Vec::new();
    let logs = spooled.unwrap_or_else(|why| {
        problems.push(format!("the logs: {why}"));
        Vec::new()
    });
    let parts = Parts {
        record,
        chronicle,
        start_ms: play.start_ms(),
        scenario: &loaded.file.text,
        topology: Some(&loaded.file.topology),
        blueprint: play.net().blueprint(),
        logs,
        metrics: None,
        report: play.report(),
        versions: Versions {
            node: format!("minichain-sim {}", env!("CARGO_PKG_VERSION")),
            engine: engine(loaded),
        },
    };
    problems.extend(bundle::write(folder, &parts));
    incomplete(world, &problems);
}

/// What carried it, with what the scenario tells of lines and machines.
fn engine(loaded: &Loaded) -> String {
    let sim = loaded.file.scenario.sim.as_ref();
    let sim = sim.map(ToString::to_string).unwrap_or_default();
    match sim.as_str() {
        "" => "the simulator".to_owned(),
        said => format!("the simulator: {said}"),
    }
}
