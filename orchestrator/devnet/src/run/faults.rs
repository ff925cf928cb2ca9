//! The faults room as the runner's world needs it: one change at a time.

use std::sync::Arc;

use devnet_scenario::fault::{Fault, Heal, Link};
use devnet_scenario::links::Condition;
use devnet_scenario::world::{Outcome, ProbeEvidence, Reach};
use futures::future::{FutureExt as _, LocalBoxFuture};
use tokio::sync::Mutex;

use super::stage::Faults;
use crate::exit::Failure;
use crate::faults::{self, Live};
use crate::world::World;

/// Faults of one live network.
pub struct LiveFaults {
    world: World,
    live: Arc<Live>,
    /// What is intended is one file: acts side by side would overwrite each
    /// other's part of it.
    turn: Mutex<()>,
}

impl LiveFaults {
    /// Faults of `live`.
    pub fn new(world: &World, live: Arc<Live>) -> Self {
        Self {
            world: world.clone(),
            live,
            turn: Mutex::default(),
        }
    }
}

impl Faults for LiveFaults {
    fn inflict(&self, fault: Fault) -> LocalBoxFuture<'_, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            let outcome = told(faults::inflict(&self.world, &self.live, &fault).await);
            match (&fault, self.live.running().await) {
                (Fault::Node { .. }, _) => outcome,
                (_, Ok(running)) => proven(&fault, outcome, &running),
                (_, Err(failure)) => told(Err(failure)),
            }
        }
        .boxed_local()
    }

    fn heal(&self, heal: Heal) -> LocalBoxFuture<'_, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            told(faults::heal(&self.world, &self.live, &heal).await)
        }
        .boxed_local()
    }

    fn reconcile(&self, nodes: Vec<String>) -> LocalBoxFuture<'_, Vec<String>> {
        async move {
            let _turn = self.turn.lock().await;
            match faults::reconcile(&self.world, &self.live, &nodes).await {
                Ok(reconciled) => reconciled.problems,
                Err(failure) => vec![failure.message().to_owned()],
            }
        }
        .boxed_local()
    }
}

/// Holds a fault of links to its proof: at a desk it is enough that it will be
/// in force once a node starts, in a run something must have been measured. Of a
/// rate alone nothing is: then it must be held by both ends of a link at least,
/// which was read back.
fn proven(fault: &Fault, outcome: Outcome, running: &[String]) -> Outcome {
    let links = match fault {
        Fault::Cut(cut) => &cut.links,
        Fault::Condition { links, .. } => links,
        Fault::Node { .. } => return outcome,
    };
    let Outcome::Done(mut evidence) = outcome else {
        return outcome;
    };
    let is_measured = |probe: &ProbeEvidence| {
        let is_meant = links.contains(&probe.link) || links.contains(&probe.link.reversed());
        is_meant && probe.measured != Reach::Unknown
    };
    let runs = |link: &Link| running.contains(&link.from) && running.contains(&link.to);
    let is_proven = match fault {
        Fault::Condition { with, .. } if is_rate_alone(with) => links.iter().any(runs),
        _ => evidence.probes.iter().any(is_measured),
    };
    if links.is_empty() || is_proven {
        return Outcome::Done(evidence);
    }
    let objection = "none of its links could be measured: its nodes do not answer";
    evidence.objections.push(objection.to_owned());
    Outcome::Ineffective(evidence)
}

fn is_rate_alone(with: &Condition) -> bool {
    let without_rate = Condition {
        rate_bytes_s: None,
        ..*with
    };
    with.rate_bytes_s.is_some() && without_rate == Condition::default()
}

fn told(done: Result<Outcome, Failure>) -> Outcome {
    done.unwrap_or_else(|failure| Outcome::Failed {
        why: failure.message().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use devnet_scenario::world::Evidence;

    use super::*;

    fn evidence(from: &str, to: &str, measured: Reach) -> Outcome {
        let probe = ProbeEvidence {
            link: Link::new(from, to),
            by: "ping".into(),
            expected: Reach::Open { rtt_ms: None },
            measured,
        };
        Outcome::Done(Evidence {
            probes: vec![probe],
            ..Evidence::default()
        })
    }

    #[test]
    fn a_fault_of_links_needs_a_measurement_of_one_of_them() {
        let fault = Fault::Condition {
            links: BTreeSet::from([Link::new("a", "b")]),
            with: Condition::default(),
        };
        let open = Reach::Open { rtt_ms: Some(9.0) };
        let running = ["a".to_owned(), "b".to_owned()];
        let is_done = |outcome| matches!(proven(&fault, outcome, &running), Outcome::Done(_));
        assert!(is_done(evidence("a", "b", open)));
        assert!(is_done(evidence("b", "a", open)), "a round trip is of both");
        assert!(!is_done(evidence("a", "b", Reach::Unknown)));
        assert!(!is_done(evidence("a", "c", open)), "another link");
        assert!(!is_done(Outcome::Done(Evidence::default())));
    }

    #[test]
    fn a_rate_needs_two_nodes_that_hold_it() {
        let fault = Fault::Condition {
            links: BTreeSet::from([Link::new("a", "b")]),
            with: Condition {
                rate_bytes_s: Some(1_000),
                ..Condition::default()
            },
        };
        let done = || Outcome::Done(Evidence::default());
        let both = ["a".to_owned(), "b".to_owned()];
        assert!(matches!(proven(&fault, done(), &both), Outcome::Done(_)));
        let one = proven(&fault, done(), &both[..1]);
        assert!(matches!(one, Outcome::Ineffective(_)));
    }
}
