//! A live network as the runner's world: acts go to the faults or to the
//! payments, looks to the looker.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use devnet_scenario::fault::{Fault, Heal, NodeName};
use devnet_scenario::world::{Act, ActId, NodeView, Outcome, Snapshot, Wants};
use futures::future::{FutureExt as _, LocalBoxFuture};

use super::drive::Stage;
use super::payments::Payments;
use super::snapshot::Looker;
use crate::clock::now_ms;

/// Problems that are kept at most.
const PROBLEMS_MAX: usize = 100;

/// Inflicts and heals faults: a seam for tests.
pub trait Faults {
    /// Inflicts a fault and proves that it bit.
    fn inflict(&self, fault: Fault) -> LocalBoxFuture<'_, Outcome>;
    /// Heals, and proves it.
    fn heal(&self, heal: Heal) -> LocalBoxFuture<'_, Outcome>;
    /// Puts in force again what these nodes have lost by a restart. Tells what
    /// did not work.
    fn reconcile(&self, nodes: Vec<NodeName>) -> LocalBoxFuture<'_, Vec<String>>;
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
    faults: Rc<dyn Faults>,
    payments: Payments,
    looker: Looker,
    restarts: RefCell<BTreeMap<NodeName, u32>>,
    is_reconciling: Cell<bool>,
    problems: RefCell<Vec<String>>,
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
        faults: Rc<dyn Faults>,
        payments: Payments,
        looker: Looker,
    ) -> Self {
        Self {
            clock,
            faults,
            payments,
            looker,
            restarts: RefCell::default(),
            is_reconciling: Cell::new(false),
            problems: RefCell::default(),
        }
    }

    /// Nodes that answer and were started since the last call.
    fn newly_started(&self, snapshot: &Snapshot) -> Vec<NodeName> {
        let mut known = self.restarts.borrow_mut();
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
        self.problems.borrow().clone()
    }
}

impl Stage for LiveStage {
    fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    fn act(self: Rc<Self>, _id: ActId, act: Act) -> LocalBoxFuture<'static, Outcome> {
        async move {
            match act {
                Act::Inflict(fault) => self.faults.inflict(fault).await,
                Act::Heal(heal) => self.faults.heal(heal).await,
                Act::StartLoad(load) => self.payments.start_load(&load).await,
                Act::StopLoad { name } => self.payments.stop_load(&name).await,
                Act::Transfer(transfer) => self.payments.transfer(&transfer).await,
            }
        }
        .boxed_local()
    }

    fn look<'a>(&'a self, wants: &'a Wants) -> LocalBoxFuture<'a, Snapshot> {
        async move {
            let mut snapshot = self.looker.look(wants).await;
            // The answers are of just now, not of before the question.
            snapshot.at_ms = self.clock.now_ms();
            snapshot
        }
        .boxed_local()
    }

    /// A process that was started anew has lost what was in force in it. It is
    /// put back as soon as the node answers.
    fn chore(self: Rc<Self>, seen: &Snapshot) -> Option<LocalBoxFuture<'static, ()>> {
        if self.is_reconciling.get() {
            return None;
        }
        let nodes = self.newly_started(seen);
        if nodes.is_empty() {
            return None;
        }
        self.is_reconciling.set(true);
        let reconcile = async move {
            let told = self.faults.reconcile(nodes).await;
            let mut problems = self.problems.borrow_mut();
            problems.extend(told);
            problems.truncate(PROBLEMS_MAX);
            self.is_reconciling.set(false);
        };
        Some(reconcile.boxed_local())
    }
}
