//! Reads blocks from nodes, each once, from a tip down to what is known.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
}

/// A block to read, and whom to ask.
struct Want {
    node: String,
    hash: String,
    height: u32,
}

impl Blocks {
    /// A node has this block; it is read soon if it is not known.
    pub fn want(&self, node: &str, hash: &str, height: u32) {
        self.push(node, hash, height, true);
    }

    fn push(&self, node: &str, hash: &str, height: u32, is_urgent: bool) {
        let mut wanted = self.wanted();
        if wanted.queue.len() >= BLOCKS_MAX || !wanted.hashes.insert(hash.to_owned()) {
            return;
        }
        let want = Want {
            node: node.to_owned(),
            hash: hash.to_owned(),
            height,
        };
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
        Some(want)
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
            self.push(node, &tip.hash, tip.height, false);
        }
    }

    /// Reads what is wanted, for ever.
    pub async fn read(&self, watch: &Watch) {
        loop {
            let Some(want) = self.next() else {
                self.more.notified().await;
                continue;
            };
            if let Some(rest) = read_down(watch, want).await {
                self.push(&rest.node, &rest.hash, rest.height, false);
            }
        }
    }
}

/// Reads down from a block to what is known; what is left over, if it is much.
async fn read_down(watch: &Watch, mut want: Want) -> Option<Want> {
    let client = watch.live.layout().client(&want.node, CALL_TIMEOUT)?;
    for _ in 0..AT_A_TIME {
        if watch.board.has_block(&want.hash) || want.height < watch.board.floor() {
            return None;
        }
        // Another tip of that branch brings it again.
        let block = read(&client, &want.hash, want.height).await?;
        let parent = block.parent.clone();
        watch.board.block(block);
        want.height = want.height.checked_sub(1)?;
        want.hash = parent;
    }
    Some(want)
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
