//! A tiny world that answers a runner's orders: a toy chain on nodes that hear
//! each other at once unless a cut keeps them apart.

pub mod look;

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::{Fault, Heal, Link, NodeFault};
use devnet_scenario::links::LinkTable;
use devnet_scenario::model::{Member, Roster};
use devnet_scenario::runner::Runner;
use devnet_scenario::world::*;

pub const INTERVAL_MS: u64 = 1_000;
const ACT_MS: u64 = 60;
const TICK_MS: u64 = 50;
/// A run that is longer than this has gone astray.
const RUN_MS_MAX: u64 = 3_600_000;

/// What a toy does wrong.
#[derive(Clone, Debug, Default)]
pub struct Tricks {
    /// Faults change nothing, and probes say so.
    pub ineffective: bool,
    /// Faults change nothing, and the world calls them done all the same.
    pub lying: bool,
    /// Acts fail from this one on.
    pub fails_from: Option<u32>,
    /// Nobody mines after the first heal.
    pub stops_at_heal: bool,
    /// The user interrupts at this time.
    pub interrupt_at_ms: Option<u64>,
    /// Looks are not answered from this time on.
    pub blind_from_ms: Option<u64>,
    /// Digests of this node's coins are its own.
    pub odd_coins: Option<String>,
    /// This node has a coin more than was issued.
    pub forger: Option<String>,
    /// Blocks of this miner are never told.
    pub hidden: Option<String>,
    /// Log lines, by time.
    pub logs: Vec<(u64, String, String)>,
    /// No node's log is heard.
    pub is_mute: bool,
    /// The log floods at this time, so that a line is lost.
    pub loses_a_line_at_ms: Option<u64>,
    /// The engine goes away.
    pub away: Option<look::Away>,
    /// This node ends by itself at this time.
    pub dies: Option<(String, u64)>,
}

pub struct Toy {
    pub now_ms: u64,
    pub nodes: BTreeMap<String, Node>,
    brought_up: BTreeMap<String, Node>,
    pub tricks: Tricks,
    pub acts: Vec<String>,
    blocks: Vec<BlockFact>,
    told: usize,
    /// Faults of links that are in force, in their order.
    links: Vec<(ActId, Fault)>,
    pending: Vec<(u64, ActId, Act)>,
    loads: BTreeMap<String, (u64, Load)>,
    sent: BTreeMap<String, u64>,
    is_mining: bool,
    /// Nodes whose first line was told.
    greeted: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub tip: usize,
    pub is_up: bool,
    /// Milliseconds between its blocks; `None`: it does not mine.
    pub every_ms: Option<u64>,
    pub next_ms: u64,
    pub restarts: u32,
}

/// `bootstrap-0`, miners with these milliseconds between blocks, `observer-0`.
pub fn roster(miners: &[u64]) -> Roster {
    let member = |group: &str, index: usize| Member {
        name: format!("{group}-{index}"),
        group: group.into(),
        role: group.into(),
        zone: None,
    };
    let mut nodes = vec![member("bootstrap", 0)];
    nodes.extend((0..miners.len()).map(|index| member("miner", index)));
    nodes.push(member("observer", 0));
    Roster {
        nodes,
        block_interval_ms: INTERVAL_MS,
        accounts: vec!["alice".into(), "bob".into(), "carol".into()],
    }
}

impl Toy {
    /// The network of [`roster`].
    pub fn new(miners: &[u64], tricks: Tricks) -> Self {
        Self::of(&roster(miners), tricks, |index| miners[index])
    }

    /// That network; `every_ms` are the milliseconds between blocks of its
    /// miners, by their place among miners.
    pub fn of(roster: &Roster, tricks: Tricks, every_ms: impl Fn(usize) -> u64) -> Self {
        let genesis = BlockFact {
            hash: "genesis".into(),
            parent: None,
            height: 0,
            work: work(1),
            miner: None,
            time_ms: 0,
            transactions: 1,
        };
        let mut nodes = BTreeMap::new();
        let mut miners = 0_usize;
        for member in &roster.nodes {
            let every_ms = (member.role == "miner").then(|| every_ms(miners));
            miners += usize::from(every_ms.is_some());
            let node = Node {
                tip: 0,
                is_up: true,
                every_ms,
                // Apart, so that no two mine at the same moment.
                next_ms: every_ms.unwrap_or(0) + 1_000 + 350 * miners as u64,
                restarts: 0,
            };
            nodes.insert(member.name.clone(), node);
        }
        Self {
            now_ms: 1_000,
            brought_up: nodes.clone(),
            nodes,
            tricks,
            acts: Vec::new(),
            blocks: vec![genesis],
            told: 0,
            links: Vec::new(),
            pending: Vec::new(),
            loads: BTreeMap::new(),
            sent: BTreeMap::new(),
            is_mining: true,
            greeted: BTreeSet::new(),
        }
    }

    /// Drives a runner to its end.
    pub fn run(&mut self, runner: &mut Runner) {
        let mut heard = Heard::Nothing;
        for _ in 0..2_000_000_u32 {
            heard = match runner.next(self.now_ms, heard) {
                Order::Done => return,
                Order::Act { id, act, .. } => {
                    self.acts.push(format!("{act:?}"));
                    self.pending.push((self.now_ms + ACT_MS, id, act));
                    Heard::Nothing
                }
                Order::Look(_) if self.tricks.blind_from_ms.is_some_and(|x| x <= self.now_ms) => {
                    self.pass(5);
                    Heard::Nothing
                }
                Order::Look(wants) => {
                    self.pass(5);
                    Heard::Saw(Box::new(self.snapshot(&wants)))
                }
                Order::WaitUntil(at_ms) => self.wait(at_ms),
            };
            assert!(self.now_ms < RUN_MS_MAX, "the run never ends");
        }
        panic!("the runner never says that it is done");
    }

    fn wait(&mut self, until_ms: u64) -> Heard {
        assert!(until_ms > self.now_ms, "waits for the past");
        self.pending.sort_by_key(|(at_ms, id, _)| (*at_ms, *id));
        let first = self.pending.first().map(|(at_ms, ..)| *at_ms);
        let interrupt = self.tricks.interrupt_at_ms;
        if let Some(at_ms) = interrupt.filter(|at| *at <= until_ms) {
            self.tricks.interrupt_at_ms = None;
            self.pass(at_ms.saturating_sub(self.now_ms));
            return Heard::Interrupted;
        }
        match first.filter(|at_ms| *at_ms <= until_ms) {
            Some(at_ms) => {
                self.pass(at_ms.saturating_sub(self.now_ms));
                let (_, id, act) = self.pending.remove(0);
                let outcome = self.perform(id, &act);
                Heard::Acted { id, outcome }
            }
            None => {
                self.pass(until_ms - self.now_ms);
                Heard::Nothing
            }
        }
    }

    /// Lets time pass: miners mine, nodes hear each other.
    fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.now_ms = end.min(self.now_ms + TICK_MS);
            let names: Vec<String> = self.nodes.keys().cloned().collect();
            for name in &names {
                self.mine(name);
            }
            for _ in &names {
                self.gossip(&names);
            }
        }
    }

    fn mine(&mut self, name: &str) {
        let now_ms = self.now_ms;
        let node = self.nodes.get_mut(name).unwrap();
        let Some(every_ms) = node.every_ms else {
            return;
        };
        if now_ms < node.next_ms {
            return;
        }
        node.next_ms = now_ms + every_ms;
        if !node.is_up || !self.is_mining {
            return;
        }
        let parent = &self.blocks[node.tip];
        let block = BlockFact {
            hash: format!("block-{:05}", self.blocks.len()),
            parent: Some(parent.hash.clone()),
            height: parent.height + 1,
            work: work(u64::from(parent.height) + 2),
            miner: Some(name.to_owned()),
            time_ms: now_ms,
            transactions: 1,
        };
        node.tip = self.blocks.len();
        self.blocks.push(block);
    }

    fn gossip(&mut self, names: &[String]) {
        let states = self.table().states();
        for from in names {
            for to in names {
                let link = Link::new(from, to);
                let is_cut = states.get(&link).is_some_and(|state| state.cut);
                let both_up = self.nodes[from].is_up && self.nodes[to].is_up;
                let (theirs, ours) = (self.nodes[from].tip, self.nodes[to].tip);
                if both_up && !is_cut && self.blocks[theirs].work > self.blocks[ours].work {
                    self.nodes.get_mut(to).unwrap().tip = theirs;
                }
            }
        }
    }

    fn perform(&mut self, id: ActId, act: &Act) -> Outcome {
        if self.tricks.fails_from.is_some_and(|from| id.0 >= from) {
            let why = "the disk is full".into();
            return Outcome::Failed { why };
        }
        let does_nothing = self.tricks.ineffective || self.tricks.lying;
        if matches!(act, Act::Inflict(_)) && does_nothing {
            let mut evidence = self.evidence(act);
            if self.tricks.lying {
                return Outcome::Done(evidence);
            }
            evidence.objections.push("nothing changed".into());
            return Outcome::Ineffective(evidence);
        }
        let transactions = self.change(id, act);
        let evidence = Evidence {
            transactions,
            ..self.evidence(act)
        };
        Outcome::Done(evidence)
    }

    fn change(&mut self, id: ActId, act: &Act) -> Vec<String> {
        match act {
            Act::Inflict(Fault::Node { nodes, what }) => {
                for name in nodes {
                    self.change_node(name, what);
                }
            }
            Act::Inflict(fault) => self.links.push((id, fault.clone())),
            Act::Heal(heal) => {
                self.links.retain(|(_, fault)| match fault {
                    Fault::Cut(_) => !matches!(heal, Heal::All | Heal::Cuts),
                    _ => !matches!(heal, Heal::All | Heal::Conditions),
                });
                self.heal_nodes(heal);
                self.is_mining &= !self.tricks.stops_at_heal;
            }
            Act::Lift { act, fault } => self.lift(*act, fault),
            Act::StartLoad(load) => {
                let running = (self.now_ms, load.clone());
                self.loads.insert(load.name.clone(), running);
            }
            Act::StopLoad { name } => return self.stop_load(name),
            Act::Transfer(_) => return self.send("transfer", 1),
        }
        Vec::new()
    }

    /// Only what that act did: an added node stays when its clock is set right.
    fn lift(&mut self, act: ActId, fault: &Fault) {
        self.links.retain(|(id, _)| *id != act);
        if let Fault::Node {
            nodes,
            what: NodeFault::Add { .. } | NodeFault::Remove,
        } = fault
        {
            self.heal_nodes(&Heal::Nodes(nodes.clone()));
        }
    }

    fn table(&self) -> LinkTable {
        let mut table = LinkTable::default();
        self.links
            .iter()
            .for_each(|(_, fault)| table.inflict(fault));
        table
    }

    /// As every world: added nodes go, removed ones come back without a chain.
    fn heal_nodes(&mut self, heal: &Heal) {
        let is_healed = |name: &String| match heal {
            Heal::All => true,
            Heal::Nodes(nodes) => nodes.contains(name),
            Heal::Cuts | Heal::Conditions => false,
        };
        let first = &self.brought_up;
        self.nodes
            .retain(|name, _| first.contains_key(name) || !is_healed(name));
        for (name, node) in first.iter().filter(|(name, _)| is_healed(name)) {
            let node = self.nodes.entry(name.clone()).or_insert(Node {
                next_ms: self.now_ms,
                ..node.clone()
            });
            node.is_up = true;
        }
    }

    fn stop_load(&mut self, name: &str) -> Vec<String> {
        let (since, load) = self.loads.remove(name).expect("the load runs");
        let running_ms = self.now_ms - since;
        let ids =
            (0..).take_while(|index| f64::from(*index) * 1_000.0 / load.rate < running_ms as f64);
        self.send(name, ids.count())
    }

    fn send(&mut self, name: &str, count: usize) -> Vec<String> {
        let ids: Vec<String> = (0..count)
            .map(|index| format!("tx-{name}-{index}"))
            .collect();
        self.sent
            .extend(ids.iter().map(|id| (id.clone(), self.now_ms)));
        ids
    }

    fn change_node(&mut self, name: &str, what: &NodeFault) {
        let now_ms = self.now_ms;
        if let NodeFault::Add { .. } = what {
            let node = Node {
                tip: 0,
                is_up: true,
                every_ms: None,
                next_ms: now_ms,
                restarts: 0,
            };
            self.nodes.insert(name.into(), node);
            return;
        }
        if let NodeFault::Remove = what {
            self.nodes.remove(name);
            return;
        }
        let node = self.nodes.get_mut(name).unwrap();
        match what {
            NodeFault::Kill | NodeFault::Stop | NodeFault::Pause => node.is_up = false,
            NodeFault::Unpause => node.is_up = true,
            NodeFault::Start => {
                node.is_up = true;
                node.restarts += 1;
            }
            NodeFault::Restart => node.restarts += 1,
            NodeFault::Wipe => node.tip = 0,
            _ => {}
        }
    }
}

fn work(value: u64) -> String {
    format!("{value:064x}")
}
