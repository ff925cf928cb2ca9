//! Performs orders the way the verbs do: under the network's lock, proven, with
//! every failure told in words instead of ending the view.

use std::time::Duration;

use devnet_scenario::fault::{CutShape, Fault, Heal, NodeFault};
use devnet_scenario::world::Outcome as Proof;

use super::state::{Order, Outcome};
use crate::exit::Failure;
use crate::faults::{Layout, Live};
use crate::order;
use crate::state::StateError;
use crate::words::cut_of;
use crate::world::World;

/// How long to wait for another call that works on the network; whoever looks
/// on wants to hear soon.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Performs an order. `waiting` hears who has the network, if another call has,
/// and `None` once that is over.
pub async fn perform(
    world: &World,
    live: &Live,
    given: Order,
    waiting: impl Fn(Option<String>),
) -> Outcome {
    let words = given.to_string();
    let proof = prove(world, live, given, waiting).await;
    Outcome {
        order: words,
        result: proof.map_err(|failure| spell(&failure)).and_then(told),
    }
}

async fn prove(
    world: &World,
    live: &Live,
    given: Order,
    waiting: impl Fn(Option<String>),
) -> Result<Proof, Failure> {
    let busy = |busy: &StateError| waiting(Some(format!("{given} waits: {busy}")));
    let lock = order::lock(world, live.name(), BUSY_LIMIT, busy).await?;
    waiting(None);
    if given == Order::Heal {
        let healed = order::heal(world, live, lock, |_| Ok(Heal::All)).await?;
        return Ok(healed.outcome);
    }
    let done = order::inflict(world, live, lock, None, |layout| fault(&given, layout)).await?;
    Ok(done.inflicted.outcome)
}

/// The fault that an order asks for.
fn fault(order: &Order, layout: &Layout) -> Result<Fault, Failure> {
    let (nodes, what) = match order {
        Order::Partition(nodes) => {
            return cut_of(CutShape::Groups(vec![nodes.clone()]), layout);
        }
        Order::Heal => return Err(Failure::bad_input("healing is no fault")),
        Order::Kill(nodes) => (nodes, NodeFault::Kill),
        Order::Start(nodes) => (nodes, NodeFault::Start),
        Order::Pause(nodes) => (nodes, NodeFault::Pause),
        Order::Unpause(nodes) => (nodes, NodeFault::Unpause),
    };
    let nodes = nodes.clone();
    Ok(Fault::Node { nodes, what })
}

fn told(proof: Proof) -> Result<String, String> {
    match proof {
        Proof::Done(evidence) => Ok(evidence.summary),
        Proof::Ineffective(evidence) => {
            let why = evidence.objections.join("; ");
            Err(format!("it had not the effect it should have: {why}"))
        }
        Proof::Failed { why } => Err(why),
    }
}

/// What went wrong, and the first thing to do about it.
fn spell(failure: &Failure) -> String {
    let text = failure.to_string();
    let mut lines = text.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    match lines.next() {
        Some(next) => format!("{first} ({next})"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::world::Evidence;

    use super::*;

    #[test]
    fn a_failure_is_told_with_what_to_do_next() {
        let failure = Failure::world("another call works on it").next("Wait for it.");
        assert_eq!(
            spell(&failure),
            "another call works on it (next: Wait for it.)"
        );
    }

    #[test]
    fn what_had_no_effect_is_no_success() {
        let evidence = Evidence {
            objections: vec!["a -> b is open".into()],
            ..Evidence::default()
        };
        let told = told(Proof::Ineffective(evidence));
        assert!(told.is_err_and(|why| why.contains("a -> b is open")));
    }
}
