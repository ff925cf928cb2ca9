//! The seam for whoever can check signatures faster.
//!
//! Signatures are by far the costliest rule. They are gathered while a block
//! connects and checked together at the end, by a verifier the owner of the
//! chain may choose: this room has one thread, a daemon has more.

use std::fmt::Debug;

use crate::signature::{SpendError, verify_transaction};
use crate::transaction::{Transaction, TxOut};

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

/// A signature that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureFailure {
    /// Index of the check.
    pub check: usize,
    /// Index of the input.
    pub input: usize,
    /// Why.
    pub error: SpendError,
}

/// How signatures are checked.
pub trait SignatureVerifier: Debug + Send + Sync {
    /// Checks all.
    ///
    /// # Errors
    /// The first that fails in the order of `checks`, so that every verifier
    /// gives the same answer.
    fn verify(&self, checks: &[SignatureCheck<'_>]) -> Result<(), SignatureFailure>;
}

/// One after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct SequentialVerifier;

impl SignatureVerifier for SequentialVerifier {
    fn verify(&self, checks: &[SignatureCheck<'_>]) -> Result<(), SignatureFailure> {
        for (check, one) in checks.iter().enumerate() {
            one.verify().map_err(|(input, error)| SignatureFailure {
                check,
                input,
                error,
            })?;
        }
        Ok(())
    }
}
