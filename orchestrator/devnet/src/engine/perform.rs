//! Performs a plan: stage after stage, the actions of a stage side by side.

use std::sync::atomic::{AtomicBool, Ordering};

use devnet_blueprint::{Action, Blueprint, Plan};
use futures::StreamExt;
use futures::stream;

use super::{Engine, EngineError, ErrorKind, Report, StateKeeper};

/// Actions in flight at once. A Docker engine creates about seven containers a
/// second, however many are asked for; more only makes each of them slower.
pub const PARALLEL_MAX: usize = 8;

/// Performs the plan that leads to `blueprint` and returns the number of
/// actions done. Each action is told to `report` as it ends.
///
/// The first failure ends the work: what is in flight is finished, so that the
/// engine is left in no half-done call, and nothing further is begun. Taking
/// everything away is different: there one stubborn thing keeps nothing else,
/// and what can go goes.
///
/// # Errors
/// The first failure; its remedy says how to continue.
pub async fn perform_plan(
    engine: &dyn Engine,
    state: &dyn StateKeeper,
    blueprint: &Blueprint,
    plan: &Plan,
    report: &dyn Report,
) -> Result<usize, EngineError> {
    let is_removal = blueprint.is_empty();
    let mut work = Work {
        engine,
        state,
        blueprint,
        report,
        done: 0,
        failure: None,
    };
    for stage in &plan.stages {
        work.perform_stage(stage, is_removal).await;
        if work.failure.is_some() && !is_removal {
            break;
        }
    }
    match work.failure {
        None => Ok(work.done),
        Some(error) => Err(with_way_on(error, blueprint)),
    }
}

struct Work<'a> {
    engine: &'a dyn Engine,
    state: &'a dyn StateKeeper,
    blueprint: &'a Blueprint,
    report: &'a dyn Report,
    done: usize,
    failure: Option<EngineError>,
}

impl Work<'_> {
    async fn perform_stage(&mut self, stage: &[Action], is_removal: bool) {
        let (engine, state, blueprint) = (self.engine, self.state, self.blueprint);
        let stopped = &AtomicBool::new(false);
        let mut outcomes = stream::iter(stage)
            .map(|action| async move {
                // Asked when its turn comes, not when the stage begins.
                if stopped.load(Ordering::Relaxed) {
                    return None;
                }
                Some((action, perform_one(engine, state, blueprint, action).await))
            })
            .buffer_unordered(PARALLEL_MAX);
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                None => {}
                Some((action, Ok(()))) => {
                    self.done += 1;
                    self.report.step(&past_tense(blueprint, action));
                }
                Some((_, Err(error))) => {
                    stopped.store(!is_removal, Ordering::Relaxed);
                    self.failure.get_or_insert(error);
                }
            }
        }
    }
}

async fn perform_one(
    engine: &dyn Engine,
    state: &dyn StateKeeper,
    blueprint: &Blueprint,
    action: &Action,
) -> Result<(), EngineError> {
    match action {
        Action::SaveState => state.save(blueprint),
        Action::RemoveState => state.remove(&blueprint.name),
        other => engine.perform(blueprint, other).await,
    }
}

/// What was done, as a line for people.
fn past_tense(blueprint: &Blueprint, action: &Action) -> String {
    match action {
        Action::SaveState => "blueprint saved".into(),
        Action::RemoveState => "state folder removed".into(),
        Action::CreateNetwork => match &blueprint.network {
            Some(network) => format!("network {} created", network.subnet),
            None => "network created".into(),
        },
        Action::RemoveNetwork { .. } => "network removed".into(),
        Action::CreateVolume { node } => format!("{node}: data volume created"),
        Action::RemoveVolume { volume } => format!("volume {volume} removed"),
        Action::CreateNode { node } => format!("{node}: created"),
        Action::StartNode { node } => format!("{node}: started"),
        Action::UnpauseNode { node } => format!("{node}: thawed"),
        Action::RemoveNode { node, .. } => format!("{node}: removed"),
    }
}

/// A failure half-way leaves something behind; says how to go on or back,
/// unless another attempt will follow by itself.
fn with_way_on(error: EngineError, blueprint: &Blueprint) -> EngineError {
    if error.kind == ErrorKind::SubnetOverlap {
        return error;
    }
    let way_on = if blueprint.is_empty() {
        "Run the same command again to finish.".to_owned()
    } else {
        format!(
            "Run the same command again to continue, or `devnet down --name {}` to remove what \
             exists.",
            blueprint.name
        )
    };
    let remedy = match error.remedy.as_str() {
        "" => way_on,
        remedy => format!("{remedy}\n{way_on}"),
    };
    error.remedy(remedy)
}

#[cfg(test)]
mod tests;
