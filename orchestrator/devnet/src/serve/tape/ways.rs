//! How blocks spread in a recorded run, as the simulator knows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use devnet_scenario::fault::NodeName;

use super::super::board::Board;
use crate::simworld::arrivals::Arrivals;

/// Blocks whose way is followed.
const FOLLOWED_MAX: usize = 256;

/// When the last blocks came to whom.
pub struct Ways {
    arrivals: Arrivals,
    /// Times in microseconds since 1970, by block, the newest block last.
    known: VecDeque<(String, BTreeMap<NodeName, u64>)>,
    /// Blocks of which the board is yet to be told.
    fresh: BTreeSet<String>,
}

impl Ways {
    pub fn new(arrivals: Arrivals) -> Self {
        Self {
            arrivals,
            known: VecDeque::new(),
            fresh: BTreeSet::new(),
        }
    }

    /// Tells what is new.
    pub fn tell(&mut self, board: &Board) {
        for arrival in self.arrivals.take() {
            let times = self.of(&arrival.hash);
            // A block that a node left and came back to is no news to it.
            times.entry(arrival.node).or_insert(arrival.at_us);
            self.fresh.insert(arrival.hash);
        }
        let known = &self.known;
        self.fresh.retain(|hash| {
            let found = known.iter().find(|(of, _)| of == hash);
            found.is_some_and(|(_, times)| !board.came_at_us(hash, times))
        });
    }

    fn of(&mut self, hash: &str) -> &mut BTreeMap<NodeName, u64> {
        let at = self.known.iter().rposition(|(of, _)| of == hash);
        let at = at.unwrap_or_else(|| {
            if self.known.len() >= FOLLOWED_MAX {
                self.known.pop_front();
            }
            self.known.push_back((hash.to_owned(), BTreeMap::new()));
            self.known.len() - 1
        });
        &mut self.known[at].1
    }
}
