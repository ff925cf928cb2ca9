//! What can be done to a world from outside.

use std::collections::{BTreeMap, BTreeSet};

use minichain_chain::state::State;
use minichain_protocol::config::{Config, MiningConfig};
use minichain_protocol::input::{Input, RequestFailure};
use minichain_protocol::node::Node;

use super::World;
use super::crossing::Crossings;
use super::due::{Due, Place};
use super::host::{Condition as HostCondition, Host, Port};
use super::mining::number;
use crate::archive::NodeStore;
use crate::link::Condition;
use crate::random::Stream;
use crate::setup::{NodeSetup, Planted};

/// Which directions let nothing through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Single directions: from, to.
    pub links: BTreeSet<(Place, Place)>,
    /// Each node's side; between two sides nothing passes. A node that is not
    /// named is on side 0.
    pub sides: BTreeMap<Place, u32>,
}

impl Cuts {
    /// Whether everything passes.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.links.is_empty() && self.sides.is_empty()
    }

    /// Whether nothing passes this way.
    #[must_use]
    pub fn crosses(&self, from: Place, to: Place) -> bool {
        if self.is_free() {
            return false;
        }
        let side = |place| self.sides.get(&place).copied().unwrap_or_default();
        side(from) != side(to) || self.links.contains(&(from, to))
    }
}

/// What a crash takes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the program had time to end well.
    Nothing,
    /// Whatever was not durable yet.
    Uncommitted,
}

impl World {
    /// Sets what is cut; what was cut before and is not now is healed.
    pub fn set_cuts(&mut self, cuts: Cuts) {
        self.trace.changed(self.now, &format!("{cuts:?}"));
        let before = std::mem::replace(&mut self.cuts, cuts);
        self.crossings = Crossings::default();
        for conn in 0..number(self.conns.len()) {
            let link = &self.conns[conn as usize];
            let ends = link.ends.map(|end| end as usize);
            // Things still arrive by connections that both ends have given up.
            for end in 0..2 {
                let (from, to) = (ends[1 - end], ends[end]);
                if self.cuts.crosses(from, to) && !before.crosses(from, to) {
                    self.cables[conn as usize].sent_before[end] = link.lands[end];
                }
            }
            if link.open == [false; 2] {
                continue;
            }
            let cut_since = self.cables[conn as usize].cut_since;
            let is_cut = self.is_cut(ends[0], ends[1]) || self.is_cut(ends[1], ends[0]);
            match (is_cut, cut_since) {
                (true, None) => self.watch_silence(conn),
                (false, Some(_)) => self.release(conn),
                _ => {}
            }
        }
    }

    /// What is cut.
    #[must_use]
    pub fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    /// Sets what faults do to one direction; free takes them out.
    pub fn set_condition(&mut self, from: Place, to: Place, condition: Condition) {
        self.trace
            .changed(self.now, &format!("{from} {to} {condition:?}"));
        if condition.is_free() {
            self.conditions.remove(&(from, to));
        } else {
            self.conditions.insert((from, to), condition);
        }
    }

    /// Round trip of a probe between two nodes as the links are now; none if
    /// it or its answer does not get through.
    pub fn probe(&mut self, from: Place, to: Place, bytes: u64) -> Option<crate::queue::Micros> {
        let is_up = |place: Place| self.ports[place].condition == HostCondition::Up;
        if !is_up(from) || !is_up(to) || self.is_cut(from, to) || self.is_cut(to, from) {
            return None;
        }
        Some(self.probe_way(from, to, bytes) + self.probe_way(to, from, bytes))
    }

    /// Whether one packet sent one way gets through.
    pub fn probe_packet(&mut self, from: Place, to: Place) -> bool {
        if self.is_cut(from, to) {
            return false;
        }
        let Some(condition) = self.condition_of(from, to) else {
            return true;
        };
        self.probe_chance(from, to).share() >= condition.loss
    }

    /// One way of a probe, which is sent again when it is lost.
    pub fn probe_way(&mut self, from: Place, to: Place, bytes: u64) -> crate::queue::Micros {
        let bare = self.bare_latency("probe-bare", from, to);
        let Some(condition) = self.condition_of(from, to) else {
            return bare;
        };
        let takes = condition.time_on_line(bytes);
        bare + takes + condition.hold_up(bytes, self.probe_chance(from, to))
    }

    /// Probes have chance of their own: measuring changes nothing.
    fn probe_chance(&mut self, from: Place, to: Place) -> &mut Stream {
        self.chances.of("probe", from, to)
    }

    /// What waited for a cut to end goes on its way: TCP tries again at some
    /// time within as long as the cut was.
    fn release(&mut self, conn: u32) {
        let now = self.now;
        let link = &mut self.conns[conn as usize];
        let cable = &mut self.cables[conn as usize];
        let since = cable.cut_since.take().unwrap_or(now);
        cable.mark += 1;
        let ends = link.ends.map(|end| end as usize);
        let chance = self.chances.of("retry", ends[0], ends[1]);
        for arrives in &mut link.arrives {
            *arrives = now + chance.below(now - since + 1);
        }
        for (end, bytes, due) in std::mem::take(&mut cable.held) {
            self.send(conn, end, bytes, due);
        }
        // Whoever asks after an end that is gone is told so at last.
        let open = self.conns[conn as usize].open;
        if let Some(gone) = (0..2).find(|end| !open[*end]) {
            self.say_goodbye(conn, gone);
        }
    }

    /// Starts a node that does not run.
    pub fn start(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("start {place}"));
        self.queue.push(self.now, Due::Start(number(place)));
    }

    pub(super) fn on_start(&mut self, place: Place) {
        if self.ports[place].condition != HostCondition::Down {
            return;
        }
        let host = &mut self.hosts[place];
        let disk = host.disk.take();
        // A start finds room again, as that of a live node does.
        host.disk_state.is_full = false;
        let kept = host.disk_state.is_torn.then(|| disk.clone()).flatten();
        let planted = self.planted;
        let plant = |state: &mut State<NodeStore>| match planted {
            Some(Planted::LastSeenWins) => state.plant_last_seen_wins(),
            None => {}
        };
        let opened = self.chains.open(&self.params, &self.archive, disk, plant);
        let chain = match opened {
            Ok(chain) => chain,
            Err(error) => return self.on_refused_store(place, kept, &error),
        };
        let config = self.config_of(place);
        let host = &mut self.hosts[place];
        host.starts += 1;
        host.disk_state.is_torn = false;
        let entity = [place as u64, u64::from(host.starts)];
        let seed = Stream::new(self.seed, "node", &entity).bits();
        host.node = Some(Node::on_chain(config, chain, seed));
        self.ports[place].condition = HostCondition::Up;
        host.started_at = self.now;
        host.busy_until = self.now;
        host.dirty_since = None;
        self.begin_watching(place);
        self.feed(place, Input::Started);
        self.dial_all(place);
    }

    fn config_of(&self, place: Place) -> Config {
        let setup = &self.hosts[place].setup;
        // A point whose secret nobody looks for: the curve's generator.
        let nobody = crate::setup::NOBODY;
        Config {
            user_agent: format!("minichain-sim ({})", setup.name),
            mining: setup.mines().then(|| MiningConfig {
                output_key: setup.reward_key.unwrap_or(nobody),
                tag: setup.name.clone().into_bytes(),
            }),
            mempool: self.mempool.clone(),
            timing: self.timing,
        }
    }

    /// Ends a node's program; its peers see the connections close.
    pub fn stop(&mut self, place: Place, loss: Loss) {
        let has_lost = self.end(place, loss);
        self.damage.losses += u64::from(has_lost && loss == Loss::Uncommitted);
    }

    /// As [`Self::stop`]; whether anything was lost that was not durable.
    pub(super) fn end(&mut self, place: Place, loss: Loss) -> bool {
        self.trace
            .changed(self.now, &format!("stop {place} {loss:?}"));
        self.use_luck(place);
        let host = &mut self.hosts[place];
        let Some(mut node) = host.node.take() else {
            return false;
        };
        self.ports[place].condition = HostCondition::Down;
        let chain = node.chain_mut();
        let is_full = host.disk_state.is_full;
        let patience = self.pace.commit;
        let is_old = host
            .dirty_since
            .is_none_or(|since| since + patience <= self.now);
        if !is_full && (loss == Loss::Nothing || is_old && host.dirty_since.is_some()) {
            chain.commit();
        }
        let has_lost = !chain.is_durable();
        host.disk = Some(chain.durable());
        self.clear(place);
        has_lost
    }

    /// Forgets what a program that ended had in memory.
    fn clear(&mut self, place: Place) {
        let host = &mut self.hosts[place];
        host.wake_at = None;
        host.miner.template = None;
        host.miner.found_at = None;
        host.fresh.clear();
        for due in std::mem::take(&mut self.hosts[place].inbox) {
            self.lose(due);
        }
        for conn in self.hosts[place].conns.clone() {
            let end = self.conns[conn as usize].end_of(place);
            self.close_end(conn, place, false);
            self.say_goodbye(conn, end);
        }
        self.hosts[place].unanswered.clear();
    }

    /// Freezes a node; connections stay and what arrives waits.
    pub fn pause(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("pause {place}"));
        if self.ports[place].condition != HostCondition::Up {
            return;
        }
        self.use_luck(place);
        self.unsettle();
        self.ports[place].condition = HostCondition::Paused;
        let host = &mut self.hosts[place];
        host.miner.found_at = None;
        for conn in self.hosts[place].conns.clone() {
            self.watch_silence(conn);
        }
    }

    /// Lets a frozen node go on.
    pub fn resume(&mut self, place: Place) {
        self.trace.changed(self.now, &format!("resume {place}"));
        if self.ports[place].condition != HostCondition::Paused {
            return;
        }
        let now = self.now;
        self.ports[place].condition = HostCondition::Up;
        let host = &mut self.hosts[place];
        host.miner.since = now;
        let inbox = std::mem::take(&mut host.inbox);
        if let Some(at) = host.wake_at {
            let at = at.max(now);
            host.wake_queued = Some(at);
            self.queue.push(at, Due::Wake(number(place)));
        }
        for due in inbox {
            self.arrived_before(due);
            self.queue.push(now, due);
        }
        self.plan_found(place);
        self.plan_lost_heartbeat(place);
        for conn in self.hosts[place].conns.clone() {
            let link = &self.conns[conn as usize];
            let ends = link.ends.map(|end| end as usize);
            let cable = &mut self.cables[conn as usize];
            cable.mark += 1;
            cable.cut_since = None;
            if self.is_cut(ends[0], ends[1]) || self.is_cut(ends[1], ends[0]) {
                self.watch_silence(conn);
            }
        }
    }

    /// Ends a node's program and takes its disk away.
    pub fn wipe(&mut self, place: Place) {
        self.end(place, Loss::Uncommitted);
        self.trace.changed(self.now, &format!("wipe {place}"));
        self.hosts[place].disk = None;
        self.hosts[place].disk_state = super::Disk::default();
    }

    /// Takes a node away for good.
    pub fn remove(&mut self, place: Place) {
        self.wipe(place);
        self.ports[place].condition = HostCondition::Removed;
    }

    /// Adds a node that starts at its time, or now if that is past.
    pub fn add(&mut self, setup: NodeSetup) -> Place {
        self.trace.changed(self.now, &format!("{setup:?}"));
        let place = self.hosts.len();
        let at = setup.starts_at.max(self.now);
        self.ports.push(Port::of(&setup));
        self.hosts.push(Host::new(setup, self.seed, place));
        self.checks.grow(self.hosts.len());
        self.queue.push(at, Due::Start(number(place)));
        place
    }

    /// Sets a node's clock.
    pub fn set_skew(&mut self, place: Place, skew_ms: i64) {
        self.trace
            .changed(self.now, &format!("skew {place} {skew_ms}"));
        self.hosts[place].setup.skew_ms = skew_ms;
    }

    /// Sets a miner's hashes a second.
    pub fn set_hash_rate(&mut self, place: Place, hash_rate: u64) {
        self.trace
            .changed(self.now, &format!("rate {place} {hash_rate}"));
        self.use_luck(place);
        self.hosts[place].setup.hash_rate = hash_rate;
        self.plan_found(place);
    }

    /// A request that reaches a frozen node ends in time.
    pub(super) fn wait_for(&mut self, place: Place, due: Due) {
        self.doom(due);
        self.hosts[place].inbox.push(due);
    }

    /// Something under way never arrives.
    pub(super) fn lose(&mut self, due: Due) {
        let (tag, left, right) = due.trace();
        self.trace.lost(self.now, (tag, left, right));
        self.drop_due(due);
    }

    pub(super) fn drop_due(&mut self, due: Due) {
        match due {
            Due::Gossip(one) | Due::Judged(one) | Due::Have(one) | Due::Want(one) => {
                self.landed(one.message);
            }
            Due::Ask(ticket) => self.fail_at(ticket, self.now, RequestFailure::Disconnected),
            Due::Wake(place) => self.hosts[place as usize].wake_queued = None,
            Due::Found(place) => self.hosts[place as usize].miner.found_queued = None,
            Due::Heartbeat(place) => self.hosts[place as usize].heartbeat_at = None,
            _ => {}
        }
    }
}
