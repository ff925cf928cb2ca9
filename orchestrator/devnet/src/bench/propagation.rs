//! How fast blocks reach nodes, against the best way that the links allow: the
//! least sum of one-way delays over links that exist. Nothing can be faster;
//! what is on top is checking, queues, and gossip that chose another way.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::arrivals::Mention;
use crate::account::model::Summary;
use crate::account::statistics::summary;
use crate::simworld::experiment::ways::shortest;

const MICROS_IN_MS: f64 = 1_000.0;

/// Nodes, their links, and when each had which block.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Names of all nodes.
    pub nodes: Vec<String>,
    /// Pairs that are connected, by place in `nodes`, with the one-way delay in
    /// microseconds.
    pub links: Vec<(usize, usize, u64)>,
    /// By block: when each node had it first, in milliseconds since 1970.
    pub blocks: BTreeMap<String, BTreeMap<usize, u64>>,
}

/// What came of it, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Propagation {
    /// Blocks that reached every node.
    pub blocks: usize,
    /// Blocks that did not, and are left out.
    pub left_out: usize,
    /// Connected pairs.
    pub links: usize,
    /// From the miner to each other node.
    pub arrival_ms: Option<Summary>,
    /// The least that the links allow.
    pub best_ms: Option<Summary>,
    /// Each arrival beyond its best.
    pub over_ms: Option<Summary>,
}

impl Seen {
    /// Takes in what a node's log tells of blocks from that height on.
    pub fn take(&mut self, node: usize, mentions: &[Mention], heights: std::ops::Range<u32>) {
        for mention in mentions
            .iter()
            .filter(|told| heights.contains(&told.height))
        {
            let first = self.blocks.entry(mention.hash.clone()).or_default();
            let at_ms = first.entry(node).or_insert(mention.at_ms);
            *at_ms = mention.at_ms.min(*at_ms);
        }
    }

    /// Reckons it all.
    pub fn reckon(&self) -> Propagation {
        let everywhere = |arrivals: &&BTreeMap<usize, u64>| arrivals.len() == self.nodes.len();
        let whole: Vec<_> = self.blocks.values().filter(everywhere).collect();
        let ways: Vec<Vec<u64>> = (0..self.nodes.len())
            .map(|from| shortest(from, self.nodes.len(), &self.links))
            .collect();
        let (mut arrival, mut best, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for arrivals in &whole {
            // The miner has it before it can tell anybody.
            let Some((miner, born_ms)) = arrivals.iter().min_by_key(|(_, at_ms)| **at_ms) else {
                continue;
            };
            for (node, at_ms) in arrivals.iter().filter(|(node, _)| *node != miner) {
                let way = ways[*miner][*node];
                if way == u64::MAX {
                    continue;
                }
                #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
                let (took, least) = ((at_ms - born_ms) as f64, way as f64 / MICROS_IN_MS);
                arrival.push(took);
                best.push(least);
                over.push(took - least);
            }
        }
        Propagation {
            blocks: whole.len(),
            left_out: self.blocks.len() - whole.len(),
            links: self.links.len(),
            arrival_ms: summary(arrival),
            best_ms: summary(best),
            over_ms: summary(over),
        }
    }
}

impl Propagation {
    /// Rows of the table, its head first.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let head = ["", "MEDIAN ms", "90 % ms", "99 % ms", "MAX ms", "N"];
        let row = |title: &str, told: Option<Summary>| {
            let mut row = vec![title.to_owned()];
            match told {
                Some(told) => {
                    let values = [told.median, told.p90, told.p99, told.max];
                    row.extend(values.map(|value| format!("{value:.1}")));
                    row.push(told.count.to_string());
                }
                None => row.extend(["-"; 5].map(str::to_owned)),
            }
            row
        };
        vec![
            head.map(str::to_owned).to_vec(),
            row("arrival", self.arrival_ms),
            row("best way", self.best_ms),
            row("beyond it", self.over_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(hash: &str, height: u32, at_ms: u64) -> Mention {
        Mention {
            at_ms,
            hash: hash.into(),
            height,
            is_tip: true,
            lost: 0,
        }
    }

    /// a - b - c in a line of 10 and 20 ms, and a long link from a to c.
    fn line() -> Seen {
        Seen {
            nodes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            links: vec![(0, 1, 10_000), (1, 2, 20_000), (0, 2, 100_000)],
            blocks: BTreeMap::new(),
        }
    }

    #[test]
    fn arrivals_are_held_against_the_best_way() {
        let mut seen = line();
        seen.take(0, &[mention("x", 5, 1_000)], 5..6);
        seen.take(1, &[mention("x", 5, 1_012), mention("x", 5, 1_500)], 5..6);
        seen.take(2, &[mention("x", 5, 1_105)], 5..6);
        let told = seen.reckon();
        let of = |told: Option<Summary>| told.map(|told| (told.count, told.median, told.max));
        assert_eq!((told.blocks, told.left_out, told.links), (1, 0, 3));
        assert_eq!(of(told.arrival_ms), Some((2, 12.0, 105.0)));
        assert_eq!(of(told.best_ms), Some((2, 10.0, 30.0)));
        assert_eq!(of(told.over_ms), Some((2, 2.0, 75.0)));
    }

    #[test]
    fn what_did_not_come_everywhere_and_other_heights_are_left_out() {
        let mut seen = line();
        seen.take(0, &[mention("x", 5, 1_000), mention("old", 4, 900)], 5..6);
        seen.take(1, &[mention("x", 5, 1_012)], 5..6);
        let told = seen.reckon();
        assert_eq!((told.blocks, told.left_out), (0, 1));
        assert_eq!(told.arrival_ms, None);
        let rows = told.rows();
        assert!(
            rows.iter().all(|row| row.len() == rows[0].len()),
            "{rows:?}"
        );
    }

    #[test]
    fn nodes_without_a_way_between_them_are_not_compared() {
        let mut seen = line();
        seen.links.truncate(1);
        for node in 0..3 {
            seen.take(node, &[mention("x", 5, 1_000 + node as u64)], 5..6);
        }
        let told = seen.reckon();
        assert_eq!(told.arrival_ms.map(|told| told.count), Some(1));
    }
}
