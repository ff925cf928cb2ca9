//! What is learnt late: when blocks of the past came to nodes.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;

use super::Board;

impl Board {
    /// Blocks and their parents, by hash.
    pub fn links(&self) -> Vec<(String, String)> {
        let known = self.known();
        let blocks = known.blocks.values();
        blocks
            .map(|block| (block.hash.clone(), block.parent.clone()))
            .collect()
    }

    /// The time of the lowest block that is known.
    pub fn lowest_ms(&self) -> Option<u64> {
        let known = self.known();
        let (_, hash) = known.order.first()?;
        known.blocks.get(hash).map(|block| block.time_ms)
    }

    /// Takes in when a block came to nodes, as their logs tell. What was seen of
    /// it is less: a page sees what comes while it looks.
    pub fn came(&self, hash: &str, times: &BTreeMap<NodeName, u64>) {
        let mut known = self.known();
        let followed = known.arrivals.iter_mut().find(|(of, _)| of == hash);
        if let Some((_, arrivals)) = followed {
            let missed = times
                .iter()
                .filter(|(node, _)| !arrivals.contains_key(*node));
            let missed: Vec<_> = missed.map(|(node, at)| (node.clone(), *at)).collect();
            arrivals.extend(missed);
            known.spread(hash);
        } else if let Some(block) = known.blocks.get_mut(hash) {
            block.seen_as(times);
        }
        if let Some(block) = known.blocks.get(hash).cloned() {
            known.tell_block(block);
        }
        self.changed.notify_one();
    }

    /// Takes in when a block came to nodes, in microseconds since 1970, from who
    /// knows it exactly; false where the block is not known yet.
    pub fn came_at_us(&self, hash: &str, times_us: &BTreeMap<NodeName, u64>) -> bool {
        let mut known = self.known();
        let Some(block) = known.blocks.get_mut(hash) else {
            return false;
        };
        block.seen_at_us(times_us.values().copied());
        let block = block.clone();
        known.tell_block(block);
        self.changed.notify_one();
        true
    }
}
