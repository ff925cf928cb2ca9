//! Faults of single nodes, each with its proof: one entry to do it, one to undo
//! it, the same for a verb and for a scenario.
//!
//! Whoever calls holds the network's folder lock while a call lasts. Plans
//! change when nodes are added, removed or upgraded; the [`Live`] handle then
//! holds the new plan, and the state folder both it and the original.

mod acts;
mod change;
mod levers;
mod proof;

use devnet_scenario::fault::NodeFault;
use devnet_scenario::world::{Evidence, Outcome};

use self::acts::Scene;
use super::{Layout, Live};
use crate::clock::now_ms;
use crate::exit::Failure;
use crate::world::World;

/// What was found of one node after something was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    /// What was measured, as a sentence without the full stop.
    said: String,
    /// What speaks against it.
    objections: Vec<String>,
}

/// Inflicts a fault on each of these nodes and proves that it bit.
/// [`Evidence::in_force_at_ms`] is in milliseconds since 1970.
///
/// # Errors
/// Names and states that cannot be meant (exit code 2, nothing was touched), or
/// an engine that fails (exit code 3). A fault without effect is no error but
/// [`Outcome::Ineffective`].
pub async fn inflict(
    world: &World,
    live: &Live,
    nodes: &[String],
    what: &NodeFault,
) -> Result<Outcome, Failure> {
    if let NodeFault::Add { group } = what {
        return change::add(world, live, group, nodes).await;
    }
    let scene = Scene::new(world, live, nodes)?;
    match what {
        NodeFault::Kill => scene.kill().await,
        NodeFault::Stop => scene.stop().await,
        NodeFault::Start => scene.start().await,
        NodeFault::Restart => scene.restart().await,
        NodeFault::Pause => scene.pause().await,
        NodeFault::Unpause => scene.unpause().await,
        NodeFault::Wipe => scene.wipe().await,
        NodeFault::CorruptStore => scene.corrupt().await,
        NodeFault::ClockSkew { offset_ms } => scene.skew(*offset_ms).await,
        NodeFault::HashRate { hashes_per_second } => {
            scene.set_hash_rate(|_| *hashes_per_second).await
        }
        NodeFault::FillDisk => scene.fill_disk().await,
        NodeFault::Remove => change::remove(world, live, nodes).await,
        NodeFault::Upgrade { program } => change::upgrade(world, live, nodes, program).await,
        NodeFault::Add { .. } => Ok(outcome(Vec::new(), now_ms())),
    }
}

/// Takes a fault out of these nodes again, and proves that it is gone. Nodes
/// that were added go, removed ones come back with fresh data, upgraded ones
/// run their original program; a damaged store that its node refused is wiped.
/// What leaves nothing behind, such as a restart, has nothing to undo.
///
/// # Errors
/// As [`inflict`].
pub async fn revert(
    world: &World,
    live: &Live,
    nodes: &[String],
    what: &NodeFault,
) -> Result<Outcome, Failure> {
    match what {
        NodeFault::Kill | NodeFault::Stop => inflict(world, live, nodes, &NodeFault::Start).await,
        NodeFault::Pause => inflict(world, live, nodes, &NodeFault::Unpause).await,
        NodeFault::Add { .. } | NodeFault::Remove | NodeFault::Upgrade { .. } => {
            change::restore(world, live, nodes).await
        }
        NodeFault::ClockSkew { .. } => Scene::new(world, live, nodes)?.skew(0).await,
        NodeFault::HashRate { .. } => {
            let scene = Scene::new(world, live, nodes)?;
            scene
                .set_hash_rate(|plan| plan.config.mining.hash_rate)
                .await
        }
        NodeFault::FillDisk => Scene::new(world, live, nodes)?.free_disk().await,
        NodeFault::CorruptStore => Scene::new(world, live, nodes)?.mend().await,
        NodeFault::Start | NodeFault::Restart | NodeFault::Unpause | NodeFault::Wipe => {
            let nothing = Finding::well("nothing was left to undo".to_owned());
            Ok(outcome(vec![nothing], now_ms()))
        }
    }
}

/// Brings nodes back to how the network was brought up: added ones go, removed
/// and upgraded ones are as before, what does not run is started, what is
/// frozen thawed; clocks, hash rates and quotas are the planned ones. `None`:
/// all nodes, also those that were removed.
///
/// # Errors
/// As [`inflict`].
pub async fn heal(
    world: &World,
    live: &Live,
    nodes: Option<&[String]>,
) -> Result<Outcome, Failure> {
    let changed = change::changed(world, live, nodes)?;
    let restored = change::restore(world, live, &changed).await?;
    let roster = live.layout().roster();
    let wanted = |name: &String| nodes.is_none_or(|nodes| nodes.contains(name));
    let wanted: Vec<String> = roster.into_iter().filter(wanted).collect();
    let running = live.running().await?;
    let mut down = wanted.clone();
    down.retain(|node| !running.contains(node));
    let started = Scene::new(world, live, &down)?.start().await?;
    let reset = Scene::new(world, live, &wanted)?.reset_levers().await?;
    Ok(merged([restored, started, reset]))
}

/// Names for `count` fresh nodes of `group`: none that any node of the network
/// has or had.
///
/// # Errors
/// The state folder cannot be read.
pub fn fresh_names(
    world: &World,
    layout: &Layout,
    group: &str,
    count: u32,
) -> Result<Vec<String>, Failure> {
    let original = change::original(world, &layout.blueprint)?;
    Ok(layout.blueprint.fresh_names(group, count, &original))
}

impl Finding {
    const fn well(said: String) -> Self {
        Self {
            said,
            objections: Vec::new(),
        }
    }

    fn of(said: String, objection: Option<String>) -> Self {
        Self {
            said,
            objections: objection.into_iter().collect(),
        }
    }
}

/// All findings together: it bit if nothing speaks against it.
fn outcome(findings: Vec<Finding>, in_force_at_ms: u64) -> Outcome {
    let said: Vec<String> = findings.iter().map(|found| found.said.clone()).collect();
    let objections = findings.into_iter().flat_map(|found| found.objections);
    let evidence = Evidence {
        summary: said.join("; "),
        objections: objections.collect(),
        in_force_at_ms: Some(in_force_at_ms),
        ..Evidence::default()
    };
    if evidence.objections.is_empty() {
        Outcome::Done(evidence)
    } else {
        Outcome::Ineffective(evidence)
    }
}

fn merged(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut all = Evidence::default();
    let mut said = Vec::new();
    for outcome in outcomes {
        let (Outcome::Done(evidence) | Outcome::Ineffective(evidence)) = outcome else {
            return outcome;
        };
        said.push(evidence.summary);
        all.objections.extend(evidence.objections);
        all.in_force_at_ms = all.in_force_at_ms.max(evidence.in_force_at_ms);
    }
    said.retain(|text| !text.is_empty());
    all.summary = said.join("; ");
    if all.objections.is_empty() {
        Outcome::Done(all)
    } else {
        Outcome::Ineffective(all)
    }
}

#[cfg(test)]
mod tests;
