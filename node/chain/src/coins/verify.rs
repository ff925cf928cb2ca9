//! The seam for whoever can check signatures faster.
//!
//! Signatures are by far the costliest rule, and the digest of the coins comes
//! next. A verifier that the owner of the chain may choose does both: this room
//! has one thread, a daemon has more. Signatures of a block may be checked while
//! it still connects; the answer is asked for when everything else is in order.

use std::fmt::Debug;
use std::sync::Arc;

use super::{DigestChange, DigestPart, MuHash3072};
use crate::block::Block;
use crate::signature::{SpendError, verify_transaction};
use crate::transaction::{Names, Transaction, TxOut};

/// All signatures of one transaction.
#[derive(Debug, Clone)]
pub struct SignatureCheck<'a> {
    /// The transaction.
    pub transaction: &'a Transaction,
    /// The outputs it spends, in the order of its inputs.
    pub spent: Vec<TxOut>,
}

impl SignatureCheck<'_> {
    /// Checks every input.
    ///
    /// # Errors
    /// The first input that fails, and why.
    pub fn verify(&self) -> Result<(), (usize, SpendError)> {
        verify_transaction(self.transaction, &self.spent)
    }
}

/// A signature of a block that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureFailure {
    /// Index of the transaction.
    pub transaction: usize,
    /// Index of the input.
    pub input: usize,
    /// Why.
    pub error: SpendError,
}

/// How signatures are checked.
pub trait SignatureVerifier: Debug + Send + Sync {
    /// Checks those of a transaction that no block holds yet.
    ///
    /// # Errors
    /// As [`SignatureCheck::verify`].
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)>;

    /// Begins to check the signatures of a block, of which the transactions are
    /// told one after the other.
    fn of_block<'a>(&'a self, block: &'a Arc<Block>) -> Box<dyn BlockSignatures + 'a>;

    /// The names of transactions, in order.
    fn names(&self, transactions: &[Transaction]) -> Vec<Names> {
        transactions.iter().map(Transaction::names).collect()
    }

    /// What the changes make of the digest of the empty set. The order does
    /// not matter, and nobody needs the answer at once.
    fn digest(&self, changes: Vec<DigestChange>) -> Arc<dyn DigestPart> {
        Arc::new(MuHash3072::of(&changes))
    }
}

/// The signatures of one block. Drop it, and the answer does not matter.
pub trait BlockSignatures {
    /// One more transaction: its index in the block, higher than that of the one
    /// before, and the outputs it spends, in the order of its inputs.
    fn add(&mut self, transaction: usize, spent: Vec<TxOut>);

    /// Whether all are right.
    ///
    /// # Errors
    /// The first that is wrong in the order of the block, so that every verifier
    /// gives the same answer.
    fn finish(self: Box<Self>) -> Result<(), SignatureFailure>;
}

/// All signatures of a block, checked together when everything else is done.
#[derive(Debug)]
pub struct Gathered<'a> {
    verifier: &'a dyn SignatureVerifier,
    block: &'a Block,
    checks: Vec<(usize, SignatureCheck<'a>)>,
}

impl<'a> Gathered<'a> {
    /// None yet.
    #[must_use]
    pub const fn new(verifier: &'a dyn SignatureVerifier, block: &'a Block) -> Self {
        Self {
            verifier,
            block,
            checks: Vec::new(),
        }
    }
}

impl BlockSignatures for Gathered<'_> {
    fn add(&mut self, transaction: usize, spent: Vec<TxOut>) {
        let check = SignatureCheck {
            transaction: &self.block.transactions[transaction],
            spent,
        };
        self.checks.push((transaction, check));
    }

    fn finish(self: Box<Self>) -> Result<(), SignatureFailure> {
        self.checks.iter().try_for_each(|(transaction, check)| {
            let verdict = self.verifier.verify(check);
            verdict.map_err(|(input, error)| SignatureFailure {
                transaction: *transaction,
                input,
                error,
            })
        })
    }
}

/// One after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct SequentialVerifier;

impl SignatureVerifier for SequentialVerifier {
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        check.verify()
    }

    fn of_block<'a>(&'a self, block: &'a Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, block))
    }
}
