//! Looks at a simulated network, in the words of the runner.

use std::collections::{BTreeMap, BTreeSet};

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Coins, NodeFacts, NodeView, Snapshot, TxPlace, Wants};
use minichain_chain::hash::{BlockHash, Txid};
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_sim::world::{Condition, Place, SimNode};

use super::net::Net;
use crate::run::snapshot::tree::Read;

/// Digests of coins that are kept at most.
const COINS_KEPT: usize = 10_000;

impl Net {
    /// Looks.
    pub fn look(&mut self, wants: &Wants) -> Snapshot {
        self.read_blocks();
        let views = self.roster().into_iter().filter_map(|node| {
            let view = self.view(self.place(&node)?, wants);
            Some((node, view))
        });
        let nodes: BTreeMap<NodeName, NodeView> = views.collect();
        let (logs, logs_lost) = match wants.logs {
            true => self.journal.take(),
            false => Default::default(),
        };
        Snapshot {
            at_ms: self.now_ms(),
            transactions: self.transactions(&wants.transactions),
            blocks: self.tree.take_fresh(),
            nodes,
            logs,
            logs_lost,
            away: None,
        }
    }

    /// Takes in what any node has stored since the last look.
    fn read_blocks(&mut self) {
        let fresh = self.world.archive().bodies_from(self.bodies);
        self.bodies += fresh.len();
        for (_, block) in &fresh {
            self.tree.add(Read::of_block(block));
        }
        // A body may come before its parent's.
        for (hash, _) in &fresh {
            self.tree.join(*hash);
        }
    }

    fn view(&self, place: Place, wants: &Wants) -> NodeView {
        let down = |state: &str, why: &str| NodeView::Down {
            state: state.to_owned(),
            why: why.to_owned(),
        };
        match (self.world.condition(place), self.world.node(place)) {
            (Condition::Up, Some(node)) => NodeView::Up(Box::new(self.facts(place, node, wants))),
            (Condition::Paused, _) => down("paused", "is frozen"),
            (Condition::Removed, _) => down("missing", "is gone"),
            _ => down("exited", "does not run"),
        }
    }

    fn facts(&self, place: Place, node: &SimNode, wants: &Wants) -> NodeFacts {
        let tip = node.state().tip();
        let peers = self.world.peers_of(place);
        let mut peers: Vec<NodeName> = peers
            .into_iter()
            .map(|peer| self.world.name(peer).to_owned())
            .collect();
        peers.sort();
        peers.dedup();
        NodeFacts {
            tip: tip.hash.to_string(),
            height: tip.height.to_u32(),
            work: tip.chainwork.to_string(),
            peers,
            mempool: node.mempool().len() as u64,
            coins: wants
                .coins_at
                .and_then(|height| self.coins(place, node, height)),
            restarts: self.world.starts(place).saturating_sub(1),
            memory_bytes: None,
            metrics: match wants.metrics {
                true => self.metrics(place),
                false => None,
            },
        }
    }

    /// A node's coins at a block. What one life of a node has told of a block
    /// is kept: finishing the digest takes longer than all else in a look.
    fn coins(&self, place: Place, node: &SimNode, height: u32) -> Option<Coins> {
        let state = node.state();
        let height = Height(height.min(state.tip().height.to_u32()));
        let hash = state.active_at(height)?;
        let key = (place, self.world.starts(place), hash);
        if let Some(coins) = self.coins.borrow().get(&key) {
            return Some(coins.clone());
        }
        let coins = self.coins_of(node, &hash)?;
        let mut kept = self.coins.borrow_mut();
        if kept.len() >= COINS_KEPT {
            kept.clear();
        }
        kept.insert(key, coins.clone());
        Some(coins)
    }

    fn coins_of(&self, node: &SimNode, hash: &BlockHash) -> Option<Coins> {
        let info = node.state().utxo_info_at(hash).ok()??;
        let digest: Vec<u8> = info.muhash.iter().rev().copied().collect();
        let height = info.height.to_u32();
        Some(Coins {
            height,
            block: info.hash.to_string(),
            digest: hex::encode(&digest),
            total_sats: info.total.to_sat(),
            issued_sats: self
                .schedule
                .map_or(0, |schedule| schedule.issued_sats(height)),
        })
    }

    /// Where the wanted transactions are on every node that runs.
    fn transactions(&self, wanted: &[String]) -> BTreeMap<String, BTreeMap<NodeName, TxPlace>> {
        if wanted.is_empty() {
            return BTreeMap::new();
        }
        let mut chains = BTreeMap::<BlockHash, BTreeSet<BlockHash>>::new();
        let mut up = Vec::new();
        for name in self.running() {
            let node = self.place(&name).and_then(|place| self.world.node(place));
            if let Some(node) = node {
                let tip = node.state().tip().hash;
                chains.entry(tip).or_insert_with(|| self.tree.chain(tip));
                up.push((name, tip, node));
            }
        }
        let of_node = |txid: &Txid, tip: &BlockHash, node: &SimNode| match self
            .tree
            .height_of(txid, &chains[tip])
        {
            Some(height) => TxPlace::Confirmed { height },
            None if node.mempool().contains(txid) => TxPlace::Waiting,
            None => TxPlace::Unknown,
        };
        let told = wanted.iter().filter_map(|text| {
            let txid: Txid = text.parse().ok()?;
            let nodes = up
                .iter()
                .map(|(name, tip, node)| (name.clone(), of_node(&txid, tip, node)));
            Some((text.clone(), nodes.collect()))
        });
        told.collect()
    }
}
