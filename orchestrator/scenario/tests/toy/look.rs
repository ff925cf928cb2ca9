//! What the toy shows of itself: probes, nodes and blocks.

use devnet_scenario::fault::{Fault, Link};
use devnet_scenario::world::*;

use super::Toy;

/// An engine that goes away, and perhaps comes back.
#[derive(Clone, Debug)]
pub struct Away {
    pub from_ms: u64,
    pub until_ms: u64,
    /// When the nodes end with it; else nobody hears them until it is back.
    pub nodes_end_at_ms: Option<u64>,
}

impl Away {
    fn is_now(&self, now_ms: u64) -> bool {
        (self.from_ms..self.until_ms).contains(&now_ms)
    }
}

impl Toy {
    /// Probes of every link, as things are now.
    pub(super) fn evidence(&self, act: &Act) -> Evidence {
        let states = self.table().states();
        let wanted = match act {
            Act::Inflict(Fault::Cut(cut)) => cut.links.clone(),
            _ => states
                .iter()
                .filter(|(_, x)| x.cut)
                .map(|(link, _)| link.clone())
                .collect(),
        };
        let open = Reach::Open { rtt_ms: Some(1.0) };
        let names: Vec<&String> = self.nodes.keys().collect();
        let links = names
            .iter()
            .flat_map(|a| names.iter().map(move |b| Link::new(a, b)));
        let probes = links
            .filter(|link| link.from != link.to)
            .map(|link| ProbeEvidence {
                by: "toy".into(),
                before: None,
                expected: if wanted.contains(&link) {
                    Reach::Cut
                } else {
                    open
                },
                measured: match states.get(&link) {
                    Some(state) if state.cut => Reach::Cut,
                    _ => open,
                },
                link,
            });
        Evidence {
            summary: "measured by the toy".into(),
            probes: probes.collect(),
            in_force_at_ms: Some(self.now_ms),
            ..Evidence::default()
        }
    }

    pub(super) fn snapshot(&mut self, wants: &Wants) -> Snapshot {
        let away = self.tricks.away.clone();
        if away.is_some_and(|x| x.nodes_end_at_ms.is_some_and(|at_ms| at_ms <= self.now_ms)) {
            self.nodes.values_mut().for_each(|node| node.is_up = false);
        }
        let dies = self.tricks.dies.take_if(|(_, at_ms)| *at_ms <= self.now_ms);
        if let Some(node) = dies.and_then(|(name, _)| self.nodes.get_mut(&name)) {
            node.is_up = false;
        }
        let mut blocks = self.blocks[self.told..].to_vec();
        let hidden = self.tricks.hidden.as_ref();
        blocks.retain(|block| hidden.is_none() || block.miner.as_ref() != hidden);
        self.told = self.blocks.len();
        let nodes = self
            .nodes
            .keys()
            .map(|name| (name.clone(), self.view(name, wants)));
        let nodes = nodes.collect();
        let now_ms = self.now_ms;
        let (due, later) = std::mem::take(&mut self.tricks.logs)
            .into_iter()
            .partition(|(at_ms, ..)| wants.logs && *at_ms <= now_ms);
        self.tricks.logs = later;
        let mut due: Vec<(u64, String, String)> = due;
        if wants.logs && !self.tricks.is_mute {
            for name in self.nodes.keys() {
                if self.greeted.insert(name.clone()) {
                    due.push((now_ms, name.clone(), "INFO ready".into()));
                }
            }
        }
        let place = |id: &String| {
            let sent = self.sent.get(id).copied();
            self.nodes.keys().map(move |name| {
                let place = match sent {
                    Some(at) if now_ms > at + 2_000 => TxPlace::Confirmed { height: 1 },
                    Some(_) => TxPlace::Waiting,
                    None => TxPlace::Unknown,
                };
                (name.clone(), place)
            })
        };
        let transactions = wants.transactions.iter();
        let is_lost = self
            .tricks
            .loses_a_line_at_ms
            .is_some_and(|at| at <= now_ms);
        if is_lost {
            self.tricks.loses_a_line_at_ms = None;
        }
        Snapshot {
            at_ms: now_ms,
            logs_lost: u64::from(is_lost),
            nodes,
            blocks,
            logs: due
                .into_iter()
                .map(|(at_ms, node, text)| LogFact { node, at_ms, text })
                .collect(),
            transactions: transactions
                .map(|id| (id.clone(), place(id).collect()))
                .collect(),
            away: self.is_away().then(|| "nobody listens there".into()),
        }
    }

    fn is_away(&self) -> bool {
        let away = self.tricks.away.as_ref();
        away.is_some_and(|away| away.is_now(self.now_ms))
    }

    fn view(&self, name: &str, wants: &Wants) -> NodeView {
        let node = &self.nodes[name];
        if node.is_up && self.is_away() {
            return NodeView::Down {
                state: "running".into(),
                why: "no answer".into(),
            };
        }
        if !node.is_up {
            return NodeView::Down {
                state: "exited".into(),
                why: "killed".into(),
            };
        }
        let tip = &self.blocks[node.tip];
        let metrics = format!(
            "toy_height {}\ntoy_blocks_total {}\n",
            tip.height, tip.height
        );
        NodeView::Up(Box::new(NodeFacts {
            tip: tip.hash.clone(),
            height: tip.height,
            work: tip.work.clone(),
            peers: self.peers(name),
            mempool: 0,
            coins: wants.coins_at.map(|height| self.coins(name, height)),
            restarts: node.restarts,
            memory_bytes: Some(50 << 20),
            metrics: wants.metrics.then_some(metrics),
        }))
    }

    fn peers(&self, name: &str) -> Vec<String> {
        let states = self.table().states();
        let is_joined = |other: &String| {
            let there = Link::new(name, other);
            let links = [there.reversed(), there];
            let mut states = links.iter().filter_map(|link| states.get(link));
            other != name && self.nodes[other].is_up && !states.any(|state| state.cut)
        };
        self.nodes
            .keys()
            .filter(|x| is_joined(x))
            .cloned()
            .collect()
    }

    fn coins(&self, name: &str, height: u32) -> Coins {
        let mut at = &self.blocks[self.nodes[name].tip];
        while at.height > height {
            let parent = at.parent.as_ref().unwrap();
            at = self
                .blocks
                .iter()
                .find(|block| block.hash == *parent)
                .unwrap();
        }
        let is_odd = self.tricks.odd_coins.as_deref() == Some(name);
        Coins {
            height: at.height,
            block: at.hash.clone(),
            digest: format!("{}{}", at.hash, if is_odd { "?" } else { "" }),
            total_sats: u64::from(at.height) * 50
                + u64::from(self.tricks.forger.as_deref() == Some(name)),
            issued_sats: u64::from(at.height) * 50,
        }
    }
}
