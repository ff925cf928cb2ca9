//! A devnet's accounts, their coins, and payments from them.
//!
//! The keys follow from seeds that stand in the genesis file. Every coin has a
//! home: the node its payments are handed to. Coins of one home are never spent
//! at another, so that payments on two sides of a partition cannot conflict.
//! Coins without a home are the reserve that new ones are split from.

use std::collections::{BTreeMap, VecDeque};

use devnet_scenario::fault::NodeName;
use minichain_api::genesis::{GenesisFile, Owner};
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::hex;
use minichain_chain::params::dev_account_key;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, sign_all_inputs};
use minichain_chain::transaction::{OutPoint, SEQUENCE_FINAL, Transaction, TxIn, TxOut, Witness};

/// Coins spent by one payment at most.
const INPUTS_MAX: usize = 400;
/// Virtual bytes of an input with its witness, and of an output, rounded up.
const INPUT_VBYTES: u64 = 58;
const OUTPUT_VBYTES: u64 = 43;
const FIXED_VBYTES: u64 = 11;
/// Ten times what nodes ask for at least.
const FEE_SATS_PER_VBYTE: u64 = 1;
/// A coin that was refused so often is given up: what it came from is gone.
const STRIKES_MAX: u8 = 20;

/// All accounts whose keys are known.
#[derive(Default)]
pub struct Purse {
    accounts: BTreeMap<String, Account>,
}

struct Account {
    key: SecretKey,
    coins: VecDeque<Coin>,
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
    /// The chain's code would not sign.
    #[error("signing failed: {0}")]
    Signing(String),
}

impl Purse {
    /// The accounts of a genesis file with their coins in the genesis block.
    pub fn of_genesis(genesis: &GenesisFile, block: &Block) -> Self {
        let mut purse = Self::default();
        for allocation in &genesis.allocations {
            let Owner::PublicSeed(seed) = &allocation.owner else {
                continue;
            };
            let Ok(seed) = hex::decode_array::<32>(seed) else {
                continue;
            };
            let key = dev_account_key(&seed, &allocation.account);
            let coins = coins_of(block, &Script::p2tr(&key.output_key()));
            let account = Account { key, coins };
            purse.accounts.insert(allocation.account.clone(), account);
        }
        purse
    }

    /// Names of the accounts.
    pub fn names(&self) -> Vec<String> {
        self.accounts.keys().cloned().collect()
    }

    /// How many coins of an account are at home at a node.
    pub fn coins_at(&self, account: &str, home: &str) -> usize {
        let coins = self.accounts.get(account).map(|account| &account.coins);
        coins.map_or(0, |coins| {
            coins.iter().filter(|coin| coin.is_at(home)).count()
        })
    }

    /// A payment of `sats` from one account to another, to be handed to `via`.
    ///
    /// # Errors
    /// An unknown account, or too few coins there.
    pub fn pay(&mut self, from: &str, to: &str, sats: u64, via: &str) -> Result<Draft, PurseError> {
        let lock = Script::p2tr(&self.account(to)?.key.output_key());
        let spent = self.take(from, sats, via)?;
        let have: u64 = spent.iter().map(|coin| coin.sats).sum();
        let change = have - sats - fee_sats(spent.len(), 2);
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
        let fee = fee_sats(1, outputs + 1);
        let coins = &mut self.account_mut(account)?.coins;
        let reserve = coins
            .iter()
            .enumerate()
            .filter(|(_, coin)| coin.home.is_none());
        let largest = reserve.max_by_key(|(_, coin)| coin.sats);
        let unit = |sats: u64| sats.saturating_sub(fee) / 2 / (outputs.max(1) as u64);
        let found = largest.filter(|(_, coin)| unit(coin.sats) > 0);
        let Some((at, _)) = found else {
            return Err(PurseError::Short {
                account: account.to_owned(),
                via: homes.first().cloned().unwrap_or_default(),
                have_sats: 0,
                needed_sats: fee + 2 * outputs as u64,
            });
        };
        let Some(coin) = coins.remove(at) else {
            unreachable!("the place was found in this very list");
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
                account.coins.push_back(coin);
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
                account.coins.push_back(coin);
            }
        }
    }

    /// Coins for a payment: one that suffices, if possible of this home, else
    /// as many as it takes.
    fn take(&mut self, from: &str, sats: u64, via: &str) -> Result<Vec<Coin>, PurseError> {
        let account = self.account_mut(from)?;
        let coins = &mut account.coins;
        let needed = |inputs: usize| sats.saturating_add(fee_sats(inputs, 2));
        let suffices = |coin: &Coin| coin.sats >= needed(1);
        let single = coins
            .iter()
            .position(|coin| coin.is_at(via) && suffices(coin))
            .or_else(|| {
                coins
                    .iter()
                    .position(|coin| coin.home.is_none() && suffices(coin))
            });
        if let Some(coin) = single.and_then(|at| coins.remove(at)) {
            return Ok(vec![coin]);
        }
        let mut usable: Vec<Coin> = Vec::new();
        coins.retain(|coin| {
            let is_usable = coin.is_at(via) || coin.home.is_none();
            if is_usable {
                usable.push(coin.clone());
            }
            !is_usable
        });
        usable.sort_by_key(|coin| std::cmp::Reverse(coin.sats));
        let mut have = 0_u64;
        let enough = usable.iter().take(INPUTS_MAX).position(|coin| {
            have = have.saturating_add(coin.sats);
            // The count of inputs grows with each.
            have >= needed(INPUTS_MAX.min(usable.len()))
        });
        let Some(enough) = enough else {
            let short = PurseError::Short {
                account: from.to_owned(),
                via: via.to_owned(),
                have_sats: have,
                needed_sats: needed(usable.len().min(INPUTS_MAX)),
            };
            coins.extend(usable);
            return Err(short);
        };
        coins.extend(usable.split_off(enough + 1));
        Ok(usable)
    }

    fn sign<'a>(
        &mut self,
        from: &str,
        spent: Vec<Coin>,
        outputs: impl Iterator<Item = (&'a str, Script, u64, Option<NodeName>)>,
    ) -> Result<Draft, PurseError> {
        let lock = self.lock(from)?;
        let output = |sats: u64, script_pubkey: Script| TxOut {
            value: Amount::from_sat(sats),
            script_pubkey,
        };
        let spends: Vec<TxOut> = spent
            .iter()
            .map(|coin| output(coin.sats, lock.clone()))
            .collect();
        let mut transaction = Transaction {
            version: 2,
            inputs: spent.iter().map(input).collect(),
            outputs: Vec::new(),
            lock_time: 0,
        };
        let mut owners = Vec::new();
        for (owner, script, sats, home) in outputs {
            transaction.outputs.push(output(sats, script));
            owners.push((owner.to_owned(), sats, home));
        }
        let key = &self.account(from)?.key;
        // Keys are public: there is no secret to protect by randomness.
        sign_all_inputs(&mut transaction, &spends, key, &[0; 32])
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
        Ok(Script::p2tr(&self.account(account)?.key.output_key()))
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

impl Coin {
    fn is_at(&self, home: &str) -> bool {
        self.home.as_deref() == Some(home)
    }
}

fn coins_of(block: &Block, lock: &Script) -> VecDeque<Coin> {
    let Some(coinbase) = block.transactions.first() else {
        return VecDeque::new();
    };
    let txid = coinbase.txid();
    let owned = coinbase.outputs.iter().zip(0_u32..);
    owned
        .filter(|(output, _)| output.script_pubkey == *lock)
        .map(|(output, vout)| Coin {
            place: OutPoint { txid, vout },
            sats: output.value.to_sat(),
            home: None,
            strikes: 0,
        })
        .collect()
}

fn input(coin: &Coin) -> TxIn {
    TxIn {
        previous_output: coin.place,
        script_sig: Script::default(),
        sequence: SEQUENCE_FINAL,
        witness: Witness::new(),
    }
}

const fn fee_sats(inputs: usize, outputs: usize) -> u64 {
    let vbytes = FIXED_VBYTES + inputs as u64 * INPUT_VBYTES + outputs as u64 * OUTPUT_VBYTES;
    vbytes * FEE_SATS_PER_VBYTE
}

#[cfg(test)]
mod tests;
