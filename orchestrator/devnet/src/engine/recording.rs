//! An engine without a world: it keeps what exists in memory, writes down all
//! it is asked, and fails where a test tells it to.
//!
//! What an action does is the planner's own model
//! ([`Observed::apply`]), which refuses actions in a wrong order.

mod act;
mod death;
mod filter;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use devnet_blueprint::{Action, Blueprint, EngineKind, NodeState, Observed};
use futures::future::{FutureExt as _, ready};
use futures::stream::{self, StreamExt as _};

use self::death::{Fate, Life};
use self::filter::Filters;
use super::{
    Answer, Check, CheckStatus, Endpoint, Engine, EngineError, ErrorKind, FilterAnswer,
    FilterOrder, LogLine, LogStream, LogWish, NetworkSummary, NodeAct, Program, ProgramWish,
    Report, StateKeeper, UsedSubnet, Vitals,
};

/// A double of an engine and of the state folder beside it.
#[derive(Debug)]
pub struct Recording {
    kind: EngineKind,
    world: Mutex<World>,
}

#[derive(Debug, Default)]
struct World {
    networks: BTreeMap<String, Network>,
    subnets: Vec<UsedSubnet>,
    lines: Vec<LogLine>,
    calls: Vec<String>,
    failures: Vec<(Action, EngineError)>,
    stubborn: BTreeSet<String>,
    starts: u64,
    life: Life,
}

#[derive(Debug, Default)]
struct Network {
    observed: Observed,
    blueprint: Option<Blueprint>,
    filters: Filters,
    /// Number of the start that each node's present or last process came from.
    lives: BTreeMap<String, u64>,
}

impl World {
    /// A process of that node starts, in a namespace of its own.
    fn start(&mut self, network: &str, node: &str) {
        self.starts += 1;
        let network = self.networks.entry(network.to_owned()).or_default();
        network.lives.insert(node.to_owned(), self.starts);
        network.filters.lose(node);
    }
}

impl Recording {
    /// A double of an engine of that kind on which nothing exists.
    pub fn new(kind: EngineKind) -> Self {
        Self {
            kind,
            world: Mutex::default(),
        }
    }

    /// Lets the next attempt at `action` fail with `error`.
    pub fn fail_once(&self, action: Action, error: EngineError) {
        self.world().failures.push((action, error));
    }

    /// Changes what exists of a network, as the world does behind our back.
    pub fn disturb(&self, network: &str, change: impl FnOnce(&mut Observed)) {
        change(
            &mut self
                .world()
                .networks
                .entry(network.to_owned())
                .or_default()
                .observed,
        );
    }

    /// Says which subnets others use.
    pub fn occupy(&self, subnets: Vec<UsedSubnet>) {
        self.world().subnets = subnets;
    }

    /// Says what the nodes' logs hold.
    pub fn log(&self, lines: Vec<LogLine>) {
        self.world().lines = lines;
    }

    /// Lets acts on that node succeed and do nothing.
    pub fn make_stubborn(&self, node: &str) {
        self.world().stubborn.insert(node.to_owned());
    }

    /// What a node of that name does, in whichever network; `None` if there is
    /// none.
    pub fn state_of(&self, node: &str) -> Option<NodeState> {
        let world = self.world();
        let mut networks = world.networks.values();
        networks.find_map(|network| Some(network.observed.node(node)?.state))
    }

    /// Lets packet filters be set and read back as ever, and every packet pass
    /// all the same: faults that do not bite.
    pub fn ineffective_filters(&self, network: &str, are_ineffective: bool) {
        let mut world = self.world();
        let network = world.networks.entry(network.to_owned()).or_default();
        network.filters.are_ineffective = are_ineffective;
    }

    /// Forgets a node's packet filter, as a restart of its container does.
    pub fn lose_filter(&self, network: &str, node: &str) {
        if let Some(network) = self.world().networks.get_mut(network) {
            network.filters.lose(node);
        }
    }

    /// All that was asked so far, in order; actions as their `Debug` text.
    pub fn calls(&self) -> Vec<String> {
        self.world().calls.clone()
    }

    /// What exists of a network, with its state folder.
    pub fn observed(&self, network: &str) -> Observed {
        let world = self.world();
        world
            .networks
            .get(network)
            .map(|network| network.observed.clone())
            .unwrap_or_default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked has failed already.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, blueprint: &Blueprint, action: &Action) -> Result<(), EngineError> {
        let mut world = self.world();
        world.calls.push(format!("{action:?}"));
        if let Some(at) = world
            .failures
            .iter()
            .position(|(failing, _)| failing == action)
        {
            return Err(world.failures.remove(at).1);
        }
        let network = world.networks.entry(blueprint.name.clone()).or_default();
        network
            .observed
            .apply(blueprint, action)
            .map_err(|impossible| {
                EngineError::new(
                    ErrorKind::Refused,
                    format!("performing {action:?}"),
                    impossible.why,
                )
            })?;
        network.blueprint = Some(blueprint.clone());
        if let Action::RemoveNode { node, .. } = action {
            network.filters.lose(node);
        }
        if let Action::StartNode { node } = action {
            world.start(&blueprint.name, node);
        }
        Ok(())
    }

    fn summaries(&self) -> Vec<NetworkSummary> {
        let world = self.world();
        let exists = |network: &&(&String, &Network)| !network.1.observed.is_empty();
        let existing = world.networks.iter().collect::<Vec<_>>();
        existing
            .iter()
            .filter(exists)
            .map(|(name, network)| self.summary(name, network))
            .collect()
    }

    fn summary(&self, name: &str, network: &Network) -> NetworkSummary {
        let nodes = &network.observed.nodes;
        let running = nodes
            .iter()
            .filter(|node| node.state == NodeState::Running)
            .count();
        let blueprint = network.blueprint.as_ref();
        NetworkSummary {
            name: name.to_owned(),
            engine: self.kind,
            run_id: blueprint
                .map(|plan| plan.run_id.clone())
                .unwrap_or_default(),
            created_at_s: blueprint.map_or(0, |plan| plan.created_at_s.into()),
            owner: blueprint.map(|plan| plan.owner.clone()).unwrap_or_default(),
            nodes: count(nodes.len()),
            running: count(running),
        }
    }

    fn endpoints_of(&self, network: &str) -> Vec<Endpoint> {
        let world = self.world();
        let Some(found) = world.networks.get(network) else {
            return Vec::new();
        };
        let endpoint = |node: &devnet_blueprint::observed::ObservedNode| {
            let plan = found.blueprint.as_ref()?.node(&node.node)?;
            Some(Endpoint {
                node: node.node.clone(),
                role: plan.labels.get(devnet_blueprint::label::ROLE)?.clone(),
                state: node.state,
                ip: plan.ip.to_string(),
                rpc: plan.host.rpc.to_string(),
                metrics: plan.host.metrics.to_string(),
                access: found.blueprint.as_ref().map(|plan| plan.rpc.clone()),
            })
        };
        found.observed.nodes.iter().filter_map(endpoint).collect()
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Engine for Recording {
    fn kind(&self) -> EngineKind {
        self.kind
    }

    fn observe<'a>(&'a self, network: &'a str) -> Answer<'a, Observed> {
        self.world().calls.push(format!("observe {network}"));
        // The folder is the keeper's to tell, as with real engines.
        ready(Ok(Observed {
            state: None,
            ..self.observed(network)
        }))
        .boxed()
    }

    fn list(&self) -> Answer<'_, Vec<NetworkSummary>> {
        ready(Ok(self.summaries())).boxed()
    }

    fn perform<'a>(&'a self, blueprint: &'a Blueprint, action: &'a Action) -> Answer<'a, ()> {
        async move {
            let fate = self.fate();
            let outcome = match fate {
                Fate::Undone => Ok(()),
                Fate::Answered | Fate::Unheard => self.apply(blueprint, action),
            };
            match fate {
                Fate::Answered => outcome,
                Fate::Unheard | Fate::Undone => std::future::pending().await,
            }
        }
        .boxed()
    }

    fn logs<'a>(&'a self, _network: &'a str, wish: &'a LogWish) -> Answer<'a, LogStream> {
        let lines: Vec<_> = self
            .world()
            .lines
            .iter()
            .filter(|line| wish.nodes.is_empty() || wish.nodes.contains(&line.node))
            .filter(|line| {
                wish.since_ms
                    .is_none_or(|since_ms| line.time_ms >= since_ms)
            })
            .cloned()
            .map(Ok)
            .collect();
        ready(Ok(stream::iter(lines).boxed())).boxed()
    }

    fn checks(&self) -> Answer<'_, Vec<Check>> {
        let check = Check {
            name: "engine".into(),
            status: CheckStatus::Ok,
            detail: "a double in memory".into(),
            remedy: String::new(),
        };
        ready(Ok(vec![check])).boxed()
    }

    fn used_subnets(&self) -> Answer<'_, Vec<UsedSubnet>> {
        ready(Ok(self.world().subnets.clone())).boxed()
    }

    fn resolve_program<'a>(&'a self, wish: &'a ProgramWish) -> Answer<'a, Program> {
        let double = match self.kind {
            EngineKind::Docker => "minichain:double",
            EngineKind::Process => "/nonexistent/minichain-double",
        };
        let reference = wish.image.clone().unwrap_or_else(|| double.into());
        ready(Ok(Program {
            reference,
            origin: "a double".into(),
            to_build: false,
        }))
        .boxed()
    }

    fn prepare_program<'a>(
        &'a self,
        wish: &'a ProgramWish,
        report: &'a dyn Report,
    ) -> Answer<'a, Program> {
        report.step("preparing a double");
        self.resolve_program(wish)
    }

    fn endpoints<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Endpoint>> {
        ready(Ok(self.endpoints_of(network))).boxed()
    }

    fn act<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        node: &'a str,
        act: &'a NodeAct,
    ) -> Answer<'a, ()> {
        async move { self.act_on(blueprint, node, act) }.boxed()
    }

    fn vitals<'a>(&'a self, network: &'a str) -> Answer<'a, Vec<Vitals>> {
        ready(Ok(self.vitals_of(network))).boxed()
    }

    fn filter<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        orders: &'a [FilterOrder],
    ) -> Option<Answer<'a, Vec<Result<FilterAnswer, EngineError>>>> {
        if self.kind == EngineKind::Process {
            return None;
        }
        let mut world = self.world();
        world.calls.push(format!("filter {}", blueprint.name));
        let network = world.networks.entry(blueprint.name.clone()).or_default();
        let answers = network
            .filters
            .perform(blueprint, &network.observed, orders);
        Some(ready(Ok(answers)).boxed())
    }
}

impl StateKeeper for Recording {
    fn save(&self, blueprint: &Blueprint) -> Result<(), EngineError> {
        self.apply(blueprint, &Action::SaveState)
    }

    fn remove(&self, network: &str) -> Result<(), EngineError> {
        self.apply(&Blueprint::empty(network, self.kind), &Action::RemoveState)
    }
}
