//! The faults room as the runner's world needs it: one change at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use devnet_scenario::fault::{Fault, Heal};
use devnet_scenario::world::{ActId, Evidence, Outcome};
use futures::future::{FutureExt as _, LocalBoxFuture};
use tokio::sync::Mutex;

use super::stage::Faults;
use crate::exit::Failure;
use crate::faults::{self, Inflicted, Live, Reconciled};
use crate::world::World;

/// Faults of one live network.
pub struct LiveFaults {
    world: World,
    live: Arc<Live>,
    /// What is intended is one file: acts side by side would overwrite each
    /// other's part of it.
    turn: Mutex<()>,
    /// Numbers of lasting faults in the intent, by the act that inflicted them.
    inflicted: RefCell<BTreeMap<ActId, u32>>,
}

impl LiveFaults {
    /// Faults of `live`.
    pub fn new(world: &World, live: Arc<Live>) -> Self {
        Self {
            world: world.clone(),
            live,
            turn: Mutex::default(),
            inflicted: RefCell::default(),
        }
    }
}

impl Faults for LiveFaults {
    fn inflict(&self, id: ActId, fault: Fault) -> LocalBoxFuture<'_, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            let done = faults::inflict_for(&self.world, &self.live, &fault, None).await;
            if let Ok(Inflicted {
                id: Some(number), ..
            }) = &done
            {
                self.inflicted.borrow_mut().insert(id, *number);
            }
            told(done.map(|inflicted| inflicted.outcome))
        }
        .boxed_local()
    }

    fn lift(&self, id: ActId) -> LocalBoxFuture<'_, Outcome> {
        async move {
            let _turn = self.turn.lock().await;
            let number = self.inflicted.borrow().get(&id).copied();
            let done = match number {
                Some(number) => faults::revert(&self.world, &self.live, number).await,
                None => Ok(None),
            };
            told(done.map(|outcome| outcome.unwrap_or_else(nothing_left)))
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

    fn reconcile(&self, nodes: Vec<String>) -> LocalBoxFuture<'_, Reconciled> {
        async move {
            let _turn = self.turn.lock().await;
            match faults::reconcile(&self.world, &self.live, &nodes).await {
                Ok(reconciled) => reconciled,
                Err(failure) => Reconciled {
                    was_needed: true,
                    problems: vec![failure.message().to_owned()],
                },
            }
        }
        .boxed_local()
    }
}

fn nothing_left() -> Outcome {
    Outcome::Done(Evidence {
        summary: "nothing was left of it to take out".to_owned(),
        ..Evidence::default()
    })
}

fn told(done: Result<Outcome, Failure>) -> Outcome {
    done.unwrap_or_else(|failure| Outcome::Failed {
        why: failure.message().to_owned(),
    })
}
