//! A live network as the runner's world: acts go to the faults or to the
//! payments, looks to the looker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use devnet_scenario::fault::{Fault, Heal, NodeName};
use devnet_scenario::world::{Act, ActId, NodeView, Outcome, Snapshot, Wants};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::drive::Stage;
use super::payments::Payments;
use super::snapshot::Looker;
use crate::clock::now_ms;

/// Problems that are kept at most.
const PROBLEMS_MAX: usize = 100;

/// Inflicts and heals faults: a seam for tests.
pub trait Faults: Send + Sync {
    /// Inflicts a fault and proves that it bit.
    fn inflict(&self, fault: Fault) -> BoxFuture<'_, Outcome>;
    /// Heals, and proves it.
    fn heal(&self, heal: Heal) -> BoxFuture<'_, Outcome>;
    /// Puts in force again what these nodes have lost by a restart. Tells what
    /// did not work.
    fn reconcile(&self, nodes: Vec<NodeName>) -> BoxFuture<'_, Vec<String>>;
}

/// Milliseconds since 1970 that never go back, whatever the host's clock does.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    base_ms: u64,
    began: Instant,
}

/// One live network.
pub struct LiveStage {
    clock: WorldClock,
    faults: Arc<dyn Faults>,
    payments: Payments,
    looker: Looker,
    restarts: Mutex<BTreeMap<NodeName, u32>>,
    is_reconciling: Arc<AtomicBool>,
    problems: Arc<Mutex<Vec<String>>>,
}

impl WorldClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            base_ms: now_ms(),
            began: Instant::now(),
        }
    }

    /// Now.
    pub fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.base_ms.saturating_add(elapsed)
    }
}

impl LiveStage {
    /// A network to act on. `payments` and `looker` are of the same network.
    pub fn new(
        clock: WorldClock,
        faults: Arc<dyn Faults>,
        payments: Payments,
        looker: Looker,
    ) -> Self {
        Self {
            clock,
            faults,
            payments,
            looker,
            restarts: Mutex::default(),
            is_reconciling: Arc::default(),
            problems: Arc::default(),
        }
    }

    /// A process that was started anew has lost what was in force in it. It is
    /// put back in the background, as soon as the node answers.
    fn reconcile_restarted(&self, snapshot: &Snapshot) {
        if self.is_reconciling.load(Ordering::Acquire) {
            return;
        }
        let nodes = self.newly_started(snapshot);
        if nodes.is_empty() {
            return;
        }
        self.is_reconciling.store(true, Ordering::Release);
        let (faults, flag) = (self.faults.clone(), self.is_reconciling.clone());
        let problems = self.problems.clone();
        tokio::spawn(async move {
            let told = faults.reconcile(nodes).await;
            let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
            problems.extend(told);
            problems.truncate(PROBLEMS_MAX);
            flag.store(false, Ordering::Release);
        });
    }

    /// Nodes that answer and were started since the last call.
    fn newly_started(&self, snapshot: &Snapshot) -> Vec<NodeName> {
        let mut known = self.restarts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nodes = Vec::new();
        for (node, view) in &snapshot.nodes {
            if let NodeView::Up(facts) = view {
                let before = known.insert(node.clone(), facts.restarts);
                if before.is_some_and(|before| before < facts.restarts) {
                    nodes.push(node.clone());
                }
            }
        }
        nodes
    }

    /// What did not work when nodes that were started anew should have got
    /// their faults back, as whole sentences.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.problems.lock();
        problems.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Stage for LiveStage {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn act(&self, _id: ActId, act: Act) -> BoxFuture<'_, Outcome> {
        async move {
            match act {
                Act::Inflict(fault) => self.faults.inflict(fault).await,
                Act::Heal(heal) => self.faults.heal(heal).await,
                Act::StartLoad(load) => self.payments.start_load(&load).await,
                Act::StopLoad { name } => self.payments.stop_load(&name).await,
                Act::Transfer(transfer) => self.payments.transfer(&transfer).await,
            }
        }
        .boxed()
    }

    fn look<'a>(&'a self, wants: &'a Wants) -> BoxFuture<'a, Snapshot> {
        async move {
            let mut snapshot = self.looker.look(wants).await;
            // The answers are of just now, not of before the question.
            snapshot.at_ms = self.clock.now_ms();
            self.reconcile_restarted(&snapshot);
            snapshot
        }
        .boxed()
    }
}
