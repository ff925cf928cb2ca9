//! One template under search: header time and nonce move, all else stays.

use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::pow::{BitsError, Searcher};
use minichain_chain::template::Template;
use minichain_chain::time::UnixSeconds;

/// A template with the state of the search.
#[derive(Debug)]
pub struct Work {
    template: Arc<Template>,
    header: Header,
    searcher: Searcher,
    first_nonce: u32,
    /// Nonces tried with the present header time.
    tried: u64,
}

/// What a few tries brought.
#[derive(Debug, PartialEq, Eq)]
pub struct Tried {
    /// Hashes computed; 0 when every nonce was tried with this header time.
    pub count: u64,
    /// The nonce that meets the target.
    pub solution: Option<u32>,
}

/// Nonces a header has; the last one of the range is left out.
const NONCES: u64 = u32::MAX as u64;

impl Work {
    /// Begins with `template` at `first_nonce`.
    pub fn new(
        template: &Arc<Template>,
        now: UnixSeconds,
        first_nonce: u32,
    ) -> Result<Self, BitsError> {
        let mut header = template.block.header;
        header.time = header.time.max(now);
        let searcher = Searcher::new(&header)?;
        Ok(Self {
            template: Arc::clone(template),
            header,
            searcher,
            first_nonce,
            tried: 0,
        })
    }

    /// Moves the header's time on to `now`. It never falls below the
    /// template's time, which is later than the median of the past blocks.
    pub fn set_time(&mut self, now: UnixSeconds) {
        let time = self.template.block.header.time.max(now);
        if time == self.header.time {
            return;
        }
        let header = Header {
            time,
            ..self.header
        };
        if let Ok(searcher) = Searcher::new(&header) {
            self.header = header;
            self.searcher = searcher;
            self.tried = 0;
        }
    }

    /// Tries up to `count` further nonces.
    pub fn try_nonces(&mut self, count: u64) -> Tried {
        let place = (u64::from(self.first_nonce) + self.tried) % NONCES;
        let count = count.min(NONCES - self.tried).min(NONCES - place);
        let solution = match (u32::try_from(place), u32::try_from(place + count)) {
            (Ok(from), Ok(to)) => self.searcher.search(from..to),
            // Both are below 2^32, see above.
            _ => None,
        };
        self.tried += count;
        let count = solution.map_or(count, |nonce| u64::from(nonce) - place + 1);
        Tried { count, solution }
    }

    /// The template's block with this nonce and the present time.
    pub fn solved(&self, nonce: u32) -> Block {
        Block {
            header: Header {
                nonce,
                ..self.header
            },
            transactions: self.template.block.transactions.clone(),
        }
    }
}
