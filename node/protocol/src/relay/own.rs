//! Transactions that this node announces until they are confirmed, each at its
//! own time: gossip drops what it has seen a short while ago, so that one timer
//! for all would be too early for the younger ones.

use std::collections::{BTreeMap, BTreeSet};

use minichain_chain::hash::Txid;

use crate::limits::{REBROADCAST_MAX, REBROADCAST_MS};

/// Who is announced again, and when.
#[derive(Debug, Default)]
pub(super) struct Own {
    due_ms: BTreeMap<Txid, u64>,
    by_time: BTreeSet<(u64, Txid)>,
}

impl Own {
    /// A transaction was announced now and is to be again; when too many are,
    /// it is left out.
    pub fn insert(&mut self, txid: Txid, now_ms: u64) {
        let due_ms = now_ms + REBROADCAST_MS;
        match self.due_ms.get(&txid) {
            Some(before_ms) => {
                self.by_time.remove(&(*before_ms, txid));
            }
            None if self.due_ms.len() >= REBROADCAST_MAX => return,
            None => {}
        }
        self.due_ms.insert(txid, due_ms);
        self.by_time.insert((due_ms, txid));
    }

    pub fn contains(&self, txid: &Txid) -> bool {
        self.due_ms.contains_key(txid)
    }

    /// When the next one is due.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.by_time.first().map(|(due_ms, _)| *due_ms)
    }

    /// Takes out those that are due; whoever still waits is to be put back.
    pub fn take_due(&mut self, now_ms: u64) -> Vec<Txid> {
        let mut due = Vec::new();
        while self.next_due_ms().is_some_and(|due_ms| due_ms <= now_ms)
            && let Some((_, txid)) = self.by_time.pop_first()
        {
            self.due_ms.remove(&txid);
            due.push(txid);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txid(byte: u8) -> Txid {
        Txid::from_bytes([byte; 32])
    }

    #[test]
    fn each_is_due_a_while_after_its_own_announcement() {
        let mut own = Own::default();
        own.insert(txid(1), 0);
        own.insert(txid(2), 50_000);
        assert_eq!(own.next_due_ms(), Some(REBROADCAST_MS));
        assert_eq!(own.take_due(REBROADCAST_MS - 1), vec![]);
        assert_eq!(own.take_due(REBROADCAST_MS), vec![txid(1)]);
        own.insert(txid(2), 60_000);
        assert_eq!(own.take_due(50_000 + REBROADCAST_MS), vec![]);
        assert_eq!(own.take_due(60_000 + REBROADCAST_MS), vec![txid(2)]);
        assert_eq!(own.next_due_ms(), None);
    }

    #[test]
    fn their_number_is_bounded() {
        let mut own = Own::default();
        for number in 0..=REBROADCAST_MAX {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
            own.insert(Txid::from_bytes(bytes), 0);
        }
        assert_eq!(own.take_due(u64::MAX).len(), REBROADCAST_MAX);
    }
}
