//! Selfish mining: the state machine of Eyal and Sirer, "Majority is not
//! enough", algorithm 1, over heights.

use minichain_chain::hash::BlockHash;

use super::{Move, Seen, Tally};

/// Heights of the two branches.
#[derive(Clone, Debug, Default)]
pub(super) struct Selfish {
    /// Up to here all agree.
    base: u32,
    /// Tip of its own branch.
    own: u32,
    /// Tip of the public branch.
    public: u32,
    own_tip: Option<BlockHash>,
}

impl Selfish {
    pub fn on_own(&mut self, block: Seen) -> Move {
        let is_race = self.public > self.base && self.own == self.public;
        self.own = block.height;
        self.own_tip = Some(block.hash);
        if is_race {
            return self.publish_all();
        }
        Move::Wait
    }

    pub fn on_heard(&mut self, block: Seen, tally: &mut Tally) -> Move {
        if block.height <= self.public {
            return Move::Wait;
        }
        let is_race = self.public > self.base && self.own == self.public;
        self.public = block.height;
        match self.own.checked_sub(block.height) {
            None => {
                if is_race {
                    let is_ours = self.own_tip == Some(block.parent);
                    tally.followed += u64::from(is_ours);
                    tally.passed += u64::from(!is_ours);
                }
                self.agree(block.height);
                Move::Adopt
            }
            Some(1) => self.publish_all(),
            Some(_) => Move::Match {
                height: block.height,
            },
        }
    }

    fn publish_all(&mut self) -> Move {
        self.agree(self.own);
        Move::Override
    }

    const fn agree(&mut self, height: u32) {
        self.base = height;
        self.own = height;
        self.public = height;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    fn heard(selfish: &mut Selfish, block: Seen) -> Move {
        selfish.on_heard(block, &mut Tally::default())
    }

    //  0 - 1h
    #[test]
    fn without_a_secret_it_follows_the_others() {
        let mut selfish = Selfish::default();
        assert_eq!(heard(&mut selfish, seen(1, 1, 0)), Move::Adopt);
    }

    //  0 - 1a - 2a
    //   \ 1h
    #[test]
    fn a_lead_of_one_becomes_a_race_and_its_own_next_block_wins_it() {
        let mut selfish = Selfish::default();
        assert_eq!(selfish.on_own(seen(1, 101, 0)), Move::Wait);
        let height = 1;
        assert_eq!(heard(&mut selfish, seen(1, 1, 0)), Move::Match { height });
        assert_eq!(selfish.on_own(seen(2, 102, 101)), Move::Override);
        // The next secret begins there.
        assert_eq!(selfish.on_own(seen(3, 103, 102)), Move::Wait);
    }

    //  0 - 1a         0 - 1a - 2h
    //   \ 1h - 2h      \ 1h
    #[test]
    fn an_honest_block_ends_a_race_on_either_side() {
        for (parent, wanted) in [(1, (0, 1)), (101, (1, 0))] {
            let (mut selfish, mut tally) = (Selfish::default(), Tally::default());
            selfish.on_own(seen(1, 101, 0));
            selfish.on_heard(seen(1, 1, 0), &mut tally);
            let moved = selfish.on_heard(seen(2, 2, parent), &mut tally);
            assert_eq!(moved, Move::Adopt);
            assert_eq!((tally.followed, tally.passed), wanted);
        }
    }

    //  0 - 1a - 2a
    //   \ 1h
    #[test]
    fn a_lead_of_two_is_published_when_it_shrinks() {
        let mut selfish = Selfish::default();
        selfish.on_own(seen(1, 101, 0));
        selfish.on_own(seen(2, 102, 101));
        assert_eq!(heard(&mut selfish, seen(1, 1, 0)), Move::Override);
        assert_eq!(heard(&mut selfish, seen(3, 3, 102)), Move::Adopt);
    }

    //  0 - 1a - 2a - 3a
    //   \ 1h - 2h - 3h - 4h, of which some are never heard
    #[test]
    fn heights_that_were_skipped_count_as_public() {
        for (heard_of, wanted) in [(2, Move::Override), (4, Move::Adopt)] {
            let mut selfish = Selfish::default();
            for number in 1..=3 {
                selfish.on_own(seen(u32::from(number), 100 + number, 99 + number));
            }
            assert_eq!(heard(&mut selfish, seen(heard_of, 9, 8)), wanted);
            // The next secret begins where all agree.
            assert_eq!(selfish.on_own(seen(5, 105, 104)), Move::Wait);
        }
    }

    //  0 - 1a - 2a - 3a
    //   \ 1h - 2h
    #[test]
    fn a_long_lead_is_published_block_by_block_down_to_one() {
        let mut selfish = Selfish::default();
        for number in 1..=3 {
            selfish.on_own(seen(u32::from(number), 100 + number, 99 + number));
        }
        let height = 1;
        assert_eq!(heard(&mut selfish, seen(1, 1, 0)), Move::Match { height });
        // A second block of a height that is known changes nothing.
        assert_eq!(heard(&mut selfish, seen(1, 9, 0)), Move::Wait);
        assert_eq!(heard(&mut selfish, seen(2, 2, 1)), Move::Override);
    }
}
