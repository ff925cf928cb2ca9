//! A live network as the runner's world: acts go to the faults or to the
//! payments, looks to the looker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use devnet_scenario::fault::{Fault, Heal, NodeName};
use devnet_scenario::world::{Act, ActId, Outcome, Snapshot, Wants};
use futures::future::{FutureExt as _, LocalBoxFuture};

use super::drive::Stage;
use super::payments::Payments;
use super::restarts::{Gap, Restarts};
use super::snapshot::Looker;
use crate::clock::now_ms;
use crate::faults::Reconciled;

/// Problems that are kept at most.
const PROBLEMS_MAX: usize = 100;

/// Inflicts and heals faults: a seam for tests.
pub trait Faults {
    /// Inflicts a fault and proves that it bit; `id` names it for
    /// [`Faults::lift`].
    fn inflict(&self, id: ActId, fault: Fault) -> LocalBoxFuture<'_, Outcome>;
    /// Takes out what is left of the fault that act inflicted, and proves it.
    fn lift(&self, id: ActId) -> LocalBoxFuture<'_, Outcome>;
    /// Heals, and proves it.
    fn heal(&self, heal: Heal) -> LocalBoxFuture<'_, Outcome>;
    /// Puts in force again what these nodes have lost by a restart.
    fn reconcile(&self, nodes: Vec<NodeName>) -> LocalBoxFuture<'_, Reconciled>;
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
    restarts: RefCell<Restarts>,
    is_reconciling: Cell<bool>,
    problems: RefCell<Vec<String>>,
    /// How many problems the evidence of heals holds already.
    told: Cell<usize>,
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
            told: Cell::new(0),
        }
    }

    /// Notes what came of an attempt to give these nodes their faults back.
    fn reconciled(&self, nodes: &[NodeName], done: Reconciled) {
        let now_ms = self.clock.now_ms();
        let mut restarts = self.restarts.borrow_mut();
        if restarts.reconciled(nodes, &done, now_ms) {
            let mut problems = self.problems.borrow_mut();
            problems.extend(done.problems);
            problems.truncate(PROBLEMS_MAX);
        }
    }

    /// Times in which faults were out of force because somebody else had
    /// started a node anew.
    pub fn gaps(&self) -> Vec<Gap> {
        self.restarts.borrow().gaps().to_vec()
    }

    /// A heal also tells what was not in force before it although it should
    /// have been: nothing that was seen meanwhile proves anything.
    fn with_problems(&self, outcome: Outcome) -> Outcome {
        let problems = self.problems.borrow();
        let first = self.told.replace(problems.len());
        let untold = problems.iter().skip(first);
        let untold: Vec<String> = untold
            .map(|problem| format!("after a restart, before this heal: {problem}"))
            .collect();
        match outcome {
            Outcome::Done(mut evidence) | Outcome::Ineffective(mut evidence)
                if !untold.is_empty() =>
            {
                evidence.objections.extend(untold);
                Outcome::Ineffective(evidence)
            }
            outcome => outcome,
        }
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

    fn act(self: Rc<Self>, id: ActId, act: Act) -> LocalBoxFuture<'static, Outcome> {
        async move {
            let own = self.restarts.borrow_mut().begin(&act);
            let outcome = match act {
                Act::Inflict(fault) => self.faults.inflict(id, fault).await,
                Act::Heal(heal) => {
                    let outcome = self.faults.heal(heal).await;
                    self.with_problems(outcome)
                }
                Act::Lift { act, .. } => {
                    let outcome = self.faults.lift(act).await;
                    self.with_problems(outcome)
                }
                Act::StartLoad(load) => self.payments.start_load(&load).await,
                Act::StopLoad { name } => self.payments.stop_load(&name).await,
                Act::Transfer(transfer) => self.payments.transfer(&transfer).await,
            };
            self.restarts.borrow_mut().end(&own);
            outcome
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
        let nodes = self.restarts.borrow_mut().see(seen);
        if nodes.is_empty() {
            return None;
        }
        self.is_reconciling.set(true);
        let reconcile = async move {
            let done = self.faults.reconcile(nodes.clone()).await;
            self.reconciled(&nodes, done);
            self.is_reconciling.set(false);
        };
        Some(reconcile.boxed_local())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use devnet_scenario::world::{Evidence, NodeFacts, NodeView};

    use super::super::restarts::ATTEMPTS_MAX;
    use super::*;
    use crate::run::access::Http;
    use crate::run::fake::FakeNodes;

    /// Faults of which a restart takes all away for good.
    struct Lost;

    impl Faults for Lost {
        fn inflict(&self, _: ActId, _: Fault) -> LocalBoxFuture<'_, Outcome> {
            std::future::ready(Outcome::Done(Evidence::default())).boxed_local()
        }

        fn lift(&self, _: ActId) -> LocalBoxFuture<'_, Outcome> {
            std::future::ready(Outcome::Done(Evidence::default())).boxed_local()
        }

        fn heal(&self, _: Heal) -> LocalBoxFuture<'_, Outcome> {
            std::future::ready(Outcome::Done(Evidence::default())).boxed_local()
        }

        fn reconcile(&self, nodes: Vec<NodeName>) -> LocalBoxFuture<'_, Reconciled> {
            let told = nodes.iter().map(|node| format!("{node} is not cut"));
            let done = Reconciled {
                was_needed: true,
                problems: told.collect(),
            };
            std::future::ready(done).boxed_local()
        }
    }

    fn seen(restarts: u32) -> Snapshot {
        let facts = NodeFacts {
            restarts,
            ..NodeFacts::default()
        };
        Snapshot {
            nodes: BTreeMap::from([("a".to_owned(), NodeView::Up(Box::new(facts)))]),
            ..Snapshot::default()
        }
    }

    #[tokio::test]
    async fn a_cut_that_a_restart_took_away_for_good_is_told_by_the_heal() {
        let (live, _) = FakeNodes::live(&["a"]);
        let access = Arc::new(Http);
        let payments = Payments::new(live.clone(), access.clone());
        let looker = Looker::new(live, access, None);
        let clock = WorldClock::start();
        let stage = Rc::new(LiveStage::new(clock, Rc::new(Lost), payments, looker));
        let heal = || stage.clone().act(ActId(1), Act::Heal(Heal::Cuts));
        assert!(stage.clone().chore(&seen(0)).is_none());
        assert!(matches!(heal().await, Outcome::Done(_)));
        for _ in 0..ATTEMPTS_MAX {
            let chore = stage.clone().chore(&seen(1));
            chore.expect("it tries again").await;
        }
        assert!(stage.clone().chore(&seen(1)).is_none(), "it is given up");
        let Outcome::Ineffective(evidence) = heal().await else {
            panic!("nobody was told");
        };
        assert!(evidence.objections[0].ends_with("a is not cut"));
        assert!(matches!(heal().await, Outcome::Done(_)), "told once");
    }
}
