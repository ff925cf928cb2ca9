//! Notices when gossip from the world has died although requests still work.
//!
//! A transport can lose one direction of its gossip for good without telling
//! anybody. The sign: a peer's status names a better tip that we do not have,
//! and a whole poll interval later that block still was not gossiped by
//! anyone, twice in a row. Then the connection is closed so that it is made
//! anew. Nothing is concluded while we catch up in bulk, shortly after a
//! connection opened, or from blocks that we already have.

use minichain_chain::hash::BlockHash;

/// Suspicion against one peer.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    /// The tip nobody had gossiped when it was told, and when that was.
    suspect: Option<(BlockHash, u64)>,
    /// Such tips that were not gossiped later either, since the last one that
    /// was.
    polls: u32,
}

/// What a status tells about a peer's tip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TipTold {
    pub tip: BlockHash,
    /// It has more work than ours and we do not have it.
    pub is_news: bool,
    pub now_ms: u64,
}

impl Silence {
    /// Takes a status and returns the silent polls in a row. `was_gossiped`
    /// says whether a block came by gossip from anybody.
    pub fn on_status(
        &mut self,
        told: TipTold,
        patience_ms: u64,
        was_gossiped: impl Fn(&BlockHash) -> bool,
    ) -> u32 {
        // Nothing to suspect, and nobody suspected: so it mostly is.
        if !told.is_news && self.suspect.is_none() && self.polls == 0 {
            return 0;
        }
        if let Some((suspect, since_ms)) = self.suspect {
            if was_gossiped(&suspect) {
                self.clear();
            } else if told.now_ms >= since_ms.saturating_add(patience_ms) {
                self.suspect = None;
                self.polls += 1;
            }
        }
        if was_gossiped(&told.tip) {
            self.clear();
        } else if self.suspect.is_none() && told.is_news {
            self.suspect = Some((told.tip, told.now_ms));
        }
        self.polls
    }

    /// Forgets every suspicion.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(byte: u8, now_ms: u64) -> TipTold {
        TipTold {
            tip: BlockHash::from_bytes([byte; 32]),
            is_news: true,
            now_ms,
        }
    }

    #[test]
    fn two_tips_that_nobody_gossips_are_silence() {
        let mut silence = Silence::default();
        assert_eq!(silence.on_status(told(1, 0), 5_000, |_| false), 0);
        assert_eq!(silence.on_status(told(2, 5_000), 5_000, |_| false), 1);
        assert_eq!(silence.on_status(told(3, 10_000), 5_000, |_| false), 2);
    }

    #[test]
    fn a_tip_that_is_gossiped_late_clears_the_suspicion() {
        let mut silence = Silence::default();
        assert_eq!(silence.on_status(told(1, 0), 5_000, |_| false), 0);
        assert_eq!(silence.on_status(told(2, 5_000), 5_000, |_| false), 1);
        assert_eq!(silence.on_status(told(3, 10_000), 5_000, |_| true), 0);
    }

    #[test]
    fn polls_in_quick_succession_count_once() {
        let mut silence = Silence::default();
        for now_ms in 0..100 {
            assert_eq!(silence.on_status(told(1, now_ms), 5_000, |_| false), 0);
        }
    }

    #[test]
    fn a_peer_that_stands_still_is_not_silent() {
        let mut silence = Silence::default();
        for poll in 0..100 {
            let told = TipTold {
                is_news: false,
                ..told(1, poll * 5_000)
            };
            assert_eq!(silence.on_status(told, 5_000, |_| false), 0);
        }
    }
}
