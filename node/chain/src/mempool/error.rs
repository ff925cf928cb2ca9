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
    "replaces_parent",
    "replaces_too_many",
    "replacement_adds_unconfirmed",
    "insufficient_fee",
    "missing_inputs",
    "immature",
    "fee_too_low",
    "below_floor",
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
    /// Another transaction of the pool spends the same output, and this one may
    /// not replace it: it comes back from a block that left the chain.
    #[error("{outpoint:?} is spent by {by}, which was here first")]
    Conflict {
        /// The output.
        outpoint: OutPoint,
        /// Who spends it.
        by: Txid,
    },
    /// It spends an output of what it would replace.
    #[error("it would replace {txid}, on which it depends")]
    SpendsReplaced {
        /// Its ancestor.
        txid: Txid,
    },
    /// Too many would leave for it.
    #[error("it would replace {count} transactions; at most {max} may be")]
    TooManyReplaced {
        /// With descendants.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// It spends an unconfirmed output that those it replaces do not.
    #[error("it would replace others and {outpoint:?}, which it spends too, is unconfirmed")]
    ReplacementAddsUnconfirmed {
        /// The output.
        outpoint: OutPoint,
    },
    /// It pays too little to replace others.
    #[error(
        "it pays {fee} coins; to replace what spends the same outputs it must pay {needed} or more, at a higher rate"
    )]
    InsufficientFee {
        /// What it pays.
        fee: Amount,
        /// What all that it would replace pays, and the fee for passing it on.
        needed: Amount,
        /// One of them whose rate is not below its own, if any.
        rival: Option<Txid>,
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
    /// It pays too little while the pool is full.
    #[error(
        "it pays {fee} coins for {vsize} virtual bytes; the pool was full and asks for {needed} now"
    )]
    BelowFloor {
        /// What it pays.
        fee: Amount,
        /// Its size.
        vsize: u64,
        /// The least fee for that size.
        needed: Amount,
    },
    /// Too many unconfirmed transactions depend on each other.
    #[error("with it a transaction would have {count} unconfirmed {kin}; at most {max} may be")]
    TooLongChain {
        /// With this one and the transaction itself.
        count: usize,
        /// The limit.
        max: usize,
        /// `ancestors` or `descendants`.
        kin: &'static str,
    },
    /// Unconfirmed transactions that depend on each other are too large.
    #[error(
        "with it a transaction would have {vbytes} virtual bytes of unconfirmed {kin}; at most {max} may be"
    )]
    TooLargeChain {
        /// With this one and the transaction itself.
        vbytes: u64,
        /// The limit.
        max: u64,
        /// `ancestors` or `descendants`.
        kin: &'static str,
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
            Self::SpendsReplaced { .. } => "replaces_parent",
            Self::TooManyReplaced { .. } => "replaces_too_many",
            Self::ReplacementAddsUnconfirmed { .. } => "replacement_adds_unconfirmed",
            Self::InsufficientFee { .. } => "insufficient_fee",
            Self::MissingInputs { .. } => "missing_inputs",
            Self::Immature { .. } => "immature",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::BelowFloor { .. } => "below_floor",
            Self::TooLongChain { .. } | Self::TooLargeChain { .. } => "too_long_chain",
            Self::Full => "full",
            Self::Invalid(TransactionError::Signature { .. }) => "invalid_signature",
            Self::Invalid(TransactionError::Overspent { .. } | TransactionError::InputSumRange) => {
                "invalid_amounts"
            }
            Self::Invalid(_) => "invalid_form",
        }
    }

    /// The words that Bitcoin Core's RPC says for it, so that its clients
    /// understand.
    #[must_use]
    pub const fn core_reason(&self) -> &'static str {
        match self {
            Self::AlreadyKnown { .. } => "txn-already-in-mempool",
            Self::AlreadyConfirmed { .. } => "txn-already-known",
            Self::Coinbase => "coinbase",
            Self::TooHeavy { .. } => "tx-size",
            Self::NonFinal { .. } => "non-final",
            Self::Conflict { .. } => "txn-mempool-conflict",
            Self::SpendsReplaced { .. } => "bad-txns-spends-conflicting-tx",
            Self::TooManyReplaced { .. } => "too many potential replacements",
            Self::ReplacementAddsUnconfirmed { .. } => "replacement-adds-unconfirmed",
            Self::InsufficientFee { .. } => "insufficient fee",
            Self::MissingInputs { .. } => "bad-txns-inputs-missingorspent",
            Self::Immature { .. } => "bad-txns-premature-spend-of-coinbase",
            Self::FeeTooLow { .. } => "min relay fee not met",
            Self::BelowFloor { .. } => "mempool min fee not met",
            Self::TooLongChain { .. } | Self::TooLargeChain { .. } => "too-long-mempool-chain",
            Self::Full => "mempool full",
            Self::Invalid(TransactionError::Overspent { .. }) => "bad-txns-in-belowout",
            Self::Invalid(TransactionError::Signature { .. }) => {
                "mandatory-script-verify-flag-failed"
            }
            Self::Invalid(_) => "bad-txns",
        }
    }

    /// Whether no later chain could contain these very bytes, so that whoever
    /// passed them on is to blame.
    #[must_use]
    pub const fn is_never_valid(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::Coinbase)
    }
}
