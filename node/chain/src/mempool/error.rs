//! Why a transaction is not taken into the pool.

use crate::amount::Amount;
use crate::hash::Txid;
use crate::rules::transaction::TransactionError;
use crate::transaction::OutPoint;

/// The label of every reason, for metrics and logs. Closed: what
/// [`MempoolError::rule`] returns is one of these.
pub const REASONS: &[&str] = &[
    "already_known",
    "already_confirmed",
    "coinbase",
    "too_heavy",
    "non_final",
    "conflict",
    "missing_inputs",
    "immature",
    "fee_too_low",
    "too_long_chain",
    "full",
    "invalid_form",
    "invalid_amounts",
    "invalid_signature",
];

/// Why a transaction is not taken into the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// It waits already.
    #[error("{txid} is in the pool already")]
    AlreadyKnown {
        /// Its name.
        txid: Txid,
    },
    /// Its outputs are unspent on the chain.
    #[error("{txid} is in the chain already")]
    AlreadyConfirmed {
        /// Its name.
        txid: Txid,
    },
    /// Only a block brings a coinbase.
    #[error("a coinbase comes only with its block")]
    Coinbase,
    /// Larger than what is passed on.
    #[error("its weight {weight} is above {max}, the most the pool takes")]
    TooHeavy {
        /// Of the transaction.
        weight: u64,
        /// The limit.
        max: u64,
    },
    /// The next block may not contain it yet.
    #[error("its lock time {lock_time} has not come; send it again later")]
    NonFinal {
        /// The lock time.
        lock_time: u32,
    },
    /// Another transaction of the pool spends the same output; the first seen
    /// stays.
    #[error("{outpoint:?} is spent by {by}, which was here first")]
    Conflict {
        /// The output.
        outpoint: OutPoint,
        /// Who spends it.
        by: Txid,
    },
    /// Neither chain nor pool has the output.
    #[error("{outpoint:?} does not exist or is spent")]
    MissingInputs {
        /// The first one missing.
        outpoint: OutPoint,
    },
    /// It spends a coinbase output too early.
    #[error("{outpoint:?} is a coinbase output, spendable from height {from}")]
    Immature {
        /// The output.
        outpoint: OutPoint,
        /// When it may be spent.
        from: u64,
    },
    /// It pays too little to be passed on.
    #[error("it pays {fee} coins for {vsize} virtual bytes; at least {needed} are asked for")]
    FeeTooLow {
        /// What it pays.
        fee: Amount,
        /// Its size.
        vsize: u64,
        /// The least fee for that size.
        needed: Amount,
    },
    /// Too many unconfirmed transactions depend on each other.
    #[error("with it {count} unconfirmed transactions would form a chain; at most {max} may")]
    TooLongChain {
        /// With this one.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// The pool is full of transactions that pay no less.
    #[error("the pool is full and all in it pays no less; raise the fee or wait")]
    Full,
    /// It breaks a rule that no change of the chain can mend.
    #[error(transparent)]
    Invalid(TransactionError),
}

impl MempoolError {
    /// The label, one of [`REASONS`].
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::AlreadyKnown { .. } => "already_known",
            Self::AlreadyConfirmed { .. } => "already_confirmed",
            Self::Coinbase => "coinbase",
            Self::TooHeavy { .. } => "too_heavy",
            Self::NonFinal { .. } => "non_final",
            Self::Conflict { .. } => "conflict",
            Self::MissingInputs { .. } => "missing_inputs",
            Self::Immature { .. } => "immature",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::TooLongChain { .. } => "too_long_chain",
            Self::Full => "full",
            Self::Invalid(TransactionError::Signature { .. }) => "invalid_signature",
            Self::Invalid(TransactionError::Overspent { .. } | TransactionError::InputSumRange) => {
                "invalid_amounts"
            }
            Self::Invalid(_) => "invalid_form",
        }
    }

    /// Whether no later chain could contain these very bytes, so that whoever
    /// passed them on is to blame.
    #[must_use]
    pub const fn is_never_valid(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Coinbase)
    }
}
