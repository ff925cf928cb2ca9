//! All that is known of the network at this moment, and who is told of changes.
//!
//! Changes that come within a few milliseconds are told together, so that a
//! block that reaches a hundred nodes is one message to the page. Everything is
//! bounded: blocks and events beyond a limit are forgotten, oldest first.

mod past;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use tokio::sync::{Notify, broadcast};

use super::view::{
    BlockView, Condition, EventView, FaultsView, NetworkView, NodeView, Patch, ScenarioView,
    TipNews, TipView,
};
use crate::clock::now_ms;

/// Blocks kept at most, the highest ones.
pub const BLOCKS_MAX: usize = 1_500;
/// Blocks told to a page that comes new.
const BLOCKS_TOLD: usize = 1_000;
/// Events kept at most.
const EVENTS_MAX: usize = 400;
/// Blocks whose way is followed.
const FOLLOWED_MAX: usize = 64;
/// Changes within this time are one message.
const TOGETHER: Duration = Duration::from_millis(25);
/// Messages kept for a page that is behind; then it gets everything anew.
const KEPT: usize = 256;

/// What is known, and its readers.
pub struct Board {
    known: Mutex<Known>,
    changed: Notify,
    sender: broadcast::Sender<Arc<str>>,
}

#[derive(Default)]
struct Known {
    network: NetworkView,
    nodes: BTreeMap<NodeName, NodeView>,
    blocks: BTreeMap<String, BlockView>,
    /// Height and hash of every block, for forgetting the lowest.
    order: BTreeSet<(u32, String)>,
    /// When blocks came to nodes, of the last ones.
    arrivals: VecDeque<(String, BTreeMap<NodeName, u64>)>,
    faults: FaultsView,
    events: VecDeque<EventView>,
    event_id: u64,
    scenario: Option<ScenarioView>,
    pending: Patch,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            changed: Notify::new(),
            sender: broadcast::Sender::new(KEPT),
        }
    }
}

impl Board {
    /// Everything, and all that changes from now on.
    pub fn join(&self) -> (String, broadcast::Receiver<Arc<str>>) {
        let known = self.known();
        // Both under one lock: nothing is missed, and what is told twice is
        // told as it is.
        let receiver = self.sender.subscribe();
        (text(&known.whole()), receiver)
    }

    /// Everything as it is.
    pub fn whole(&self) -> Patch {
        self.known().whole()
    }

    /// Whether anybody looks.
    pub fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Tells of changes, for ever.
    pub async fn tell(&self) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(TOGETHER).await;
            let patch = std::mem::take(&mut self.known().pending);
            if self.is_watched() && !patch.is_empty() {
                let patch = Patch {
                    at_ms: now_ms(),
                    ..patch
                };
                // The last reader may have gone meanwhile.
                let _unheard = self.sender.send(Arc::from(text(&patch)));
            }
        }
    }

    /// What changed since the last call, as told at that time.
    pub fn take_pending(&self, at_ms: u64) -> Option<Patch> {
        let patch = std::mem::take(&mut self.known().pending);
        (!patch.is_empty()).then_some(Patch { at_ms, ..patch })
    }

    /// Takes in what stays.
    pub fn set_network(&self, network: NetworkView) {
        let mut known = self.known();
        if known.network != network {
            known.pending.network = Some(network.clone());
            known.network = network;
            self.changed.notify_one();
        }
    }

    /// Keeps these nodes only.
    pub fn keep_nodes(&self, names: &[NodeName]) {
        let mut known = self.known();
        let gone: Vec<NodeName> = known
            .nodes
            .keys()
            .filter(|name| !names.contains(name))
            .cloned()
            .collect();
        for name in gone {
            known.nodes.remove(&name);
            known.pending.nodes.insert(name, None);
            self.changed.notify_one();
        }
    }

    /// A node as it is known.
    pub fn node(&self, name: &str) -> Option<NodeView> {
        self.known().nodes.get(name).cloned()
    }

    /// Names of the nodes that answer, sorted.
    pub fn up(&self) -> Vec<NodeName> {
        let known = self.known();
        let up = known.nodes.iter();
        up.filter(|(_, node)| node.condition == Condition::Up)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Takes a node in, or changes what is known of it.
    pub fn put_node(&self, name: &str, change: impl FnOnce(&mut NodeView)) {
        let mut known = self.known();
        let mut node = known.nodes.get(name).cloned().unwrap_or_default();
        change(&mut node);
        if known.nodes.get(name) != Some(&node) {
            known
                .pending
                .nodes
                .insert(name.to_owned(), Some(node.clone()));
            known.nodes.insert(name.to_owned(), node);
            self.changed.notify_one();
        }
    }

    /// Changes what is known of a node. Late news of one that was taken out of
    /// the network do not bring it back.
    pub fn change_node(&self, name: &str, change: impl FnOnce(&mut NodeView)) {
        if self.known().nodes.contains_key(name) {
            self.put_node(name, change);
        }
    }

    /// A node has another tip. `is_news` is false for what a stream begins
    /// with: nobody knows since when the node has that.
    pub fn tip(&self, name: &str, tip: TipView, is_news: bool) {
        let mut known = self.known();
        let Some(node) = known.nodes.get_mut(name) else {
            return;
        };
        let is_same = node.tip.as_ref().is_some_and(|had| had.hash == tip.hash);
        if is_same && node.condition == Condition::Up {
            return;
        }
        if node.condition != Condition::Up {
            node.condition = Condition::Up;
            node.why.clear();
            let whole = NodeView {
                tip: Some(tip.clone()),
                ..node.clone()
            };
            known.pending.nodes.insert(name.to_owned(), Some(whole));
        }
        if let Some(node) = known.nodes.get_mut(name) {
            node.tip = Some(tip.clone());
        }
        if is_news && !is_same {
            known.arrived(name, &tip);
        }
        // A node that is told whole is told once: its older tips with it.
        if let Some(Some(pending)) = known.pending.nodes.get_mut(name) {
            pending.tip = Some(tip.clone());
        }
        known.pending.tips.push(TipNews {
            node: name.to_owned(),
            tip,
        });
        self.changed.notify_one();
    }

    /// Whether a block is known.
    pub fn has_block(&self, hash: &str) -> bool {
        self.known().blocks.contains_key(hash)
    }

    /// Blocks that hold a transaction, the highest first.
    pub fn holders(&self, txid: &str) -> Vec<String> {
        let known = self.known();
        let hashes = known.order.iter().rev().map(|(_, hash)| hash);
        let holds = |hash: &&String| {
            let block = known.blocks.get(*hash);
            block.is_some_and(|block| block.txids.iter().any(|held| held == txid))
        };
        hashes.filter(holds).cloned().collect()
    }

    /// The height below which blocks are forgotten.
    pub fn floor(&self) -> u32 {
        let known = self.known();
        let lowest = known.order.first().map_or(0, |(height, _)| *height);
        match known.order.len() < BLOCKS_MAX {
            true => 0,
            false => lowest,
        }
    }

    /// Takes a block in.
    pub fn block(&self, block: BlockView) {
        let mut known = self.known();
        if known.blocks.contains_key(&block.hash) {
            return;
        }
        let hash = block.hash.clone();
        known.order.insert((block.height, hash.clone()));
        known.blocks.insert(hash.clone(), block);
        known.spread(&hash);
        if let Some(block) = known.blocks.get(&hash).cloned() {
            known.tell_block(block);
        }
        while known.order.len() > BLOCKS_MAX {
            if let Some((_, hash)) = known.order.pop_first() {
                known.blocks.remove(&hash);
            }
        }
        self.changed.notify_one();
    }

    /// Takes in which faults are meant to be in force.
    pub fn set_faults(&self, faults: FaultsView) {
        let mut known = self.known();
        if known.faults != faults {
            known.pending.faults = Some(faults.clone());
            known.faults = faults;
            self.changed.notify_one();
        }
    }

    /// The faults as they were told last.
    pub fn faults(&self) -> FaultsView {
        self.known().faults.clone()
    }

    /// Something happened, perhaps before what is known already.
    pub fn event(&self, event: EventView) {
        let mut known = self.known();
        known.event_id += 1;
        let event = EventView {
            id: known.event_id,
            at_ms: match event.at_ms {
                0 => now_ms(),
                at_ms => at_ms,
            },
            ..event
        };
        known.pending.events.push(event.clone());
        let place = known
            .events
            .partition_point(|other| other.at_ms <= event.at_ms);
        known.events.insert(place, event);
        if known.events.len() > EVENTS_MAX {
            known.events.pop_front();
        }
        self.changed.notify_one();
    }

    /// Takes in how far a scenario is.
    pub fn set_scenario(&self, scenario: ScenarioView) {
        let mut known = self.known();
        if known.scenario.as_ref() != Some(&scenario) {
            known.pending.scenario = Some(scenario.clone());
            known.scenario = Some(scenario);
            self.changed.notify_one();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn whole(&self) -> Patch {
        let highest = self.order.iter().rev().take(BLOCKS_TOLD);
        let blocks = highest.filter_map(|(_, hash)| self.blocks.get(hash).cloned());
        let nodes = self.nodes.iter();
        Patch {
            at_ms: now_ms(),
            whole: true,
            network: Some(self.network.clone()),
            nodes: nodes
                .map(|(name, node)| (name.clone(), Some(node.clone())))
                .collect(),
            tips: Vec::new(),
            blocks: blocks.collect(),
            faults: Some(self.faults.clone()),
            events: self.events.iter().cloned().collect(),
            scenario: self.scenario.clone(),
        }
    }

    fn arrived(&mut self, node: &str, tip: &TipView) {
        let at = self.arrivals.iter().position(|(hash, _)| *hash == tip.hash);
        let arrivals = match at {
            Some(at) => &mut self.arrivals[at].1,
            None => {
                if self.arrivals.len() >= FOLLOWED_MAX {
                    self.arrivals.pop_front();
                }
                self.arrivals.push_back((tip.hash.clone(), BTreeMap::new()));
                match self.arrivals.back_mut() {
                    Some((_, arrivals)) => arrivals,
                    None => return,
                }
            }
        };
        arrivals.entry(node.to_owned()).or_insert(tip.at_ms);
        self.spread(&tip.hash);
        if let Some(block) = self.blocks.get(&tip.hash).cloned() {
            self.tell_block(block);
        }
    }

    /// Works out how a block has spread.
    fn spread(&mut self, hash: &str) {
        let found = self.arrivals.iter().find(|(of, _)| of == hash);
        let (Some((_, arrivals)), Some(block)) = (found, self.blocks.get_mut(hash)) else {
            return;
        };
        block.seen_as(arrivals);
    }

    fn tell_block(&mut self, block: BlockView) {
        self.pending.blocks.retain(|told| told.hash != block.hash);
        self.pending.blocks.push(block);
    }
}

/// Numbers, texts and lists always have a JSON form.
fn text(patch: &Patch) -> String {
    serde_json::to_string(patch).unwrap_or_default()
}

#[cfg(test)]
mod tests;
