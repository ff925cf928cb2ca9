//! Transactions whose inputs are not known, kept a short while: gossip may
//! bring a child before its parent, and brings nothing twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::hash::Txid;
use minichain_chain::transaction::Transaction;

use crate::limits::{ORPHAN_TRANSACTION_BYTES_MAX, ORPHAN_TRANSACTION_MS, ORPHAN_TRANSACTIONS_MAX};

/// A bounded waiting room.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    table: BTreeMap<Txid, Waiting>,
}

/// A transaction that waits for its inputs.
#[derive(Debug)]
pub(super) struct Waiting {
    pub transaction: Arc<Transaction>,
    expires_ms: u64,
}

impl Orphans {
    /// Keeps a transaction; when full, the one that came first goes.
    pub fn insert(&mut self, transaction: Arc<Transaction>, now_ms: u64) {
        if transaction.total_size() > ORPHAN_TRANSACTION_BYTES_MAX as u64 {
            return;
        }
        self.table.retain(|_, waiting| waiting.expires_ms > now_ms);
        if self.table.len() >= ORPHAN_TRANSACTIONS_MAX {
            let by_age = self
                .table
                .iter()
                .map(|(txid, waiting)| (waiting.expires_ms, *txid));
            if let Some((_, oldest)) = by_age.min() {
                self.table.remove(&oldest);
            }
        }
        let expires_ms = now_ms.saturating_add(ORPHAN_TRANSACTION_MS);
        self.table.insert(
            transaction.txid(),
            Waiting {
                transaction,
                expires_ms,
            },
        );
    }

    /// Whether a transaction waits here.
    pub fn contains(&self, txid: &Txid) -> bool {
        self.table.contains_key(txid)
    }

    /// Takes out those that spend from `parent`.
    pub fn take_children(&mut self, parent: &Txid) -> Vec<Arc<Transaction>> {
        let spends = |transaction: &Transaction| {
            transaction
                .inputs
                .iter()
                .any(|input| input.previous_output.txid == *parent)
        };
        let children = self
            .table
            .iter()
            .filter(|(_, waiting)| spends(&waiting.transaction));
        let children: Vec<Txid> = children.map(|(txid, _)| *txid).collect();
        let taken = children.iter().filter_map(|txid| self.table.remove(txid));
        taken.map(|waiting| waiting.transaction).collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes out all.
    pub fn take_all(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.table).into_values().collect()
    }

    /// Lets one that was taken out wait on, no longer than before.
    pub fn put_back(&mut self, waiting: Waiting) {
        self.table.insert(waiting.transaction.txid(), waiting);
    }
}

#[cfg(test)]
mod tests {
    use minichain_chain::script::Script;
    use minichain_chain::transaction::{OutPoint, TxIn, Witness};

    use super::*;

    fn kept(orphans: &mut Orphans) -> Vec<Arc<Transaction>> {
        let all = orphans.take_all().into_iter();
        all.map(|waiting| waiting.transaction).collect()
    }

    fn spend(parent: u8, lock_time: u32) -> Arc<Transaction> {
        let previous_output = OutPoint {
            txid: Txid::from_bytes([parent; 32]),
            vout: 0,
        };
        let (script_sig, witness) = (Script::new(), Witness::new());
        let input = TxIn {
            previous_output,
            script_sig,
            sequence: 0,
            witness,
        };
        Arc::new(Transaction {
            version: 2,
            inputs: vec![input],
            outputs: Vec::new(),
            lock_time,
        })
    }

    #[test]
    fn children_leave_when_their_parent_comes() {
        let mut orphans = Orphans::default();
        orphans.insert(spend(1, 0), 0);
        orphans.insert(spend(2, 0), 0);
        let children = orphans.take_children(&Txid::from_bytes([1; 32]));
        assert_eq!(children, vec![spend(1, 0)]);
        assert_eq!(kept(&mut orphans), vec![spend(2, 0)]);
    }

    #[test]
    fn the_room_is_bounded_and_the_oldest_leaves_first() {
        let mut orphans = Orphans::default();
        for number in (0..).take(ORPHAN_TRANSACTIONS_MAX + 1) {
            orphans.insert(spend(1, number), u64::from(number));
        }
        let kept = kept(&mut orphans);
        assert_eq!(kept.len(), ORPHAN_TRANSACTIONS_MAX);
        assert!(!kept.contains(&spend(1, 0)));
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut orphans = Orphans::default();
        orphans.insert(spend(1, 0), 0);
        for waiting in orphans.take_all() {
            orphans.put_back(waiting);
        }
        orphans.insert(spend(2, 0), ORPHAN_TRANSACTION_MS);
        assert_eq!(kept(&mut orphans), vec![spend(2, 0)]);
    }
}
