//! How a wallet follows a node's chain over JSON-RPC.
//!
//! `scanblocks` names the blocks that concern the wallet's locks; only those
//! are fetched. What the ledger remembers of the chain is compared with the
//! node first, and the chain is compared again when all is taken in, so that a
//! reorganisation in between is noticed and the stretch looked through anew.

use std::collections::{BTreeMap, BTreeSet};

use minichain_api::rpc::{
    BlockchainInfo, HeaderInfo, SCAN_OBJECTS_MAX, ScanBlocks, ScanMempool, method,
};
use minichain_chain::block::Block;
use minichain_chain::codec::{Decode, decode};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::transaction::Transaction;
use minichain_wallet::contents::Network;
use minichain_wallet::ledger::Ledger;
use minichain_wallet::pending::{Chain, Outlook};
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::Wallet;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::file::Opened;
use super::pace::Pace;
use crate::client::{CallError, Client};
use crate::exit::Failure;
use crate::progress;
use crate::reach::ReachArgs;

/// How often another branch, or another block, may come between.
const TRIES_MAX: usize = 10;

/// A node that is asked.
pub struct Node {
    client: Client,
}

/// What is known once everything was taken in.
pub struct News {
    /// Coins, with what waits.
    pub outlook: Outlook,
    /// Height of the tip.
    pub tip: Height,
    /// The least fee the node takes.
    pub min_fee_rate: FeeRate,
}

/// Another branch took over while the chain was being looked through.
struct Interrupted;

impl Node {
    /// The node that was named.
    pub fn new(reach: &ReachArgs) -> Result<Self, Failure> {
        Ok(Self {
            client: reach.client()?,
        })
    }

    /// Height of its tip.
    pub fn tip_height(&self) -> Result<u32, Failure> {
        self.call(method::GET_BLOCK_COUNT, &json!([]))
    }

    /// Its network.
    pub fn network(&self) -> Result<Network, Failure> {
        let info = self.info()?;
        let nothing: ScanMempool = self.call(method::SCAN_MEMPOOL, &json!([[]]))?;
        Ok(Network {
            name: info.chain.clone(),
            prefix: nothing.addressprefix,
            genesis: hash(&info.genesishash)?,
        })
    }

    /// Takes in every block, and what waits. What was taken in before an error
    /// is saved, so that the next try goes on from there.
    pub fn follow(&self, opened: &mut Opened) -> Result<News, Failure> {
        let news = self.take_all(opened);
        if news.is_err() {
            opened.save()?;
        }
        news
    }

    fn take_all(&self, opened: &mut Opened) -> Result<News, Failure> {
        let (network, birthday) = (&opened.contents.network, opened.contents.birthday);
        let wallet = &mut opened.wallet;
        for _ in 0..TRIES_MAX {
            let info = self.info()?;
            check_network(network, &info)?;
            if self.take_blocks(wallet, &info, birthday)?.is_err() {
                continue;
            }
            let waiting = self.waiting(&locks(wallet))?;
            // A payment that a new block took along would be missed.
            if waiting
                .iter()
                .all(|some| some.bestblock == info.bestblockhash)
            {
                return news(wallet, &waiting);
            }
        }
        Err(Failure::No(format!(
            "the node's chain changed {TRIES_MAX} times while it was looked through; try again"
        )))
    }

    /// Hands a payment to the node.
    pub fn send(&self, transaction: &Transaction) -> Result<String, Failure> {
        let text = hex::encode(&minichain_chain::codec::encode(transaction));
        self.call(method::SEND_RAW_TRANSACTION, &json!([text]))
    }

    fn take_blocks(
        &self,
        wallet: &mut Wallet,
        info: &BlockchainInfo,
        birthday: Height,
    ) -> Result<Result<(), Interrupted>, Failure> {
        let fork = self.fork(&wallet.ledger, info.blocks)?;
        match fork {
            Some(fork) => wallet.ledger.rewind(fork),
            None => wallet.ledger = Ledger::default(),
        }
        let first = fork
            .map_or(0, |fork| fork.0.saturating_add(1))
            .max(birthday.0);
        let mut next = first;
        let mut pace = Pace::default();
        let to_come = info.blocks.saturating_add(1).saturating_sub(first);
        let bar = progress::bar("looking through", to_come.into(), "blocks");
        while next <= info.blocks {
            next = self.take_stretch(wallet, next, info.blocks, &mut pace)?;
            bar.set_position((next - first).into());
        }
        bar.finish_and_clear();
        if self.hash_at(info.blocks)?.as_deref() == Some(info.bestblockhash.as_str()) {
            return Ok(Ok(()));
        }
        match first.checked_sub(1) {
            Some(before) => wallet.ledger.rewind(Height(before)),
            None => wallet.ledger = Ledger::default(),
        }
        Ok(Err(Interrupted))
    }

    /// The last block the ledger has seen that the node still has.
    fn fork(&self, ledger: &Ledger, tip: u32) -> Result<Option<Height>, Failure> {
        for (height, hash) in ledger.seen().filter(|(height, _)| height.0 <= tip) {
            if self.hash_at(height.0)? == Some(hash.to_string()) {
                return Ok(Some(height));
            }
        }
        Ok(None)
    }

    /// Takes in the blocks from `next` on that concern the wallet, up to where
    /// the pace, the node's patience or the reach of the locks ends. Where to
    /// go on.
    fn take_stretch(
        &self,
        wallet: &mut Wallet,
        next: u32,
        tip: u32,
        pace: &mut Pace,
    ) -> Result<u32, Failure> {
        let (blocks, last) = self.relevant(&locks(wallet), next, pace.stop(next, tip))?;
        for name in &blocks {
            let header = self.header(name)?;
            let text: String = self.call(method::GET_BLOCK, &json!([name, 0]))?;
            let block: Block = decoded(&text)?;
            let height = Height(header.height);
            let is_more = wallet.apply(&block, height).map_err(Failure::world)?;
            wallet.ledger.note_seen(height, block.hash());
            if is_more {
                let on = header.height.saturating_add(1).max(next);
                pace.was_cut_short(on - next);
                return Ok(on);
            }
        }
        pace.was_kept();
        if let Some(name) = self.hash_at(last)? {
            wallet.ledger.note_seen(Height(last), hash(&name)?);
        }
        Ok(last.saturating_add(1))
    }

    /// The blocks from `next` to at most `stop` that concern these locks, in
    /// the chain's order, and the last height that was looked through.
    fn relevant(
        &self,
        locks: &[String],
        next: u32,
        stop: u32,
    ) -> Result<(Vec<String>, u32), Failure> {
        let mut last = stop;
        let mut lists = Vec::new();
        for some in locks.chunks(SCAN_OBJECTS_MAX) {
            let params = json!(["start", some, next, last]);
            let found: ScanBlocks = self.call(method::SCAN_BLOCKS, &params)?;
            last = found.to_height.clamp(next, last);
            lists.push(found.relevant_blocks);
        }
        if lists.len() <= 1 {
            return Ok((lists.pop().unwrap_or_default(), last));
        }
        let names: BTreeSet<String> = lists.into_iter().flatten().collect();
        let mut by_height = BTreeMap::new();
        for name in names {
            by_height.insert(self.header(&name)?.height, name);
        }
        // The first calls may have looked further than the last one.
        let reached = by_height.range(..=last).map(|(_, name)| name.clone());
        Ok((reached.collect(), last))
    }

    /// What waits and concerns these locks, by calls of as many as one takes.
    fn waiting(&self, locks: &[String]) -> Result<Vec<ScanMempool>, Failure> {
        let calls = locks.chunks(SCAN_OBJECTS_MAX);
        calls
            .map(|some| self.call(method::SCAN_MEMPOOL, &json!([some])))
            .collect()
    }

    fn header(&self, name: &str) -> Result<HeaderInfo, Failure> {
        self.call(method::GET_BLOCK_HEADER, &json!([name]))
    }

    fn info(&self) -> Result<BlockchainInfo, Failure> {
        self.call(method::GET_BLOCKCHAIN_INFO, &json!([]))
    }

    /// None above the tip.
    fn hash_at(&self, height: u32) -> Result<Option<String>, Failure> {
        match self.client.call(method::GET_BLOCK_HASH, &json!([height])) {
            Ok(name) => shaped(method::GET_BLOCK_HASH, name).map(Some),
            Err(CallError::Refused(_)) => Ok(None),
            Err(why) => Err(Failure::world(why)),
        }
    }

    fn call<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, Failure> {
        let answer = self.client.call(method, params).map_err(|why| match why {
            CallError::Refused(_) => Failure::No(format!("the node refuses: {why}")),
            CallError::Unreachable(why) => Failure::world(why),
        })?;
        shaped(method, answer)
    }
}

fn news(wallet: &Wallet, waiting: &[ScanMempool]) -> Result<News, Failure> {
    let Some(first) = waiting.first() else {
        return Err(Failure::world("the wallet has no addresses to look for"));
    };
    // One that concerns locks of two calls is told twice.
    let texts = waiting.iter().flat_map(|some| &some.transactions);
    let texts: BTreeSet<&String> = texts.collect();
    let transactions: Vec<Transaction> = texts
        .into_iter()
        .map(|text| decoded(text))
        .collect::<Result<_, _>>()?;
    let chain = Chain {
        tip: Height(first.height),
        maturity: first.coinbasematurity,
    };
    Ok(News {
        outlook: Outlook::new(&wallet.ledger, &wallet.keyring, &transactions, chain),
        tip: chain.tip,
        min_fee_rate: FeeRate::from_sat_per_kvb(first.minfeerate),
    })
}

fn check_network(ours: &Network, node: &BlockchainInfo) -> Result<(), Failure> {
    if ours.genesis.to_string() == node.genesishash {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "this wallet belongs to network {} (genesis {}), the node is on {} (genesis {}): name a \
         node of the wallet's network, or import the phrase into a wallet for this one",
        ours.name, ours.genesis, node.chain, node.genesishash
    )))
}

fn locks(wallet: &Wallet) -> Vec<String> {
    let locks = wallet.keyring.locks();
    locks
        .map(|lock| format!("raw({})", hex::encode(lock.as_bytes())))
        .collect()
}

fn shaped<T: DeserializeOwned>(method: &str, answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer)
        .map_err(|why| Failure::world(format!("the node's answer to {method} is odd: {why}")))
}

fn decoded<T: Decode>(text: &str) -> Result<T, Failure> {
    let odd = |why: String| Failure::world(format!("the node's bytes do not decode: {why}"));
    let bytes = hex::decode(text).map_err(|why| odd(why.to_string()))?;
    decode(&bytes).map_err(|why| odd(why.to_string()))
}

fn hash(text: &str) -> Result<BlockHash, Failure> {
    text.parse()
        .map_err(|why| Failure::world(format!("the node's hash {text:?} is none: {why}")))
}
