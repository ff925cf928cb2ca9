//! Steps, in the order of the file.

use rand_core::SeedableRng as _;

use super::ledger::{CutState, Kind, Ledger};
use crate::fault::{Heal, NodeFault, ShapeError};
use crate::model::{
    AddWish, Member, PartitionWish, Roster, Scenario, Selector, Step, TIME_MAX_MS, Time, Verb, Wait,
};
use crate::parse::{Problem, Tree, Value, hint};
use crate::resolve::{self, Dice, Unresolved};
use crate::world::{Act, ActId};

/// A walk through a scenario.
pub(super) struct Walk<'t> {
    tree: &'t Tree,
    /// The network as the steps so far leave it, removals not counted.
    pub roster: Roster,
    pub ledger: Ledger,
    pub cut: CutState,
    pub problems: Vec<Problem>,
}

impl<'t> Walk<'t> {
    pub fn new(tree: &'t Tree, roster: Roster) -> Self {
        Self {
            tree,
            roster,
            ledger: Ledger::default(),
            cut: CutState::default(),
            problems: Vec::new(),
        }
    }

    pub fn scenario(&mut self, scenario: &Scenario) {
        for (at, wish) in scenario.sim.iter().flat_map(|sim| &sim.nodes).enumerate() {
            if let Err(error) = resolve::pool(&wish.on, &self.roster) {
                self.unresolved(&error, &format!("sim.nodes[{at}].on"));
            }
        }
        self.steps(&scenario.steps, "steps");
        self.steps(&scenario.finally, "finally");
        if !claims_anything(&scenario.steps) {
            let place = self.tree.find("steps");
            let what = "nothing is expected, so this scenario passes whatever happens";
            self.problems.push(Problem::warning(place, what));
        }
    }

    /// Tells a problem of the value at `path`.
    pub fn refuse(&mut self, path: &str, what: impl Into<String>) {
        let place = self.tree.find(path);
        self.problems.push(Problem::at(place, what));
    }

    /// The path of an item where a list or one item alone may stand.
    pub fn item(&self, path: &str, index: usize) -> String {
        match self.tree.at(path).map(|tree| &tree.value) {
            Some(Value::List(_)) => format!("{path}[{index}]"),
            _ => path.into(),
        }
    }

    fn steps(&mut self, steps: &[Step], path: &str) {
        for (at, step) in steps.iter().enumerate() {
            self.step(step, &format!("{path}[{at}]"));
        }
    }

    fn step(&mut self, step: &Step, path: &str) {
        let at = format!("{path}.{}", self.word(step, path));
        self.limits(step, path);
        self.act(step, path, &at);
        match &step.verb {
            Verb::Wait(wait) => self.wait(wait, &at),
            Verb::Load(wish) => self.load(&wish.name, &at),
            Verb::StopLoad(name) => self.stop_load(name, &at),
            Verb::Transfer(wish) => self.transfer(wish.name.as_deref(), &at),
            Verb::Add(wish) => self.add(wish, &at),
            Verb::HashRate(wish) => self.only_miners(&wish.on, &at),
            Verb::Partition(wish) => self.partition(wish, step.lasts.is_some()),
            Verb::Heal(Heal::All | Heal::Cuts, None) => self.healed(),
            Verb::Parallel(branches) => self.parallel(branches, &at),
            Verb::Sequence(steps) => self.steps(steps, &at),
            Verb::Repeat(wish) => {
                self.steps(&wish.steps, &format!("{at}.steps"));
                let before = self.cut;
                for (index, choice) in wish.choose.iter().enumerate() {
                    self.cut = before;
                    self.steps(&choice.steps, &format!("{at}.choose[{index}].steps"));
                }
            }
            Verb::Record(values) => {
                for (name, quantity) in values {
                    let at = format!("{at}.{name}");
                    self.record(name, quantity, &at);
                }
            }
            Verb::Expect(claims) => self.claims(claims, &at, false),
            Verb::Always(wish) => {
                // The claims hold during the steps, so what these do counts.
                self.cut.may_be |= partitions(&wish.steps);
                self.claims(&wish.expect, &format!("{at}.expect"), true);
                self.steps(&wish.steps, &format!("{at}.steps"));
            }
            _ => {}
        }
    }

    /// The verb's key, as the file has it.
    fn word(&self, step: &Step, path: &str) -> &'static str {
        const OF_LINKS: [&str; 4] = ["latency", "jitter", "loss", "bandwidth"];
        let word = step.verb.word();
        let here = self.tree.at(path);
        let is_short = word == "link" && here.is_some_and(|step| step.get("link").is_none());
        let short = OF_LINKS
            .into_iter()
            .find(|word| here.is_some_and(|step| step.get(word).is_some()));
        match short {
            Some(short) if is_short => short,
            _ => word,
        }
    }

    /// Resolves what a step does once, so that every name in it is seen.
    fn act(&mut self, step: &Step, path: &str, at: &str) {
        let mut dice = Dice::seed_from_u64(0);
        let act = resolve::act(&step.verb, &self.roster, &mut dice);
        match &act {
            Err(error) => self.unresolved(error, at),
            Ok(Some(Act::StartLoad(load))) => self.accounts([&load.from, &load.to], at),
            Ok(Some(Act::Transfer(transfer))) => {
                self.accounts([&transfer.from, &transfer.to], at);
            }
            Ok(_) => {}
        }
        let has_undo = match act {
            Ok(Some(act)) => resolve::undo(ActId(0), &act).is_some(),
            Ok(None) => false,
            Err(_) => true,
        };
        if step.lasts.is_some() && !has_undo {
            let what = format!(
                "`for` has no meaning for `{}`: it leaves nothing to take back",
                step.verb.word()
            );
            self.refuse(&format!("{path}.for"), what);
        }
    }

    /// Tells why nodes cannot be found, with the word that was probably meant.
    pub fn unresolved(&mut self, error: &Unresolved, at: &str) {
        let names = self.roster.names();
        let groups = self.roster.nodes.iter().map(|node| node.group.as_str());
        let zones = self.roster.nodes.iter().filter_map(|n| n.zone.as_deref());
        let (word, mut known): (&str, Vec<&str>) = match error {
            Unresolved::Unknown(word) => (word, groups.collect()),
            Unresolved::UnknownZone(word) => (word, zones.collect()),
            Unresolved::Shape(ShapeError::Unknown(word)) => (word, Vec::new()),
            _ => return self.refuse(at, error.to_string()),
        };
        if !matches!(error, Unresolved::UnknownZone(_)) {
            known.extend(names.iter().map(String::as_str));
        }
        known.dedup();
        let what = format!("{error}; {}", hint(word, &known));
        let at = self.path_of_word(at, word);
        self.refuse(&at, what);
    }

    /// The innermost value below `path` that says `word`.
    fn path_of_word(&self, path: &str, word: &str) -> String {
        let found = self.tree.at(path).and_then(|tree| tree.path_of(word));
        found.map_or_else(|| path.into(), |rest| format!("{path}{rest}"))
    }

    fn limits(&mut self, step: &Step, path: &str) {
        let interval_ms = self.roster.block_interval_ms;
        self.time(step.timeout, &format!("{path}.timeout"));
        self.time(step.lasts, &format!("{path}.for"));
        let lasts = match &step.verb {
            Verb::Wait(Wait::For(time)) => Some(*time),
            _ => step.lasts,
        };
        if let (Some(timeout), Some(lasts)) = (step.timeout, lasts)
            && timeout.ms(interval_ms) <= lasts.ms(interval_ms)
        {
            let what = format!("a step of {lasts} cannot end within {timeout}");
            self.refuse(&format!("{path}.timeout"), what);
        }
    }

    /// Refuses times of nothing and of more than a day.
    pub fn time(&mut self, time: Option<Time>, path: &str) {
        let Some(time) = time else { return };
        let ms = time.ms(self.roster.block_interval_ms);
        if ms == 0 {
            self.refuse(path, "a time of nothing; choose a longer one");
        } else if ms > TIME_MAX_MS {
            let what = format!("{time} are longer than the 24h that a step may take");
            self.refuse(path, what);
        }
    }

    /// Refuses a selector that the roster cannot answer.
    pub fn selector(&mut self, selector: Option<&Selector>, path: &str) {
        let Some(selector) = selector else { return };
        if let Err(error) = resolve::pool(selector, &self.roster) {
            self.unresolved(&error, path);
        }
    }

    fn wait(&mut self, wait: &Wait, at: &str) {
        match wait {
            Wait::For(time) => self.time(Some(*time), at),
            Wait::Peers { peers, on } => {
                self.selector(on.as_ref(), &format!("{at}.on"));
                let others = self.roster.nodes.len().saturating_sub(1);
                if usize::try_from(*peers).unwrap_or(usize::MAX) > others {
                    let what = format!("no node can have {peers} peers among {others} others");
                    self.refuse(&format!("{at}.peers"), what);
                }
            }
            Wait::Height { on, .. } | Wait::Blocks { on, .. } => {
                self.selector(on.as_ref(), &format!("{at}.on"));
                self.needs_miners(at);
            }
            Wait::Log { on, .. } => self.selector(on.as_ref(), &format!("{at}.on")),
        }
    }

    /// Refuses what only a growing chain can bring where nobody mines.
    pub fn needs_miners(&mut self, at: &str) {
        if !self.roster.nodes.iter().any(|node| node.role == "miner") {
            self.refuse(at, "this cannot happen: no node of the network mines");
        }
    }

    fn accounts(&mut self, names: [&String; 2], at: &str) {
        let known: Vec<String> = self.roster.accounts.clone();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        for (name, key) in names.into_iter().zip(["from", "to"]) {
            if !known.contains(&name.as_str()) {
                let what = format!("there is no account `{name}`; {}", hint(name, &known));
                self.refuse(&format!("{at}.{key}"), what);
            }
        }
    }

    fn load(&mut self, name: &str, at: &str) {
        if self.ledger.payments().contains(&name) {
            let what = format!("there is already a load or transfer `{name}`; give it a `name`");
            return self.refuse(at, what);
        }
        self.ledger.loads.push(name.into());
    }

    fn stop_load(&mut self, name: &str, at: &str) {
        if self.ledger.loads.iter().any(|load| load == name) {
            return;
        }
        let known: Vec<String> = self.ledger.loads.clone();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let what = format!(
            "no load `{name}` was started before; {}",
            hint(name, &known)
        );
        self.refuse(at, what);
    }

    fn transfer(&mut self, name: Option<&str>, at: &str) {
        let Some(name) = name else { return };
        if self.ledger.payments().contains(&name) {
            let what = format!("there is already a load or transfer `{name}`");
            return self.refuse(&format!("{at}.name"), what);
        }
        self.ledger.transfers.push(name.into());
    }

    fn record(&mut self, name: &str, quantity: &crate::model::Quantity, at: &str) {
        use crate::model::Quantity;
        let (Quantity::Height(on)
        | Quantity::Tip { on, .. }
        | Quantity::Work(on)
        | Quantity::Metric { on, .. }) = quantity;
        self.selector(Some(on), at);
        let kind = Kind::of(quantity);
        if self.ledger.records.insert(name.into(), kind).is_some() {
            self.refuse(
                at,
                format!("`{name}` is already recorded by an earlier step"),
            );
        }
    }

    fn add(&mut self, wish: &AddWish, at: &str) {
        let Some(example) = self.roster.of_group(&wish.group).next().cloned() else {
            let error = Unresolved::Unknown(wish.group.clone());
            return self.unresolved(&error, at);
        };
        let mut dice = Dice::seed_from_u64(0);
        let act = resolve::act(&Verb::Add(wish.clone()), &self.roster, &mut dice);
        if let Ok(Some(Act::Inflict(crate::fault::Fault::Node {
            nodes,
            what: NodeFault::Add { .. },
        }))) = act
        {
            let fresh = nodes.into_iter().map(|name| Member {
                name,
                ..example.clone()
            });
            self.roster.nodes.extend(fresh);
        }
    }

    fn only_miners(&mut self, on: &Selector, at: &str) {
        let Ok(pool) = resolve::pool(on, &self.roster) else {
            return;
        };
        let idle = self
            .roster
            .nodes
            .iter()
            .find(|node| pool.contains(&node.name) && node.role != "miner");
        if let Some(idle) = idle {
            let what = format!("`{}` does not mine, so it has no hash rate", idle.name);
            self.refuse(&format!("{at}.on"), what);
        }
    }

    const fn partition(&mut self, wish: &PartitionWish, is_reverted: bool) {
        self.cut.was = true;
        self.cut.may_be = !is_reverted;
        let parts = matches!(
            wish,
            PartitionWish::Groups(_) | PartitionWish::Isolate(_) | PartitionWish::Halves
        );
        self.cut.parts = parts && !is_reverted;
    }

    const fn healed(&mut self) {
        self.cut.may_be = false;
        self.cut.parts = false;
    }

    /// Branches run at once: a cut of one may be in force in every other.
    fn parallel(&mut self, branches: &[Step], at: &str) {
        let before = self.cut;
        let cuts = partitions(branches);
        let mut after = before;
        for (index, branch) in branches.iter().enumerate() {
            self.cut = CutState {
                may_be: before.may_be || cuts,
                parts: before.parts && !cuts,
                was: before.was || cuts,
            };
            self.step(branch, &format!("{at}[{index}]"));
            if partitions(std::slice::from_ref(branch)) {
                after = self.cut;
            } else {
                after.may_be &= self.cut.may_be;
                after.parts &= self.cut.parts;
            }
        }
        after.was |= cuts;
        self.cut = after;
    }
}

/// Whether any of the steps, or a step within, partitions.
fn partitions(steps: &[Step]) -> bool {
    any(steps, &|verb| matches!(verb, Verb::Partition(_)))
}

fn claims_anything(steps: &[Step]) -> bool {
    any(steps, &|verb| {
        matches!(verb, Verb::Expect(_) | Verb::Always(_))
    })
}

fn any(steps: &[Step], is_it: &dyn Fn(&Verb) -> bool) -> bool {
    steps.iter().any(|step| {
        is_it(&step.verb)
            || match &step.verb {
                Verb::Parallel(inner) | Verb::Sequence(inner) => any(inner, is_it),
                Verb::Repeat(wish) => {
                    any(&wish.steps, is_it)
                        || wish.choose.iter().any(|choice| any(&choice.steps, is_it))
                }
                Verb::Always(wish) => any(&wish.steps, is_it),
                _ => false,
            }
    })
}
