//! Which coins a payment spends. The one place where that is decided: the
//! command line's wallet, the node's own and the accounts of devnets all ask
//! here.

use std::cmp::Reverse;

use minichain_chain::amount::Amount;

use crate::rate::{DUST, FeeRate, INPUT_VBYTES, vbytes};

/// Coins that one payment spends at most: some 23,000 virtual bytes, well below
/// what mempools take.
pub const INPUTS_MAX: usize = 400;

/// What is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Sum of the outputs, without change.
    pub amount: Amount,
    /// Number of these outputs.
    pub outputs: usize,
    /// What to pay for size.
    pub rate: FeeRate,
}

/// Coins that suffice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Positions in the list of values, in ascending order.
    pub picked: Vec<usize>,
    /// What miners get.
    pub fee: Amount,
    /// What comes back; none where it would be dust, which goes to the fee.
    pub change: Option<Amount>,
}

/// Why no coins were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// All coins together are too little.
    #[error("{have} coins can be spent, {needed} are needed with the fee")]
    Short {
        /// Sum of the coins that are worth their own fee.
        have: Amount,
        /// What would be needed, with the fee for spending all of them.
        needed: Amount,
    },
    /// There is enough, but in too many pieces.
    #[error(
        "one payment can spend {INPUTS_MAX} coins at most, and the largest {INPUTS_MAX} make only \
         {have}: pay smaller sums, or pay yourself first to join coins"
    )]
    TooManyPieces {
        /// Sum of the largest coins.
        have: Amount,
    },
}

impl Target {
    /// The fee with so many inputs, and one output more if there is change.
    #[must_use]
    pub const fn fee(&self, inputs: usize, with_change: bool) -> Amount {
        self.rate
            .fee(vbytes(inputs, self.outputs + with_change as usize))
    }

    /// What so many inputs must be worth at least.
    #[must_use]
    pub fn needed(&self, inputs: usize) -> Amount {
        self.amount
            .checked_add(self.fee(inputs, false))
            .unwrap_or(Amount::from_sat(u64::MAX))
    }

    /// How `have` from `inputs` coins is split into fee and change, if it
    /// suffices.
    fn split(&self, inputs: usize, have: Amount) -> Option<(Amount, Option<Amount>)> {
        let rest = have.checked_sub(self.needed(inputs))?;
        let with_change = self.fee(inputs, true);
        let change = have
            .checked_sub(self.amount)
            .and_then(|rest| rest.checked_sub(with_change))
            .filter(|change| *change >= DUST);
        Some(match change {
            Some(change) => (with_change, Some(change)),
            None => {
                let fee = self.fee(inputs, false).checked_add(rest);
                (fee.unwrap_or(rest), None)
            }
        })
    }

    fn choice(&self, mut picked: Vec<usize>, have: Amount) -> Option<Choice> {
        let (fee, change) = self.split(picked.len(), have)?;
        picked.sort_unstable();
        Some(Choice {
            picked,
            fee,
            change,
        })
    }
}

/// One coin if one suffices, else as few as it takes.
///
/// # Errors
/// [`SelectError`].
pub fn choose(values: &[Amount], target: &Target) -> Result<Choice, SelectError> {
    match single(values, target) {
        Some(choice) => Ok(choice),
        None => many(values, target),
    }
}

/// The smallest coin that suffices by itself.
#[must_use]
pub fn single(values: &[Amount], target: &Target) -> Option<Choice> {
    let sufficient = values
        .iter()
        .enumerate()
        .filter(|(_, value)| **value >= target.needed(1));
    let (at, value) = sufficient.min_by_key(|(_, value)| **value)?;
    target.choice(vec![at], *value)
}

/// The largest coins, as few as it takes.
///
/// # Errors
/// [`SelectError`].
pub fn many(values: &[Amount], target: &Target) -> Result<Choice, SelectError> {
    // A coin that costs more than it is worth only makes the payment dearer.
    let own_cost = target.rate.fee(INPUT_VBYTES);
    let mut order: Vec<usize> = (0..values.len())
        .filter(|at| values[*at] > own_cost)
        .collect();
    order.sort_by_key(|at| (Reverse(values[*at]), *at));
    let mut have = Amount::ZERO;
    for (count, at) in (1..).zip(order.iter().take(INPUTS_MAX)) {
        have = have.checked_add(values[*at]).unwrap_or(have);
        if let Some(choice) = target.choice(order[..count].to_vec(), have) {
            return Ok(choice);
        }
    }
    if order.len() > INPUTS_MAX {
        return Err(SelectError::TooManyPieces { have });
    }
    let needed = target.needed(order.len().max(1));
    Err(SelectError::Short { have, needed })
}

/// All coins that are worth their own fee, in one output: what is left for it
/// after the fee.
///
/// # Errors
/// [`SelectError::Short`] if nothing or only dust would be left,
/// [`SelectError::TooManyPieces`] if there are too many.
pub fn sweep(values: &[Amount], rate: FeeRate) -> Result<(Choice, Amount), SelectError> {
    let own_cost = rate.fee(INPUT_VBYTES);
    let picked: Vec<usize> = (0..values.len())
        .filter(|at| values[*at] > own_cost)
        .collect();
    let have = Amount::checked_sum(picked.iter().map(|at| values[*at])).unwrap_or(Amount::ZERO);
    if picked.len() > INPUTS_MAX {
        return Err(SelectError::TooManyPieces { have });
    }
    let target = Target {
        amount: DUST,
        outputs: 1,
        rate,
    };
    let fee = target.fee(picked.len(), false);
    match have.checked_sub(fee).filter(|left| *left >= DUST) {
        Some(left) => Ok((
            Choice {
                picked,
                fee,
                change: None,
            },
            left,
        )),
        None => Err(SelectError::Short {
            have,
            needed: target.needed(picked.len().max(1)),
        }),
    }
}

#[cfg(test)]
mod tests;
