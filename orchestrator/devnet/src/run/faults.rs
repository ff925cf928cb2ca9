//! The faults room as the runner's world needs it: one change at a time.

use std::sync::Arc;

use devnet_scenario::fault::{Fault, Heal};
use devnet_scenario::world::Outcome;
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
            told(faults::inflict(&self.world, &self.live, &fault).await)
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

fn told(done: Result<Outcome, Failure>) -> Outcome {
    done.unwrap_or_else(|failure| Outcome::Failed {
        why: failure.message().to_owned(),
    })
}
