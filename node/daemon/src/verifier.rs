//! Signatures and digests on all cores, and the memory of signatures that
//! were checked before.
//!
//! The threads live as long as the verifier: the first check on a new thread
//! costs as much as three more.

mod stream;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use minichain_chain::block::Block;
use minichain_chain::coins::{
    BlockSignatures, DigestChange, DigestPart, MuHash3072, SignatureCheck, SignatureVerifier,
};
use minichain_chain::hash::Wtxid;
use minichain_chain::rules::block::{BlockError, FORM_PARTS, check_chain_form, check_named_form};
use minichain_chain::signature::SpendError;
use minichain_chain::transaction::{Names, Transaction};
use rayon::prelude::*;

use self::stream::Stream;
use crate::exit::Failure;

/// Fewer elements of a digest than this are not worth waking other threads.
const ELEMENTS_WORTH_THREADS: usize = 32;
/// Transactions whose names one thread computes at a time.
const NAMES_A_PIECE: usize = 64;
/// Transactions remembered, in each of two halves.
const REMEMBERED: usize = 32_768;

/// Checks on a pool of threads, in any number of blocks and payments.
#[derive(Debug)]
pub struct ThreadedVerifier {
    threads: rayon::ThreadPool,
    shared: Arc<Shared>,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    known: RwLock<Known>,
}

/// A verifier on all cores, for a chain.
///
/// # Errors
/// When the system gives no threads.
pub fn on_all_cores() -> Result<Box<dyn SignatureVerifier>, Failure> {
    let verifier = ThreadedVerifier::new(0)
        .map_err(|error| Failure::world(format!("cannot start threads: {error}")))?;
    Ok(Box::new(verifier))
}

/// Transactions whose signatures are right. A transaction's name with its
/// witnesses commits to signatures, and by the names of what it spends to the
/// outputs that they were checked against; so it alone decides.
#[derive(Debug, Default)]
struct Known {
    young: HashSet<Wtxid>,
    old: HashSet<Wtxid>,
}

impl Known {
    fn contains(&self, name: &Wtxid) -> bool {
        self.young.contains(name) || self.old.contains(name)
    }

    fn insert(&mut self, name: Wtxid) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name);
    }

    fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }
}

impl ThreadedVerifier {
    /// A pool of so many threads; 0 for one on every core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("verifier-{number}"))
            .build()?;
        Ok(Self {
            threads,
            shared: Arc::default(),
        })
    }

    /// Threads of the pool.
    pub fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }
}

impl Shared {
    /// Whether the check was made before; its answer was yes. Names are not
    /// computed where nothing is remembered, and never behind the lock.
    fn is_known(&self, check: &SignatureCheck<'_>) -> bool {
        !self.known().is_empty() && {
            let name = check.transaction.wtxid();
            self.known().contains(&name)
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, name: Wtxid) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name);
    }
}

impl SignatureVerifier for ThreadedVerifier {
    /// What is right is remembered, for a block will show it again.
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        let name = check.transaction.wtxid();
        if self.shared.known().contains(&name) {
            return Ok(());
        }
        check.verify()?;
        self.shared.remember(name);
        Ok(())
    }

    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(Stream::new(&self.threads, &self.shared, Arc::clone(block)))
    }

    fn names(&self, transactions: &[Transaction]) -> Vec<Names> {
        if transactions.len() <= NAMES_A_PIECE {
            return transactions.iter().map(Transaction::names).collect();
        }
        let pieces = transactions.par_iter().with_min_len(NAMES_A_PIECE);
        self.threads
            .install(|| pieces.map(Transaction::names).collect())
    }

    fn form(&self, block: &Arc<Block>, weight_max: u64) -> (Vec<Names>, Result<(), BlockError>) {
        let names = self.names(&block.transactions);
        let checked = if names.len() <= NAMES_A_PIECE {
            check_named_form(block, &names, weight_max)
        } else {
            let parts = FORM_PARTS.par_iter().with_max_len(1);
            let parts = parts.map(|part| part(block, &names, weight_max));
            let found: Vec<_> = self.threads.install(|| parts.collect());
            found.into_iter().collect()
        };
        let checked = checked.and_then(|()| check_chain_form(block));
        (names, checked)
    }

    fn digest(&self, changes: Vec<DigestChange>) -> Arc<dyn DigestPart> {
        if changes.len() < ELEMENTS_WORTH_THREADS {
            return Arc::new(MuHash3072::of(&changes));
        }
        // A few pieces for each thread, so that all end at about one time.
        let piece = changes.len().div_ceil(4 * self.threads()).max(1);
        let product = Arc::new(Product::default());
        let filled = Arc::clone(&product);
        self.threads.spawn(move || {
            let pieces = changes.par_chunks(piece).map(MuHash3072::of);
            filled.fill(pieces.reduce(MuHash3072::new, |mut left, right| {
                left.combine(&right);
                left
            }));
        });
        product
    }
}

/// A part of a digest that the pool is computing.
#[derive(Debug, Default)]
struct Product {
    done: OnceLock<MuHash3072>,
}

impl Product {
    fn fill(&self, product: MuHash3072) {
        self.done.get_or_init(|| product);
    }
}

impl DigestPart for Product {
    fn is_ready(&self) -> bool {
        self.done.get().is_some()
    }

    fn wait(&self) -> &MuHash3072 {
        self.done.wait()
    }
}

#[cfg(test)]
mod tests;
