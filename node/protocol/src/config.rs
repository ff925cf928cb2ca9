//! What an operator chooses, as plain values.

use minichain_chain::mempool::MempoolLimits;

use crate::limits;

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the node calls itself to its peers; what is not printable is
    /// dropped and the rest cut at [`limits::USER_AGENT_MAX`].
    pub user_agent: String,
    /// How it mines; none: it never does. A node with this set mines from the
    /// start, until [`crate::input::Input::MiningSwitched`].
    pub mining: Option<MiningConfig>,
    /// What the mempool may hold.
    pub mempool: MempoolLimits,
    /// How often it does what.
    pub timing: Timing,
}

/// How a node mines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiningConfig {
    /// Taproot output key that receives the rewards.
    pub output_key: [u8; 32],
    /// Bytes every coinbase carries, to tell whose block it is.
    pub tag: Vec<u8>,
}

/// How often a node does what, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Time between two status polls of a peer, before jitter.
    pub status_poll_ms: u64,
    /// Longest time one mining template is used.
    pub template_age_ms: u64,
}

impl Timing {
    /// One poll in each expected block interval, within
    /// [`limits::STATUS_POLL_MS_MIN`] and [`limits::STATUS_POLL_MS_MAX`]; a
    /// template at most an interval old.
    #[must_use]
    pub fn from_spacing_s(spacing_s: u32) -> Self {
        let spacing_ms = u64::from(spacing_s) * 1_000;
        Self {
            status_poll_ms: spacing_ms
                .clamp(limits::STATUS_POLL_MS_MIN, limits::STATUS_POLL_MS_MAX),
            template_age_ms: spacing_ms
                .clamp(limits::TEMPLATE_INTERVAL_MS, limits::TEMPLATE_AGE_MS_MAX),
        }
    }
}
