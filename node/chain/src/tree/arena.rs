//! Entries by small stable numbers, so that links cost four bytes.

use std::ops;

use super::Entry;

/// Number of an entry; given to another one after its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Index(u32);

impl Index {
    /// What the first entry gets.
    pub(super) const FIRST: Self = Self(0);
}

/// All entries.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entries {
    slots: Vec<Entry>,
    free: Vec<Index>,
}

impl Entries {
    pub(super) fn insert(&mut self, entry: Entry) -> Index {
        if let Some(index) = self.free.pop() {
            self[index] = entry;
            return index;
        }
        self.slots.push(entry);
        // An entry takes some 250 bytes; memory ends long before 2^32 of them.
        Index(u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX))
    }

    /// Frees the number of an entry nothing links to any more.
    pub(super) fn remove(&mut self, index: Index) {
        self.free.push(index);
    }
}

impl ops::Index<Index> for Entries {
    type Output = Entry;

    fn index(&self, index: Index) -> &Entry {
        &self.slots[index.0 as usize]
    }
}

impl ops::IndexMut<Index> for Entries {
    fn index_mut(&mut self, index: Index) -> &mut Entry {
        &mut self.slots[index.0 as usize]
    }
}
