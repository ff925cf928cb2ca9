//! Which faults networks went through, and how many of them did.

use std::collections::{BTreeMap, BTreeSet};

use minichain_sim::world::Damage;
use serde::Serialize;

use super::case::Case;

/// What one network went through that held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faced {
    /// Its faults, each of which has been proven, by their words in a scenario.
    words: BTreeSet<&'static str>,
    /// What its disks went through.
    damage: Damage,
}

/// Networks that held, by what they went through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All of them.
    pub networks: u64,
    /// How many had at least one fault of a kind, by its word in a scenario.
    pub by_fault: BTreeMap<&'static str, u64>,
    /// How many had at least one fault of storage that was seen to bite.
    pub storage: Storage,
}

/// Networks by faults of storage; one network may be in several lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// Any of those below.
    pub networks: u64,
    /// A crash took along what was not durable yet.
    pub lost_unflushed: u64,
    /// A write reached the disk in part.
    pub torn_write: u64,
    /// A node refused its damaged store when it started; some of those above.
    pub refused_store: u64,
    /// A node ended because its disk had no room.
    pub full_disk: u64,
}

impl Faced {
    /// What this case went through, and the disks of its network.
    pub fn of(case: &Case, damage: Damage) -> Self {
        let faults = case.links.iter().chain(&case.nodes);
        Self {
            words: faults.map(|timed| timed.what.word()).collect(),
            damage,
        }
    }
}

impl Tally {
    /// Counts networks.
    pub fn of<'a>(all: impl Iterator<Item = &'a Faced>) -> Self {
        let mut tally = Self::default();
        for Faced { words, damage } in all {
            tally.networks += 1;
            for word in words {
                *tally.by_fault.entry(word).or_default() += 1;
            }
            tally.storage.count(*damage);
        }
        tally
    }
}

impl Storage {
    fn count(&mut self, damage: Damage) {
        let Damage {
            losses,
            torn,
            refused,
            full,
        } = damage;
        let has_any = damage != Damage::default();
        self.networks += u64::from(has_any);
        self.lost_unflushed += u64::from(losses > 0);
        self.torn_write += u64::from(torn > 0);
        self.refused_store += u64::from(refused > 0);
        self.full_disk += u64::from(full > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ranges;
    use super::super::case::{Timed, What};
    use super::*;

    fn faced(whats: &[What], damage: Damage) -> Faced {
        let timed = |what: &What| Timed {
            after_s: 0,
            lasts_s: 1,
            what: *what,
        };
        let case = Case {
            links: Vec::new(),
            nodes: whats.iter().map(timed).collect(),
            ..Case::draw(0, Ranges::default())
        };
        Faced::of(&case, damage)
    }

    #[test]
    fn a_network_counts_once_for_each_kind_however_often_it_had_it() {
        let torn = Damage {
            torn: 2,
            refused: 1,
            ..Damage::default()
        };
        let lost = Damage {
            losses: 3,
            ..Damage::default()
        };
        let all = [
            faced(&[What::Tear(0), What::Tear(1), What::Kill(0)], torn),
            faced(&[What::Kill(0)], lost),
            faced(&[What::Kill(0), What::Fill(0)], Damage::default()),
        ];
        let tally = Tally::of(all.iter());
        let by_fault = [("corrupt_store", 1), ("fill_disk", 1), ("kill", 3)];
        assert_eq!(tally.by_fault, BTreeMap::from(by_fault));
        assert_eq!(tally.networks, 3);
        // A crash that lost nothing and a disk that nobody filled are no faults
        // of storage.
        let storage = Storage {
            networks: 2,
            lost_unflushed: 1,
            torn_write: 1,
            refused_store: 1,
            full_disk: 0,
        };
        assert_eq!(tally.storage, storage);
    }
}
