//! A cut into three, and what has to come of it.

use devnet_scenario::world::Outcome;

use crate::exit::Failure;
use crate::faults::Layout;
use crate::probe::Round;

/// Sides of the cut.
pub const SIDES: usize = 3;

/// Three sides dealt in turns, so that each has its share of the miners.
pub fn sides(layout: &Layout) -> Vec<Vec<String>> {
    let mut sides = vec![Vec::new(); SIDES];
    let (miners, others): (Vec<_>, Vec<_>) = layout.nodes.iter().partition(|node| node.mines);
    for (node, side) in miners.into_iter().chain(others).zip((0..SIDES).cycle()) {
        sides[side].push(node.name.clone());
    }
    sides
}

/// Refuses figures of a fault that did not bite.
pub fn proven(what: &str, outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        Outcome::Ineffective(evidence) => Err(Failure::failed(format!(
            "{what} has not the effect it should have: {}",
            evidence.summary
        ))),
        Outcome::Failed { why } => Err(Failure::failed(format!("{what}: {why}"))),
    }
}

/// The height of the best tip.
pub fn best_height(round: &Round) -> u32 {
    let answers = round.nodes.values().filter_map(|node| node.as_ref().ok());
    answers.map(|facts| facts.chain.blocks).max().unwrap_or(0)
}

/// Whether every node answers and all have one tip, at least that high.
pub fn is_one_tip(round: &Round, height_min: u32) -> bool {
    let mut tips = round.nodes.values().map(|node| node.as_ref().ok());
    let Some(Some(first)) = tips.next() else {
        return false;
    };
    let tip = &first.chain.bestblockhash;
    first.chain.blocks >= height_min
        && tips.all(|facts| facts.is_some_and(|facts| facts.chain.bestblockhash == *tip))
}
