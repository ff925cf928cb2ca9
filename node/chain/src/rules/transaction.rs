//! Rules of a transaction.
//!
//! From cheap to costly: its form, its place in the chain, the coins it
//! spends. Signatures come last and in bulk; see [`crate::coins`].

use std::collections::BTreeSet;

use crate::amount::{Amount, MAX_MONEY};
use crate::coins::Coin;
use crate::height::Height;
use crate::script::{COINBASE_SCRIPT_BYTES_MAX, COINBASE_SCRIPT_BYTES_MIN};
use crate::signature::SpendError;
use crate::time::UnixSeconds;
use crate::transaction::{OutPoint, Transaction};

/// A transaction of this many bytes, witnesses left out, looks like an inner
/// node of the merkle tree.
pub const AMBIGUOUS_BYTES: u64 = 64;

/// Which rule a transaction broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// See [`check_inputs_present`].
    #[error("it has no inputs")]
    InputsEmpty,
    /// See [`check_outputs_present`].
    #[error("it has no outputs")]
    OutputsEmpty,
    /// See [`check_weight`].
    #[error("its weight {weight} is above {max}")]
    TooHeavy {
        /// Of the transaction.
        weight: u64,
        /// The limit.
        max: u64,
    },
    /// See [`check_not_ambiguous`].
    #[error("it has {AMBIGUOUS_BYTES} bytes, like an inner node of the merkle tree")]
    AmbiguousSize,
    /// See [`check_output_values`].
    #[error("output {vout} is worth {value}, more than {MAX_MONEY} coins")]
    OutputValueRange {
        /// Which output.
        vout: usize,
        /// Its value.
        value: Amount,
    },
    /// See [`check_output_values`].
    #[error("its outputs together are worth more than {MAX_MONEY} coins")]
    OutputSumRange,
    /// See [`check_inputs_distinct`].
    #[error("two inputs spend {0:?}")]
    InputsDuplicate(OutPoint),
    /// See [`check_coinbase_script`].
    #[error(
        "the coinbase's script has {length} bytes, not {COINBASE_SCRIPT_BYTES_MIN} to \
         {COINBASE_SCRIPT_BYTES_MAX}"
    )]
    CoinbaseScriptLength {
        /// Bytes found.
        length: usize,
    },
    /// See [`check_no_null_inputs`].
    #[error("input {index} spends nothing although this is no coinbase")]
    InputNull {
        /// Which input.
        index: usize,
    },
    /// See [`check_output_scripts`].
    #[error("output {vout} is neither locked by a taproot key nor an OP_RETURN")]
    OutputScript {
        /// Which output.
        vout: usize,
    },
    /// See [`check_final`].
    #[error("its lock time {lock_time} has not come")]
    LockTime {
        /// The lock time.
        lock_time: u32,
    },
    /// The output does not exist, or it is spent.
    #[error("{0:?} does not exist or is spent")]
    InputMissing(OutPoint),
    /// See [`check_mature`].
    #[error("{outpoint:?} is a coinbase output, spendable from height {from}")]
    CoinbaseImmature {
        /// The output.
        outpoint: OutPoint,
        /// When it may be spent.
        from: u64,
    },
    /// See [`check_amounts`].
    #[error("its inputs together are worth more than {MAX_MONEY} coins")]
    InputSumRange,
    /// See [`check_amounts`].
    #[error("it spends {inputs} and makes {outputs}")]
    Overspent {
        /// Sum of the inputs.
        inputs: Amount,
        /// Sum of the outputs.
        outputs: Amount,
    },
    /// The witness does not unlock the output: only a taproot key-path
    /// signature does.
    #[error("input {index}: {error}")]
    Signature {
        /// Which input.
        index: usize,
        /// Why.
        error: SpendError,
    },
}

impl TransactionError {
    /// The rule's label, one of [`super::RULES`].
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::InputsEmpty => "inputs_empty",
            Self::OutputsEmpty => "outputs_empty",
            Self::TooHeavy { .. } => "transaction_too_heavy",
            Self::AmbiguousSize => "transaction_64_bytes",
            Self::OutputValueRange { .. } => "output_value_range",
            Self::OutputSumRange => "output_sum_range",
            Self::InputsDuplicate(_) => "inputs_duplicate",
            Self::CoinbaseScriptLength { .. } => "coinbase_script_length",
            Self::InputNull { .. } => "input_null",
            Self::OutputScript { .. } => "output_script",
            Self::LockTime { .. } => "lock_time",
            Self::InputMissing(_) => "input_missing",
            Self::CoinbaseImmature { .. } => "coinbase_immature",
            Self::InputSumRange => "input_sum_range",
            Self::Overspent { .. } => "overspent",
            Self::Signature { .. } => "signature",
        }
    }
}

/// All that every transaction of Bitcoin's format must satisfy by itself;
/// Bitcoin's own do.
///
/// # Errors
/// The first rule broken.
pub fn check_form(tx: &Transaction, weight_max: u64) -> Result<(), TransactionError> {
    check_inputs_present(tx)?;
    check_outputs_present(tx)?;
    check_weight(tx, weight_max)?;
    check_output_values(tx)?;
    check_inputs_distinct(tx)?;
    if tx.is_coinbase() {
        check_coinbase_script(tx)
    } else {
        check_no_null_inputs(tx)
    }
}

/// What this chain asks of every transaction on top of [`check_form`].
///
/// # Errors
/// The first rule broken.
pub fn check_chain_form(tx: &Transaction) -> Result<(), TransactionError> {
    check_not_ambiguous(tx)?;
    check_output_scripts(tx)
}

/// There is an input.
///
/// # Errors
/// [`TransactionError::InputsEmpty`].
pub fn check_inputs_present(tx: &Transaction) -> Result<(), TransactionError> {
    if tx.inputs.is_empty() {
        return Err(TransactionError::InputsEmpty);
    }
    Ok(())
}

/// There is an output.
///
/// # Errors
/// [`TransactionError::OutputsEmpty`].
pub fn check_outputs_present(tx: &Transaction) -> Result<(), TransactionError> {
    if tx.outputs.is_empty() {
        return Err(TransactionError::OutputsEmpty);
    }
    Ok(())
}

/// The weight is at most `max`.
///
/// # Errors
/// [`TransactionError::TooHeavy`].
pub fn check_weight(tx: &Transaction, max: u64) -> Result<(), TransactionError> {
    let weight = tx.weight();
    if weight > max {
        return Err(TransactionError::TooHeavy { weight, max });
    }
    Ok(())
}

/// Every output and their sum are at most [`MAX_MONEY`].
///
/// # Errors
/// [`TransactionError::OutputValueRange`], [`TransactionError::OutputSumRange`].
pub fn check_output_values(tx: &Transaction) -> Result<(), TransactionError> {
    let mut sum = Amount::ZERO;
    for (vout, output) in tx.outputs.iter().enumerate() {
        let value = output.value;
        if !value.is_in_range() {
            return Err(TransactionError::OutputValueRange { vout, value });
        }
        sum = sum
            .checked_add(value)
            .filter(|sum| sum.is_in_range())
            .ok_or(TransactionError::OutputSumRange)?;
    }
    Ok(())
}

/// No output is spent twice (CVE-2018-17144).
///
/// # Errors
/// [`TransactionError::InputsDuplicate`].
pub fn check_inputs_distinct(tx: &Transaction) -> Result<(), TransactionError> {
    let mut seen = BTreeSet::new();
    for input in &tx.inputs {
        if !seen.insert(input.previous_output) {
            return Err(TransactionError::InputsDuplicate(input.previous_output));
        }
    }
    Ok(())
}

/// The script of a coinbase's input has 2 to 100 bytes.
///
/// # Errors
/// [`TransactionError::CoinbaseScriptLength`].
pub fn check_coinbase_script(coinbase: &Transaction) -> Result<(), TransactionError> {
    let length = coinbase
        .inputs
        .first()
        .map_or(0, |input| input.script_sig.len());
    if (COINBASE_SCRIPT_BYTES_MIN..=COINBASE_SCRIPT_BYTES_MAX).contains(&length) {
        return Ok(());
    }
    Err(TransactionError::CoinbaseScriptLength { length })
}

/// Every input points at an output; only a coinbase's does not.
///
/// # Errors
/// [`TransactionError::InputNull`].
pub fn check_no_null_inputs(tx: &Transaction) -> Result<(), TransactionError> {
    match tx
        .inputs
        .iter()
        .position(|input| input.previous_output.is_null())
    {
        Some(index) => Err(TransactionError::InputNull { index }),
        None => Ok(()),
    }
}

/// The size without witnesses is not that of two hashes, which could pass for
/// an inner node of the merkle tree (as BIP 54 proposes for Bitcoin).
///
/// # Errors
/// [`TransactionError::AmbiguousSize`].
pub fn check_not_ambiguous(tx: &Transaction) -> Result<(), TransactionError> {
    if tx.base_size() == AMBIGUOUS_BYTES {
        return Err(TransactionError::AmbiguousSize);
    }
    Ok(())
}

/// This chain makes only taproot outputs and unspendable `OP_RETURN` ones, so
/// that whatever can be spent is spent by one kind of signature.
///
/// # Errors
/// [`TransactionError::OutputScript`].
pub fn check_output_scripts(tx: &Transaction) -> Result<(), TransactionError> {
    let is_allowed =
        |script: &crate::script::Script| script.is_p2tr().is_some() || script.is_op_return();
    match tx
        .outputs
        .iter()
        .position(|output| !is_allowed(&output.script_pubkey))
    {
        Some(vout) => Err(TransactionError::OutputScript { vout }),
        None => Ok(()),
    }
}

/// A block at `height` whose ancestors have the median time `median` may
/// contain the transaction (BIP 113).
///
/// # Errors
/// [`TransactionError::LockTime`].
pub fn check_final(
    tx: &Transaction,
    height: Height,
    median: UnixSeconds,
) -> Result<(), TransactionError> {
    if tx.is_final(height, median) {
        return Ok(());
    }
    Err(TransactionError::LockTime {
        lock_time: tx.lock_time,
    })
}

/// A coinbase output spent at `height` is at least `maturity` blocks deep.
///
/// # Errors
/// [`TransactionError::CoinbaseImmature`].
pub fn check_mature(
    outpoint: OutPoint,
    coin: &Coin,
    height: Height,
    maturity: u32,
) -> Result<(), TransactionError> {
    let from = u64::from(coin.height.to_u32()) + u64::from(maturity);
    if coin.is_coinbase && u64::from(height.to_u32()) < from {
        return Err(TransactionError::CoinbaseImmature { outpoint, from });
    }
    Ok(())
}

/// The outputs are worth no more than the inputs; returns the difference, the
/// fee. Sums are checked on the way.
///
/// # Errors
/// [`TransactionError::InputSumRange`], [`TransactionError::OutputSumRange`]
/// or [`TransactionError::Overspent`].
pub fn check_amounts(
    inputs: impl IntoIterator<Item = Amount>,
    tx: &Transaction,
) -> Result<Amount, TransactionError> {
    let inputs = Amount::checked_sum(inputs)
        .filter(|sum| sum.is_in_range())
        .ok_or(TransactionError::InputSumRange)?;
    let outputs = Amount::checked_sum(tx.outputs.iter().map(|output| output.value))
        .filter(|sum| sum.is_in_range())
        .ok_or(TransactionError::OutputSumRange)?;
    inputs
        .checked_sub(outputs)
        .ok_or(TransactionError::Overspent { inputs, outputs })
}
