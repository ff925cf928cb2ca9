//! What a devnet's accounts own right now, as one node sees it, and payments
//! out of it.
//!
//! Unlike a [`Purse`](super::purse::Purse), which knows every coin because it
//! made them all, this asks the node: `scantxoutset` for coins, `scanmempool`
//! for what waits.

use std::time::Duration;

use minichain_api::genesis::GenesisFile;
use minichain_api::rpc::{ScanMempool, code, method};
use minichain_chain::address::Address;
use minichain_chain::amount::{Amount, COIN_SATS};
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::Txid;
use minichain_chain::height::Height;
use minichain_chain::hex;
use minichain_chain::script::Script;
use minichain_chain::signature::SecretKey;
use minichain_chain::transaction::{OutPoint, Transaction};
use minichain_wallet::keyring::{Branch, Keyring, Place};
use minichain_wallet::ledger::{Ledger, Owned};
use minichain_wallet::pending::{Balance, Chain, Outlook};
use minichain_wallet::rate::FeeRate;
use minichain_wallet::wallet::{Draft, PayError, Sum, Wallet};
use serde::Deserialize;
use serde_json::{Value, json};

use super::purse::keys_of;
use crate::client::ClientError;
use crate::probe::NodeAddress;
use crate::run::access::{Access, AskError, ask};

/// Time a node may take over one call; it may read all coins for it.
const CALL: Duration = Duration::from_secs(30);
/// How often a block may come between, or another scan be under way.
const TRIES_MAX: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// All accounts whose keys are known.
pub struct Holdings {
    /// Height they were looked at.
    pub height: u32,
    /// The least fee the node takes.
    pub min_fee_rate: FeeRate,
    /// What addresses begin with.
    pub prefix: String,
    /// The accounts, in the order of the genesis file.
    pub accounts: Vec<Holding>,
}

/// One account.
pub struct Holding {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Address,
    wallet: Wallet,
    outlook: Outlook,
}

/// The part of `scantxoutset`'s answer that is needed here.
#[derive(Deserialize)]
struct Coins {
    bestblock: String,
    unspents: Vec<Unspent>,
}

#[derive(Deserialize)]
struct Unspent {
    txid: String,
    vout: u32,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: String,
    amount: f64,
    height: u32,
    #[serde(default)]
    coinbase: bool,
}

impl Holdings {
    /// Asks a node.
    ///
    /// # Errors
    /// The node does not answer, or the genesis file has no account with a
    /// public seed.
    pub async fn look(
        access: &dyn Access,
        node: &NodeAddress,
        genesis: &GenesisFile,
    ) -> Result<Self, AskError> {
        let keys: Vec<(String, SecretKey)> = keys_of(genesis).collect();
        let lock = |key: &SecretKey| Script::p2tr(&key.output_key());
        let objects: Vec<String> = keys
            .iter()
            .map(|(_, key)| format!("raw({})", hex::encode(lock(key).as_bytes())))
            .collect();
        let (coins, waiting) = consistent(access, node, &objects).await?;
        let transactions = waiting.transactions.iter().map(|text| transaction(text));
        let transactions: Vec<Transaction> = transactions.collect::<Result<_, _>>()?;
        let chain = Chain {
            tip: Height(waiting.height),
            maturity: waiting.coinbasematurity,
        };
        let accounts = keys.into_iter().map(|(name, key)| {
            Holding::new(name, key, &coins, &waiting.addressprefix, |wallet| {
                Outlook::new(&wallet.ledger, &wallet.keyring, &transactions, chain)
            })
        });
        let accounts = accounts.collect::<Result<_, _>>()?;
        Ok(Self {
            height: waiting.height,
            min_fee_rate: FeeRate::from_sat_per_kvb(waiting.minfeerate),
            prefix: waiting.addressprefix,
            accounts,
        })
    }

    /// The account of this name.
    pub fn find(&self, name: &str) -> Option<&Holding> {
        self.accounts.iter().find(|account| account.name == name)
    }
}

impl Holding {
    fn new(
        name: String,
        key: SecretKey,
        coins: &Coins,
        prefix: &str,
        outlook: impl FnOnce(&Wallet) -> Outlook,
    ) -> Result<Self, AskError> {
        let output_key = key.output_key();
        let lock = hex::encode(Script::p2tr(&output_key).as_bytes());
        let owned = coins.unspents.iter();
        let owned = owned
            .filter(|coin| coin.script_pub_key == lock)
            .map(owned_of);
        let wallet = Wallet {
            keyring: Keyring::of_keys(vec![key]),
            ledger: Ledger::of_coins(owned.collect::<Result<Vec<_>, _>>()?),
        };
        let address = Address::new(prefix, output_key);
        Ok(Self {
            name,
            address: address.map_err(|why| odd(method::SCAN_MEMPOOL, &why))?,
            outlook: outlook(&wallet),
            wallet,
        })
    }

    /// Sums over its coins.
    pub fn balance(&self) -> Balance {
        self.outlook.balance()
    }

    /// A signed payment out of its coins.
    ///
    /// # Errors
    /// Too little, or dust.
    pub fn pay(&self, to: &Address, amount: Amount, rate: FeeRate) -> Result<Draft, PayError> {
        // Keys are public: there is no secret to protect by randomness.
        let sum = Sum::Exactly(amount);
        self.wallet.pay(&self.outlook, to, sum, rate, &[0; 32])
    }
}

/// Hands a payment to a node; its id.
///
/// # Errors
/// The node refuses it, or does not answer.
pub async fn hand_in(
    access: &dyn Access,
    node: &NodeAddress,
    transaction: &Transaction,
) -> Result<String, AskError> {
    let params = json!([hex::encode(&encode(transaction))]);
    ask(access, node, method::SEND_RAW_TRANSACTION, params, CALL).await
}

/// How many confirmations a payment has: 0 while it waits, none if the node has
/// it neither in its mempool nor any output of it among its coins.
///
/// # Errors
/// The node does not answer.
pub async fn confirmations(
    access: &dyn Access,
    node: &NodeAddress,
    transaction: &Transaction,
) -> Result<Option<u64>, AskError> {
    let txid = transaction.txid().to_string();
    for vout in 0..transaction.outputs.len() {
        let params = json!([txid, vout, true]);
        let found: Value = ask(access, node, method::GET_TXOUT, params, CALL).await?;
        if let Some(confirmations) = found["confirmations"].as_u64() {
            return Ok(Some(confirmations));
        }
    }
    let params = json!([txid]);
    let waiting = access.call(node, method::GET_MEMPOOL_ENTRY, params, CALL);
    match waiting.await {
        Ok(_) => Ok(Some(0)),
        Err(AskError::Client(ClientError::Rpc { .. })) => Ok(None),
        Err(why) => Err(why),
    }
}

/// Coins and what waits, both at the same block.
async fn consistent(
    access: &dyn Access,
    node: &NodeAddress,
    objects: &[String],
) -> Result<(Coins, ScanMempool), AskError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let params = json!(["start", objects]);
        let coins = ask::<Coins>(access, node, method::SCAN_TXOUTSET, params, CALL).await;
        let is_last = tries == TRIES_MAX;
        let coins = match coins {
            Ok(coins) => coins,
            Err(why) if is_last || !is_busy(&why) => return Err(why),
            Err(_) => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let params = json!([objects]);
        let waiting: ScanMempool = ask(access, node, method::SCAN_MEMPOOL, params, CALL).await?;
        if waiting.bestblock == coins.bestblock {
            return Ok((coins, waiting));
        }
        if is_last {
            return Err(odd(
                method::SCAN_TXOUTSET,
                &"the chain changed with every look; try again",
            ));
        }
    }
}

/// A node does one scan at a time.
fn is_busy(why: &AskError) -> bool {
    matches!(
        why,
        AskError::Client(ClientError::Rpc { error, .. }) if error.code == code::INVALID_PARAMETER
    )
}

fn owned_of(coin: &Unspent) -> Result<(OutPoint, Owned), AskError> {
    let txid: Txid = coin
        .txid
        .parse()
        .map_err(|why| odd(method::SCAN_TXOUTSET, &why))?;
    let owned = Owned {
        value: sats(coin.amount),
        place: Place {
            branch: Branch::Extra,
            index: 0,
        },
        height: Height(coin.height),
        // The genesis block's coins need not mature.
        is_coinbase: coin.coinbase && coin.height > 0,
        spent: None,
    };
    let vout = coin.vout;
    Ok((OutPoint { txid, vout }, owned))
}

/// Amounts below 2^53 base units survive being written as coins.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "amounts are at most 21 million coins"
)]
fn sats(coins: f64) -> Amount {
    Amount::from_sat((coins * COIN_SATS as f64).round() as u64)
}

fn transaction(text: &str) -> Result<Transaction, AskError> {
    let bytes = hex::decode(text).map_err(|why| odd(method::SCAN_MEMPOOL, &why))?;
    decode(&bytes).map_err(|why| odd(method::SCAN_MEMPOOL, &why))
}

fn odd(method: &str, why: &dyn std::fmt::Display) -> AskError {
    AskError::Shape {
        method: method.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests;
