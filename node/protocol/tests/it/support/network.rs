//! A network in one thread and virtual time.
//!
//! It models what the daemon's transport does: gossip floods along the links,
//! each message once, forwarded only after the verdict; requests time out; a
//! cut swallows messages and tells nobody; closed links are dialled again. All
//! chance comes from one seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minichain_chain::hash::{BlockHash, sha256};
use minichain_chain::transaction::Transaction;
use minichain_protocol::input::{Call, Input, OutboundRequest, Peer};
use minichain_protocol::output::Outbox;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::host::{Host, Message, Place, now};

mod world;

const REDIAL_MS: u64 = 2_000;

/// What will happen.
enum Due {
    Feed {
        place: Place,
        input: Input,
    },
    Gossip {
        place: Place,
        from: Peer,
        message: Message,
    },
    Ask {
        place: Place,
        asker: Place,
        from: Peer,
        id: OutboundRequest,
        bytes: Vec<u8>,
    },
    Answer {
        place: Place,
        id: OutboundRequest,
        from: Peer,
        bytes: Vec<u8>,
    },
    TimeOut {
        place: Place,
        id: OutboundRequest,
    },
    Found {
        place: Place,
        round: u64,
    },
    Wake {
        place: Place,
    },
    Dial {
        a: Place,
        b: Place,
    },
}

pub struct Network {
    seed: u64,
    pub now_ms: u64,
    pub hosts: Vec<Host>,
    rng: ChaCha8Rng,
    queue: BTreeMap<(u64, u64), Due>,
    sequence: u64,
    links: BTreeMap<(Place, Place), u64>,
    cuts: BTreeSet<(Place, Place)>,
    /// Links whose gossip is lost while requests work.
    pub deaf: BTreeSet<(Place, Place)>,
    /// Chance that a gossip message or request is lost, in thousandths.
    pub loss_per_mille: u64,
    digest: [u8; 32],
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            now_ms: 0,
            hosts: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            queue: BTreeMap::new(),
            sequence: 0,
            links: BTreeMap::new(),
            cuts: BTreeSet::new(),
            deaf: BTreeSet::new(),
            loss_per_mille: 0,
            digest: [0; 32],
        }
    }

    /// Adds a node and starts it; with a mean time to find a block it mines.
    pub fn add(&mut self, mean_block_ms: Option<f64>) -> Place {
        let place = self.hosts.len();
        let seed = self.rng.next_u64();
        self.hosts.push(Host::new(mean_block_ms, seed));
        self.feed(place, Input::Started);
        place
    }

    /// Links two nodes with a latency drawn once.
    pub fn link(&mut self, a: Place, b: Place) {
        let latency_ms = 5 + self.rng.next_u64() % 45;
        self.links.insert(ordered(a, b), latency_ms);
        self.dial(a, b);
    }

    /// Links every node with every other.
    pub fn link_all(&mut self) {
        for b in 0..self.hosts.len() {
            for a in 0..b {
                self.link(a, b);
            }
        }
    }

    /// Lets messages pass only inside the groups.
    pub fn partition(&mut self, groups: &[&[Place]]) {
        let group_of = |place| groups.iter().position(|group| group.contains(&place));
        let crossing = |&(a, b): &(Place, Place)| group_of(a) != group_of(b);
        self.cuts = self.links.keys().copied().filter(crossing).collect();
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// Runs for a while.
    pub fn run_ms(&mut self, duration_ms: u64) {
        let end_ms = self.now_ms + duration_ms;
        while let Some((&(at_ms, _), _)) = self.queue.first_key_value() {
            if at_ms > end_ms {
                break;
            }
            let ((at_ms, _), due) = self.queue.pop_first().expect("just seen");
            self.now_ms = at_ms;
            self.happen(due);
        }
        self.now_ms = end_ms;
    }

    /// Runs until the condition holds; fails after `limit_ms`.
    pub fn run_until(&mut self, limit_ms: u64, what: &str, holds: impl Fn(&Self) -> bool) {
        let end_ms = self.now_ms + limit_ms;
        while !holds(self) {
            let tips: Vec<_> = self
                .hosts
                .iter()
                .map(|host| (host.height(), host.tip()))
                .collect();
            assert!(
                self.now_ms < end_ms,
                "seed {}: not in time: {what}; tips {tips:?}",
                self.seed
            );
            self.run_ms(50);
        }
    }

    /// Stops all miners, so that the network can come to rest.
    pub fn stop_mining(&mut self) {
        for place in 0..self.hosts.len() {
            self.feed(place, Input::MiningSwitched { enabled: false });
        }
    }

    /// Stops all miners and waits until all nodes agree. A tie of two branches
    /// with equal work would last for ever; one more block ends it.
    pub fn settle(&mut self, limit_ms: u64) {
        self.stop_mining();
        self.run_until(limit_ms, "equal work", |network| {
            let works = network
                .hosts
                .iter()
                .map(|host| host.node.state().tip().chainwork);
            works.collect::<BTreeSet<_>>().len() == 1
        });
        if !self.has_one_tip() {
            let height = self.hosts[0].height();
            self.feed(0, Input::MiningSwitched { enabled: true });
            self.run_until(600_000, "a block that ends the tie", |network| {
                network.hosts[0].height() > height
            });
            self.stop_mining();
            self.run_until(limit_ms, "one tip", Self::has_one_tip);
        }
    }

    pub fn submit(&mut self, place: Place, transaction: Arc<Transaction>) {
        let call = Call(self.hosts[place].number());
        self.feed(place, Input::TransactionSubmitted { call, transaction });
    }

    pub fn tips(&self) -> BTreeSet<BlockHash> {
        self.hosts.iter().map(Host::tip).collect()
    }

    pub fn has_one_tip(&self) -> bool {
        self.tips().len() == 1
    }

    /// Every order of every node so far, folded together.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Gives a node an input and carries out its orders.
    pub fn feed(&mut self, place: Place, input: Input) {
        let mut out = Outbox::default();
        let stamp = now(self.now_ms);
        let result = self.hosts[place].node.handle(stamp, input, &mut out);
        result.expect("memory does not fail");
        for output in out.drain().collect::<Vec<_>>() {
            let line = format!("{:?} {} {place} {output:?}", self.digest, self.now_ms);
            self.digest = sha256(line.as_bytes());
            self.carry_out(place, output);
        }
    }
}

fn ordered(a: Place, b: Place) -> (Place, Place) {
    (a.min(b), a.max(b))
}
