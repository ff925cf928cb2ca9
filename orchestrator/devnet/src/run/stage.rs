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
/// Attempts to give a node that was started anew its faults back.
const ATTEMPTS_MAX: u32 = 3;

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
    /// Nodes that have not got their faults back, with the attempts made.
    bare: RefCell<BTreeMap<NodeName, u32>>,
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
            bare: RefCell::default(),
            problems: RefCell::default(),
            told: Cell::new(0),
        }
    }

    /// Nodes that answer and were started since the last call, or have still
    /// not got their faults back.
    fn newly_started(&self, snapshot: &Snapshot) -> Vec<NodeName> {
        let mut known = self.restarts.borrow_mut();
        let mut bare = self.bare.borrow_mut();
        let mut nodes = Vec::new();
        for (node, view) in &snapshot.nodes {
            if let NodeView::Up(facts) = view {
                let before = known.insert(node.clone(), facts.restarts);
                if before.is_some_and(|before| before < facts.restarts) {
                    bare.insert(node.clone(), 0);
                }
                if bare.contains_key(node) {
                    nodes.push(node.clone());
                }
            }
        }
        nodes
    }

    /// Notes what came of an attempt to give these nodes their faults back.
    fn reconciled(&self, nodes: &[NodeName], told: Vec<String>) {
        let mut bare = self.bare.borrow_mut();
        let mut is_given_up = false;
        for node in nodes {
            let attempts = bare.get(node).map_or(1, |attempts| attempts + 1);
            if told.is_empty() || attempts >= ATTEMPTS_MAX {
                is_given_up = true;
                bare.remove(node);
            } else {
                bare.insert(node.clone(), attempts);
            }
        }
        if is_given_up {
            let mut problems = self.problems.borrow_mut();
            problems.extend(told);
            problems.truncate(PROBLEMS_MAX);
        }
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

    fn act(self: Rc<Self>, _id: ActId, act: Act) -> LocalBoxFuture<'static, Outcome> {
        async move {
            match act {
                Act::Inflict(fault) => self.faults.inflict(fault).await,
                Act::Heal(heal) => {
                    let outcome = self.faults.heal(heal).await;
                    self.with_problems(outcome)
                }
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
            let told = self.faults.reconcile(nodes.clone()).await;
            self.reconciled(&nodes, told);
            self.is_reconciling.set(false);
        };
        Some(reconcile.boxed_local())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use devnet_scenario::world::{Evidence, NodeFacts};

    use super::*;
    use crate::run::access::Http;
    use crate::run::fake::FakeNodes;

    /// Faults of which a restart takes all away for good.
    struct Lost;

    impl Faults for Lost {
        fn inflict(&self, _: Fault) -> LocalBoxFuture<'_, Outcome> {
            std::future::ready(Outcome::Done(Evidence::default())).boxed_local()
        }

        fn heal(&self, _: Heal) -> LocalBoxFuture<'_, Outcome> {
            std::future::ready(Outcome::Done(Evidence::default())).boxed_local()
        }

        fn reconcile(&self, nodes: Vec<NodeName>) -> LocalBoxFuture<'_, Vec<String>> {
            let told = nodes.iter().map(|node| format!("{node} is not cut"));
            std::future::ready(told.collect()).boxed_local()
        }
    }

    fn seen(restarts: u32) -> Snapshot {
        let facts = NodeFacts {
            tip: String::new(),
            height: 0,
            work: String::new(),
            peers: Vec::new(),
            mempool: 0,
            coins: None,
            restarts,
            memory_bytes: None,
            metrics: None,
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
