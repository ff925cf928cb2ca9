//! Faults of links: put in force in the simulated world, and proven there by
//! probes before and after, as on a live network.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::Link;
use devnet_scenario::links::{Condition, LinkState};
use devnet_scenario::world::Outcome;
use minichain_sim::link::Condition as Held;
use minichain_sim::queue::{MILLI, Micros};
use minichain_sim::world::{Cuts, Place};

use super::net::Net;
use crate::engine::fault::Packets;
use crate::faults::links::{cut_links, plain};
use crate::faults::proof::choose::{Choice, Pairs, REACH_MAX, choose};
use crate::faults::proof::{self, Earlier, Goals, Measured, Seen};
use crate::faults::verdict::{LossBy, Probed};

/// Bytes of a ping.
const PING_BYTES: u64 = 64;
/// Round trips taken of a link at first, and rounds of further ones at most.
const TRIPS: usize = 3;
const ROUNDS_MAX: usize = 40;

/// What is measured before links change.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// Links that were meant to be cut until now; given, those that are cut
    /// anew are probed first.
    pub cut_earlier: Option<BTreeSet<Link>>,
    /// Links whose round trips are taken first.
    pub trips: BTreeSet<Link>,
}

impl Net {
    /// Puts all links in the state that is intended; measures nothing.
    pub(super) fn set_links(&mut self) {
        let states = self.link_states();
        self.put_in_force(&states);
    }

    /// Puts all links in the state that is intended, and judges by probes.
    pub(super) fn apply(&mut self, goals: Goals, before: &Before) -> Outcome {
        let states = self.link_states();
        let running = self.running();
        let pairs = Pairs::All;
        let sample = (REACH_MAX, self.blueprint.seed);
        let choice = choose(&running, &pairs, &pairs, &states, sample);
        let mut measured = Measured {
            earlier: self.trips_before(&choice, &before.trips),
            nature_ms: self.nature_ms,
            ..Measured::default()
        };
        if let Some(cut_earlier) = &before.cut_earlier {
            let probed = self.probe_earlier(&choice, &states, cut_earlier);
            measured.earlier.extend(probed);
        }
        self.put_in_force(&states);
        self.measure(goals, &choice, &states, &mut measured);
        let mut skipped = self.roster();
        skipped.retain(|node| !running.contains(node));
        let probed = Probed {
            running: &running,
            skipped: &skipped,
            choice: &choice,
            states: &states,
            measured: &measured,
        };
        proof::outcome(probed.judge(goals, LossBy::Packets), self.now_ms())
    }

    /// What the faults in force want of every link, to the microsecond.
    fn link_states(&self) -> BTreeMap<Link, LinkState> {
        let table = self.intent.table(self.base(), &self.roster());
        let mut states = table.states();
        for state in states.values_mut() {
            let whole = |ms: Option<f64>| ms.map(|ms| to_ms(to_micros(ms)));
            state.condition.latency_ms = whole(state.condition.latency_ms);
            state.condition.jitter_ms = whole(state.condition.jitter_ms);
        }
        states
    }

    /// Links that are cut as the intent stands.
    pub(super) fn cut_now(&self) -> BTreeSet<Link> {
        cut_links(&self.link_states())
    }

    fn put_in_force(&mut self, states: &BTreeMap<Link, LinkState>) {
        let ends = |link: &Link| Some((self.place(&link.from)?, self.place(&link.to)?));
        let placed = states
            .iter()
            .filter_map(|(link, state)| Some((ends(link)?, plain(state))));
        let placed: BTreeMap<(Place, Place), LinkState> = placed.collect();
        let links = placed.iter().filter(|(_, state)| state.cut);
        let cuts = Cuts {
            links: links.map(|(ends, _)| *ends).collect(),
            ..Cuts::default()
        };
        if cuts != *self.world.cuts() {
            self.world.set_cuts(cuts);
        }
        let wanted: BTreeMap<(Place, Place), Held> = placed
            .iter()
            .map(|(ends, state)| (*ends, held(&state.condition)))
            .filter(|(_, condition)| !condition.is_free())
            .collect();
        let gone = std::mem::take(&mut self.conditioned).into_iter();
        for (from, to) in gone.filter(|ends| !wanted.contains_key(ends)) {
            self.world.set_condition(from, to, Held::default());
        }
        for ((from, to), condition) in wanted {
            if self.world.condition_between(from, to) != condition {
                self.world.set_condition(from, to, condition);
            }
            self.conditioned.insert((from, to));
        }
    }

    /// Round trips of links that are about to be made worse, where they will be
    /// measured.
    fn trips_before(&mut self, choice: &Choice, links: &BTreeSet<Link>) -> BTreeMap<Link, Earlier> {
        let meant = choice
            .measured_of(links)
            .cloned()
            .collect::<BTreeSet<Link>>();
        let trip = |link: Link| {
            let seen = self.ping(&link, PING_BYTES);
            (link, Earlier::Probed(seen))
        };
        meant.into_iter().map(trip).collect()
    }

    /// What got through before a cut: a link that was silent anyway proves
    /// nothing.
    fn probe_earlier(
        &mut self,
        choice: &Choice,
        states: &BTreeMap<Link, LinkState>,
        cut_earlier: &BTreeSet<Link>,
    ) -> BTreeMap<Link, Earlier> {
        let cut = cut_links(states);
        let is_in = |links: &BTreeSet<Link>, link: &Link| {
            links.contains(link) || links.contains(&link.reversed())
        };
        let across: Vec<Link> = choice
            .reach
            .iter()
            .filter(|link| is_in(&cut, link))
            .cloned()
            .collect();
        let mut earlier = BTreeMap::new();
        for link in across {
            let seen = match is_in(cut_earlier, &link) && self.is_cut(&link) {
                true => Earlier::Cut,
                false => Earlier::Probed(self.ping(&link, PING_BYTES)),
            };
            earlier.insert(link, seen);
        }
        earlier
    }

    fn measure(
        &mut self,
        goals: Goals,
        choice: &Choice,
        states: &BTreeMap<Link, LinkState>,
        measured: &mut Measured,
    ) {
        measured.held = self.read_back();
        if goals.reach {
            for link in &choice.reach {
                let seen = self.ping(link, PING_BYTES);
                measured.probes.insert(link.clone(), seen);
            }
        }
        if goals.delay {
            self.take_trips(choice, states, measured);
        }
        if goals.loss {
            for (link, count) in &choice.loss {
                let packets = self.count_packets(link, *count);
                measured.packets.insert(link.clone(), packets);
            }
        }
        if goals.rate {
            for link in &choice.rate {
                let bytes = proof::rate::bytes(link, states);
                let seen = self.ping(link, bytes.into());
                measured.payloads.insert(link.clone(), (bytes, seen));
            }
        }
    }

    fn take_trips(
        &mut self,
        choice: &Choice,
        states: &BTreeMap<Link, LinkState>,
        measured: &mut Measured,
    ) {
        let mut open = choice.delay.clone();
        for round in 0..ROUNDS_MAX {
            for link in &open {
                let seen = self.ping(link, PING_BYTES);
                let trips = measured.rtts.entry(link.clone()).or_default();
                trips.push(seen);
            }
            if round + 1 >= TRIPS {
                open = proof::delay::to_repeat(&choice.delay, states, measured);
                open.extend(proof::jitter::to_repeat(&choice.delay, states, measured));
                open.sort();
                open.dedup();
            }
            if open.is_empty() {
                return;
            }
        }
    }

    fn count_packets(&mut self, link: &Link, count: usize) -> Packets {
        let mut packets = Packets::default();
        let (Some(from), Some(to)) = (self.place(&link.from), self.place(&link.to)) else {
            return packets;
        };
        for _ in 0..count {
            match self.world.probe_packet(from, to) {
                true => packets.passed += 1,
                false => packets.dropped += 1,
            }
        }
        packets
    }

    fn ping(&mut self, link: &Link, bytes: u64) -> Seen {
        let (Some(from), Some(to)) = (self.place(&link.from), self.place(&link.to)) else {
            return Seen::Untold("one of its ends is no node".to_owned());
        };
        match self.world.probe(from, to, bytes) {
            Some(rtt) => Seen::Reached { rtt_ms: to_ms(rtt) },
            None => Seen::Silent,
        }
    }

    fn is_cut(&self, link: &Link) -> bool {
        let ends = self.place(&link.from).zip(self.place(&link.to));
        ends.is_some_and(|(from, to)| self.world.cuts().crosses(from, to))
    }

    /// What the world does to every link between running nodes.
    fn read_back(&self) -> BTreeMap<Link, LinkState> {
        let mut states = BTreeMap::new();
        for (from, one) in &self.places {
            for (to, other) in &self.places {
                let condition = self.world.condition_between(*one, *other);
                let state = LinkState {
                    cut: self.world.cuts().crosses(*one, *other),
                    condition: told(&condition),
                };
                if from != to && state != LinkState::default() {
                    states.insert(Link::new(from, to), state);
                }
            }
        }
        states
    }
}

fn held(condition: &Condition) -> Held {
    Held {
        delay: condition.latency_ms.map_or(0, to_micros),
        jitter: condition.jitter_ms.map_or(0, to_micros),
        loss: condition.loss.unwrap_or_default(),
        rate: condition.rate_bytes_s,
    }
}

fn told(held: &Held) -> Condition {
    let some = |time: Micros| (time > 0).then(|| to_ms(time));
    Condition {
        latency_ms: some(held.delay),
        jitter_ms: some(held.jitter),
        loss: (held.loss > 0.0).then_some(held.loss),
        rate_bytes_s: held.rate,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn to_micros(ms: f64) -> Micros {
    (ms * MILLI as f64).round().clamp(0.0, 1e15) as Micros
}

#[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53 µs")]
pub(super) fn to_ms(time: Micros) -> f64 {
    time as f64 / MILLI as f64
}
