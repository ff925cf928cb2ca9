//! A wallet: keys, and what happened to their coins.

use minichain_chain::address::Address;
use minichain_chain::amount::Amount;
use minichain_chain::block::Block;
use minichain_chain::height::Height;
use minichain_chain::script::Script;
use minichain_chain::signature::{SecretKey, SighashError};
use minichain_chain::transaction::{Transaction, TxOut};

use crate::contents::Contents;
use crate::keyring::{KeyError, Keyring, Place};
use crate::ledger::Ledger;
use crate::payment::{Spend, signed};
use crate::pending::{Coin, Outlook};
use crate::rate::{DUST, FeeRate};
use crate::select::{self, Choice, SelectError, Target};

/// Keys and ledger.
#[derive(Debug)]
pub struct Wallet {
    /// The keys.
    pub keyring: Keyring,
    /// What happened to their coins.
    pub ledger: Ledger,
}

/// What to pay an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// This much; the fee comes on top.
    Exactly(Amount),
    /// This much, out of which the fee is paid.
    FeeIncluded(Amount),
    /// All that can be spent, less the fee.
    All,
}

/// A payment, signed and not sent.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The transaction.
    pub transaction: Transaction,
    /// What the address gets.
    pub amount: Amount,
    /// What miners get.
    pub fee: Amount,
    /// What comes back.
    pub change: Option<Amount>,
    /// The key that the change goes to; note it as paid once the payment is
    /// sent, so that the next one takes another.
    pub change_place: Option<Place>,
}

/// Why there is no payment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// Costs more to spend than it is worth.
    #[error("{0} is dust: an output must be worth {DUST} at least")]
    Dust(Amount),
    /// Too little, or in too many pieces.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The chain's code would not sign.
    #[error("signing failed: {0}")]
    Signing(#[from] SighashError),
}

impl Wallet {
    /// A wallet of a seed that has seen nothing yet.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(seed: &[u8], extra: Vec<SecretKey>) -> Result<Self, KeyError> {
        Ok(Self {
            keyring: Keyring::new(seed, extra)?,
            ledger: Ledger::default(),
        })
    }

    /// The wallet that a file holds.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of_contents(contents: &Contents) -> Result<Self, KeyError> {
        let mut wallet = Self::new(&contents.phrase.seed("")[..], Vec::new())?;
        wallet.ledger = contents.ledger.clone();
        wallet.keyring.restore_used(contents.used)?;
        for (_, owned) in wallet.ledger.outputs() {
            wallet.keyring.note_paid(owned.place)?;
        }
        Ok(wallet)
    }

    /// Takes a block in; see [`Ledger::apply`].
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn apply(&mut self, block: &Block, height: Height) -> Result<bool, KeyError> {
        self.ledger.apply(block, height, &mut self.keyring)
    }

    /// A payment to an address. Change that waits is spent only where confirmed
    /// coins do not suffice. `noise` is 32 random bytes.
    ///
    /// # Errors
    /// [`PayError`].
    pub fn pay(
        &self,
        outlook: &Outlook,
        to: &Address,
        sum: Sum,
        rate: FeeRate,
        noise: &[u8; 32],
    ) -> Result<Draft, PayError> {
        let confirmed: Vec<&Coin> = outlook.spendable(false).collect();
        let all: Vec<&Coin> = outlook.spendable(true).collect();
        let (coins, (choice, amount)) = match sum {
            Sum::All => {
                let choice = sweep(&all, rate)?;
                (all, choice)
            }
            Sum::Exactly(amount) | Sum::FeeIncluded(amount) if amount < DUST => {
                return Err(PayError::Dust(amount));
            }
            sum => match choose(&confirmed, sum, rate) {
                Ok(choice) => (confirmed, choice),
                Err(_) => {
                    let choice = choose(&all, sum, rate)?;
                    (all, choice)
                }
            },
        };
        self.draft(&coins, &choice, to, amount, noise)
    }

    fn draft(
        &self,
        coins: &[&Coin],
        choice: &Choice,
        to: &Address,
        amount: Amount,
        noise: &[u8; 32],
    ) -> Result<Draft, PayError> {
        let spends = choice
            .picked
            .iter()
            .map(|at| self.spend(coins[*at]))
            .collect::<Result<Vec<_>, _>>()?;
        let output = |value: Amount, script_pubkey: Script| TxOut {
            value,
            script_pubkey,
        };
        let mut outputs = vec![output(amount, to.script_pubkey())];
        let mut change_place = None;
        if let Some(change) = choice.change {
            let place = self.keyring.next_change()?;
            let key = self.keyring.key(place)?;
            change_place = Some(place);
            // Nobody shall tell the change by its position.
            let at = usize::from(noise[0] & 1);
            outputs.insert(at, output(change, Script::p2tr(&key.output_key())));
        }
        Ok(Draft {
            transaction: signed(&spends, outputs, noise)?,
            amount,
            fee: choice.fee,
            change: choice.change,
            change_place,
        })
    }

    fn spend(&self, coin: &Coin) -> Result<Spend, KeyError> {
        let key = self.keyring.key(coin.place)?;
        Ok(Spend {
            place: coin.outpoint,
            output: TxOut {
                value: coin.value,
                script_pubkey: Script::p2tr(&key.output_key()),
            },
            key,
        })
    }
}

/// Coins, and what the address gets.
type Chosen = (Choice, Amount);

fn choose(coins: &[&Coin], sum: Sum, rate: FeeRate) -> Result<Chosen, PayError> {
    let values: Vec<Amount> = coins.iter().map(|coin| coin.value).collect();
    let (amount, is_included) = match sum {
        Sum::Exactly(amount) => (amount, false),
        Sum::FeeIncluded(amount) => (amount, true),
        Sum::All => return sweep(coins, rate),
    };
    let target = |rate| Target {
        amount,
        outputs: 1,
        rate,
    };
    if !is_included {
        return Ok((select::choose(&values, &target(rate))?, amount));
    }
    // Coins for the sum itself; the fee of spending them then goes off it.
    let free = FeeRate::from_sat_per_kvb(0);
    let choice = select::choose(&values, &target(free))?;
    let owed = target(rate).fee(choice.picked.len(), choice.change.is_some());
    // A rest too small to come back is part of the fee already.
    let more = owed.checked_sub(choice.fee).unwrap_or(Amount::ZERO);
    let left = amount.checked_sub(more).unwrap_or(Amount::ZERO);
    if left < DUST {
        return Err(PayError::Dust(left));
    }
    let fee = choice.fee.max(owed);
    Ok((Choice { fee, ..choice }, left))
}

fn sweep(coins: &[&Coin], rate: FeeRate) -> Result<Chosen, PayError> {
    let values: Vec<Amount> = coins.iter().map(|coin| coin.value).collect();
    Ok(select::sweep(&values, rate)?)
}

#[cfg(test)]
mod tests;
