//! Faults of simulated nodes, each with its proof.

use devnet_scenario::fault::{NodeFault, NodeName};
use devnet_scenario::world::{Evidence, Outcome};
use minichain_sim::setup::NodeSetup;
use minichain_sim::world::{Condition, Loss, Place};

use super::acts::done;
use super::genesis::{scaled, unscaled};
use super::net::Net;
use crate::faults::verdict::both;

/// What was found of one node: what is said, and what speaks against it.
pub(super) type Found = (String, Option<String>);

impl Net {
    pub(super) fn inflict_on(&mut self, nodes: &[NodeName], what: &NodeFault) -> Outcome {
        match what {
            NodeFault::Add { group } => return self.add(group, nodes),
            NodeFault::Remove => return self.remove(nodes),
            _ => {}
        }
        let unknown = nodes.iter().find(|node| self.place(node).is_none());
        if let Some(unknown) = unknown {
            return failed(format!("there is no node `{unknown}`"));
        }
        if let Some(why) = self.refused(nodes, what) {
            return failed(why);
        }
        let found = nodes.iter().filter_map(|node| {
            let place = self.place(node)?;
            let found = self.inflict_one(node, place, what);
            self.hear();
            Some(found)
        });
        let found: Vec<Found> = found.collect();
        self.outcome(found)
    }

    /// Why a fault cannot be meant for nodes as they are.
    fn refused(&self, nodes: &[NodeName], what: &NodeFault) -> Option<String> {
        let find = |is_bad: &dyn Fn(Place) -> bool| {
            let mut nodes = nodes.iter();
            nodes.find(|node| self.place(node).is_some_and(is_bad))
        };
        let condition = |place| self.world.condition(place);
        match what {
            NodeFault::Pause | NodeFault::Unpause => find(&|p| condition(p) == Condition::Down)
                .map(|node| format!("{node} does not run")),
            NodeFault::ClockSkew { .. } | NodeFault::FillDisk => {
                find(&|p| condition(p) != Condition::Up).map(|node| format!("{node} does not run"))
            }
            NodeFault::HashRate { .. } => find(&|p| !self.world.setup_of(p).mines())
                .map(|node| format!("{node} does not mine"))
                .or_else(|| {
                    find(&|p| condition(p) != Condition::Up)
                        .map(|node| format!("{node} does not run"))
                }),
            NodeFault::Upgrade { .. } => Some(format!("the simulator cannot {what}")),
            _ => None,
        }
    }

    fn inflict_one(&mut self, node: &str, place: Place, what: &NodeFault) -> Found {
        match what {
            NodeFault::Kill => self.end(node, place, Loss::Uncommitted),
            NodeFault::Stop => self.end(node, place, Loss::Nothing),
            NodeFault::Start => {
                self.world.resume(place);
                self.begin(place);
                self.is_alive(node, place)
            }
            NodeFault::Restart => {
                let before = self.world.starts(place);
                self.world.stop(place, Loss::Nothing);
                self.begin(place);
                let (said, objection) = self.is_alive(node, place);
                let is_new = self.world.starts(place) > before;
                let stale = (!is_new).then(|| format!("{node} was not started anew"));
                (said, objection.or(stale))
            }
            NodeFault::Pause => {
                self.world.pause(place);
                let is_so = self.world.condition(place) == Condition::Paused;
                let said = format!("{node} stands still");
                (said, (!is_so).then(|| format!("{node} is not frozen")))
            }
            NodeFault::Unpause => {
                self.world.resume(place);
                self.world.run_until(self.world.now());
                self.is_alive(node, place)
            }
            NodeFault::Wipe => self.wipe(node, place),
            NodeFault::FillDisk => self.fill_disk(node, place),
            NodeFault::CorruptStore => self.corrupt(node, place),
            NodeFault::ClockSkew { offset_ms } => self.skew(node, place, *offset_ms),
            NodeFault::HashRate { hashes_per_second } => {
                self.set_rate(node, place, scaled(*hashes_per_second))
            }
            _ => (String::new(), Some(format!("{node}: {what} means nothing"))),
        }
    }

    fn end(&mut self, node: &str, place: Place, loss: Loss) -> Found {
        let did_run = self.world.condition(place) != Condition::Down;
        let peers = self.world.peers_of(place).len();
        self.world.stop(place, loss);
        let is_gone = self.world.node(place).is_none();
        let said = match did_run {
            true => format!("{node} is gone, and with it {peers} connections"),
            false => format!("{node} did not run"),
        };
        (said, (!is_gone).then(|| format!("{node} still runs")))
    }

    /// Starts a node that does not run, and lets it come up.
    pub(super) fn begin(&mut self, place: Place) {
        if self.world.condition(place) == Condition::Down {
            self.counters.restarted(place);
            self.world.start(place);
        }
        self.world.run_until(self.world.now());
    }

    fn is_alive(&self, node: &str, place: Place) -> Found {
        let is_up = self.world.condition(place) == Condition::Up;
        match self.height(node).filter(|_| is_up) {
            Some(height) => (format!("{node} runs at height {height}"), None),
            None => {
                let text = format!("{node} does not run");
                (text.clone(), Some(text))
            }
        }
    }

    fn wipe(&mut self, node: &str, place: Place) -> Found {
        let before = self.height(node);
        self.world.wipe(place);
        self.begin(place);
        let now = self.height(node);
        let objection = match now {
            None => Some(format!("{node} does not run")),
            Some(0) => None,
            Some(height) => Some(format!("{node} still has {height} blocks")),
        };
        let before =
            before.map_or_else(|| "did not run".into(), |h| format!("stood at height {h}"));
        (format!("{node} {before} and begins anew"), objection)
    }

    fn skew(&mut self, node: &str, place: Place, offset_ms: i64) -> Found {
        self.world.set_skew(place, offset_ms);
        let clock = i128::from(self.world.clock_of(place));
        let found = clock - i128::from(self.world.unix_ms());
        let objection = (found != i128::from(offset_ms))
            .then(|| format!("{node}: its clock is off by {found} ms, not {offset_ms}"));
        let said = format!("{node}: its clock is off by {found} ms, read back");
        (said, objection)
    }

    fn set_rate(&mut self, node: &str, place: Place, rate: u64) -> Found {
        self.world.set_hash_rate(place, rate);
        let held = self.world.setup_of(place).hash_rate;
        let said = format!("{node} mines with {} hashes a second", unscaled(held));
        (said.clone(), (held != rate).then_some(said))
    }

    /// Sets hash rates to the planned ones.
    pub(super) fn planned_rates(&mut self, nodes: &[NodeName]) -> Outcome {
        let mut found = Vec::new();
        for node in nodes {
            let plan = self.planned_setup(node);
            if let (Some(place), Some(plan)) = (self.place(node), plan) {
                found.push(self.set_rate(node, place, plan.hash_rate));
            }
        }
        self.outcome(found)
    }

    /// Sets clocks to what they were brought up with.
    pub(super) fn planned_clocks(&mut self, nodes: &[NodeName]) -> Outcome {
        let mut outcome = done("");
        for node in nodes {
            let planned = self.planned_setup(node).unwrap_or_default();
            let offset_ms = planned.skew_ms;
            let one = std::slice::from_ref(node);
            let skewed = self.inflict_on(one, &NodeFault::ClockSkew { offset_ms });
            outcome = both(outcome, skewed);
        }
        outcome
    }

    fn add(&mut self, group: &str, names: &[NodeName]) -> Outcome {
        let original = self.original.clone();
        match self.blueprint.with_added(group, names, &original, &[]) {
            Ok(changed) => self.blueprint = changed,
            Err(error) => return failed(error.to_string()),
        }
        let mut found = Vec::new();
        for name in names {
            self.place_node(name);
            if let Some(place) = self.place(name) {
                found.push(self.is_alive(name, place));
            }
        }
        self.outcome(found)
    }

    fn remove(&mut self, names: &[NodeName]) -> Outcome {
        match self.blueprint.without_nodes(names) {
            Ok(changed) => self.blueprint = changed,
            Err(error) => return failed(error.to_string()),
        }
        let mut found = Vec::new();
        for name in names {
            if let Some(place) = self.places.remove(name) {
                self.world.remove(place);
                let is_gone = self.world.condition(place) == Condition::Removed;
                let said = format!("{name} and its data are gone");
                found.push((said, (!is_gone).then(|| format!("{name} is still there"))));
            }
        }
        self.set_links();
        self.hear();
        self.outcome(found)
    }

    /// Added nodes go, removed ones come back with fresh data.
    pub(super) fn restore(&mut self, names: &[NodeName]) -> Outcome {
        let is_planned = |name: &NodeName| self.original.node(name).is_some();
        let (back, gone): (Vec<NodeName>, Vec<NodeName>) =
            names.iter().cloned().partition(is_planned);
        let gone: Vec<NodeName> = gone
            .into_iter()
            .filter(|name| self.blueprint.node(name).is_some())
            .collect();
        let mut outcome = match gone.is_empty() {
            true => done(""),
            false => self.remove(&gone),
        };
        let back: Vec<NodeName> = back
            .into_iter()
            .filter(|name| self.blueprint.node(name).is_none())
            .collect();
        self.blueprint = self.blueprint.restored(&back, &self.original);
        let mut found = Vec::new();
        for name in &back {
            self.place_node(name);
            if let Some(place) = self.place(name) {
                found.push(self.is_alive(name, place));
            }
        }
        let came_back = self.outcome(found);
        outcome = both(outcome, came_back);
        outcome
    }

    /// Brings nodes back to how the network was brought up; `None`: all.
    pub(super) fn heal_nodes(&mut self, nodes: Option<&[NodeName]>) -> Outcome {
        let wanted = |name: &NodeName| nodes.is_none_or(|nodes| nodes.contains(name));
        let plans = [&self.original.nodes, &self.blueprint.nodes];
        let mut all: Vec<NodeName> = plans
            .into_iter()
            .flatten()
            .map(|node| node.name.clone())
            .filter(wanted)
            .collect();
        all.sort();
        all.dedup();
        let mut outcome = self.restore(&all);
        all.retain(|name| self.place(name).is_some());
        let disks = self.heal_disks(&all);
        outcome = both(outcome, disks);
        let down: Vec<NodeName> = all
            .iter()
            .filter(|name| self.condition(name) != Some(Condition::Up))
            .cloned()
            .collect();
        if !down.is_empty() {
            outcome = both(outcome, self.inflict_on(&down, &NodeFault::Start));
        }
        let off = self.differing(&all, |now, planned| now.skew_ms != planned.skew_ms);
        outcome = both(outcome, self.planned_clocks(&off));
        let other = self.differing(&all, |now, planned| now.hash_rate != planned.hash_rate);
        both(outcome, self.planned_rates(&other))
    }

    /// Those of the nodes that are not as planned in some respect.
    fn differing(
        &self,
        nodes: &[NodeName],
        differs: fn(&NodeSetup, &NodeSetup) -> bool,
    ) -> Vec<NodeName> {
        let is_other = |name: &&NodeName| {
            let both = self.place(name).zip(self.planned_setup(name));
            both.is_some_and(|(place, planned)| differs(self.world.setup_of(place), &planned))
        };
        nodes.iter().filter(is_other).cloned().collect()
    }

    pub(super) fn outcome(&self, found: Vec<Found>) -> Outcome {
        let said: Vec<String> = found.iter().map(|(said, _)| said.clone()).collect();
        let objections = found.into_iter().filter_map(|(_, objection)| objection);
        let evidence = Evidence {
            summary: said.join("; "),
            objections: objections.collect(),
            in_force_at_ms: Some(self.now_ms()),
            ..Evidence::default()
        };
        match evidence.objections.is_empty() {
            true => Outcome::Done(evidence),
            false => Outcome::Ineffective(evidence),
        }
    }
}

fn failed(why: String) -> Outcome {
    Outcome::Failed { why }
}
