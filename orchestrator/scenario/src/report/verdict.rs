//! What a run comes to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run ended. Where several things went wrong the worst counts, in the
/// order of the variants: what a broken world shows proves nothing, a fault
/// that did not bite makes every judgement after it void, and a claim that was
/// seen to fail stays failed when the user interrupts afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every fault bit and everything held.
    Pass,
    /// The user ended it before it was decided.
    Interrupted,
    /// A claim did not hold.
    Fail,
    /// A fault was not what it should have been, so nothing is proven.
    Invalid,
    /// The world could not carry out an order.
    Broken,
}

impl Verdict {
    /// Exit code of a program that ran it: 0 pass, 1 fail or interrupted,
    /// 3 the world broke, 4 invalid. (2 is for arguments and files.)
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail | Self::Interrupted => 1,
            Self::Broken => 3,
            Self::Invalid => 4,
        }
    }

    /// The word in capitals: `PASS`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
            Self::Broken => "BROKEN",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::*;

    #[test]
    fn the_worst_verdict_counts() {
        let mut all = [Pass, Broken, Fail, Interrupted, Invalid];
        all.sort();
        assert_eq!(all, [Pass, Interrupted, Fail, Invalid, Broken]);
        assert_eq!(all.map(super::Verdict::exit_code), [0, 1, 1, 4, 3]);
    }
}
