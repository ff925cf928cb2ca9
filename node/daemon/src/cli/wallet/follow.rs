//! How a wallet follows a node's chain over JSON-RPC.
//!
//! `scanblocks` names the blocks that concern the wallet's locks; only those
//! are fetched. What the ledger remembers of the chain is compared with the
//! node first, and the chain is compared again when all is taken in, so that a
//! reorganisation in between is noticed and the stretch looked through anew.

use minichain_api::rpc::{BlockchainInfo, HeaderInfo, ScanBlocks, ScanMempool, method};
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

    /// Takes in every block, and what waits.
    pub fn follow(&self, opened: &mut Opened) -> Result<News, Failure> {
        let (network, birthday) = (&opened.contents.network, opened.contents.birthday);
        let wallet = &mut opened.wallet;
        for _ in 0..TRIES_MAX {
            let info = self.info()?;
            check_network(network, &info)?;
            if self.take_blocks(wallet, &info, birthday)?.is_err() {
                continue;
            }
            let locks = locks(wallet);
            let waiting: ScanMempool = self.call(method::SCAN_MEMPOOL, &json!([locks]))?;
            // A payment that a new block took along would be missed.
            if waiting.bestblock == info.bestblockhash {
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
        let stop = pace.stop(next, tip);
        let params = json!(["start", locks(wallet), next, stop]);
        let found: ScanBlocks = self.call(method::SCAN_BLOCKS, &params)?;
        for name in &found.relevant_blocks {
            let header: HeaderInfo = self.call(method::GET_BLOCK_HEADER, &json!([name]))?;
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
        let last = found.to_height.clamp(next, stop);
        if let Some(name) = self.hash_at(last)? {
            wallet.ledger.note_seen(Height(last), hash(&name)?);
        }
        Ok(last.saturating_add(1))
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

/// How many blocks are looked through in one call. The first payment to an
/// address widens what is looked out for, and all that was looked through
/// behind it counts for nothing: so as many as lately were of use, and more
/// where nothing happens.
struct Pace {
    blocks: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { blocks: 1_000 }
    }
}

impl Pace {
    /// Less is not worth a call.
    const BLOCKS_MIN: u32 = 20;

    fn stop(&self, next: u32, tip: u32) -> u32 {
        next.saturating_add(self.blocks - 1).min(tip)
    }

    fn was_kept(&mut self) {
        self.blocks = self.blocks.saturating_mul(2);
    }

    fn was_cut_short(&mut self, used: u32) {
        self.blocks = used.saturating_mul(2).max(Self::BLOCKS_MIN);
    }
}

fn news(wallet: &Wallet, waiting: &ScanMempool) -> Result<News, Failure> {
    let transactions = waiting.transactions.iter();
    let transactions: Vec<Transaction> = transactions
        .map(|text| decoded(text))
        .collect::<Result<_, _>>()?;
    let chain = Chain {
        tip: Height(waiting.height),
        maturity: waiting.coinbasematurity,
    };
    Ok(News {
        outlook: Outlook::new(&wallet.ledger, &wallet.keyring, &transactions, chain),
        tip: chain.tip,
        min_fee_rate: FeeRate::from_sat_per_kvb(waiting.minfeerate),
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

#[cfg(test)]
mod tests {
    use super::Pace;

    /// Blocks looked through in a chain where each of these heights pays a
    /// fresh address.
    fn looked_through(tip: u32, paid: impl Fn(u32) -> bool) -> u64 {
        let mut pace = Pace::default();
        let (mut next, mut sum) = (0, 0);
        while next <= tip {
            let stop = pace.stop(next, tip);
            sum += u64::from(stop - next + 1);
            match (next..=stop).find(|height| paid(*height)) {
                Some(height) => {
                    pace.was_cut_short(height + 1 - next);
                    next = height + 1;
                }
                None => {
                    pace.was_kept();
                    next = stop + 1;
                }
            }
        }
        sum
    }

    #[test]
    fn many_addresses_make_no_block_be_looked_through_many_times() {
        for every in [1, 7, 300, 1_000, 33_333] {
            let sum = looked_through(100_000, |height| height % every == 0);
            let calls = 100_000 / u64::from(every);
            assert!(sum <= 4 * 100_000 + 20 * calls, "{sum} for {every}");
        }
        let bursts = looked_through(100_000, |height| height % 10_000 < 30);
        assert!(bursts <= 4 * 100_000, "{bursts}");
    }

    #[test]
    fn quiet_chain_takes_few_calls_and_the_longest_no_overflow() {
        let mut pace = Pace::default();
        for _ in 0..40 {
            pace.was_kept();
        }
        assert_eq!(pace.stop(5, u32::MAX), u32::MAX);
        pace.was_cut_short(u32::MAX);
        assert_eq!(pace.stop(0, 9), 9);
    }
}
