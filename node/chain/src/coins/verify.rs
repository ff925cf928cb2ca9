//! The seam for whoever can check signatures faster.
//!
//! Signatures are by far the costliest rule, and the digest of the coins comes
//! next. A verifier that the owner of the chain may choose does both: this room
//! has one thread, a daemon has more, and whoever has many chains need not work
//! out the same again for each. Signatures of a block may be checked while
//! it and those above it connect; the answer is asked for when everything else
//! is in order.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::{Coin, CoinStats, DigestChange, DigestPart, MuHash3072, Undo};
use crate::block::Block;
use crate::hash::{BlockHash, Txid};
use crate::rules::block::{BlockError, check_chain_form, check_named_form};
use crate::signature::{SpendError, verify_transaction};
use crate::transaction::{Names, OutPoint, Transaction, TxOut};

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

/// What connecting a block on top of its parent comes to. It follows from the
/// block and its ancestors alone.
#[derive(Debug, Clone)]
pub struct Connection {
    /// How to take the block off again.
    pub undo: Undo,
    /// As [`crate::store::Batch::coins`].
    pub coins: BTreeMap<OutPoint, Option<Coin>>,
    /// The coins at the block.
    pub stats: CoinStats,
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
    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a>;

    /// The names of transactions, in order.
    fn names(&self, transactions: &[Transaction]) -> Vec<Names> {
        transactions.iter().map(Transaction::names).collect()
    }

    /// The names of a block's transactions without their witnesses, in order.
    fn txids(&self, block: &Arc<Block>) -> Vec<Txid> {
        block.transactions.iter().map(Transaction::txid).collect()
    }

    /// The names of a block's transactions, in order, and whether the block obeys
    /// what it has to by itself, wherever it stands.
    fn form(&self, block: &Arc<Block>, weight_max: u64) -> (Vec<Names>, Result<(), BlockError>) {
        let names = self.names(&block.transactions);
        let checked = check_named_form(block, &names, weight_max);
        (names, checked.and_then(|()| check_chain_form(block)))
    }

    /// What connecting a block came to, for who has many chains and remembers.
    fn connection(&self, _hash: &BlockHash) -> Option<Connection> {
        None
    }

    /// A block has connected on top of its parent, and to this it came.
    fn connected(&self, _hash: &BlockHash, _connection: &dyn Fn() -> Connection) {}

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
    block: Arc<Block>,
    /// Indices of transactions, with the outputs they spend.
    checks: Vec<(usize, Vec<TxOut>)>,
}

impl<'a> Gathered<'a> {
    /// None yet.
    #[must_use]
    pub const fn new(verifier: &'a dyn SignatureVerifier, block: Arc<Block>) -> Self {
        Self {
            verifier,
            block,
            checks: Vec::new(),
        }
    }
}

impl BlockSignatures for Gathered<'_> {
    fn add(&mut self, transaction: usize, spent: Vec<TxOut>) {
        self.checks.push((transaction, spent));
    }

    fn finish(self: Box<Self>) -> Result<(), SignatureFailure> {
        self.checks
            .into_iter()
            .try_for_each(|(transaction, spent)| {
                let check = SignatureCheck {
                    transaction: &self.block.transactions[transaction],
                    spent,
                };
                let verdict = self.verifier.verify(&check);
                verdict.map_err(|(input, error)| SignatureFailure {
                    transaction,
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

    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Gathered::new(self, Arc::clone(block)))
    }
}
