//! A whole network in one thread: nodes, what travels between them, and time.
//!
//! Time jumps from one thing that is due to the next. Nodes are the daemon's
//! own [`minichain_protocol::node::Node`]; the world does for them what the
//! daemon's driver and transport do. It decides nothing about the chain.

mod ahead;
mod ask;
mod carry;
mod chance;
mod cheat;
mod crossing;
mod disk;
mod due;
mod gossip;
mod host;
mod hurt;
mod meet;
mod mesh;
mod mining;
mod orphan;
mod settle;
mod view;
mod wire;

use std::collections::{BTreeMap, VecDeque};

use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::{Params, Proof};
use minichain_protocol::config::Timing;
use minichain_protocol::event::Event;
use minichain_protocol::node::Node;
use minichain_protocol::output::Outbox;

use self::ahead::Ahead;
use self::ask::Request;
use self::chance::Chances;
use self::cheat::Cheat;
use self::due::Due;
use self::gossip::{Judging, Message};
use self::host::{Host, Port};
use self::mesh::Fresh;
use self::wire::{Cable, Conn};
use crate::archive::{Archive, NodeStore};
use crate::check::{Checks, Rule};
use crate::link::Condition as LinkCondition;
use crate::queue::{Micros, Queue};
use crate::random::Stream;
use crate::setup::{CpuCost, Gossip, Links, Pace, Peering, Planted, Setup, SetupError};
use crate::share::{Chains, NodeChain};
use crate::trace::Trace;

/// A node of a world.
pub type SimNode = Node<NodeStore, NodeChain>;

pub use self::carry::Told;
pub use self::crossing::Crossings;
pub use self::disk::{Damage, Disk};
pub use self::due::Place;
pub use self::host::Condition;
pub use self::hurt::{Cuts, Loss};

/// A network and its time.
#[derive(Debug)]
pub struct World {
    seed: u64,
    params: Params,
    epoch_ms: u64,
    peering: Peering,
    links: Links,
    gossip: Gossip,
    ballast_bytes: u64,
    cpu: CpuCost,
    timing: Timing,
    pace: Pace,
    mempool: MempoolLimits,
    planted: Option<Planted>,
    now: Micros,
    queue: Queue<Due>,
    archive: Archive,
    chains: Chains,
    hosts: Vec<Host>,
    ports: Vec<Port>,
    conns: Vec<Conn>,
    cables: Vec<Cable>,
    messages: Vec<Message>,
    message_ids: BTreeMap<[u8; 32], u32>,
    /// Oldest first.
    message_order: VecDeque<u32>,
    free_messages: Vec<u32>,
    next_message: u32,
    requests: Vec<Request>,
    free_requests: Vec<u32>,
    next_serial: u32,
    cuts: Cuts,
    conditions: BTreeMap<(Place, Place), LinkCondition>,
    /// Pairs that stay apart, and until when.
    bans: BTreeMap<(Place, Place), Micros>,
    crossings: Crossings,
    damage: Damage,
    chances: Chances,
    judging: Judging,
    /// What nodes have to tell outside the mesh, by the time of their heartbeat.
    beats: BTreeMap<Micros, Vec<Fresh>>,
    /// Whether arrivals that change nothing may be settled when they are sent.
    settles: bool,
    /// Nodes that cheat.
    cheats: BTreeMap<Place, Cheat>,
    outbox: Outbox,
    /// Room for a list of connections.
    outside: Vec<u32>,
    trace: Trace,
    checks: Checks,
    is_recording: bool,
    told: Vec<Told>,
}

impl World {
    /// A world at its begin.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(setup: Setup) -> Result<Self, SetupError> {
        let params = setup
            .params
            .check()
            .map_err(|error| SetupError::Params(error.to_string()))?;
        if params.proof != Proof::Simulated {
            return Err(SetupError::RealWork);
        }
        let nodes = setup.nodes.len();
        check_nodes(nodes, &setup.peering)?;
        let mut world = Self {
            seed: setup.seed,
            checks: Checks::new(&params),
            params,
            epoch_ms: setup.epoch_ms,
            peering: setup.peering,
            links: setup.links,
            gossip: setup.gossip,
            ballast_bytes: setup.ballast_bytes,
            cpu: setup.cpu,
            timing: setup.timing,
            pace: setup.pace,
            mempool: setup.mempool,
            planted: setup.planted,
            now: 0,
            queue: Queue::default(),
            archive: Archive::default(),
            chains: Chains::default(),
            hosts: Vec::with_capacity(nodes),
            ports: Vec::with_capacity(nodes),
            conns: Vec::new(),
            cables: Vec::new(),
            messages: Vec::new(),
            message_ids: BTreeMap::new(),
            message_order: VecDeque::new(),
            free_messages: Vec::new(),
            next_message: 1,
            requests: Vec::new(),
            free_requests: Vec::new(),
            next_serial: 0,
            cuts: Cuts::default(),
            conditions: BTreeMap::new(),
            bans: BTreeMap::new(),
            crossings: Crossings::default(),
            damage: Damage::default(),
            chances: Chances::new(setup.seed),
            judging: None,
            beats: BTreeMap::new(),
            settles: true,
            cheats: BTreeMap::new(),
            outbox: Self::new_outbox(),
            outside: Vec::new(),
            trace: Trace::default(),
            is_recording: false,
            told: Vec::new(),
        };
        for mut node in setup.nodes {
            let entity = [world.len() as u64];
            let mut late = Stream::new(setup.seed, "start", &entity);
            let latest = setup.start_jitter.saturating_add(1);
            node.starts_at = node.starts_at.saturating_add(late.below(latest));
            world.add(node);
        }
        Ok(world)
    }

    /// Microseconds since the world began.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// The world's wall clock, milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.epoch_ms + self.now / 1_000
    }

    /// Lets time pass up to a moment.
    pub fn run_until(&mut self, end: Micros) {
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass while something holds, but not beyond `end`; tells
    /// whether it still holds then.
    pub fn run_while(&mut self, end: Micros, holds: impl Fn(&Self) -> bool) -> bool {
        while holds(self) {
            if self.queue.next_at().is_none_or(|at| at > end) {
                self.now = self.now.max(end);
                return true;
            }
            self.step();
        }
        false
    }

    /// Does the next thing that is due; false if there is none.
    pub fn step(&mut self) -> bool {
        let world = Ahead {
            conns: &self.conns,
            messages: &self.messages,
            hosts: &self.hosts,
            checks: &self.checks,
        };
        let Some((at, due)) = self.queue.pop(|soon| world.look(soon)) else {
            return false;
        };
        self.now = at;
        self.trace.happened(at, due.trace());
        self.watch_crossing(due);
        match self
            .whose(due)
            .map(|place| (place, self.ports[place].condition))
        {
            Some((place, Condition::Paused)) if !is_own(due) => self.wait_for(place, due),
            Some((_, Condition::Up)) | None => self.happen(due),
            Some(_) => self.drop_due(due),
        }
        true
    }

    /// The node that something happens to, if it must run for it.
    fn whose(&self, due: Due) -> Option<Place> {
        let end = |conn: u32, end: u8| self.conns[conn as usize].ends[usize::from(end)] as usize;
        match due {
            Due::Gossip(one) | Due::Judged(one) | Due::Have(one) | Due::Want(one) => {
                Some(end(one.conn, one.end))
            }
            Due::Ask(ticket) => {
                let request = &self.requests[ticket.slot as usize];
                let is_it = request.is_open && request.serial == ticket.serial;
                is_it.then(|| end(request.conn, 1 - request.end))
            }
            Due::Reply(ticket) | Due::Replied(ticket) | Due::Fail(ticket, _) => {
                let request = &self.requests[ticket.slot as usize];
                let is_it = request.is_open && request.serial == ticket.serial;
                let link = self.conns.get(request.conn as usize).filter(|_| is_it)?;
                Some(link.ends[usize::from(request.end)] as usize)
            }
            Due::Wake(place) | Due::Found(place) | Due::Heartbeat(place) => Some(place as usize),
            Due::Closed { conn, end: one } => Some(end(conn, one)),
            Due::Dial(from, _) => Some(from as usize),
            Due::Start(_) | Due::Opened(..) | Due::Silent { .. } | Due::Orphan(_) | Due::Beat => {
                None
            }
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Start(place) => self.on_start(place as usize),
            Due::Gossip(passage) => self.on_gossip(passage),
            Due::Judged(passage) => self.on_judged(passage),
            Due::Have(passage) => self.on_have(passage),
            Due::Want(passage) => self.on_want(passage),
            Due::Ask(ticket) => self.on_ask(ticket),
            Due::Reply(ticket) => self.on_reply(ticket),
            Due::Replied(ticket) => self.on_replied(ticket),
            Due::Fail(ticket, failure) => self.on_fail(ticket, failure),
            Due::Wake(place) => self.on_wake(place as usize),
            Due::Found(place) => self.on_found(place as usize),
            Due::Heartbeat(place) => self.on_heartbeat(place as usize),
            Due::Beat => self.on_beat(),
            Due::Dial(from, to) => self.on_dial(from as usize, to as usize),
            Due::Opened(from, to) => self.on_opened(from as usize, to as usize),
            Due::Closed { conn, end } => self.on_closed(conn, end),
            Due::Silent { conn, mark } => self.on_silent(conn, mark),
            Due::Orphan(number) => self.on_orphan_due(number),
        }
    }

    fn violated(&mut self, place: Place, rule: Rule, what: String) {
        self.checks.violated(self.now, place, rule, what);
    }

    fn begin_watching(&mut self, place: Place) {
        self.checks.begin(place);
    }

    fn watch(&mut self, place: Place, event: &Event) {
        let Some(node) = self.hosts[place].node.as_ref() else {
            return;
        };
        self.checks
            .watch(self.now, place, event, node, &self.archive);
        if let Event::OrphanReceived {
            hash,
            missing,
            peer,
        } = event
        {
            let conn = carry::conn_of(*peer);
            let mark = self.cables.get(conn as usize).map_or(0, |cable| cable.mark);
            let due = self
                .checks
                .orphan(self.now, place, (*hash, *missing), (conn, mark));
            if let Some((at, number)) = due {
                self.queue.push(at, Due::Orphan(number));
            }
        }
    }
}

/// Nodes have numbers, and connections are between nodes there are.
fn check_nodes(nodes: usize, peering: &Peering) -> Result<(), SetupError> {
    if u32::try_from(nodes).is_err() {
        return Err(SetupError::TooManyNodes(nodes));
    }
    let Peering::Edges(edges) = peering else {
        return Ok(());
    };
    let mut odd = edges.iter().filter(|(from, to)| *from.max(to) >= nodes);
    match odd.next() {
        Some(&(from, to)) => Err(SetupError::Edge { from, to, nodes }),
        None => Ok(()),
    }
}

/// What a frozen node's own clock would have brought; it is planned anew.
const fn is_own(due: Due) -> bool {
    matches!(due, Due::Wake(_) | Due::Found(_) | Due::Heartbeat(_))
}
