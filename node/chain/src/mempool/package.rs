//! What the pool would say to several transactions that build on each other,
//! without taking any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accept::{Entry, check_signatures};
use super::graph::Candidate;
use super::{Accepted, Mempool, MempoolError};
use crate::coins::SignatureVerifier;
use crate::hash::Txid;
use crate::state::State;
use crate::store::{Store, StoreError};
use crate::time::UnixSeconds;
use crate::transaction::{OutPoint, Transaction, TxOut};

/// A transaction that the pool would take if its signatures are right. Those
/// are left to whoever asked, who has more time than the chain.
#[derive(Debug, Clone)]
pub struct Unsigned {
    accepted: Accepted,
    tx: Arc<Transaction>,
    spent: Vec<TxOut>,
}

impl Unsigned {
    /// Checks the signatures; the pool's whole answer.
    ///
    /// # Errors
    /// The first signature that is wrong.
    pub fn verify(self, verifier: &dyn SignatureVerifier) -> Result<Accepted, MempoolError> {
        check_signatures(&self.tx, self.spent, verifier)?;
        Ok(self.accepted)
    }
}

/// Transactions that are treated as if they were in the pool.
#[derive(Debug, Default)]
pub(super) struct Package {
    members: BTreeMap<Txid, Member>,
    /// Those of the pool that would have left for them.
    gone: BTreeSet<Txid>,
}

#[derive(Debug)]
struct Member {
    tx: Arc<Transaction>,
    vsize: u64,
    /// All of the pool that it depends on.
    in_pool: BTreeSet<Txid>,
    /// All of the package that it depends on.
    in_package: BTreeSet<Txid>,
}

/// How many of a package, and their virtual bytes.
pub(super) type Kin = (usize, u64);

impl Package {
    /// Whether somebody of the pool would still be there.
    pub(super) fn spares(&self, txid: &Txid) -> bool {
        !self.gone.contains(txid)
    }

    pub(super) fn get(&self, txid: &Txid) -> Option<&Arc<Transaction>> {
        self.members.get(txid).map(|member| &member.tx)
    }

    /// All of the package that a transaction depends on.
    fn ancestors(&self, tx: &Transaction) -> BTreeSet<Txid> {
        let mut all = BTreeSet::new();
        for input in &tx.inputs {
            let parent = input.previous_output.txid;
            if let Some(member) = self.members.get(&parent) {
                all.insert(parent);
                all.extend(&member.in_package);
            }
        }
        all
    }

    /// All of the pool that a transaction depends on by way of the package.
    pub(super) fn pool_ancestors(&self, tx: &Transaction) -> BTreeSet<Txid> {
        let parents = tx.inputs.iter().map(|input| input.previous_output.txid);
        let members = parents.filter_map(|txid| self.members.get(&txid));
        members.flat_map(|member| member.in_pool.clone()).collect()
    }

    /// Those of the package that a transaction depends on.
    pub(super) fn kin_above(&self, tx: &Transaction) -> Kin {
        let above = self.ancestors(tx);
        let vsizes = above.iter().filter_map(|txid| self.members.get(txid));
        (above.len(), vsizes.map(|member| member.vsize).sum())
    }

    /// Those of the package that depend on one of the pool.
    pub(super) fn kin_below(&self, ancestor: &Txid) -> Kin {
        let members = self.members.values();
        let below = members.filter(|member| member.in_pool.contains(ancestor));
        below.fold((0, 0), |(count, vbytes), member| {
            (count + 1, vbytes + member.vsize)
        })
    }

    /// An input of `tx` that comes from the package, if any does.
    pub(super) fn input_of(&self, tx: &Transaction) -> Option<OutPoint> {
        let mut outpoints = tx.inputs.iter().map(|input| input.previous_output);
        outpoints.find(|outpoint| self.members.contains_key(&outpoint.txid))
    }

    fn add(&mut self, candidate: Candidate, leaving: impl Iterator<Item = Txid>) {
        self.gone.extend(leaving);
        let in_package = self.ancestors(&candidate.tx);
        let member = Member {
            vsize: candidate.vsize,
            in_pool: candidate.ancestors,
            in_package,
            tx: candidate.tx,
        };
        self.members.insert(candidate.txid, member);
    }
}

impl Mempool {
    /// What [`Mempool::accept`] would answer to each of several transactions,
    /// each as if those before it had entered; only signatures are not
    /// checked. Nothing changes.
    ///
    /// # Errors
    /// As [`Mempool::accept`].
    pub fn check_all<S: Store>(
        &self,
        txs: &[Arc<Transaction>],
        view: &State<S>,
    ) -> Result<Vec<Result<Unsigned, MempoolError>>, StoreError> {
        let mut package = Package::default();
        let mut answers = Vec::with_capacity(txs.len());
        for tx in txs {
            let time = UnixSeconds::default();
            let judged = self.judge(Arc::clone(tx), view, (time, Entry::New), &package)?;
            answers.push(judged.map(|(admission, spent)| {
                let accepted = admission.accepted();
                package.add(
                    admission.candidate,
                    admission.replaced.into_iter().chain(admission.evicted),
                );
                Unsigned {
                    accepted,
                    tx: Arc::clone(tx),
                    spent,
                }
            }));
        }
        Ok(answers)
    }
}
