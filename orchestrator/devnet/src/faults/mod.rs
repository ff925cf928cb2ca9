//! Faults of a running network: what is intended, how it is put in force, and
//! the proof that it bit.
//!
//! ```text
//! Fault ──► intent (faults.json) ──► links: what each node must hold ──► apply ──► nodes
//!                                                                          │
//!                         Outcome ◄── proof: what the answers mean ◄── measure
//! ```
//!
//! The intent lies in the network's state folder; what is in force is always
//! read back from the nodes. This room decides what each node must hold and
//! judges what came of it; engines and nodes only do as they are told. Times
//! are milliseconds since 1970. Nothing in here takes the network's lock: that
//! is up to whoever calls. Must never import a verb.

pub mod admin;
pub mod apply;
pub mod intent;
mod join;
pub mod links;
pub mod live;
mod measure;
pub mod node;
pub mod progress;
pub mod proof;
mod reconcile;
pub mod record;
pub mod state;
pub mod tally;
pub(crate) mod verdict;

use std::collections::BTreeSet;
use std::time::Duration;

use devnet_scenario::fault::{Fault, Heal, NodeFault, NodeName};
use devnet_scenario::world::{Evidence, Outcome};

pub use intent::{Active, Intent, Span};
pub use live::{Layout, Live};
pub use reconcile::{Reconciled, reconcile};
pub use state::{InForce, in_force};

use self::apply::{Wish, apply};
use self::links::cut_links;
use self::proof::Finding;
use self::record::Begun;
use self::state::{spell_fault, spell_heal};
use self::verdict::{
    both, goals_of, goals_of_heal, goals_of_lifted_condition, judge, proven, read_back,
};
use crate::clock::now_ms;
use crate::exit::{Exit, Failure};
use crate::world::World;

/// A node that was just started answers within this time.
const START_PATIENCE: Duration = Duration::from_secs(15);
/// A node that runs for long answers at once; it may be starting all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// A fault that was inflicted.
#[derive(Debug)]
pub struct Inflicted {
    /// Its number, if it lasts; [`revert`] takes it.
    pub id: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
}

/// Inflicts a fault, and proves that it bit. A fault that had no effect stays
/// intended, so that healing clears what there is of it. The caller means to
/// [`revert`] it after that time, if one is given.
///
/// # Errors
/// The engine or the state folder failed.
pub async fn inflict_for(
    world: &World,
    live: &Live,
    fault: &Fault,
    time: Option<Duration>,
) -> Result<Inflicted, Failure> {
    let folder = world.states.network(live.name());
    let begun = Begun::now(&folder);
    let inflicted = inflict_and_prove(world, live, fault, time).await;
    let outcome = inflicted.as_ref().map(|inflicted| &inflicted.outcome);
    if !was_refused(outcome) {
        tally::inflicted(&folder, fault, outcome);
        begun.end(&folder, &spell_fault(fault), outcome);
    }
    inflicted
}

/// What was refused was not begun.
fn was_refused(outcome: Result<&Outcome, &Failure>) -> bool {
    outcome.is_err_and(|failure| failure.exit() == Exit::BadInput)
}

async fn inflict_and_prove(
    world: &World,
    live: &Live,
    fault: &Fault,
    time: Option<Duration>,
) -> Result<Inflicted, Failure> {
    let folder = world.states.network(live.name());
    let mut intent = Intent::load(&folder)?;
    let since_ms = now_ms();
    let until = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let span = Span {
        since_ms,
        until_ms: time.map(|time| since_ms.saturating_add(until(time))),
    };
    if let Fault::Node { nodes, what } = fault {
        return inflict_on_nodes(world, live, nodes, what, span).await;
    }
    let layout = live.layout();
    let roster = layout.roster();
    let tips = progress::tips(&layout).await;
    let cut_earlier = cut_links(&intent.table(apply::base(&layout), &roster).states());
    let id = intent.take(fault, span);
    intent.begin_at(id, tips);
    // Written before it is done: a crash leaves no fault that nobody knows of.
    intent.save(&folder)?;
    let goals = goals_of(fault);
    let wish = Wish {
        goals,
        patience: PATIENCE,
        cut_earlier: goals.reach.then_some(cut_earlier),
        trips_before: match fault {
            Fault::Condition { links, .. } => links.clone(),
            _ => BTreeSet::new(),
        },
    };
    let applied = apply(live, &mut intent, wish).await?;
    intent.save(&folder)?;
    let outcome = judge(&applied, goals, read_back(fault, &applied));
    let outcome = proven(fault, outcome);
    Ok(Inflicted { id, outcome })
}

/// Takes faults out, and proves that they are gone. What does not run is
/// started first, where everything is healed.
///
/// # Errors
/// The engine or the state folder failed; what could be healed is.
pub async fn heal(world: &World, live: &Live, heal: &Heal) -> Result<Outcome, Failure> {
    let folder = world.states.network(live.name());
    let begun = Begun::now(&folder);
    let outcome = heal_and_prove(world, live, heal).await;
    if !was_refused(outcome.as_ref()) {
        begun.end(&folder, &spell_heal(heal), outcome.as_ref());
    }
    outcome
}

async fn heal_and_prove(world: &World, live: &Live, heal: &Heal) -> Result<Outcome, Failure> {
    let folder = world.states.network(live.name());
    let mut intent = match heal {
        Heal::All => Intent::load_or_forget(&folder)?,
        _ => Intent::load(&folder)?,
    };
    let goals = goals_of_heal(heal, intent.has_conditions());
    let damaged = intent.damaged(heal);
    intent.heal(heal);
    intent.save(&folder)?;
    // Started as they are they would refuse their stores again.
    let mended = match damaged.is_empty() {
        true => None,
        false => Some(node::revert(world, live, &damaged, &NodeFault::CorruptStore).await?),
    };
    let of_nodes = match heal {
        Heal::All => Some(node::heal(world, live, None).await),
        Heal::Nodes(nodes) => Some(node::heal(world, live, Some(nodes)).await),
        Heal::Cuts | Heal::Conditions => None,
    };
    let wish = Wish {
        goals,
        patience: START_PATIENCE,
        ..Wish::default()
    };
    let applied = apply(live, &mut intent, wish).await?;
    intent.save(&folder)?;
    let links = judge(&applied, goals, Finding::default());
    let outcomes = [mended, of_nodes.transpose()?];
    Ok(outcomes
        .into_iter()
        .flatten()
        .fold(links, |all, more| both(more, all)))
}

/// Takes the fault of that number out, and proves that it is gone; `None` if
/// another call has done so already.
///
/// # Errors
/// The engine or the state folder failed.
pub async fn revert(world: &World, live: &Live, id: u32) -> Result<Option<Outcome>, Failure> {
    let folder = world.states.network(live.name());
    let mut intent = Intent::load(&folder)?;
    let Some(active) = intent.remove(id) else {
        return Ok(None);
    };
    let begun = Begun::now(&folder);
    let title = format!("lift {}", spell_fault(&active.fault));
    let outcome = lift_and_prove(world, live, intent, active.fault).await;
    begun.end(&folder, &title, outcome.as_ref());
    outcome.map(Some)
}

/// Takes a fault out that is meant no more.
async fn lift_and_prove(
    world: &World,
    live: &Live,
    mut intent: Intent,
    fault: Fault,
) -> Result<Outcome, Failure> {
    let folder = world.states.network(live.name());
    Ok(match fault {
        Fault::Node { nodes, what } => {
            intent.save(&folder)?;
            revert_on_nodes(world, live, &nodes, &what).await?
        }
        Fault::Cut(_) => heal_and_prove(world, live, &Heal::Cuts).await?,
        Fault::Condition { .. } => {
            intent.save(&folder)?;
            let goals = goals_of_lifted_condition();
            let wish = Wish {
                goals,
                patience: PATIENCE,
                ..Wish::default()
            };
            let applied = apply(live, &mut intent, wish).await?;
            intent.save(&folder)?;
            judge(&applied, goals, Finding::default())
        }
    })
}

/// Clears whatever an earlier run has left, links and nodes, and tells what it
/// was; for the start of a run.
///
/// # Errors
/// The engine or the state folder failed, or something could not be cleared.
pub async fn flush(world: &World, live: &Live) -> Result<Vec<String>, Failure> {
    let left = match in_force(world, live).await {
        Ok(found) => found.spell(),
        Err(_) => vec!["a file of faults that cannot be read".to_owned()],
    };
    if left.is_empty() {
        return Ok(left);
    }
    match heal(world, live, &Heal::All).await? {
        Outcome::Done(_) => Ok(left),
        Outcome::Ineffective(evidence) => Err(not_cleared(&evidence.objections.join("; "))),
        Outcome::Failed { why } => Err(not_cleared(&why)),
    }
}

fn not_cleared(why: &str) -> Failure {
    Failure::world(format!("what an earlier run left cannot be cleared: {why}"))
        .next("`devnet down` and `devnet up` begin afresh.")
}

async fn inflict_on_nodes(
    world: &World,
    live: &Live,
    nodes: &[NodeName],
    what: &NodeFault,
    span: Span,
) -> Result<Inflicted, Failure> {
    let folder = world.states.network(live.name());
    let before = Intent::load(&folder)?;
    let mut intent = before.clone();
    let fault = Fault::Node {
        nodes: nodes.to_vec(),
        what: what.clone(),
    };
    let id = intent.take(&fault, span);
    // Written before it is done, as with links: a crash half-way leaves no
    // fault that nobody knows of.
    intent.save(&folder)?;
    let outcome = match node::inflict(world, live, nodes, what).await {
        Ok(outcome) => outcome,
        Err(failure) => {
            // What was refused was not begun.
            if failure.exit() == Exit::BadInput {
                before.save(&folder)?;
            }
            return Err(failure);
        }
    };
    live.reload(world)?;
    let outcome = if starts(what) {
        with_links(world, live, nodes, outcome).await?
    } else {
        outcome
    };
    Ok(Inflicted { id, outcome })
}

/// Takes one fault out of nodes and leaves whatever else was done to them.
async fn revert_on_nodes(
    world: &World,
    live: &Live,
    nodes: &[NodeName],
    what: &NodeFault,
) -> Result<Outcome, Failure> {
    // Who was taken out of the network meanwhile has nothing left to undo.
    let changes_the_plan = matches!(what, NodeFault::Add { .. } | NodeFault::Remove);
    let roster = live.layout().roster();
    let mut nodes = nodes.to_vec();
    nodes.retain(|node| changes_the_plan || roster.contains(node));
    let outcome = node::revert(world, live, &nodes, what).await?;
    with_links(world, live, &nodes, outcome).await
}

/// Puts in force again what a new process has lost, and tells of both.
async fn with_links(
    world: &World,
    live: &Live,
    nodes: &[NodeName],
    outcome: Outcome,
) -> Result<Outcome, Failure> {
    let reconciled = reconcile(world, live, nodes).await?;
    let links = Evidence {
        objections: reconciled.problems,
        ..Evidence::default()
    };
    let links = match links.objections.is_empty() {
        true => Outcome::Done(links),
        false => Outcome::Ineffective(links),
    };
    Ok(both(outcome, links))
}

/// Whether a process starts, or goes on, by it.
const fn starts(what: &NodeFault) -> bool {
    matches!(
        what,
        NodeFault::Start
            | NodeFault::Restart
            | NodeFault::Unpause
            | NodeFault::Wipe
            | NodeFault::Upgrade { .. }
            | NodeFault::CorruptStore
            | NodeFault::Add { .. }
    )
}
