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
use minichain_protocol::event::Event;
use minichain_protocol::input::{
    Call, Direction, GossipId, InboundRequest, Input, OutboundRequest, Peer, RequestFailure,
};
use minichain_protocol::output::{DisconnectReason, Outbox, Output, Verdict};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::chain::solve;
use super::host::{Host, Message, Place, now};

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

    fn happen(&mut self, due: Due) {
        match due {
            Due::Feed { place, input } => self.feed(place, input),
            Due::Gossip {
                place,
                from,
                message,
            } => self.on_gossip(place, from, &message),
            Due::Ask {
                place,
                asker,
                from,
                id,
                bytes,
            } => {
                let host = &mut self.hosts[place];
                if let Some(peer) = host.peer_at(asker) {
                    let inbound = InboundRequest(host.number());
                    host.unanswered.insert(inbound, (asker, from, id));
                    self.feed(
                        place,
                        Input::RequestReceived {
                            id: inbound,
                            peer,
                            bytes,
                        },
                    );
                }
            }
            Due::Answer {
                place,
                id,
                from,
                bytes,
            } => {
                if self.hosts[place].asked.remove(&id).is_some() {
                    self.feed(
                        place,
                        Input::ResponseReceived {
                            id,
                            peer: from,
                            bytes,
                        },
                    );
                }
            }
            Due::TimeOut { place, id } => {
                if let Some(peer) = self.hosts[place].asked.remove(&id) {
                    let failure = RequestFailure::TimedOut;
                    self.feed(place, Input::RequestFailed { id, peer, failure });
                }
            }
            Due::Found { place, round } => self.on_found(place, round),
            Due::Wake { place } => {
                if self.hosts[place]
                    .wake_at_ms
                    .is_some_and(|at_ms| at_ms <= self.now_ms)
                {
                    self.hosts[place].wake_at_ms = None;
                    self.feed(place, Input::Woke);
                }
            }
            Due::Dial { a, b } => self.dial(a, b),
        }
    }

    fn carry_out(&mut self, place: Place, output: Output) {
        let now_ms = self.now_ms;
        match output {
            Output::Persist { .. } => {}
            Output::Publish { topic, bytes } => {
                let sent_at = now(now_ms).unix;
                let message = Message {
                    topic,
                    sent_at,
                    bytes: Arc::new(bytes),
                };
                if self.hosts[place].is_news(&message.bytes, now_ms) {
                    self.spread(place, None, &message);
                }
            }
            Output::GossipVerdict { id, topic, verdict } => {
                let host = &mut self.hosts[place];
                host.verdicts.push((topic, verdict));
                let judged = host.unjudged.remove(&id);
                let (from, message) = judged.expect("a verdict for a message that awaits one");
                if verdict == Verdict::Accept {
                    self.spread(place, Some(from), &message);
                }
            }
            Output::Request {
                id,
                peer,
                bytes,
                timeout_ms,
                ..
            } => {
                self.on_ask(place, peer, id, bytes, timeout_ms);
            }
            Output::Respond { id, bytes, .. } => {
                let asked = self.hosts[place].unanswered.remove(&id);
                let (asker, from, id) = asked.expect("an answer to an open request");
                self.send(
                    place,
                    asker,
                    Due::Answer {
                        place: asker,
                        id,
                        from,
                        bytes,
                    },
                );
            }
            Output::Refuse { id } => {
                let asked = self.hosts[place].unanswered.remove(&id);
                assert!(asked.is_some(), "a refusal of an open request");
            }
            Output::Disconnect { peer, reason } => self.on_disconnect(place, peer, reason),
            Output::Mine { template } => self.on_mine(place, Some(template)),
            Output::StopMining => self.on_mine(place, None),
            Output::Answer { answer, .. } => self.hosts[place].answers.push(answer),
            Output::WakeAt { monotonic_ms } => {
                self.hosts[place].wake_at_ms = Some(monotonic_ms);
                self.after(monotonic_ms.saturating_sub(now_ms), Due::Wake { place });
            }
            Output::Event(event) => self.on_event(place, event),
        }
    }

    fn on_ask(
        &mut self,
        place: Place,
        peer: Peer,
        id: OutboundRequest,
        bytes: Vec<u8>,
        timeout_ms: u64,
    ) {
        // The other side may have closed the connection a moment ago.
        let Some(to) = self.hosts[place].peers.get(&peer).copied() else {
            let failure = RequestFailure::Disconnected;
            let input = Input::RequestFailed { id, peer, failure };
            self.after(0, Due::Feed { place, input });
            return;
        };
        self.hosts[place].asked.insert(id, peer);
        self.after(timeout_ms, Due::TimeOut { place, id });
        let due = Due::Ask {
            place: to,
            asker: place,
            from: peer,
            id,
            bytes,
        };
        self.send(place, to, due);
    }

    fn on_event(&mut self, place: Place, event: Event) {
        let is_fault = matches!(event, Event::Fault { .. });
        assert!(
            !is_fault,
            "seed {}: node {place} reports a fault: {event:?}",
            self.seed
        );
        self.hosts[place].events.push((self.now_ms, event));
    }

    fn on_mine(
        &mut self,
        place: Place,
        template: Option<Arc<minichain_chain::template::Template>>,
    ) {
        let wait_ms = self.exponential(self.hosts[place].mean_block_ms);
        let host = &mut self.hosts[place];
        host.mining_round += 1;
        let round = host.mining_round;
        let is_mining = template.is_some();
        host.template = template;
        if is_mining {
            self.after(wait_ms, Due::Found { place, round });
        }
    }

    fn on_found(&mut self, place: Place, round: u64) {
        let host = &self.hosts[place];
        if let Some(template) = host
            .template
            .as_ref()
            .filter(|_| host.mining_round == round)
        {
            let block = solve(template.block.clone());
            self.feed(place, Input::BlockMined { block });
        }
    }

    fn on_gossip(&mut self, place: Place, from: Peer, message: &Message) {
        let host = &mut self.hosts[place];
        if !host.peers.contains_key(&from) || !host.is_news(&message.bytes, self.now_ms) {
            return;
        }
        let id = GossipId(host.number());
        host.unjudged.insert(id, (from, message.clone()));
        let input = Input::GossipReceived {
            id,
            peer: from,
            topic: message.topic,
            sent_at: Some(message.sent_at),
            bytes: message.bytes.to_vec(),
        };
        self.feed(place, input);
        let is_judged = !self.hosts[place].unjudged.contains_key(&id);
        assert!(
            is_judged,
            "seed {}: node {place} gave no verdict",
            self.seed
        );
    }

    fn spread(&mut self, place: Place, from: Option<Peer>, message: &Message) {
        let host = &self.hosts[place];
        let others = host.peers.iter().filter(|(peer, _)| Some(**peer) != from);
        for to in others.map(|(_, to)| *to).collect::<Vec<_>>() {
            let is_deaf = self.deaf.contains(&(place, to));
            if let Some(from) = self.hosts[to].peer_at(place).filter(|_| !is_deaf) {
                self.send(
                    place,
                    to,
                    Due::Gossip {
                        place: to,
                        from,
                        message: message.clone(),
                    },
                );
            }
        }
    }

    fn on_disconnect(&mut self, place: Place, peer: Peer, reason: DisconnectReason) {
        if let Some(&to) = self.hosts[place].peers.get(&peer) {
            let is_kept_away = reason.is_misbehaviour();
            self.hosts[place].dropped.push((to, reason));
            self.close(place, to);
            if !is_kept_away {
                let (a, b) = ordered(place, to);
                self.after(REDIAL_MS, Due::Dial { a, b });
            }
        }
    }

    /// Closes a connection on both sides and fails what was asked over it.
    fn close(&mut self, a: Place, b: Place) {
        for (place, other) in [(a, b), (b, a)] {
            let Some(peer) = self.hosts[place].peer_at(other) else {
                continue;
            };
            let host = &mut self.hosts[place];
            host.peers.remove(&peer);
            host.unanswered.retain(|_, (asker, ..)| *asker != other);
            let asked = host.asked.iter().filter(|(_, asked)| **asked == peer);
            for id in asked.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.hosts[place].asked.remove(&id);
                let failure = RequestFailure::Disconnected;
                let input = Input::RequestFailed { id, peer, failure };
                self.after(0, Due::Feed { place, input });
            }
            let input = Input::PeerDisconnected { peer };
            self.after(0, Due::Feed { place, input });
        }
    }

    fn dial(&mut self, a: Place, b: Place) {
        if self.hosts[a].peer_at(b).is_some() {
            return;
        }
        if self.cuts.contains(&ordered(a, b)) {
            self.after(REDIAL_MS, Due::Dial { a, b });
            return;
        }
        let sides = [(a, b, Direction::Outbound), (b, a, Direction::Inbound)];
        let peers = sides.map(|(place, other, direction)| {
            let peer = Peer(self.hosts[place].number());
            self.hosts[place].peers.insert(peer, other);
            (place, peer, direction)
        });
        for (place, peer, direction) in peers {
            self.feed(place, Input::PeerConnected { peer, direction });
        }
    }

    /// Sends over a link, unless it is cut or chance has it lost.
    fn send(&mut self, from: Place, to: Place, due: Due) {
        let link = ordered(from, to);
        let latency_ms = self.links.get(&link).copied().expect("peers have a link");
        let jitter_ms = self.rng.next_u64() % 5;
        let is_lost = self.rng.next_u64() % 1_000 < self.loss_per_mille;
        if !self.cuts.contains(&link) && !is_lost {
            self.after(latency_ms + jitter_ms, due);
        }
    }

    fn after(&mut self, delay_ms: u64, due: Due) {
        self.sequence += 1;
        self.queue
            .insert((self.now_ms.saturating_add(delay_ms), self.sequence), due);
    }

    /// A draw from the exponential distribution, in whole milliseconds.
    fn exponential(&mut self, mean_ms: f64) -> u64 {
        let draw = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        let wait_ms = -mean_ms * (1.0 - draw).max(1e-9).ln();
        std::time::Duration::try_from_secs_f64(wait_ms / 1_000.0).map_or(u64::MAX / 2, |wait| {
            u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 2)
        })
    }
}

fn ordered(a: Place, b: Place) -> (Place, Place) {
    (a.min(b), a.max(b))
}
