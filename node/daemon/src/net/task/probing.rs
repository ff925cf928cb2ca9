//! Rounds of probes under way.
//!
//! A probe goes out on the connection there is. Where there is none and an
//! address is given, one is made first, and closed again afterwards unless the
//! peer is wanted anyway: measuring must not change who is connected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::request_response::{self, Message, OutboundFailure, OutboundRequestId};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::super::dialer;
use super::super::probe::{Echo, Order, Outcome, PAYLOAD_MAX, PAYLOAD_MIN, Payload};
use super::{Delivery, Task};

/// All rounds.
#[derive(Debug, Default)]
pub struct Probing {
    rounds: BTreeMap<u64, Round>,
    next_round: u64,
    next_probe: u64,
    asked: BTreeMap<OutboundRequestId, (Probe, Payload)>,
    /// Probes that wait for a connection.
    waiting: BTreeMap<PeerId, Vec<Probe>>,
    dials: BTreeMap<ConnectionId, Dial>,
    /// Connections made for probes alone.
    guests: BTreeMap<ConnectionId, PeerId>,
}

#[derive(Debug)]
struct Round {
    deadline: Instant,
    timeout: Duration,
    payload_bytes: usize,
    outcomes: Vec<Option<Outcome>>,
    reply: oneshot::Sender<Vec<Outcome>>,
}

#[derive(Clone, Debug)]
struct Probe {
    round: u64,
    index: usize,
    peer: PeerId,
    address: Option<Multiaddr>,
    attempts: u32,
}

#[derive(Debug)]
struct Dial {
    peer: PeerId,
    address: Multiaddr,
    began: Instant,
}

/// A connection may break under a probe, as after a heal; it is made anew so
/// many times.
const ATTEMPTS_MAX: u32 = 5;
/// A dial that took this long before it failed was not refused: packets may
/// have been lost, and another one may get through.
const SLOW_DIAL: Duration = Duration::from_secs(1);

impl Probing {
    /// When the next round is over, whatever came back.
    pub fn deadline(&self) -> Option<Instant> {
        self.rounds.values().map(|round| round.deadline).min()
    }

    /// When there is something to do beside answering: guests that nobody needs
    /// leave at once.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let guest = self.guests.values().find(|peer| !self.is_needed(peer));
        guest.map(|_| now).or_else(|| self.deadline())
    }

    /// Whether only probes want the connection.
    pub fn is_guest(&self, connection: ConnectionId) -> bool {
        self.guests.contains_key(&connection)
    }

    /// Bytes no other probe carries.
    fn payload(&mut self, round: u64) -> Payload {
        self.next_probe += 1;
        let round = self.rounds.get(&round);
        let bytes = round.map_or(PAYLOAD_MIN, |round| round.payload_bytes);
        let mut payload = self.next_probe.to_be_bytes().to_vec();
        payload.resize(bytes.clamp(PAYLOAD_MIN, PAYLOAD_MAX), 0);
        payload
    }

    /// Notes an outcome, and answers when it was the round's last.
    fn settle(&mut self, probe: &Probe, outcome: Outcome) {
        let Some(round) = self.rounds.get_mut(&probe.round) else {
            return;
        };
        if let Some(place) = round.outcomes.get_mut(probe.index) {
            place.get_or_insert(outcome);
        }
        if round.outcomes.iter().all(Option::is_some) {
            self.finish(probe.round);
        }
    }

    fn finish(&mut self, number: u64) {
        let Some(round) = self.rounds.remove(&number) else {
            return;
        };
        let late = |outcome: Option<Outcome>| {
            outcome.unwrap_or_else(|| Err(format!("no answer within {:?}", round.timeout)))
        };
        let outcomes = round.outcomes.into_iter().map(late).collect();
        // Whoever asked may have gone meanwhile.
        let _unheard = round.reply.send(outcomes);
        self.asked.retain(|_, (probe, _)| probe.round != number);
        for probes in self.waiting.values_mut() {
            probes.retain(|probe| probe.round != number);
        }
        self.waiting.retain(|_, probes| !probes.is_empty());
    }

    fn is_needed(&self, peer: &PeerId) -> bool {
        self.waiting.contains_key(peer) || self.asked.values().any(|(probe, _)| probe.peer == *peer)
    }
}

impl<E: From<Delivery> + Send + 'static> Task<E> {
    /// Begins a round.
    pub(super) fn probe(&mut self, order: Order) {
        self.upkeep.changed();
        let round = self.probing.next_round;
        self.probing.next_round += 1;
        self.probing.rounds.insert(
            round,
            Round {
                deadline: Instant::now() + order.timeout,
                timeout: order.timeout,
                payload_bytes: order.payload_bytes,
                outcomes: vec![None; order.targets.len()],
                reply: order.reply,
            },
        );
        if order.targets.is_empty() {
            self.probing.finish(round);
        }
        for (index, target) in order.targets.into_iter().enumerate() {
            self.send_probe(Probe {
                round,
                index,
                peer: target.peer,
                address: target.address,
                attempts: 0,
            });
        }
    }

    fn send_probe(&mut self, mut probe: Probe) {
        probe.attempts += 1;
        let peer = probe.peer;
        if peer == *self.swarm.local_peer_id() {
            let why = "this is the node itself".to_owned();
            return self.probing.settle(&probe, Err(why));
        }
        if self.peers.contains(&peer) {
            return self.ask_probe(probe);
        }
        let Some(address) = probe.address.clone() else {
            return self.probing.settle(&probe, Err("not connected".to_owned()));
        };
        let waiting = self.probing.waiting.entry(peer).or_default();
        waiting.push(probe);
        if waiting.len() == 1 {
            self.dial_for_probe(peer, address);
        }
    }

    fn ask_probe(&mut self, probe: Probe) {
        let payload = self.probing.payload(probe.round);
        let Some(behaviour) = self.swarm.behaviour_mut().probe.as_mut() else {
            let why = "this node answers no probes".to_owned();
            return self.probing.settle(&probe, Err(why));
        };
        let request = behaviour.send_request(&probe.peer, payload.clone());
        self.probing.asked.insert(request, (probe, payload));
    }

    fn dial_for_probe(&mut self, peer: PeerId, address: Multiaddr) {
        // Another dial to the peer may hang where this one gets through.
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::Disconnected)
            .addresses(vec![address.clone()])
            .build();
        let connection = options.connection_id();
        let began = Instant::now();
        self.probing.dials.insert(
            connection,
            Dial {
                peer,
                address,
                began,
            },
        );
        if let Err(error) = self.dial_out(options) {
            self.on_probe_dial_failed(connection, &error);
        }
    }

    /// A dial failed, perhaps a probe's.
    pub(super) fn on_probe_dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let Some(dial) = self.probing.dials.remove(&connection) else {
            return;
        };
        let is_needed = self.probing.waiting.contains_key(&dial.peer);
        if is_needed && dial.began.elapsed() >= SLOW_DIAL {
            return self.dial_for_probe(dial.peer, dial.address);
        }
        let why = format!("cannot connect: {}", dialer::cause(error));
        for probe in self.probing.waiting.remove(&dial.peer).unwrap_or_default() {
            self.probing.settle(&probe, Err(why.clone()));
        }
    }

    /// A peer is connected now; its probes go out.
    pub(super) fn on_probe_connected(&mut self, peer: PeerId, connection: ConnectionId) {
        if self.probing.dials.remove(&connection).is_some() && !self.is_wanted(&peer) {
            self.probing.guests.insert(connection, peer);
        }
        for probe in self.probing.waiting.remove(&peer).unwrap_or_default() {
            self.ask_probe(probe);
        }
    }

    /// A connection closed, perhaps a guest's.
    pub(super) fn on_guest_gone(&mut self, connection: ConnectionId) {
        self.probing.guests.remove(&connection);
    }

    /// Rounds whose time is up are answered; guests nobody needs leave.
    pub(super) fn end_probes(&mut self, now: Instant) {
        let rounds = self.probing.rounds.iter();
        let over: Vec<_> = rounds
            .filter(|(_, round)| round.deadline <= now)
            .map(|(number, _)| *number)
            .collect();
        for number in over {
            self.probing.finish(number);
        }
        for (connection, peer) in &self.probing.guests {
            if !self.probing.is_needed(peer) {
                self.swarm.close_connection(*connection);
            }
        }
    }

    /// Whether a connection to the peer serves more than probes.
    fn is_wanted(&self, peer: &PeerId) -> bool {
        let target = self.config.target_peers as usize;
        self.config.discovery && self.peers.len() <= target || self.dialer.wants(peer)
    }

    pub(super) fn on_probe(&mut self, event: request_response::Event<Payload, Echo>) {
        match event {
            request_response::Event::Message { message, .. } => match message {
                Message::Request {
                    request, channel, ..
                } => {
                    let echo = Echo {
                        payload: request,
                        round_trip: Duration::ZERO,
                    };
                    if let Some(behaviour) = self.swarm.behaviour_mut().probe.as_mut() {
                        // The peer may have gone meanwhile; nobody is left to tell.
                        let _gone = behaviour.send_response(channel, echo);
                    }
                }
                Message::Response {
                    request_id,
                    response,
                } => {
                    let Some((probe, payload)) = self.probing.asked.remove(&request_id) else {
                        return;
                    };
                    let outcome = if response.payload == payload {
                        Ok(response.round_trip)
                    } else {
                        Err("the answer is not an echo".to_owned())
                    };
                    self.probing.settle(&probe, outcome);
                }
            },
            request_response::Event::OutboundFailure {
                request_id, error, ..
            } => {
                if let Some((probe, _)) = self.probing.asked.remove(&request_id) {
                    self.on_probe_failed(probe, &error);
                }
            }
            request_response::Event::InboundFailure { .. }
            | request_response::Event::ResponseSent { .. } => {}
        }
    }

    fn on_probe_failed(&mut self, probe: Probe, error: &OutboundFailure) {
        let why = match error {
            OutboundFailure::UnsupportedProtocols => {
                "the peer answers no probes; set rpc.admin there".to_owned()
            }
            _ if probe.attempts < ATTEMPTS_MAX => return self.send_probe(probe),
            other => format!("the connection broke: {other}"),
        };
        self.probing.settle(&probe, Err(why));
    }
}
