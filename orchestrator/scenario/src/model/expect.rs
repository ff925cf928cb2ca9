//! What must hold: the claims of `expect` and `always`.

use super::compare::Comparison;
use super::quantity::{Share, Time};
use super::selector::Selector;

/// A claim about the network, with its limits and excuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What is claimed.
    pub claim: Claim,
    /// Until when it must hold. Unset: it is judged once, as soon as it can be
    /// (at the end of the inner steps in `always`, where it must hold at every
    /// look); what only time brings, such as `converged` or `winner`, is waited
    /// for during ten block intervals, ten seconds at least.
    pub within: Option<Time>,
    /// From when `within` counts, and from when a window looks (logs, deltas,
    /// reorganisations, fork counts, intervals).
    pub since: Since,
    /// Nodes it is about. Unset: all of the network.
    pub on: Option<Selector>,
    /// Nodes excused by name; taken out of `on`.
    pub except: Vec<String>,
    /// Share of nodes (for claims about nodes) that may break it.
    pub allow: Share,
}

/// From when an expectation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The begin of its step.
    Step,
    /// The end of the last heal (also by `for:`) where one came before the
    /// step, else the step's begin. For `converged` where nothing is said.
    Heal,
    /// The begin of the run.
    Start,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// All nodes are on one chain, the same coins at the common height, with
    /// fresh blocks since the last heal.
    Converged {
        /// Blocks between the highest and the lowest node at most; 0: one tip.
        max_lag: u32,
        /// Blocks after the last heal (of the run, where there was none) that
        /// the common chain must have.
        fresh: u32,
    },
    /// The sides of the cut in force have parted at or after the cut.
    Diverged {
        /// Blocks that each side with hash power must have mined alone.
        advance: u32,
    },
    /// Every node's height grew since the step's begin.
    Progress {
        /// By so many blocks at least.
        blocks: u32,
    },
    /// No node's height grew for the whole window.
    NoProgress {
        /// How long to watch.
        during: Time,
    },
    /// Every node's height.
    Height(Comparison),
    /// Every node's tip, or chain, against another.
    TipOf {
        /// Whose.
        of: TipRef,
        /// The chain need only contain it.
        contains: bool,
    },
    /// Deepest reorganisation of any node in the window.
    ReorgDepth(Comparison),
    /// Branches that were alive in the window beside the best chain.
    ForkCount(Comparison),
    /// Share of the window's blocks that are not on the best chain.
    StaleRate(Comparison),
    /// Times between blocks of the best chain.
    BlockInterval(IntervalBounds),
    /// The branch with most work at the heal is part of the best chain.
    Winner {
        /// The side that must have won, by any of its nodes.
        side: Option<Selector>,
    },
    /// On every node the sum of coins is what the schedule has issued.
    Supply,
    /// Where sent transactions are.
    Transaction(TransactionClaim),
    /// Every node's number of peers.
    Peers(Comparison),
    /// A metric of every node.
    Metric(MetricClaim),
    /// Lines in the nodes' logs of the window.
    Log(LogClaim),
    /// No line of level ERROR in the window.
    NoErrorLogs {
        /// Except lines that match.
        ignore: Vec<Lines>,
    },
    /// Every node's restarts since the network came up.
    Restarts(Comparison),
    /// Every node's memory in bytes.
    Memory(Comparison),
}

/// A block to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TipRef {
    /// The tip of that node, now.
    Node(String),
    /// A recorded tip.
    Record(String),
}

/// Bounds on the times between blocks of the best chain, by header times.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalBounds {
    /// Bound on the mean.
    pub mean: Option<Comparison>,
    /// Bounds on percentiles (0 to 100).
    pub percentiles: Vec<(f64, Comparison)>,
    /// Over so many last intervals. Unset: all of the window.
    pub over: Option<u32>,
}

/// Where transactions must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionClaim {
    /// Name of a transfer or load.
    pub name: String,
    /// Where.
    pub is: TransactionState,
}

/// Where a transaction must be, on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionState {
    /// In a block of the active chain.
    Confirmed,
    /// In a block of the active chain or in the mempool.
    ConfirmedOrWaiting,
}

/// A claim about a metric of every node.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricClaim {
    /// Which series; several that match are added up.
    pub selector: MetricSelector,
    /// What of it.
    pub mode: MetricMode,
    /// How it must stand.
    pub is: Comparison,
}

/// What of a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricMode {
    /// Its value.
    Value,
    /// Its growth over the window, counter resets handled.
    Delta,
    /// Its growth a second over the window, counter resets handled.
    Rate,
}

/// Series of metrics, selected as in PromQL: `name{label="value"}`. The text
/// is valid for [`crate::metric::Selector::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSelector {
    /// As written.
    pub text: String,
}

/// A claim about log lines.
#[derive(Clone, Debug, PartialEq)]
pub struct LogClaim {
    /// Which lines.
    pub lines: Lines,
    /// How many of all nodes together; `== 0` means absence for the whole
    /// window.
    pub count: Comparison,
}

/// Lines of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// That contain this text.
    Containing(String),
    /// That match this regular expression; valid.
    Matching(String),
}

impl Claim {
    /// The word a file has for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Converged { .. } => "converged",
            Self::Diverged { .. } => "diverged",
            Self::Progress { .. } => "progress",
            Self::NoProgress { .. } => "no_progress",
            Self::Height(_) => "height",
            Self::TipOf { .. } => "tip_of",
            Self::ReorgDepth(_) => "reorg_depth",
            Self::ForkCount(_) => "fork_count",
            Self::StaleRate(_) => "stale_rate",
            Self::BlockInterval(_) => "block_interval",
            Self::Winner { .. } => "winner",
            Self::Supply => "supply",
            Self::Transaction(_) => "transaction",
            Self::Peers(_) => "peers",
            Self::Metric(_) => "metric",
            Self::Log(_) => "log",
            Self::NoErrorLogs { .. } => "no_error_logs",
            Self::Restarts(_) => "restarts",
            Self::Memory(_) => "memory",
        }
    }
}
