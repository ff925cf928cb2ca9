//! The last blocks that came by gossip.

use std::collections::VecDeque;

use minichain_chain::hash::BlockHash;

use crate::limits::GOSSIP_SEEN_MAX;

/// The last [`GOSSIP_SEEN_MAX`] hashes, oldest first. A block comes far more
/// often than anybody asks, and who asks means one of the last: so a list to be
/// searched from its end costs less than any order.
#[derive(Debug, Default)]
pub(super) struct Seen {
    all: VecDeque<BlockHash>,
    /// The last one, which mostly is all that anybody wants to know.
    last: Option<BlockHash>,
}

impl Seen {
    /// Something of it, for who only wants it read.
    pub fn glance(&self) -> u64 {
        let last = self.all.back().map_or(0, |hash| hash.as_bytes()[0]);
        u64::from(self.last.is_some()) + u64::from(last)
    }

    /// Whether a block is among the last.
    pub fn contains(&self, hash: &BlockHash) -> bool {
        self.last.as_ref() == Some(hash) || self.all.iter().rev().any(|seen| seen == hash)
    }

    /// Adds a block; the oldest makes room. The transport drops what it brought
    /// a short while ago, so hardly any block comes twice, and one that does
    /// takes another's place.
    pub fn insert(&mut self, hash: BlockHash) {
        if self.last == Some(hash) {
            return;
        }
        if self.all.len() >= GOSSIP_SEEN_MAX {
            self.all.pop_front();
        }
        self.all.push_back(hash);
        self.last = Some(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known_and_older_ones_forgotten() {
        let hash = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
            BlockHash::from_bytes(bytes)
        };
        let mut seen = Seen::default();
        assert!(!seen.contains(&hash(0)));
        for number in 0..3 * GOSSIP_SEEN_MAX {
            seen.insert(hash(number));
            // Twice is once.
            seen.insert(hash(number));
            let oldest = (number + 1).saturating_sub(GOSSIP_SEEN_MAX);
            assert!(seen.contains(&hash(number)) && seen.contains(&hash(oldest)));
            assert!(oldest == 0 || !seen.contains(&hash(oldest - 1)));
        }
    }
}
