//! Rules of a block's body.
//!
//! A body that does not fit its header proves nothing about the header:
//! somebody may have altered it on the way. [`BlockError::is_mutation`] tells
//! these errors from the ones that condemn the block.

use std::collections::BTreeSet;

use super::header::HeaderError;
use super::transaction::{self, AMBIGUOUS_BYTES, TransactionError};
use crate::amount::{Amount, MAX_MONEY};
use crate::block::Block;
use crate::hash::{MerkleRoot, Txid};
use crate::height::Height;
use crate::merkle::{
    find_witness_commitment, named_transaction_root, named_witness_root, witness_commitment,
};
use crate::time::UnixSeconds;
use crate::transaction::{Names, OutPoint, Transaction};

/// Which rule a block broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A rule of its header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// See [`check_not_empty`].
    #[error("it has no transactions")]
    Empty,
    /// See [`check_merkle_root`].
    #[error("its transactions have merkle root {computed}, the header says {header}")]
    MerkleRoot {
        /// Of the body.
        computed: MerkleRoot,
        /// In the header.
        header: MerkleRoot,
    },
    /// See [`check_merkle_root`].
    #[error("transactions are repeated so that the merkle root stays the same")]
    MerkleMutated,
    /// See [`check_not_inner_nodes`].
    #[error("it has no coinbase and 64-byte transactions: inner nodes of a merkle tree")]
    InnerNodes,
    /// See [`check_coinbase_first`].
    #[error("the first transaction is no coinbase")]
    CoinbaseMissing,
    /// See [`check_coinbase_first`].
    #[error("transaction {index} is a second coinbase")]
    CoinbaseExtra {
        /// Which transaction.
        index: usize,
    },
    /// See [`check_witness_commitment`].
    #[error("the coinbase's witness is not one item of 32 bytes")]
    WitnessReserved,
    /// See [`check_witness_commitment`].
    #[error("the coinbase commits to other witnesses")]
    WitnessCommitment,
    /// See [`check_witness_commitment`].
    #[error("there are witnesses and the coinbase does not commit to them")]
    WitnessUnexpected,
    /// See [`check_weight`].
    #[error("its weight {weight} is above {max}")]
    TooHeavy {
        /// Of the block.
        weight: u64,
        /// The limit.
        max: u64,
    },
    /// See [`check_no_double_spend`].
    #[error("two transactions spend {0:?}")]
    DoubleSpend(OutPoint),
    /// See [`check_coinbase_height`].
    #[error("the coinbase does not start with height {expected} (BIP 34)")]
    CoinbaseHeight {
        /// The block's height.
        expected: Height,
        /// What the script starts with, if that is a height.
        found: Option<Height>,
    },
    /// A rule of one of its transactions.
    #[error("transaction {index} ({txid}): {error}")]
    Transaction {
        /// Which transaction.
        index: usize,
        /// Its name.
        txid: Txid,
        /// The rule.
        error: TransactionError,
    },
    /// See [`check_reward`].
    #[error("its fees are more than {MAX_MONEY} coins")]
    FeesRange,
    /// See [`check_reward`].
    #[error("the coinbase takes {claimed}, subsidy and fees are {allowed}")]
    RewardTooHigh {
        /// Sum of the coinbase's outputs.
        claimed: Amount,
        /// Subsidy and fees.
        allowed: Amount,
    },
}

impl BlockError {
    /// The rule's label, one of [`super::RULES`].
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Header(error) => error.rule(),
            Self::Empty => "block_empty",
            Self::MerkleRoot { .. } => "merkle_root",
            Self::MerkleMutated => "merkle_mutated",
            Self::InnerNodes => "inner_nodes",
            Self::CoinbaseMissing => "coinbase_missing",
            Self::CoinbaseExtra { .. } => "coinbase_extra",
            Self::WitnessReserved => "witness_reserved",
            Self::WitnessCommitment => "witness_commitment",
            Self::WitnessUnexpected => "witness_unexpected",
            Self::TooHeavy { .. } => "block_too_heavy",
            Self::DoubleSpend(_) => "double_spend",
            Self::CoinbaseHeight { .. } => "coinbase_height",
            Self::Transaction { error, .. } => error.rule(),
            Self::FeesRange => "fees_range",
            Self::RewardTooHigh { .. } => "reward_too_high",
        }
    }

    /// Whether only this copy of the body is wrong: another one may fit the
    /// header, so the header must not be marked invalid.
    #[must_use]
    pub const fn is_mutation(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::MerkleRoot { .. }
                | Self::MerkleMutated
                | Self::InnerNodes
                | Self::WitnessReserved
                | Self::WitnessCommitment
                | Self::WitnessUnexpected
        )
    }
}

/// All that every block of Bitcoin's format must satisfy by itself, from
/// mutations to form; Bitcoin's own do since the witness commitment exists.
///
/// # Errors
/// The first rule broken. Mutations come first, so that any other error is
/// known to be about the very body the header commits to.
pub fn check_form(block: &Block, weight_max: u64) -> Result<(), BlockError> {
    let names: Vec<_> = block.transactions.iter().map(Transaction::names).collect();
    check_named_form(block, &names, weight_max)
}

/// As [`check_form`], if the names of the transactions are known; `names` must
/// be theirs, in order.
///
/// # Errors
/// As [`check_form`].
pub fn check_named_form(block: &Block, names: &[Names], weight_max: u64) -> Result<(), BlockError> {
    let mut parts = FORM_PARTS.iter();
    parts.try_for_each(|part| part(block, names, weight_max))
}

/// Some of the rules of [`check_named_form`], with its arguments.
pub type FormPart = fn(&Block, &[Names], u64) -> Result<(), BlockError>;

/// All rules of [`check_named_form`], for who looks at several at once: of those
/// that find something the first has the answer.
pub const FORM_PARTS: [FormPart; 4] = [
    |block, names, _| {
        check_not_empty(block)?;
        check_not_inner_nodes(block)?;
        check_merkle_root(block, names)
    },
    |block, names, _| {
        check_coinbase_first(block)?;
        check_witness_commitment(block, names)
    },
    |block, _, weight_max| {
        check_weight(block, weight_max)?;
        each_transaction(block, |tx| transaction::check_form(tx, weight_max))
    },
    |block, _, _| check_no_double_spend(block),
];

/// What this chain asks of every block on top of [`check_form`].
///
/// # Errors
/// The first rule broken.
pub fn check_chain_form(block: &Block) -> Result<(), BlockError> {
    each_transaction(block, transaction::check_chain_form)
}

/// All that follows from the block's height and its ancestors' median time.
///
/// # Errors
/// The first rule broken.
pub fn check_place(block: &Block, height: Height, median: UnixSeconds) -> Result<(), BlockError> {
    check_coinbase_height(block, height)?;
    each_transaction(block, |tx| transaction::check_final(tx, height, median))
}

/// There is a transaction.
///
/// # Errors
/// [`BlockError::Empty`].
pub fn check_not_empty(block: &Block) -> Result<(), BlockError> {
    if block.transactions.is_empty() {
        return Err(BlockError::Empty);
    }
    Ok(())
}

/// The transactions are not a row of inner nodes of the real merkle tree,
/// read as transactions of 64 bytes. A real coinbase among them would take
/// 224 bits of work, so a body that has one is no such forgery.
///
/// # Errors
/// [`BlockError::InnerNodes`].
pub fn check_not_inner_nodes(block: &Block) -> Result<(), BlockError> {
    let has_coinbase = block
        .transactions
        .first()
        .is_some_and(Transaction::is_coinbase);
    let is_ambiguous = |tx: &Transaction| tx.base_size() == AMBIGUOUS_BYTES;
    if !has_coinbase && block.transactions.iter().any(is_ambiguous) {
        return Err(BlockError::InnerNodes);
    }
    Ok(())
}

/// The header commits to the transactions, and to no other list of them
/// (CVE-2012-2459).
///
/// # Errors
/// [`BlockError::Empty`], [`BlockError::MerkleRoot`],
/// [`BlockError::MerkleMutated`].
pub fn check_merkle_root(block: &Block, names: &[Names]) -> Result<(), BlockError> {
    let tree = named_transaction_root(names).ok_or(BlockError::Empty)?;
    let header = block.header.merkle_root;
    if tree.root != header {
        return Err(BlockError::MerkleRoot {
            computed: tree.root,
            header,
        });
    }
    if tree.mutated {
        return Err(BlockError::MerkleMutated);
    }
    Ok(())
}

/// The first transaction is a coinbase, no other is.
///
/// # Errors
/// [`BlockError::CoinbaseMissing`], [`BlockError::CoinbaseExtra`].
pub fn check_coinbase_first(block: &Block) -> Result<(), BlockError> {
    let mut coinbases = block.transactions.iter().map(Transaction::is_coinbase);
    if coinbases.next() != Some(true) {
        return Err(BlockError::CoinbaseMissing);
    }
    match coinbases.position(|is_coinbase| is_coinbase) {
        Some(position) => Err(BlockError::CoinbaseExtra {
            index: position + 1,
        }),
        None => Ok(()),
    }
}

/// The coinbase commits to the witnesses if there are any (BIP 141).
///
/// # Errors
/// [`BlockError::Empty`], [`BlockError::WitnessReserved`],
/// [`BlockError::WitnessCommitment`], [`BlockError::WitnessUnexpected`].
pub fn check_witness_commitment(block: &Block, names: &[Names]) -> Result<(), BlockError> {
    let coinbase = block.transactions.first().ok_or(BlockError::Empty)?;
    let Some(commitment) = find_witness_commitment(coinbase) else {
        if block.transactions.iter().any(Transaction::has_witness) {
            return Err(BlockError::WitnessUnexpected);
        }
        return Ok(());
    };
    let witness = coinbase.inputs.first().map(|input| input.witness.items());
    let Some([reserved]) = witness else {
        return Err(BlockError::WitnessReserved);
    };
    let reserved = reserved
        .as_slice()
        .try_into()
        .map_err(|_| BlockError::WitnessReserved)?;
    let root = named_witness_root(names).ok_or(BlockError::Empty)?;
    if witness_commitment(&root, reserved) != commitment {
        return Err(BlockError::WitnessCommitment);
    }
    Ok(())
}

/// The weight is at most `max`. Checked after the witnesses are known to be
/// the committed ones, or padding them could condemn a good block.
///
/// # Errors
/// [`BlockError::TooHeavy`].
pub fn check_weight(block: &Block, max: u64) -> Result<(), BlockError> {
    let weight = block.weight();
    if weight > max {
        return Err(BlockError::TooHeavy { weight, max });
    }
    Ok(())
}

/// No two transactions spend the same output.
///
/// # Errors
/// [`BlockError::DoubleSpend`].
pub fn check_no_double_spend(block: &Block) -> Result<(), BlockError> {
    let inputs = block.transactions.iter().flat_map(|tx| &tx.inputs);
    let spent: Vec<_> = inputs.map(|input| input.previous_output).collect();
    // Sorting is several times faster than a set, which only names the first.
    let mut sorted = spent.clone();
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    let repeated = spent.into_iter().find(|outpoint| !seen.insert(*outpoint));
    repeated.map_or(Ok(()), |outpoint| Err(BlockError::DoubleSpend(outpoint)))
}

/// The coinbase's script starts with the block's height (BIP 34), which also
/// keeps coinbases from ever having the same name.
///
/// # Errors
/// [`BlockError::CoinbaseHeight`].
pub fn check_coinbase_height(block: &Block, expected: Height) -> Result<(), BlockError> {
    let input = block
        .transactions
        .first()
        .and_then(|coinbase| coinbase.inputs.first());
    let found = input.and_then(|input| input.script_sig.coinbase_height());
    if found == Some(expected) {
        return Ok(());
    }
    Err(BlockError::CoinbaseHeight { expected, found })
}

/// The coinbase takes at most subsidy and fees. Less is allowed; the rest is
/// burned.
///
/// # Errors
/// [`BlockError::FeesRange`], [`BlockError::RewardTooHigh`].
pub fn check_reward(
    coinbase: &Transaction,
    subsidy: Amount,
    fees: Amount,
) -> Result<(), BlockError> {
    let allowed = subsidy
        .checked_add(fees)
        .filter(|_| fees.is_in_range())
        .ok_or(BlockError::FeesRange)?;
    let claimed = coinbase.outputs.iter().map(|output| output.value);
    // A sum beyond 64 bits is certainly too much.
    let claimed = Amount::checked_sum(claimed).unwrap_or(Amount::from_sat(u64::MAX));
    if claimed > allowed {
        return Err(BlockError::RewardTooHigh { claimed, allowed });
    }
    Ok(())
}

fn each_transaction(
    block: &Block,
    check: impl Fn(&Transaction) -> Result<(), TransactionError>,
) -> Result<(), BlockError> {
    for (index, tx) in block.transactions.iter().enumerate() {
        check(tx).map_err(|error| BlockError::Transaction {
            index,
            txid: tx.txid(),
            error,
        })?;
    }
    Ok(())
}
