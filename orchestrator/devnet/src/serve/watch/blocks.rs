//! Reads blocks from nodes, each once, from a tip down to what is known.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use minichain_api::rpc::{ChainTip, method};
use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hex;
use serde_json::json;
use tokio::sync::Notify;

use super::Watch;
use crate::client::Client;
use crate::probe::CALL_TIMEOUT;
use crate::run::snapshot::tree;
use crate::serve::board::BLOCKS_MAX;
use crate::serve::view::BlockView;

/// Tips of a node beside its own that are read at most.
const BRANCHES_MAX: usize = 64;
/// Blocks read at a time: news come before what is long known.
const AT_A_TIME: usize = 50;
/// How often a block that could not be read is asked for again.
const TRIES_MAX: u32 = 5;
/// Before that, at least; the next time is twice as long.
const AGAIN: Duration = Duration::from_millis(300);

/// What is yet to be read.
#[derive(Default)]
pub struct Blocks {
    wanted: Mutex<Wanted>,
    more: Notify,
}

#[derive(Default)]
struct Wanted {
    queue: VecDeque<Want>,
    hashes: HashSet<String>,
    /// Reads that go on.
    at_work: usize,
}

/// A block to read, and whom to ask.
struct Want {
    node: String,
    hash: String,
    height: u32,
    /// How often it could not be read.
    failed: u32,
}

/// How far reading came.
enum Came {
    /// To what is known.
    Down,
    /// That far; the rest is read later.
    Part(Want),
    /// To a block that the node did not tell.
    Stuck(Want),
}

impl Blocks {
    /// A node has this block; it is read soon if it is not known.
    pub fn want(&self, node: &str, hash: &str, height: u32) {
        self.push(Want::new(node, hash, height), true);
    }

    fn push(&self, want: Want, is_urgent: bool) {
        let mut wanted = self.wanted();
        if wanted.queue.len() >= BLOCKS_MAX || !wanted.hashes.insert(want.hash.clone()) {
            return;
        }
        match is_urgent {
            true => wanted.queue.push_front(want),
            false => wanted.queue.push_back(want),
        }
        self.more.notify_one();
    }

    fn next(&self) -> Option<Want> {
        let mut wanted = self.wanted();
        let want = wanted.queue.pop_front()?;
        wanted.hashes.remove(&want.hash);
        wanted.at_work += 1;
        Some(want)
    }

    /// Whether nothing is wanted that was not read.
    pub fn is_idle(&self) -> bool {
        let wanted = self.wanted();
        wanted.queue.is_empty() && wanted.at_work == 0
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wants the branches of the past that a node knows.
    pub async fn branches(&self, watch: &Watch, node: &str) {
        let Some(client) = watch.live.layout().client(node, CALL_TIMEOUT) else {
            return;
        };
        // Without an answer the next round asks again.
        let tips = client.call::<Vec<ChainTip>>(method::GET_CHAIN_TIPS, json!([]));
        let tips = tips.await.unwrap_or_default();
        let branches = tips.iter().filter(|tip| tip.status == "valid-fork");
        for tip in branches.take(BRANCHES_MAX) {
            self.push(Want::new(node, &tip.hash, tip.height), false);
        }
    }

    /// Reads what is wanted, for ever.
    pub async fn read(&self, watch: &Watch) {
        loop {
            let Some(want) = self.next() else {
                self.more.notified().await;
                continue;
            };
            match read_down(watch, want).await {
                Came::Down => {}
                Came::Part(rest) => self.push(rest, false),
                // Whatever is read later stops at what is known above it.
                Came::Stuck(rest) if rest.failed < TRIES_MAX => {
                    // News do not wait for what one node cannot tell.
                    let pause = AGAIN * 2_u32.pow(rest.failed);
                    let _news = tokio::time::timeout(pause, self.more.notified()).await;
                    self.push(rest.of_another(&watch.board.up()), false);
                }
                Came::Stuck(_) => {}
            }
            self.wanted().at_work -= 1;
        }
    }
}

impl Want {
    fn new(node: &str, hash: &str, height: u32) -> Self {
        Self {
            node: node.to_owned(),
            hash: hash.to_owned(),
            height,
            failed: 0,
        }
    }

    /// The same of the next node that answers: the one that was asked may be gone.
    fn of_another(self, up: &[String]) -> Self {
        let next = up.iter().find(|node| **node > self.node).or(up.first());
        Self {
            node: next.cloned().unwrap_or(self.node),
            failed: self.failed + 1,
            ..self
        }
    }
}

/// Reads down from a block to what is known, or for a while.
async fn read_down(watch: &Watch, mut want: Want) -> Came {
    let Some(client) = watch.live.layout().client(&want.node, CALL_TIMEOUT) else {
        return Came::Stuck(want);
    };
    for _ in 0..AT_A_TIME {
        if watch.board.has_block(&want.hash) || want.height < watch.board.floor() {
            return Came::Down;
        }
        let Some(block) = read(&client, &want.hash, want.height).await else {
            return Came::Stuck(want);
        };
        let parent = block.parent.clone();
        watch.board.block(block);
        let Some(below) = want.height.checked_sub(1) else {
            return Came::Down;
        };
        want = Want::new(&want.node, &parent, below);
    }
    Came::Part(want)
}

async fn read(client: &Client, hash: &str, height: u32) -> Option<BlockView> {
    let text: String = client
        .call(method::GET_BLOCK, json!([hash, 0]))
        .await
        .ok()?;
    let bytes = hex::decode(&text).ok()?;
    let block: Block = decode(&bytes).ok()?;
    (block.hash().to_string() == hash).then(|| view(&block, height, bytes.len()))
}

/// What the page is told of a block.
pub fn view(block: &Block, height: u32, bytes: usize) -> BlockView {
    let transactions = block.transactions.iter();
    BlockView {
        hash: block.hash().to_string(),
        parent: block.header.previous.to_string(),
        height,
        miner: tree::miner(block).filter(|_| height > 0),
        time_ms: u64::from(block.header.time.0) * 1_000,
        transactions: block.transactions.len(),
        bytes,
        seen_ms: None,
        spread: None,
        txids: transactions.map(|one| one.txid().to_string()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_node_did_not_tell_the_next_one_is_asked() {
        let up = ["a", "b", "c"].map(str::to_owned);
        let want = Want::new("b", "x", 7).of_another(&up);
        assert_eq!((want.node.as_str(), want.failed), ("c", 1));
        let want = want.of_another(&up);
        assert_eq!((want.node.as_str(), want.failed), ("a", 2));
        let want = want.of_another(&[]);
        assert_eq!((want.node.as_str(), want.height), ("a", 7));
    }

    #[test]
    fn a_block_is_wanted_once_until_it_is_taken() {
        let blocks = Blocks::default();
        blocks.push(Want::new("a", "old", 1), false);
        blocks.want("a", "new", 2);
        blocks.want("b", "new", 2);
        let taken = || blocks.next().map(|want| want.hash);
        assert_eq!(taken().as_deref(), Some("new"), "news come first");
        blocks.want("b", "new", 2);
        assert_eq!(taken().as_deref(), Some("new"));
        assert_eq!(taken().as_deref(), Some("old"));
        assert_eq!(taken(), None);
        assert!(!blocks.is_idle(), "what was taken is yet to be read");
    }
}
