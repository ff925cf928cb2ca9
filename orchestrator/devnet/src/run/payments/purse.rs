//! A devnet's accounts, their coins, and payments from them.
//!
//! The keys follow from seeds that stand in the genesis file. Every coin has a
//! home: the node its payments are handed to. Coins of one home are never spent
//! at another, so that payments on two sides of a partition cannot conflict.
//! Coins without a home are the reserve that new ones are split from.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;
use minichain_api::genesis::{GenesisFile, Owner};
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::SecretKey;
use minichain_chain::transaction::{OutPoint, TxOut};
use minichain_wallet::payment::{Spend, signed};
use minichain_wallet::rate::{FeeRate, vbytes};
use minichain_wallet::select::{self, Choice, SelectError, Target};

use self::coins::Coins;

mod coins;

/// Ten times what nodes ask for at least.
const RATE: FeeRate = FeeRate::from_sat_per_kvb(1_000);
/// A coin that was refused so often is given up: what it came from is gone.
const STRIKES_MAX: u8 = 20;

/// All accounts whose keys are known.
#[derive(Default)]
pub struct Purse {
    accounts: BTreeMap<String, Account>,
}

struct Account {
    key: SecretKey,
    /// What its coins are locked by.
    lock: Script,
    coins: Coins,
}

/// An output that can be spent.
#[derive(Clone, Debug, PartialEq)]
struct Coin {
    place: OutPoint,
    sats: u64,
    home: Option<NodeName>,
    strikes: u8,
}

/// A signed payment, not yet sent. Its coins are out of the purse until
/// [`Purse::accepted`] or [`Purse::refused`] says what became of it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Id, as nodes write it.
    pub txid: String,
    /// Bytes in hexadecimal.
    pub hex: String,
    from: String,
    spent: Vec<Coin>,
    made: Vec<(String, Coin)>,
}

/// Why there is no payment, as a fragment that fits after "cannot pay: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurseError {
    /// No such account, or nobody knows its key.
    #[error("the genesis file has no account `{name}` with a public seed; there are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The accounts there are.
        known: String,
    },
    /// Its coins do not suffice.
    #[error(
        "{account} has {have_sats} base units to spend at {via}, {needed_sats} are needed with the fee"
    )]
    Short {
        /// The account.
        account: String,
        /// Where it would pay.
        via: String,
        /// What it has there.
        have_sats: u64,
        /// What it needs.
        needed_sats: u64,
    },
    /// They suffice, but there are too many of them.
    #[error("{account} cannot pay so much at once: {why}")]
    Pieces {
        /// The account.
        account: String,
        /// How many one payment may spend.
        why: SelectError,
    },
    /// The chain's code would not sign.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl Purse {
    /// The accounts of a genesis file with their coins in the genesis block.
    pub fn of_genesis(genesis: &GenesisFile, block: &Block) -> Self {
        let accounts = keys_of(genesis).map(|(name, key)| {
            let lock = Script::p2tr(&key.output_key());
            let coins = coins_of(block, &lock);
            (name, Account { key, lock, coins })
        });
        Self {
            accounts: accounts.collect(),
        }
    }

    /// Names of the accounts.
    pub fn names(&self) -> Vec<String> {
        self.accounts.keys().cloned().collect()
    }

    /// How many coins of an account are at home at a node.
    pub fn coins_at(&self, account: &str, home: &str) -> usize {
        let account = self.accounts.get(account);
        account.map_or(0, |account| account.coins.count(Some(&home.to_owned())))
    }

    /// A payment of `sats` from one account to another, to be handed to `via`.
    ///
    /// # Errors
    /// An unknown account, or too few coins there.
    pub fn pay(&mut self, from: &str, to: &str, sats: u64, via: &str) -> Result<Draft, PurseError> {
        let lock = self.lock(to)?;
        let (spent, choice) = self.take(from, sats, via)?;
        let change = choice.change.map_or(0, Amount::to_sat);
        let home = Some(via.to_owned());
        let outputs = [
            (to, lock, sats, home.clone()),
            (from, self.lock(from)?, change, home),
        ];
        self.sign(
            from,
            spent,
            outputs.into_iter().filter(|output| output.2 > 0),
        )
    }

    /// Splits half of an account's reserve into `count` coins for each of
    /// `homes`.
    ///
    /// # Errors
    /// An unknown account, or no reserve to split.
    pub fn split(
        &mut self,
        account: &str,
        homes: &[NodeName],
        count: usize,
    ) -> Result<Draft, PurseError> {
        let lock = self.lock(account)?;
        let outputs = homes.len() * count;
        let fee = RATE.fee(vbytes(1, outputs + 1)).to_sat();
        let coins = &mut self.account_mut(account)?.coins;
        let unit = |sats: u64| sats.saturating_sub(fee) / 2 / (outputs.max(1) as u64);
        let largest = coins.largest(None).filter(|(_, sats)| unit(*sats) > 0);
        let Some(coin) = largest.and_then(|(place, _)| coins.take(&place)) else {
            return Err(PurseError::Short {
                account: account.to_owned(),
                via: homes.first().cloned().unwrap_or_default(),
                have_sats: 0,
                needed_sats: fee + 2 * outputs as u64,
            });
        };
        let unit = unit(coin.sats);
        let rest = coin.sats - fee - unit * outputs as u64;
        let of_homes = homes
            .iter()
            .flat_map(|home| (0..count).map(move |_| Some(home.clone())));
        let made = of_homes
            .map(|home| (account, lock.clone(), unit, home))
            .chain([(account, lock.clone(), rest, None)]);
        let made: Vec<_> = made.collect();
        self.sign(account, vec![coin], made.into_iter())
    }

    /// The payment is in a mempool: what it made can be spent.
    pub fn accepted(&mut self, draft: Draft) {
        for (account, coin) in draft.made {
            if let Some(account) = self.accounts.get_mut(&account) {
                account.coins.push(coin);
            }
        }
    }

    /// The payment was refused or never sent: its coins are as before.
    pub fn refused(&mut self, draft: Draft) {
        let Some(account) = self.accounts.get_mut(&draft.from) else {
            return;
        };
        for mut coin in draft.spent {
            coin.strikes += 1;
            if coin.strikes < STRIKES_MAX {
                account.coins.push(coin);
            }
        }
    }

    /// Coins for a payment: one that suffices, if possible of this home, else
    /// as many as it takes. Coins are spent in turn, so that no chain of
    /// unconfirmed payments grows long.
    fn take(
        &mut self,
        from: &str,
        sats: u64,
        via: &str,
    ) -> Result<(Vec<Coin>, Choice), PurseError> {
        let target = Target {
            amount: Amount::from_sat(sats),
            outputs: 1,
            rate: RATE,
        };
        let coins = &mut self.account_mut(from)?.coins;
        let home = via.to_owned();
        let needed = target.needed(1).to_sat();
        let single = coins
            .first(Some(&home), needed)
            .or_else(|| coins.first(None, needed));
        let of = match single {
            Some(coin) => vec![coin],
            None => [coins.of(Some(&home)), coins.of(None)].concat(),
        };
        let values: Vec<Amount> = of.iter().map(|coin| Amount::from_sat(coin.1)).collect();
        let choice = select::many(&values, &target).map_err(|why| short(from, via, why))?;
        let picked = choice.picked.iter().map(|at| &of[*at].0);
        let taken = picked.filter_map(|place| coins.take(place)).collect();
        Ok((taken, choice))
    }

    fn sign<'a>(
        &mut self,
        from: &str,
        spent: Vec<Coin>,
        outputs: impl Iterator<Item = (&'a str, Script, u64, Option<NodeName>)>,
    ) -> Result<Draft, PurseError> {
        let lock = self.lock(from)?;
        let key = &self.account(from)?.key;
        let output = |sats: u64, script_pubkey: Script| TxOut {
            value: Amount::from_sat(sats),
            script_pubkey,
        };
        let spends = spent.iter().map(|coin| Spend {
            place: coin.place,
            output: output(coin.sats, lock.clone()),
            key: key.clone(),
        });
        let spends: Vec<Spend> = spends.collect();
        let (mut paid, mut owners) = (Vec::new(), Vec::new());
        for (owner, script, sats, home) in outputs {
            paid.push(output(sats, script));
            owners.push((owner.to_owned(), sats, home));
        }
        // Keys are public: there is no secret to protect by randomness.
        let transaction = signed(&spends, paid, &[0; 32])
            .map_err(|error| PurseError::Signing(error.to_string()))?;
        let made = owners
            .into_iter()
            .enumerate()
            .map(|(at, (owner, sats, home))| {
                let coin = Coin {
                    place: transaction.outpoint(u32::try_from(at).unwrap_or(u32::MAX)),
                    sats,
                    home,
                    strikes: 0,
                };
                (owner, coin)
            });
        Ok(Draft {
            txid: transaction.txid().to_string(),
            hex: hex::encode(&encode(&transaction)),
            from: from.to_owned(),
            spent,
            made: made.collect(),
        })
    }

    fn lock(&self, account: &str) -> Result<Script, PurseError> {
        Ok(self.account(account)?.lock.clone())
    }

    fn account(&self, name: &str) -> Result<&Account, PurseError> {
        self.accounts.get(name).ok_or_else(|| self.unknown(name))
    }

    fn account_mut(&mut self, name: &str) -> Result<&mut Account, PurseError> {
        if !self.accounts.contains_key(name) {
            return Err(self.unknown(name));
        }
        self.accounts
            .get_mut(name)
            .ok_or_else(|| PurseError::Unknown {
                name: name.to_owned(),
                known: String::new(),
            })
    }

    fn unknown(&self, name: &str) -> PurseError {
        let known = self.names();
        PurseError::Unknown {
            name: name.to_owned(),
            known: match known.is_empty() {
                true => "none".to_owned(),
                false => known.join(", "),
            },
        }
    }
}

fn coins_of(block: &Block, lock: &Script) -> Coins {
    let mut coins = Coins::default();
    let Some(coinbase) = block.transactions.first() else {
        return coins;
    };
    let txid = coinbase.txid();
    for (output, vout) in coinbase.outputs.iter().zip(0_u32..) {
        if output.script_pubkey == *lock {
            coins.push(Coin {
                place: OutPoint { txid, vout },
                sats: output.value.to_sat(),
                home: None,
                strikes: 0,
            });
        }
    }
    coins
}

/// The accounts of a genesis file whose keys follow from a public seed.
pub fn keys_of(genesis: &GenesisFile) -> impl Iterator<Item = (String, SecretKey)> + '_ {
    genesis.allocations.iter().filter_map(|allocation| {
        let Owner::PublicSeed(seed) = &allocation.owner else {
            return None;
        };
        let seed = hex::decode_array::<32>(seed).ok()?;
        let key = dev_account_key(&seed, &allocation.account);
        Some((allocation.account.clone(), key))
    })
}

fn short(account: &str, via: &str, why: SelectError) -> PurseError {
    let account = account.to_owned();
    match why {
        SelectError::Short { have, needed } => PurseError::Short {
            account,
            via: via.to_owned(),
            have_sats: have.to_sat(),
            needed_sats: needed.to_sat(),
        },
        why @ SelectError::TooManyPieces { .. } => PurseError::Pieces { account, why },
    }
}

#[cfg(test)]
pub(super) mod tests;
