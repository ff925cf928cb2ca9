//! A simulated network with all that the runner's world keeps beside it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use devnet_blueprint::Blueprint;
use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::Condition;
use devnet_scenario::model::SimWish;
use devnet_scenario::world::{ActId, Coins};
use minichain_chain::hash::BlockHash;
use minichain_sim::queue::{MILLI, Micros, SECOND};
use minichain_sim::setup::{NodeSetup, Peering};
use minichain_sim::world::{Condition as NodeCondition, Place, World};

use super::arrivals::Arrivals;
use super::counters::Counters;
use super::journal::Journal;
use super::pay::Payments;
use super::plan::{Planned, node_setup};
use crate::faults::Intent;
use crate::run::schedule::Schedule;
use crate::run::snapshot::tree::Tree;

/// How long nodes may take to find each other before the first step.
const MEETING: Micros = 30 * SECOND;
/// Steps of the simulator between two looks at what nodes told, so that little
/// of it waits.
const SLICE: Micros = 100 * MILLI;

/// A simulated network.
pub struct Net {
    pub(super) world: World,
    /// The plan as it is now, and as it was in the beginning.
    pub(super) blueprint: Blueprint,
    pub(super) original: Blueprint,
    pub(super) places: BTreeMap<NodeName, Place>,
    pub(super) intent: Intent,
    /// Numbers of lasting faults in the intent, by the act that inflicted them.
    pub(super) inflicted: BTreeMap<ActId, u32>,
    /// Directions that are conditioned now.
    pub(super) conditioned: BTreeSet<(Place, Place)>,
    /// What the scenario tells of lines and machines.
    sim: SimWish,
    pub(super) payments: Payments,
    pub(super) journal: Journal,
    pub(super) counters: Counters,
    pub(super) tree: Tree,
    /// Bodies of the archive that the tree has.
    pub(super) bodies: usize,
    pub(super) schedule: Option<Schedule>,
    /// Coins of a node's life at a block, as it told them.
    pub(super) coins: RefCell<BTreeMap<(Place, u32, BlockHash), Coins>>,
    /// Milliseconds of a round trip by nature, where the scenario says it.
    pub(super) nature_ms: f64,
    /// Where it is told when blocks come to nodes, if somebody wants to know.
    arrivals: Option<Arrivals>,
    has_edges: bool,
}

impl Net {
    /// Brings a planned network up; its nodes know each other when this
    /// returns.
    ///
    /// # Errors
    /// A whole sentence that says why there can be no such network.
    pub fn new(planned: &Planned) -> Result<Self, String> {
        let setup = planned.setup();
        let has_edges = matches!(setup.peering, Peering::Edges(_));
        let start_jitter = setup.start_jitter;
        let one_way_us = planned.sim.latency.map_or(0, |time| time.us);
        let mut world = World::new(setup).map_err(|error| error.to_string())?;
        world.record();
        let blueprint = planned.blueprint.clone();
        let names = blueprint.nodes.iter().map(|node| node.name.clone());
        let mut net = Self {
            places: names.zip(0..).collect(),
            payments: Payments::new(&blueprint, &planned.params),
            schedule: blueprint.genesis.as_ref().and_then(Schedule::of),
            original: blueprint.clone(),
            blueprint,
            world,
            intent: Intent::default(),
            inflicted: BTreeMap::new(),
            conditioned: BTreeSet::new(),
            sim: planned.sim.clone(),
            journal: Journal::default(),
            counters: Counters::default(),
            tree: Tree::default(),
            bodies: 0,
            coins: RefCell::default(),
            nature_ms: super::links::to_ms(2 * one_way_us),
            arrivals: None,
            has_edges,
        };
        net.set_links();
        net.meet(start_jitter);
        Ok(net)
    }

    /// Milliseconds since 1970 on the world's clock.
    pub fn now_ms(&self) -> u64 {
        self.world.unix_ms()
    }

    /// The simulated world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The simulated world, to look into or to break on purpose.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Where it is told from now on when blocks come to nodes.
    pub fn follow_blocks(&mut self) -> Arrivals {
        self.arrivals.get_or_insert_default().clone()
    }

    /// The plan as it is now.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Which faults are meant to be in force.
    pub const fn intent(&self) -> &Intent {
        &self.intent
    }

    /// What nodes said, for the bundle.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The digest over all that happened, as hexadecimal digits.
    pub fn digest(&self) -> String {
        minichain_chain::hex::encode(&self.world.digest())
    }

    /// Lets time pass up to a moment, loads included.
    pub fn run_until_ms(&mut self, until_ms: u64) {
        let until_ms = until_ms.max(self.now_ms());
        while self.now_ms() < until_ms {
            let slice = self.world.now() + SLICE;
            let next = self.payments.next_at().unwrap_or(slice);
            let left = (until_ms - self.now_ms()) * MILLI - self.world.now() % MILLI;
            let end = (self.world.now() + left)
                .min(slice)
                .min(next.max(self.world.now()));
            self.world.run_until(end);
            self.hear();
            self.pay();
        }
    }

    /// Takes in what nodes told.
    pub(super) fn hear(&mut self) {
        let epoch_ms = self.world.unix_ms() - self.world.now() / MILLI;
        let epoch_us = epoch_ms.saturating_mul(MILLI);
        for told in self.world.take_told() {
            let at_ms = epoch_ms + told.at / MILLI;
            let node = self.world.name(told.place);
            self.journal.told(node, at_ms, &told.event);
            self.counters.told(told.place, &told.event);
            if let Some(arrivals) = &self.arrivals {
                arrivals.told(node, epoch_us.saturating_add(told.at), &told.event);
            }
        }
    }

    /// Where a node of the network is.
    pub(super) fn place(&self, node: &str) -> Option<Place> {
        self.places.get(node).copied()
    }

    pub(super) fn condition(&self, node: &str) -> Option<NodeCondition> {
        self.place(node).map(|place| self.world.condition(place))
    }

    /// Names of all nodes, in the plan's order.
    pub(super) fn roster(&self) -> Vec<NodeName> {
        let nodes = self.blueprint.nodes.iter();
        nodes.map(|node| node.name.clone()).collect()
    }

    /// Names of nodes that run, in the plan's order.
    pub(super) fn running(&self) -> Vec<NodeName> {
        let is_up = |node: &NodeName| self.condition(node) == Some(NodeCondition::Up);
        self.roster().into_iter().filter(is_up).collect()
    }

    /// The height of a node's tip, if its program runs or is frozen.
    pub(super) fn height(&self, node: &str) -> Option<u32> {
        let node = self.world.node(self.place(node)?)?;
        Some(node.state().tip().height.to_u32())
    }

    /// What a node of the plan is made of, as long as nobody changes it.
    pub(super) fn planned_setup(&self, name: &str) -> Option<NodeSetup> {
        let plan = self.blueprint.node(name)?;
        Some(node_setup(plan, &self.sim))
    }

    /// Adds a planned node to the world; it starts at once.
    pub(super) fn place_node(&mut self, name: &str) {
        let Some(setup) = self.planned_setup(name) else {
            return;
        };
        let place = self.world.add(setup);
        self.places.insert(name.to_owned(), place);
        if self.has_edges {
            for (from, to) in self.dials_of(name) {
                self.world.join(from, to);
            }
        }
        self.set_links();
        self.world.run_until(self.world.now());
        self.hear();
    }

    /// Who dials whom anew when a node comes, where connections are given one by
    /// one: it those that its group's other nodes dial, or, if it was there
    /// before, its own; and they it that dialled it before.
    fn dials_of(&self, name: &str) -> Vec<(Place, Place)> {
        let addresses = crate::probe::NodeAddress::of_blueprint(&self.blueprint);
        let all = addresses.iter().flat_map(|address| {
            let from = &address.name;
            address.dials.iter().map(move |to| (from, to))
        });
        let wanted = all.filter(|(from, to)| *from == name || *to == name);
        wanted
            .filter_map(|(from, to)| self.place(from).zip(self.place(to)))
            .collect()
    }

    /// Conditions of the network itself: how far its zones are apart, and what
    /// links lose by nature.
    pub(super) fn base(&self) -> BTreeMap<Link, Condition> {
        let mut base = crate::faults::apply::base_of(&self.blueprint);
        let Some(loss) = self.sim.loss else {
            return base;
        };
        let names = self.roster();
        for from in &names {
            for to in names.iter().filter(|to| *to != from) {
                let condition = base.entry(Link::new(from, to)).or_default();
                condition.loss = Some(loss.get());
            }
        }
        base
    }

    /// Lets nodes find each other, also those that start late.
    fn meet(&mut self, start_jitter: Micros) {
        let names = self.roster();
        let alone = names.len() < 2;
        let places: Vec<Place> = self.places.values().copied().collect();
        let end = self.world.now() + start_jitter + MEETING;
        // Asked first: of many nodes mostly one and the same is the last.
        let awaited = Cell::new(0);
        let _still_alone = self.world.run_while(end, |world| {
            let has_met = |place: &Place| {
                let is_up = world.condition(*place) == NodeCondition::Up;
                is_up && (alone || !world.peers_of(*place).is_empty())
            };
            if places
                .get(awaited.get())
                .is_some_and(|place| !has_met(place))
            {
                return true;
            }
            let other = places.iter().position(|place| !has_met(place));
            awaited.set(other.unwrap_or_default());
            other.is_some()
        });
        self.hear();
    }
}
