//! How fast blocks came to nodes.

use super::arrivals::Reach;
use super::intervals::is_disturbed;
use super::model::{Band, Propagation, Reception, SlowBlock};
use super::source::Source;
use super::statistics::summary;
use super::tree::Found;

/// Slow blocks told at most.
const SLOWEST_MAX: usize = 10;

/// The table of all nodes whose log tells of blocks.
pub fn table(source: &Source, reach: &Reach, blocks: &[Found], faults: &[Band]) -> Propagation {
    let known: Vec<(&Found, bool)> = blocks
        .iter()
        .filter(|block| reach.first_ms(block.place).is_some())
        .map(|block| (block, is_disturbed(block.at_ms, faults)))
        .collect();
    let mut all = Vec::new();
    let mut nodes = Vec::new();
    for node in source.names() {
        if source.book.of(&node).is_empty() {
            continue;
        }
        let mut reception = Reception {
            node,
            first: 0,
            quiet: None,
            disturbed: None,
            missing: 0,
        };
        let (mut quiet, mut disturbed) = (Vec::new(), Vec::new());
        for (block, is_disturbed) in &known {
            match reach.blocks[block.place].get(&reception.node) {
                None if block.is_best => reception.missing += 1,
                None => {}
                Some(at_ms) if *at_ms == block.at_ms => reception.first += 1,
                Some(at_ms) => {
                    let delay_ms = at_ms.saturating_sub(block.at_ms) as f64;
                    if *is_disturbed {
                        &mut disturbed
                    } else {
                        &mut quiet
                    }
                    .push(delay_ms);
                }
            }
        }
        all.extend(&quiet);
        reception.quiet = summary(quiet);
        reception.disturbed = summary(disturbed);
        nodes.push(reception);
    }
    Propagation {
        blocks: known.len(),
        quiet: summary(all),
        nodes,
        slowest: slowest(reach, &known),
    }
}

fn slowest(reach: &Reach, known: &[(&Found, bool)]) -> Vec<SlowBlock> {
    let mut slow: Vec<SlowBlock> = known
        .iter()
        .filter_map(|(block, is_disturbed)| {
            let (last, at_ms) = reach.blocks[block.place]
                .iter()
                .max_by_key(|(_, at_ms)| **at_ms)?;
            Some(SlowBlock {
                hash: block.hash.clone(),
                height: block.height,
                miner: block.miner.clone(),
                at_ms: block.at_ms,
                spread_ms: at_ms.saturating_sub(block.at_ms),
                last: last.clone(),
                is_disturbed: *is_disturbed,
            })
        })
        .collect();
    slow.sort_by_key(|block| (std::cmp::Reverse(block.spread_ms), block.height));
    slow.truncate(SLOWEST_MAX);
    slow
}
