//! Miners that hold their blocks back, as machines without input or output:
//! they are told what was found and heard, and say what is to be sent to whom.
//!
//! The adversary's node is an ordinary one. Only what it publishes goes through
//! its strategy first, and, while it attacks from behind, what it would hear.

mod double_spend;
mod selfish;

use std::collections::BTreeSet;

use minichain_chain::hash::BlockHash;

use self::double_spend::DoubleSpend;
use self::selfish::Selfish;

/// How a miner cheats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Keeps blocks secret as long as it leads, and publishes them when others
    /// catch up (Eyal and Sirer 2014).
    Selfish {
        /// Whom a block is sent to that competes with one of equal height; none:
        /// everybody. Fixes the share of honest power that takes its side.
        allies: Option<BTreeSet<usize>>,
    },
    /// Finds a block in secret, has a payment made, waits for its confirmations
    /// and publishes a longer branch without it as soon as it has one (Rosenfeld
    /// 2014).
    DoubleSpend {
        /// Blocks the payee waits for.
        confirmations: u32,
        /// Gives up when so many blocks behind.
        behind_max: u32,
    },
}

/// A block that is on the branch held back, or was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
    /// Its parent's hash.
    pub parent: BlockHash,
}

/// What the adversary does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing.
    Wait,
    /// Publishes its branch up to a height, to its allies only.
    Match {
        /// Height of the last block that is sent.
        height: u32,
    },
    /// Publishes all of its branch to everybody.
    Override,
    /// Drops its branch.
    Adopt,
}

/// What came of an adversary's attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attacks that came to an end.
    pub attempts: u64,
    /// Attacks that ended with a longer branch.
    pub successes: u64,
    /// Races of two published branches of equal height that an honest block
    /// ended which stands on the adversary's.
    pub followed: u64,
    /// Races that an honest block ended which stands on the honest branch.
    pub passed: u64,
}

/// An adversary at work.
#[derive(Clone, Debug)]
pub struct Adversary {
    machine: Machine,
    tally: Tally,
}

#[derive(Clone, Debug)]
enum Machine {
    Selfish(Selfish),
    DoubleSpend(DoubleSpend),
}

impl Adversary {
    /// An adversary that agrees with all others on the genesis block.
    #[must_use]
    pub fn new(strategy: &Strategy) -> Self {
        let machine = match strategy {
            Strategy::Selfish { .. } => Machine::Selfish(Selfish::default()),
            Strategy::DoubleSpend {
                confirmations,
                behind_max,
            } => Machine::DoubleSpend(DoubleSpend::new(*confirmations, *behind_max)),
        };
        Self {
            machine,
            tally: Tally::default(),
        }
    }

    /// It has found a block.
    pub fn on_own(&mut self, block: Seen) -> Move {
        match &mut self.machine {
            Machine::Selfish(selfish) => selfish.on_own(block),
            Machine::DoubleSpend(spend) => spend.on_own(block, &mut self.tally),
        }
    }

    /// It has heard a block of others.
    pub fn on_heard(&mut self, block: Seen) -> Move {
        match &mut self.machine {
            Machine::Selfish(selfish) => selfish.on_heard(block, &mut self.tally),
            Machine::DoubleSpend(spend) => spend.on_heard(block, &mut self.tally),
        }
    }

    /// Whether its node must not hear of others' blocks now.
    #[must_use]
    pub const fn is_deaf(&self) -> bool {
        match &self.machine {
            Machine::Selfish(_) => false,
            Machine::DoubleSpend(spend) => spend.is_attacking(),
        }
    }

    /// What came of its attempts so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A block with hashes made from numbers.
    pub fn seen(height: u32, hash: u8, parent: u8) -> Seen {
        Seen {
            height,
            hash: BlockHash::from_bytes([hash; 32]),
            parent: BlockHash::from_bytes([parent; 32]),
        }
    }
}
