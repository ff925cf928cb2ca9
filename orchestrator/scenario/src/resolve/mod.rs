//! From wishes to orders: selectors become names, fault verbs become acts.
//!
//! Draws come from the run's own generator, so a seed replays a run.

mod acts;
mod nodes;

use rand_chacha::ChaCha8Rng;
use rand_core::Rng as _;
use thiserror::Error;

pub use acts::{act, undo};
pub use nodes::{nodes, pool};

use crate::fault::{NodeName, ShapeError};
use crate::model::Choice;

/// The generator of a run.
pub type Dice = ChaCha8Rng;

/// Why a wish cannot be carried out on this network, as a sentence's tail.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unresolved {
    /// Neither a node nor a group.
    #[error("there is no node or group `{0}`")]
    Unknown(String),
    /// A zone without nodes.
    #[error("no node stands in a zone `{0}`")]
    UnknownZone(String),
    /// More draws than nodes.
    #[error("{count} nodes cannot be drawn from {have}")]
    TooFew {
        /// Wished.
        count: u32,
        /// Candidates.
        have: usize,
    },
    /// `rest` where nothing is left, or where it has no meaning.
    #[error("`rest` only has a meaning beside other groups of a partition")]
    Rest,
    /// Nobody is meant.
    #[error("no node is chosen")]
    Nobody,
    /// A link from a node to itself, or none at all.
    #[error("no link joins these nodes")]
    NoLink,
    /// A partition that cannot be made.
    #[error("cannot partition: {0}")]
    Shape(#[from] ShapeError),
}

/// One of several choices, by weight. `None` where there is none.
pub fn choose<'a>(choices: &'a [Choice], dice: &mut Dice) -> Option<&'a Choice> {
    let total: u64 = choices.iter().map(|choice| u64::from(choice.weight)).sum();
    let mut at = below(dice, total)?;
    choices.iter().find(|choice| {
        let weight = u64::from(choice.weight);
        let is_hit = at < weight;
        at = at.saturating_sub(weight);
        is_hit
    })
}

/// A number below `bound`, evenly drawn; `None` where there is none.
fn below(dice: &mut Dice, bound: u64) -> Option<u64> {
    // The bias of the remainder is below bound / 2^64.
    dice.next_u64().checked_rem(bound)
}

/// Draws `count` of `candidates`, which keep their order.
fn draw(candidates: &[NodeName], count: usize, dice: &mut Dice) -> Vec<NodeName> {
    let mut left = count.min(candidates.len());
    let mut drawn = Vec::with_capacity(left);
    for (at, candidate) in candidates.iter().enumerate() {
        let remaining = u64::try_from(candidates.len() - at).unwrap_or(u64::MAX);
        let wanted = u64::try_from(left).unwrap_or(0);
        if below(dice, remaining).is_some_and(|ticket| ticket < wanted) {
            drawn.push(candidate.clone());
            left -= 1;
        }
    }
    drawn
}
