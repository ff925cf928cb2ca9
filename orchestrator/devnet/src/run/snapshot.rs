//! Looks at a live network: everything that is true of it at one moment, in the
//! words of the runner.
//!
//! All nodes are asked side by side; one that is silent costs one bounded
//! time-out, and one whose process does not run costs nothing. Must never
//! decide anything.

mod questions;
pub mod tree;
pub mod vitals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Coins, NodeFacts, NodeView, Snapshot, TxPlace, Wants};
use futures::future::{FutureExt as _, join_all};
use minichain_api::rpc::{ChainTip, PeerInfo, method};
use minichain_chain::hash::{BlockHash, Txid};
use serde_json::json;

use self::questions::{Answers, Extras, Silence, answers, ended, extras};
use self::tree::{Read, Tree, Walk};
use self::vitals::{Signs, Starts, silence};
use super::access::{Access, AskError, ask};
use super::attendance::Attendance;
use super::logs::LogTap;
use super::schedule::Schedule;
use crate::engine::Engine;
use crate::faults::Live;
use crate::probe::NodeAddress;

/// How long a node may take that answered at the last look, and one that did
/// not.
const PATIENCE: Duration = Duration::from_millis(1_500);
const PATIENCE_WITH_SILENT: Duration = Duration::from_millis(500);
/// Blocks read in one look at most.
const BLOCKS_MAX: usize = 2_000;
/// And for so long; a node that answers slowly shall not stop the run.
const BLOCKS_TIME: Duration = Duration::from_secs(2);
/// Tips of a node that are followed at most.
const TIPS_MAX: usize = 64;

/// Looks at one network again and again.
pub struct Looker {
    live: Arc<Live>,
    access: Arc<dyn Access>,
    logs: Option<Arc<LogTap>>,
    schedule: Option<Schedule>,
    attendance: Attendance,
    memory: Mutex<Memory>,
}

/// What one look may still read; the rest comes with the next.
struct Budget {
    blocks: usize,
    until: Instant,
}

/// What is kept from look to look.
#[derive(Default)]
struct Memory {
    tree: Tree,
    starts: Starts,
    signs: Signs,
    /// The engine has told them in the last look.
    has_signs: bool,
    /// Names by libp2p peer id.
    ids: BTreeMap<String, NodeName>,
    silent: BTreeSet<NodeName>,
}

impl Looker {
    /// Looks at `live`; lines of log come from `logs`, if they are read.
    pub fn new(live: Arc<Live>, access: Arc<dyn Access>, logs: Option<Arc<LogTap>>) -> Self {
        let layout = live.layout();
        let schedule = layout.blueprint.genesis.as_ref().and_then(Schedule::of);
        Self {
            live,
            access,
            logs,
            schedule,
            attendance: Attendance::default(),
            memory: Mutex::default(),
        }
    }

    /// Looks also tell whether the engine is there.
    #[must_use]
    pub fn watching_engine(mut self) -> Self {
        self.attendance = Attendance::of(self.live.engine());
        self
    }

    /// Looks. The snapshot bears no time: the clock is the caller's.
    pub async fn look(&self, wants: &Wants) -> Snapshot {
        let layout = self.live.layout();
        let nodes = &layout.nodes;
        let begin = self.attendance.begin();
        let answers = self.ask_all(nodes).await;
        let extras = self.ask_extras(nodes, &answers, wants).await;
        self.read_blocks(nodes, &answers).await;
        let mut memory = self.memory();
        let views = nodes.iter().map(|node| {
            let view = match &answers[&node.name] {
                Ok(answers) => {
                    let extras = extras.get(&node.name);
                    let facts = self.facts(&memory, &node.name, answers, extras);
                    NodeView::Up(Box::new(facts))
                }
                Err(Silence { state, why }) => NodeView::Down {
                    state: (*state).to_owned(),
                    why: why.clone(),
                },
            };
            (node.name.clone(), view)
        });
        let views: BTreeMap<NodeName, NodeView> = views.collect();
        let (logs, logs_lost) = match &self.logs {
            Some(logs) if wants.logs => logs.take(),
            _ => Default::default(),
        };
        Snapshot {
            at_ms: 0,
            transactions: places(&memory.tree, &wants.transactions, &views, &extras),
            blocks: memory.tree.take_fresh(),
            nodes: views,
            logs,
            logs_lost,
            away: self.attendance.end(&begin, memory.has_signs),
        }
    }

    /// Vital signs and answers of every node, all at once.
    async fn ask_all(&self, nodes: &[NodeAddress]) -> BTreeMap<NodeName, Result<Answers, Silence>> {
        let engine: Arc<dyn Engine> = self.live.engine_handle();
        let name = self.live.name();
        let signs = vitals::ask(&*engine, name).shared();
        let (silent, known): (BTreeSet<_>, BTreeSet<_>) = {
            let memory = self.memory();
            (
                memory.silent.clone(),
                memory.ids.values().cloned().collect(),
            )
        };
        let asked = nodes.iter().map(|node| {
            let patience = match silent.contains(&node.name) {
                true => PATIENCE_WITH_SILENT,
                false => PATIENCE,
            };
            let answers = answers(&*self.access, node, patience, !known.contains(&node.name));
            let ended = ended(signs.clone(), &node.name);
            async move {
                let answer = tokio::select! {
                    biased;
                    answer = answers => answer.map_err(|error| error.to_string()),
                    silence = ended => return (node.name.clone(), Err(silence)),
                };
                (
                    node.name.clone(),
                    answer.map_err(|why| Silence {
                        state: "running",
                        why,
                    }),
                )
            }
        });
        let (mut answers, signs) = {
            let (answers, signs) = tokio::join!(join_all(asked), signs.clone());
            (answers.into_iter().collect::<BTreeMap<_, _>>(), signs)
        };
        let mut memory = self.memory();
        memory.has_signs = signs.is_some();
        if let Some(signs) = signs {
            memory.starts.see(&signs);
            memory.signs = signs;
            for (node, answer) in &mut answers {
                if let (Err(told), Some(known)) = (answer, silence(&memory.signs, node)) {
                    *told = known;
                }
            }
        }
        memory.learn(&answers);
        answers
    }

    async fn ask_extras(
        &self,
        nodes: &[NodeAddress],
        answers: &BTreeMap<NodeName, Result<Answers, Silence>>,
        wants: &Wants,
    ) -> BTreeMap<NodeName, Extras> {
        let asked = nodes.iter().filter_map(|node| {
            let tip = answers.get(&node.name)?.as_ref().ok()?.active()?;
            let height = wants.coins_at.map(|height| height.min(tip.height));
            Some(async move {
                let extras = extras(&*self.access, node, wants, height).await;
                (node.name.clone(), extras)
            })
        });
        join_all(asked).await.into_iter().collect()
    }

    /// Reads what is new below the tips of the nodes.
    async fn read_blocks(
        &self,
        nodes: &[NodeAddress],
        answers: &BTreeMap<NodeName, Result<Answers, Silence>>,
    ) {
        let mut budget = Budget {
            blocks: BLOCKS_MAX,
            until: Instant::now() + BLOCKS_TIME,
        };
        let mut done = BTreeSet::new();
        for node in nodes {
            let Some(Ok(answer)) = answers.get(&node.name) else {
                continue;
            };
            for tip in answer
                .tips
                .iter()
                .filter(|tip| has_body(tip))
                .take(TIPS_MAX)
            {
                let Ok(hash) = tip.hash.parse::<BlockHash>() else {
                    continue;
                };
                if !done.insert(hash) || !self.read_down(node, hash, &mut budget).await {
                    // Another node with the same tip may still tell.
                    done.remove(&hash);
                    continue;
                }
                self.memory().tree.join(hash);
            }
        }
    }

    /// Reads from `tip` down to what is known; false if the node would not go
    /// on.
    async fn read_down(&self, node: &NodeAddress, tip: BlockHash, budget: &mut Budget) -> bool {
        loop {
            let missing = match self.memory().tree.walk(tip) {
                Walk::Known => return true,
                Walk::Missing(hash) => hash,
            };
            if budget.blocks == 0 || Instant::now() >= budget.until {
                return false;
            }
            budget.blocks -= 1;
            let params = json!([missing.to_string(), 0]);
            let access = &*self.access;
            let answer: Result<String, AskError> =
                ask(access, node, method::GET_BLOCK, params, PATIENCE).await;
            let read = answer
                .map_err(|error| error.to_string())
                .and_then(|text| Read::of_hex(&text, missing));
            match read {
                Ok(read) => self.memory().tree.add(read),
                Err(_) => return false,
            }
        }
    }

    fn facts(
        &self,
        memory: &Memory,
        node: &str,
        answers: &Answers,
        extras: Option<&Extras>,
    ) -> NodeFacts {
        let active = answers.active();
        let coins = extras.and_then(|extras| extras.coins.as_ref());
        NodeFacts {
            tip: active.map(|tip| tip.hash.clone()).unwrap_or_default(),
            height: active.map_or(0, |tip| tip.height),
            work: active.map(|tip| tip.chainwork.clone()).unwrap_or_default(),
            peers: memory.names(&answers.peers),
            mempool: answers.mempool.size,
            coins: coins.map(|coins| Coins {
                height: coins.height,
                block: coins.bestblock.clone(),
                digest: coins.muhash.clone(),
                total_sats: coins.total_sats,
                issued_sats: self
                    .schedule
                    .map_or(0, |schedule| schedule.issued_sats(coins.height)),
            }),
            restarts: memory.starts.restarts(node),
            memory_bytes: memory.signs.get(node).and_then(|signs| signs.memory_bytes),
            metrics: extras.and_then(|extras| extras.metrics.clone()),
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn learn(&mut self, answers: &BTreeMap<NodeName, Result<Answers, Silence>>) {
        for (node, answer) in answers {
            match answer {
                Ok(answers) => {
                    self.silent.remove(node);
                    if let Some(id) = &answers.own_id {
                        self.ids.insert(id.clone(), node.clone());
                    }
                }
                Err(_) => {
                    self.silent.insert(node.clone());
                }
            }
        }
    }

    /// Names of peers, sorted, each once. A node whose id was never told is
    /// known by the name it announces.
    fn names(&self, peers: &[PeerInfo]) -> Vec<NodeName> {
        let name = |peer: &PeerInfo| {
            let announced = || Some(peer.subver.split_once('(')?.1.strip_suffix(')')?.to_owned());
            self.ids.get(&peer.peerid).cloned().or_else(announced)
        };
        let names: BTreeSet<NodeName> = peers.iter().filter_map(name).collect();
        names.into_iter().collect()
    }
}

/// Where the wanted transactions are on every node that answers.
fn places(
    tree: &Tree,
    wanted: &[String],
    views: &BTreeMap<NodeName, NodeView>,
    extras: &BTreeMap<NodeName, Extras>,
) -> BTreeMap<String, BTreeMap<NodeName, TxPlace>> {
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let tips = views.iter().filter_map(|(name, view)| match view {
        NodeView::Up(facts) => Some((name, facts.tip.parse::<BlockHash>().ok()?)),
        NodeView::Down { .. } => None,
    });
    let tips: Vec<(&NodeName, BlockHash)> = tips.collect();
    let mut chains = BTreeMap::new();
    for (_, tip) in &tips {
        chains.entry(*tip).or_insert_with(|| tree.chain(*tip));
    }
    let place = |txid: &str, node: &NodeName, tip: &BlockHash| {
        let parsed: Option<Txid> = txid.parse().ok();
        if let Some(height) = parsed.and_then(|txid| tree.height_of(&txid, &chains[tip])) {
            return TxPlace::Confirmed { height };
        }
        match extras
            .get(node)
            .is_some_and(|extras| extras.waiting.contains(txid))
        {
            true => TxPlace::Waiting,
            false => TxPlace::Unknown,
        }
    };
    wanted
        .iter()
        .map(|txid| {
            let nodes = tips
                .iter()
                .map(|(node, tip)| ((*node).clone(), place(txid, node, tip)));
            (txid.clone(), nodes.collect())
        })
        .collect()
}

/// Whether the blocks up to this tip can be read from the node.
fn has_body(tip: &ChainTip) -> bool {
    matches!(
        tip.status.as_str(),
        "active" | "valid-fork" | "valid-headers"
    )
}

#[cfg(test)]
mod tests;
