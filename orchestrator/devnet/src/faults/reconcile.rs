//! Puts what is intended in force again where new processes have lost it.

use devnet_scenario::fault::{Fault, NodeFault, NodeName};
use devnet_scenario::world::Outcome;

use super::apply::{self, Wish, apply};
use super::intent::{Active, Intent};
use super::live::Live;
use super::{START_PATIENCE, node, proof};
use crate::exit::Failure;
use crate::world::World;

/// What was done so that nodes hold what is intended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Whether anything is intended at all, the topology's own conditions
    /// included; if not, nothing was done.
    pub was_needed: bool,
    /// What did not work, as whole sentences.
    pub problems: Vec<String>,
}

/// Puts what is intended in force again, for nodes that were started anew: they
/// have lost their filters, conditions, clocks and rates. Links are set on all
/// nodes that run.
///
/// # Errors
/// The engine or the state folder failed.
pub async fn reconcile(
    world: &World,
    live: &Live,
    nodes: &[NodeName],
) -> Result<Reconciled, Failure> {
    let folder = world.states.network(live.name());
    let mut intent = Intent::load(&folder)?;
    let is_lost = |active: &Active| match &active.fault {
        Fault::Node { what, .. } => is_of_the_process(what),
        Fault::Cut(_) | Fault::Condition { .. } => true,
    };
    if !intent.faults().iter().any(is_lost) && apply::base(&live.layout()).is_empty() {
        return Ok(Reconciled::default());
    }
    let wish = Wish {
        patience: START_PATIENCE,
        ..Wish::default()
    };
    let applied = apply(live, &mut intent, wish).await?;
    intent.save(&folder)?;
    let held = proof::judge_held(&applied.states, &applied.running, &applied.measured);
    let mut problems = held.objections;
    for node in nodes.iter().filter(|node| applied.running.contains(node)) {
        for what in intent.of_node(node).filter(|what| is_of_the_process(what)) {
            let one = std::slice::from_ref(node);
            match node::inflict(world, live, one, what).await? {
                Outcome::Done(_) => {}
                Outcome::Ineffective(evidence) => problems.extend(evidence.objections),
                Outcome::Failed { why } => problems.push(why),
            }
        }
    }
    Ok(Reconciled {
        was_needed: true,
        problems,
    })
}

/// What is kept in the memory of the node's process alone.
const fn is_of_the_process(what: &NodeFault) -> bool {
    matches!(
        what,
        NodeFault::ClockSkew { .. } | NodeFault::HashRate { .. } | NodeFault::FillDisk
    )
}
