//! Performs a plan: stage after stage, the actions of a stage side by side.

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
/// engine is left in no half-done call, and nothing further is begun.
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
    let mut done = 0;
    for stage in &plan.stages {
        done += perform_stage(engine, state, blueprint, stage, report).await?;
    }
    Ok(done)
}

async fn perform_stage(
    engine: &dyn Engine,
    state: &dyn StateKeeper,
    blueprint: &Blueprint,
    stage: &[Action],
    report: &dyn Report,
) -> Result<usize, EngineError> {
    let mut done = 0;
    let mut failure = None;
    let stopped = std::sync::atomic::AtomicBool::new(false);
    let stopped = &stopped;
    let mut outcomes = stream::iter(stage)
        .map(|action| async move {
            // Begun only after another action of the stage had failed.
            if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                return None;
            }
            Some((action, perform_one(engine, state, blueprint, action).await))
        })
        .buffer_unordered(PARALLEL_MAX);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            None => {}
            Some((action, Ok(()))) => {
                done += 1;
                report.step(&past_tense(blueprint, action));
            }
            Some((_, Err(error))) => {
                stopped.store(true, std::sync::atomic::Ordering::Relaxed);
                failure.get_or_insert(error);
            }
        }
    }
    match failure {
        None => Ok(done),
        Some(error) => Err(with_way_on(error, &blueprint.name)),
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
fn with_way_on(error: EngineError, network: &str) -> EngineError {
    if matches!(error.kind, ErrorKind::SubnetOverlap) {
        return error;
    }
    let way_on = format!(
        "Run the same command again to continue, or `devnet down --name {network}` to remove \
         what exists."
    );
    let remedy = match error.remedy.as_str() {
        "" => way_on,
        remedy => format!("{remedy}\n{way_on}"),
    };
    error.remedy(remedy)
}
