//! How the network's world goes on: what becomes of each thing that is due.

use std::sync::Arc;

use minichain_protocol::event::Event;
use minichain_protocol::input::{
    Direction, GossipId, InboundRequest, Input, OutboundRequest, Peer, RequestFailure,
};
use minichain_protocol::output::{DisconnectReason, Output, Verdict};
use rand_core::Rng;

use super::{Due, Network, REDIAL_MS, ordered};
use crate::support::chain::solve;
use crate::support::host::{Message, Place, now};

impl Network {
    pub(super) fn happen(&mut self, due: Due) {
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

    pub(super) fn carry_out(&mut self, place: Place, output: Output) {
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
    pub(super) fn close(&mut self, a: Place, b: Place) {
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

    pub(super) fn dial(&mut self, a: Place, b: Place) {
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
    pub(super) fn send(&mut self, from: Place, to: Place, due: Due) {
        let link = ordered(from, to);
        let latency_ms = self.links.get(&link).copied().expect("peers have a link");
        let jitter_ms = self.rng.next_u64() % 5;
        let is_lost = self.rng.next_u64() % 1_000 < self.loss_per_mille;
        if !self.cuts.contains(&link) && !is_lost {
            self.after(latency_ms + jitter_ms, due);
        }
    }

    pub(super) fn after(&mut self, delay_ms: u64, due: Due) {
        self.sequence += 1;
        self.queue
            .insert((self.now_ms.saturating_add(delay_ms), self.sequence), due);
    }

    /// A draw from the exponential distribution, in whole milliseconds.
    pub(super) fn exponential(&mut self, mean_ms: f64) -> u64 {
        let draw = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        let wait_ms = -mean_ms * (1.0 - draw).max(1e-9).ln();
        std::time::Duration::try_from_secs_f64(wait_ms / 1_000.0).map_or(u64::MAX / 2, |wait| {
            u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 2)
        })
    }
}
