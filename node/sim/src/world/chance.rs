//! The chance of what happens between nodes: a stream for each purpose and pair,
//! so that what is done to one pair moves nobody else's luck.

use std::collections::BTreeMap;

use super::Place;
use crate::random::Stream;

/// All streams that were drawn from.
#[derive(Debug)]
pub(super) struct Chances {
    seed: u64,
    streams: BTreeMap<(&'static str, Place, Place), Stream>,
}

impl Chances {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            streams: BTreeMap::new(),
        }
    }

    /// The stream of a purpose for one direction between two nodes.
    pub fn of(&mut self, purpose: &'static str, from: Place, to: Place) -> &mut Stream {
        let seed = self.seed;
        let new = || Stream::new(seed, purpose, &[from as u64, to as u64]);
        self.streams.entry((purpose, from, to)).or_insert_with(new)
    }
}
