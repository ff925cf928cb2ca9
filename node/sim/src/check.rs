//! What must never be, watched while the world runs.
//!
//! The ledger here is a second one, kept by simpler means than the chain's own:
//! each block is entered when the first node connects it, and every other node
//! must then have the same coins at it.

mod ledger;

use std::collections::BTreeMap;

use minichain_chain::amount::Amount;
use minichain_chain::coins::CoinStats;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::mempool::Mempool;
use minichain_chain::params::Params;
use minichain_chain::pow::Chainwork;
use minichain_chain::store::Store;
use minichain_chain::transaction::OutPoint;
use minichain_protocol::chain::Chain;
use minichain_protocol::event::Event;
use minichain_protocol::node::Node;

use crate::archive::Archive;
use crate::queue::{Micros, SECOND};

/// Violations kept at most; the first ones tell most.
const VIOLATIONS_MAX: usize = 100;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No node connects a block that spends what is spent, unripe or not there,
    /// and all nodes have the same coins at a block.
    Coins,
    /// The coins at a block are what the schedule has issued, less what was
    /// left unclaimed or burned.
    Supply,
    /// A node's tip never gets less work.
    Work,
    /// No node reports a fault of its own.
    Fault,
    /// Every transaction that waits spends coins that are there.
    Mempool,
    /// A block without a parent is settled in bounded time: its parent is known, or
    /// the node has found a branch of as much work.
    Orphan,
}

/// Something that must never be, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Micros,
    /// Which node.
    pub place: usize,
    /// Which rule.
    pub rule: Rule,
    /// What exactly.
    pub what: String,
}

/// A block whose parent was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orphan {
    pub place: usize,
    pub hash: BlockHash,
    pub missing: BlockHash,
    pub conn: u32,
    pub mark: u32,
}

/// A block in the second ledger.
#[derive(Debug)]
struct Page {
    height: u32,
    total_sats: u64,
    /// Issued and not among the coins.
    lost_sats: u64,
    coins: u64,
}

/// An output in the second ledger.
#[derive(Debug, Default)]
struct Line {
    sats: u64,
    is_coinbase: bool,
    made_in: Vec<BlockHash>,
    spent_in: Vec<BlockHash>,
}

/// Watches.
#[derive(Debug)]
pub struct Checks {
    params: Params,
    is_on: bool,
    pages: BTreeMap<BlockHash, Page>,
    lines: BTreeMap<OutPoint, Line>,
    /// A tip with the number and sum of its coins that were found right last.
    counted: Option<(BlockHash, u64, Amount)>,
    /// Work of each node's tip since it started.
    works: Vec<Option<Chainwork>>,
    orphans: BTreeMap<u32, Orphan>,
    next_orphan: u32,
    orphan_patience: Micros,
    violations: Vec<Violation>,
}

impl Checks {
    pub(crate) fn new(params: &Params) -> Self {
        let mut checks = Self {
            params: params.clone(),
            is_on: true,
            pages: BTreeMap::new(),
            lines: BTreeMap::new(),
            counted: None,
            works: Vec::new(),
            orphans: BTreeMap::new(),
            next_orphan: 0,
            orphan_patience: 120 * SECOND,
            violations: Vec::new(),
        };
        let genesis = params.genesis_block();
        let (_, genesis_coins) = checks.enter_outputs(&genesis, genesis.hash(), 0);
        let total_sats = checks.params.supply_at(Height::GENESIS).to_sat();
        let page = Page {
            height: 0,
            total_sats,
            lost_sats: 0,
            coins: genesis_coins,
        };
        checks.pages.insert(genesis.hash(), page);
        checks
    }

    /// Stops watching, for measuring speed.
    pub fn switch_off(&mut self) {
        self.is_on = false;
    }

    /// How long a block without a parent may stay unsettled.
    #[must_use]
    pub const fn orphan_patience(&self) -> Micros {
        self.orphan_patience
    }

    /// Sets [`Checks::orphan_patience`].
    pub const fn set_orphan_patience(&mut self, patience: Micros) {
        self.orphan_patience = patience;
    }

    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(crate) fn violated(&mut self, at: Micros, place: usize, rule: Rule, what: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation {
                at,
                place,
                rule,
                what,
            });
        }
    }

    /// Something of what a node's next tip is compared with, for who only wants it
    /// read.
    pub(crate) fn glance(&self, place: usize) -> u64 {
        u64::from(self.works[place].is_some())
    }

    pub(crate) fn grow(&mut self, nodes: usize) {
        self.works.resize(nodes, None);
    }

    /// A node has started: what it lost is forgiven.
    pub(crate) fn begin(&mut self, place: usize) {
        self.works[place] = None;
    }

    pub(crate) fn orphan(
        &mut self,
        now: Micros,
        place: usize,
        (hash, missing): (BlockHash, BlockHash),
        (conn, mark): (u32, u32),
    ) -> Option<(Micros, u32)> {
        if !self.is_on {
            return None;
        }
        let number = self.next_orphan;
        self.next_orphan = number.wrapping_add(1);
        let orphan = Orphan {
            place,
            hash,
            missing,
            conn,
            mark,
        };
        self.orphans.insert(number, orphan);
        Some((now + self.orphan_patience, number))
    }

    pub(crate) fn take_orphan(&mut self, number: u32) -> Option<Orphan> {
        self.orphans.remove(&number)
    }

    /// A node told something.
    pub(crate) fn watch<S: Store, C: Chain<S>>(
        &mut self,
        now: Micros,
        place: usize,
        event: &Event,
        node: &Node<S, C>,
        archive: &Archive,
    ) {
        if !self.is_on {
            return;
        }
        match event {
            Event::Fault { message } => {
                self.violated(now, place, Rule::Fault, message.clone());
            }
            Event::TipChanged {
                tip,
                chainwork,
                connected,
                ..
            } => {
                self.watch_work(now, place, *chainwork);
                for summary in connected {
                    // Whatever was counted has its page.
                    let is_counted = self.counted.is_some_and(|(of, ..)| of == summary.hash);
                    if is_counted || self.pages.contains_key(&summary.hash) {
                        continue;
                    }
                    let block = archive.block(&summary.hash);
                    let found = block.map(|block| self.enter(&block, summary.hash, archive));
                    for (rule, what) in found.unwrap_or_default() {
                        self.violated(now, place, rule, what);
                    }
                }
                // One input may change the tip more than once.
                if node.state().tip().hash == *tip {
                    self.watch_coins(now, place, *tip, node.state().coin_stats());
                    let has = |outpoint: &OutPoint| {
                        let coin = node.state().coin(outpoint);
                        coin.is_ok_and(|coin| coin.is_some())
                    };
                    self.watch_mempool(now, place, node.mempool(), has);
                }
            }
            _ => {}
        }
    }

    /// Compares the digests of the coins of nodes that have the same tip. They
    /// take some milliseconds where a node has seen other branches, so this is
    /// for the end of a run.
    pub(crate) fn compare<'a, S: Store + 'a, C: Chain<S> + 'a>(
        &mut self,
        now: Micros,
        nodes: impl Iterator<Item = (usize, &'a Node<S, C>)>,
    ) {
        if !self.is_on {
            return;
        }
        let mut known = BTreeMap::<BlockHash, &CoinStats>::new();
        let mut broken = Vec::new();
        for (place, node) in nodes {
            let (tip, stats) = (node.state().tip().hash, node.state().coin_stats());
            let first = *known.entry(tip).or_insert(stats);
            if first != stats
                && first.muhash.finished().digest() != stats.muhash.finished().digest()
            {
                broken.push((place, format!("other coins than others have at {tip}")));
            }
        }
        for (place, what) in broken {
            self.violated(now, place, Rule::Coins, what);
        }
    }

    fn watch_work(&mut self, now: Micros, place: usize, work: Chainwork) {
        if self.works[place].is_some_and(|before| work <= before) {
            let what = format!("the tip's work fell to {work}");
            self.violated(now, place, Rule::Work, what);
        }
        self.works[place] = Some(work);
    }

    /// The node has as many coins as the ledger, worth as much.
    fn watch_coins(&mut self, now: Micros, place: usize, tip: BlockHash, stats: &CoinStats) {
        let found = (tip, stats.count, stats.total);
        if self.counted == Some(found) {
            return;
        }
        let Some(page) = self.pages.get(&tip) else {
            return;
        };
        let mut broken = Vec::new();
        if stats.count != page.coins {
            let what = format!(
                "{} coins at {tip}, the ledger has {}",
                stats.count, page.coins
            );
            broken.push((Rule::Coins, what));
        }
        let issued = self.params.supply_at(Height(page.height)).to_sat();
        let total = stats.total.to_sat();
        if total != page.total_sats || total.checked_add(page.lost_sats) != Some(issued) {
            let what = format!(
                "{total} base units at {tip}, the ledger has {} and {} lost of {issued} issued",
                page.total_sats, page.lost_sats
            );
            broken.push((Rule::Supply, what));
        }
        if broken.is_empty() {
            self.counted = Some(found);
        }
        for (rule, what) in broken {
            self.violated(now, place, rule, what);
        }
    }

    fn watch_mempool(
        &mut self,
        now: Micros,
        place: usize,
        pool: &Mempool,
        has: impl Fn(&OutPoint) -> bool,
    ) {
        for txid in pool.txids() {
            let inputs = pool.get(&txid).map(|transaction| &transaction.inputs);
            for input in inputs.into_iter().flatten() {
                let outpoint = input.previous_output;
                if !pool.contains(&outpoint.txid) && !has(&outpoint) {
                    let what = format!("{txid} waits for {outpoint:?}");
                    self.violated(now, place, Rule::Mempool, what);
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
