//! Where the time goes inside the verifier.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use minichain_chain::block::Block;
use minichain_chain::coins::{
    BlockSignatures, DigestChange, DigestPart, SignatureCheck, SignatureFailure, SignatureVerifier,
};
use minichain_chain::rules::block::BlockError;
use minichain_chain::signature::SpendError;
use minichain_chain::transaction::{Names, Transaction, TxOut};
use minichain_node::verifier::ThreadedVerifier;

/// Nanoseconds spent.
#[derive(Debug, Default)]
pub struct Spent {
    signatures: AtomicU64,
}

impl Spent {
    pub fn signatures(&self) -> Duration {
        Duration::from_nanos(self.signatures.load(Ordering::Relaxed))
    }
}

/// A verifier with a stop-watch.
#[derive(Debug)]
pub struct Timed {
    inner: ThreadedVerifier,
    spent: Arc<Spent>,
}

impl Timed {
    /// On all cores.
    pub fn new() -> (Box<Self>, Arc<Spent>) {
        let spent = Arc::new(Spent::default());
        let timed = Self {
            inner: ThreadedVerifier::new(0).unwrap(),
            spent: Arc::clone(&spent),
        };
        (Box::new(timed), spent)
    }
}

fn count(counter: &AtomicU64, begin: Instant) {
    let nanos = u64::try_from(begin.elapsed().as_nanos()).unwrap();
    counter.fetch_add(nanos, Ordering::Relaxed);
}

impl SignatureVerifier for Timed {
    fn verify(&self, check: &SignatureCheck<'_>) -> Result<(), (usize, SpendError)> {
        self.inner.verify(check)
    }

    fn of_block<'a>(&'a self, block: &Arc<Block>) -> Box<dyn BlockSignatures + 'a> {
        Box::new(TimedBlock {
            inner: self.inner.of_block(block),
            spent: &self.spent,
        })
    }

    fn names(&self, transactions: &[Transaction]) -> Vec<Names> {
        self.inner.names(transactions)
    }

    fn form(&self, block: &Arc<Block>, weight_max: u64) -> (Vec<Names>, Result<(), BlockError>) {
        self.inner.form(block, weight_max)
    }

    fn digest(&self, changes: Vec<DigestChange>) -> Arc<dyn DigestPart> {
        self.inner.digest(changes)
    }
}

/// Signatures of a block, with the time that is waited for them.
struct TimedBlock<'a> {
    inner: Box<dyn BlockSignatures + 'a>,
    spent: &'a Spent,
}

impl BlockSignatures for TimedBlock<'_> {
    fn add(&mut self, transaction: usize, spent: Vec<TxOut>) {
        self.inner.add(transaction, spent);
    }

    fn finish(self: Box<Self>) -> Result<(), SignatureFailure> {
        let begin = Instant::now();
        let result = self.inner.finish();
        count(&self.spent.signatures, begin);
        result
    }
}

/// Processor time of this process so far, in the kernel's ticks (`proc(5)`,
/// fields 14 and 15 of `stat`): other programs do not disturb it.
pub fn ticks() -> u64 {
    stat()[11..13].iter().sum()
}

/// The same of the programs it started and waited for (fields 16 and 17).
pub fn ticks_of_children() -> u64 {
    stat()[13..15].iter().sum()
}

/// The numbers behind the program's name and state.
fn stat() -> Vec<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let number = |field: &str| field.parse().unwrap_or(0);
    fields.split_whitespace().map(number).collect()
}

/// Memory of this process in MiB: a field of `status` (`proc(5)`).
pub fn memory_mib(field: &str) -> f64 {
    status_mib(std::process::id(), field).unwrap()
}

/// The same of any process; none once it ended.
pub fn status_mib(process: u32, field: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Lets `VmHWM` begin anew, at the memory of now.
pub fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
