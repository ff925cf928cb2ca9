//! Payments and steady loads on a live network.

pub mod holdings;
pub(crate) mod load;
pub mod purse;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use devnet_scenario::world::{Evidence, Load, Outcome, Transfer};
use futures::future::join_all;
use minichain_api::rpc::{TxOutInfo, code, method};
use minichain_chain::block::Block;
use minichain_chain::codec::decode;
use minichain_chain::hex;
use serde_json::json;

use self::load::RunningLoad;
use self::purse::{Draft, Purse};
use super::access::{Access, AskError, ask};
use crate::bench::load::Offered;
use crate::client::ClientError;
use crate::clock::now_ms;
use crate::faults::Live;
use crate::probe::NodeAddress;

/// Time a node may take over one call.
const CALL: Duration = Duration::from_secs(2);
/// Between two looks at whether split coins are confirmed.
const POLL: Duration = Duration::from_millis(100);
/// Coins of each node for one account, and of all of them together, at most:
/// so many that the limit on unconfirmed ancestors does not bound the rate.
const COINS_PER_NODE: usize = 40;
const COINS_MAX: usize = 1_500;
/// Time that splitting coins may take, in block times, and at least.
const FUND_BLOCKS: u64 = 60;
const FUND_MIN_MS: u64 = 30_000;

/// Pays on one network.
pub struct Payments {
    shared: Arc<Shared>,
    loads: Mutex<BTreeMap<String, RunningLoad>>,
}

/// What loads work with.
struct Shared {
    live: Arc<Live>,
    access: Arc<dyn Access>,
    purse: Mutex<Option<Purse>>,
}

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is in the node's mempool, or in its chain already.
    Accepted,
    /// The node would not have it.
    Refused {
        /// Name of the rule, as far as the node tells it.
        rule: String,
        /// The node's words.
        why: String,
    },
    /// Nobody knows: the node gave no answer.
    Unanswered {
        /// Why.
        why: String,
    },
}

impl Sent {
    /// What came of a payment handed to `via`, for people.
    pub(crate) fn spell(&self, via: &str) -> String {
        match self {
            Self::Accepted => format!("{via} accepted it"),
            Self::Refused { why, .. } => format!("{via} refused it: {why}"),
            Self::Unanswered { why } => format!("{via} {why}"),
        }
    }
}

impl Payments {
    /// Pays on `live`. Nothing is asked before the first payment.
    pub fn new(live: Arc<Live>, access: Arc<dyn Access>) -> Self {
        Self {
            shared: Arc::new(Shared {
                live,
                access,
                purse: Mutex::default(),
            }),
            loads: Mutex::default(),
        }
    }

    /// Splits the coins of `accounts` so that every node has its own, and waits
    /// until every node has them confirmed. Done before any fault, it lets
    /// loads run on every side of a partition.
    ///
    /// # Errors
    /// Says which account or node it failed on.
    pub async fn prefund(&self, accounts: &[String], patience: Duration) -> Result<(), String> {
        let roster = self.shared.live.layout().roster();
        self.shared.open().await?;
        let work = accounts
            .iter()
            .map(|account| self.shared.fund(account, &roster));
        match tokio::time::timeout(patience, join_all(work)).await {
            Ok(done) => done.into_iter().collect(),
            Err(_elapsed) => Err(format!(
                "the coins of {} were not split and confirmed on every node within {} s",
                accounts.join(", "),
                patience.as_secs()
            )),
        }
    }

    /// Sends one payment.
    pub async fn transfer(&self, transfer: &Transfer) -> Outcome {
        let Transfer {
            from,
            to,
            sats,
            via,
        } = transfer;
        if let Err(why) = self.shared.open().await {
            return Outcome::Failed { why };
        }
        let draft = self.shared.with(|purse| purse.pay(from, to, *sats, via));
        let draft = match draft {
            Ok(draft) => draft,
            Err(error) => {
                let why = format!("cannot pay: {error}");
                return Outcome::Failed { why };
            }
        };
        let sent = self.shared.send(via, &draft).await;
        self.shared
            .with(|purse| transferred(transfer, purse, draft, &sent, now_ms()))
    }

    /// Starts a load; ends when its first payment is accepted.
    pub async fn start_load(&self, load: &Load) -> Outcome {
        if self.loads().contains_key(&load.name) {
            let why = format!("a load called `{}` runs already", load.name);
            return Outcome::Failed { why };
        }
        let funded = async {
            self.shared.open().await?;
            self.shared.fund(&load.from, &load.via).await
        };
        if let Err(why) = funded.await {
            return Outcome::Failed { why };
        }
        let running = RunningLoad::start(&self.shared, load);
        let first = running.first();
        self.loads().insert(load.name.clone(), running);
        first.await;
        load_began(load, now_ms())
    }

    /// Stops a load and tells what it sent.
    pub async fn stop_load(&self, name: &str) -> Outcome {
        let running = self.loads().remove(name);
        match running {
            Some(running) => running.stop().await,
            None => Outcome::Failed {
                why: format!("there is no load called `{name}`"),
            },
        }
    }

    /// What a load has sent so far; nothing if there is none of that name.
    pub fn offered(&self, name: &str) -> Offered {
        let loads = self.loads();
        loads
            .get(name)
            .map(RunningLoad::offered)
            .unwrap_or_default()
    }

    fn loads(&self) -> MutexGuard<'_, BTreeMap<String, RunningLoad>> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Reads the genesis block, once.
    async fn open(&self) -> Result<(), String> {
        if self.lock().is_some() {
            return Ok(());
        }
        let layout = self.live.layout();
        let genesis = layout.blueprint.genesis.as_ref();
        let genesis = genesis.ok_or("the network's plan has no genesis file")?;
        let mut why = "the network has no nodes".to_owned();
        for node in &layout.nodes {
            match self.genesis_block(node).await {
                Ok(block) => {
                    let purse = Purse::of_genesis(genesis, &block);
                    self.lock().get_or_insert(purse);
                    return Ok(());
                }
                Err(error) => why = format!("{} {error}", node.name),
            }
        }
        Err(format!("no node told the genesis block: {why}"))
    }

    async fn genesis_block(&self, node: &NodeAddress) -> Result<Block, String> {
        let access = &*self.access;
        let say = |error: AskError| error.to_string();
        let hash: String = ask(access, node, method::GET_BLOCK_HASH, json!([0]), CALL)
            .await
            .map_err(say)?;
        let text: String = ask(access, node, method::GET_BLOCK, json!([hash, 0]), CALL)
            .await
            .map_err(say)?;
        let bytes = hex::decode(&text).map_err(|error| error.to_string())?;
        decode(&bytes).map_err(|error| error.to_string())
    }

    /// Sees to it that an account has coins of its own at every one of `homes`.
    async fn fund(&self, account: &str, homes: &[NodeName]) -> Result<(), String> {
        let Some((draft, bare)) = self.with(|purse| split_for_bare(purse, account, homes))? else {
            return Ok(());
        };
        let txid = draft.txid.clone();
        let mut failure = String::new();
        for home in &bare {
            match self.send(home, &draft).await {
                Sent::Accepted => {
                    self.with(|purse| purse.accepted(draft));
                    join_all(bare.iter().map(|home| self.until_confirmed(home, &txid))).await;
                    return Ok(());
                }
                sent => failure = sent.spell(home),
            }
        }
        self.with(|purse| purse.refused(draft));
        Err(format!("cannot split coins of {account}: {failure}"))
    }

    /// Waits until the node has the transaction in its chain.
    async fn until_confirmed(&self, home: &str, txid: &str) {
        loop {
            let layout = self.live.layout();
            if let Some(node) = layout.address(home) {
                // The last output of a split is its reserve and may be spent.
                let params = json!([txid, 0, false]);
                let answer: Result<Option<TxOutInfo>, _> =
                    ask(&*self.access, node, method::GET_TXOUT, params, CALL).await;
                if matches!(answer, Ok(Some(_))) {
                    return;
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Hands a payment to a node.
    async fn send(&self, via: &str, draft: &Draft) -> Sent {
        let layout = self.live.layout();
        let Some(node) = layout.address(via) else {
            let why = "is not part of the network".to_owned();
            return Sent::Unanswered { why };
        };
        let params = json!([draft.hex]);
        let answer = self
            .access
            .call(node, method::SEND_RAW_TRANSACTION, params, CALL)
            .await;
        match answer {
            Ok(_txid) => Sent::Accepted,
            Err(AskError::Client(ClientError::Rpc { error, .. })) => {
                judge(error.code, error.message)
            }
            Err(error) => Sent::Unanswered {
                why: error.to_string(),
            },
        }
    }

    /// Works on the purse, which [`Shared::open`] has made.
    fn with<T>(&self, work: impl FnOnce(&mut Purse) -> T) -> T {
        work(self.lock().get_or_insert_default())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Purse>> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long splitting coins for loads may take.
pub(crate) fn funding_patience_ms(block_interval_ms: u64) -> u64 {
    FUND_MIN_MS.max(FUND_BLOCKS * block_interval_ms)
}

/// A split for those of `homes` at which an account has no coins yet, and who
/// they are; `None` if all have some.
pub(crate) fn split_for_bare(
    purse: &mut Purse,
    account: &str,
    homes: &[NodeName],
) -> Result<Option<(Draft, Vec<NodeName>)>, String> {
    let is_bare = |home: &&NodeName| purse.coins_at(account, home) == 0;
    let bare: Vec<NodeName> = homes.iter().filter(is_bare).cloned().collect();
    if bare.is_empty() {
        return Ok(None);
    }
    let count = (COINS_MAX / bare.len()).clamp(1, COINS_PER_NODE);
    match purse.split(account, &bare, count) {
        Ok(draft) => Ok(Some((draft, bare))),
        Err(error) => Err(format!("cannot split coins of {account}: {error}")),
    }
}

/// What came of a payment, with the purse told.
pub(crate) fn transferred(
    transfer: &Transfer,
    purse: &mut Purse,
    draft: Draft,
    sent: &Sent,
    at_ms: u64,
) -> Outcome {
    let Transfer {
        from,
        to,
        sats,
        via,
    } = transfer;
    let txid = draft.txid.clone();
    let mut evidence = Evidence {
        summary: format!("{sats} base units from {from} to {to} through {via}: {txid}"),
        in_force_at_ms: Some(at_ms),
        transactions: vec![txid],
        ..Evidence::default()
    };
    if *sent == Sent::Accepted {
        purse.accepted(draft);
        return Outcome::Done(evidence);
    }
    purse.refused(draft);
    evidence.objections.push(sent.spell(via));
    Outcome::Ineffective(evidence)
}

/// What a load says once its first payment was accepted.
pub(crate) fn load_began(load: &Load, at_ms: u64) -> Outcome {
    let via = load.via.join(", ");
    Outcome::Done(Evidence {
        summary: format!(
            "{} payments a second from {} to {} through {via}",
            load.rate, load.from, load.to
        ),
        in_force_at_ms: Some(at_ms),
        ..Evidence::default()
    })
}

/// A node's error in words of ours: that it has the payment already is no
/// refusal, since an attempt without an answer is made again.
pub(crate) fn judge(number: i32, message: String) -> Sent {
    let rule = message.split(':').next().unwrap_or_default().to_owned();
    match (number, rule.as_str()) {
        (code::ALREADY_IN_UTXO_SET, _) | (_, "already_known" | "already_confirmed") => {
            Sent::Accepted
        }
        _ => Sent::Refused { rule, why: message },
    }
}

#[cfg(test)]
mod tests;
