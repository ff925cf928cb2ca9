//! What waits for a block, on top of the ledger: coins as they will be once
//! every waiting transaction is in the chain.

use std::collections::{BTreeMap, BTreeSet};

use minichain_chain::amount::Amount;
use minichain_chain::hash::Txid;
use minichain_chain::height::Height;
use minichain_chain::transaction::{OutPoint, Transaction, TxOut};

use crate::keyring::{Keyring, Place};
use crate::ledger::{Entry, Ledger, entry_of};

/// A coin that nothing spends, in the chain or waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it is worth.
    pub value: Amount,
    /// Whose key it is.
    pub place: Place,
    /// Its block; none while it waits.
    pub height: Option<Height>,
    /// How far along it is.
    pub state: CoinState,
}

/// How far along a coin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CoinState {
    /// In the chain.
    Confirmed,
    /// Waits, and only the wallet itself could take it back: change.
    Change,
    /// Waits, and its payer could still take it back.
    Unconfirmed,
    /// A reward that may not be spent yet.
    Immature,
}

/// Sums over coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// In the chain and ready to be spent.
    pub confirmed: Amount,
    /// Waits for a block: change and payments by others.
    pub unconfirmed: Amount,
    /// The part of it that is change of own payments.
    pub change: Amount,
    /// Rewards that have to mature.
    pub immature: Amount,
}

impl Balance {
    /// What can be spent now: all that is confirmed, and own change.
    #[must_use]
    pub fn spendable(&self) -> Amount {
        add(self.confirmed, self.change)
    }
}

/// The ledger with what waits.
#[derive(Debug)]
pub struct Outlook {
    /// Coins that nothing spends, in the order of their places.
    pub coins: Vec<Coin>,
    /// What waits and concerns the wallet.
    pub waiting: Vec<Entry>,
}

/// Which block comes next, and when rewards may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Height of the tip.
    pub tip: Height,
    /// A reward of height h can be spent from height h + maturity on.
    pub maturity: u32,
}

impl Outlook {
    /// Looks at the ledger and transactions that wait, in any order.
    #[must_use]
    pub fn new<'a>(
        ledger: &Ledger,
        keyring: &Keyring,
        waiting: impl IntoIterator<Item = &'a Transaction>,
        chain: Chain,
    ) -> Self {
        let unspent = ledger.outputs().filter(|(_, owned)| owned.spent.is_none());
        let mut coins: BTreeMap<OutPoint, Coin> = unspent
            .map(|(outpoint, owned)| {
                let ripe = u64::from(owned.height.0) + u64::from(chain.maturity);
                let is_ripe = !owned.is_coinbase || ripe <= u64::from(chain.tip.0) + 1;
                let coin = Coin {
                    outpoint: *outpoint,
                    value: owned.value,
                    place: owned.place,
                    height: Some(owned.height),
                    state: match is_ripe {
                        true => CoinState::Confirmed,
                        false => CoinState::Immature,
                    },
                };
                (*outpoint, coin)
            })
            .collect();
        let waiting = put_on_top(&mut coins, keyring, waiting);
        Self {
            coins: coins.into_values().collect(),
            waiting,
        }
    }

    /// Sums over the coins.
    #[must_use]
    pub fn balance(&self) -> Balance {
        let mut sums = Balance::default();
        for coin in &self.coins {
            let value = coin.value;
            match coin.state {
                CoinState::Confirmed => sums.confirmed = add(sums.confirmed, value),
                CoinState::Immature => sums.immature = add(sums.immature, value),
                CoinState::Unconfirmed => sums.unconfirmed = add(sums.unconfirmed, value),
                CoinState::Change => {
                    sums.unconfirmed = add(sums.unconfirmed, value);
                    sums.change = add(sums.change, value);
                }
            }
        }
        sums
    }

    /// Coins a payment may spend: confirmed ones, and change that waits if
    /// `with_change`.
    pub fn spendable(&self, with_change: bool) -> impl Iterator<Item = &Coin> {
        self.coins.iter().filter(move |coin| {
            coin.state == CoinState::Confirmed || with_change && coin.state == CoinState::Change
        })
    }
}

/// Adds what the transactions make, then takes what they spend away, so that
/// their order does not matter.
fn put_on_top<'a>(
    coins: &mut BTreeMap<OutPoint, Coin>,
    keyring: &Keyring,
    waiting: impl IntoIterator<Item = &'a Transaction>,
) -> Vec<Entry> {
    let waiting: Vec<(_, &Transaction)> = waiting.into_iter().map(|tx| (tx.txid(), tx)).collect();
    for (txid, transaction) in &waiting {
        for (output, vout) in transaction.outputs.iter().zip(0..) {
            if let Some(coin) = waiting_coin(OutPoint { txid: *txid, vout }, output, keyring) {
                // In the chain since: that says more.
                coins.entry(coin.outpoint).or_insert(coin);
            }
        }
    }
    while mark_change(coins, &waiting) {}
    let worth = |place: &OutPoint| coins.get(place).map(|coin| coin.value);
    let entries: Vec<Entry> = waiting
        .iter()
        .filter_map(|(_, transaction)| entry_of(transaction, keyring, worth))
        .collect();
    for (_, transaction) in &waiting {
        for input in &transaction.inputs {
            coins.remove(&input.previous_output);
        }
    }
    entries
}

/// Change is what only our own coins, or change again, paid for. Whether more of
/// it was found than before.
fn mark_change(coins: &mut BTreeMap<OutPoint, Coin>, waiting: &[(Txid, &Transaction)]) -> bool {
    let is_own = |transaction: &Transaction| {
        transaction.inputs.iter().all(|input| {
            let spent = coins.get(&input.previous_output);
            spent.is_some_and(|coin| coin.state != CoinState::Unconfirmed)
        })
    };
    let trusted = waiting
        .iter()
        .filter(|(_, transaction)| is_own(transaction));
    let trusted: BTreeSet<Txid> = trusted.map(|(txid, _)| *txid).collect();
    let mut is_more = false;
    for coin in coins.values_mut() {
        if coin.state == CoinState::Unconfirmed && trusted.contains(&coin.outpoint.txid) {
            coin.state = CoinState::Change;
            is_more = true;
        }
    }
    is_more
}

fn waiting_coin(outpoint: OutPoint, output: &TxOut, keyring: &Keyring) -> Option<Coin> {
    Some(Coin {
        outpoint,
        value: output.value,
        place: keyring.find(&output.script_pubkey)?,
        height: None,
        state: CoinState::Unconfirmed,
    })
}

/// Sums of coins that exist never overflow.
fn add(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(one)
}
