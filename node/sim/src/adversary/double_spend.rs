//! Double-spending: a race between a secret branch that begins with one block
//! found in advance and the public one that confirms a payment (Rosenfeld,
//! "Analysis of hashrate-based double-spending", section 4).

use super::{Move, Seen, Tally};

#[derive(Clone, Debug)]
pub(super) struct DoubleSpend {
    confirmations: u32,
    behind_max: u32,
    public: u32,
    attack: Option<Attack>,
}

/// An attack under way.
#[derive(Clone, Copy, Debug)]
struct Attack {
    /// Where the branches part.
    base: u32,
    own: u32,
}

impl DoubleSpend {
    pub const fn new(confirmations: u32, behind_max: u32) -> Self {
        Self {
            confirmations,
            behind_max,
            public: 0,
            attack: None,
        }
    }

    pub const fn is_attacking(&self) -> bool {
        self.attack.is_some()
    }

    pub fn on_own(&mut self, block: Seen, tally: &mut Tally) -> Move {
        let base = match self.attack {
            Some(attack) => attack.base,
            // The payment is made now.
            None => block.height - 1,
        };
        let own = block.height;
        self.attack = Some(Attack { base, own });
        self.judge(tally)
    }

    pub fn on_heard(&mut self, block: Seen, tally: &mut Tally) -> Move {
        self.public = self.public.max(block.height);
        self.judge(tally)
    }

    fn judge(&mut self, tally: &mut Tally) -> Move {
        let Some(Attack { base, own }) = self.attack else {
            return Move::Wait;
        };
        let is_confirmed = self.public >= base + self.confirmations;
        if is_confirmed && own > self.public {
            self.public = own;
            tally.attempts += 1;
            tally.successes += 1;
            self.attack = None;
            return Move::Override;
        }
        if self.public > own + self.behind_max {
            tally.attempts += 1;
            self.attack = None;
            return Move::Adopt;
        }
        Move::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    fn own(spend: &mut DoubleSpend, height: u32, tally: &mut Tally) -> Move {
        spend.on_own(seen(height, 100, 0), tally)
    }

    fn heard(spend: &mut DoubleSpend, height: u32, tally: &mut Tally) -> Move {
        spend.on_heard(seen(height, 1, 0), tally)
    }

    //  5 - 6a - 7a - 8a
    //   \ 6h - 7h
    #[test]
    fn a_longer_branch_is_published_once_the_payment_is_confirmed() {
        let (mut spend, mut tally) = (DoubleSpend::new(2, 5), Tally::default());
        assert_eq!(heard(&mut spend, 5, &mut tally), Move::Wait);
        assert!(!spend.is_attacking());
        for height in [6, 7, 8] {
            assert_eq!(own(&mut spend, height, &mut tally), Move::Wait);
        }
        assert!(spend.is_attacking());
        assert_eq!(heard(&mut spend, 6, &mut tally), Move::Wait);
        assert_eq!(heard(&mut spend, 7, &mut tally), Move::Override);
        assert!(!spend.is_attacking());
        assert_eq!((tally.attempts, tally.successes), (1, 1));
    }

    //  0 - 1a - 2a
    //   \ 1h
    #[test]
    fn an_equal_branch_is_not_enough() {
        let (mut spend, mut tally) = (DoubleSpend::new(1, 5), Tally::default());
        own(&mut spend, 1, &mut tally);
        assert_eq!(heard(&mut spend, 1, &mut tally), Move::Wait);
        assert_eq!(own(&mut spend, 2, &mut tally), Move::Override);
        assert_eq!((tally.attempts, tally.successes), (1, 1));
    }

    #[test]
    fn it_gives_up_when_too_far_behind_and_begins_anew() {
        let (mut spend, mut tally) = (DoubleSpend::new(1, 2), Tally::default());
        own(&mut spend, 1, &mut tally);
        for height in 1..=3 {
            assert_eq!(heard(&mut spend, height, &mut tally), Move::Wait);
        }
        assert_eq!(heard(&mut spend, 4, &mut tally), Move::Adopt);
        assert_eq!((tally.attempts, tally.successes), (1, 0));
        assert_eq!(own(&mut spend, 5, &mut tally), Move::Wait);
        assert!(spend.is_attacking());
    }
}
