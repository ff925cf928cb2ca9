//! Everything a report shows, as plain data: the shape of `devnet report
//! --json`. Times are milliseconds since 1970 unless they say otherwise.

use std::collections::BTreeMap;

use devnet_scenario::fault::NodeName;
use devnet_scenario::report::{StepOutcome, Story, Verdict};
use devnet_scenario::world::LogFact;
use serde::Serialize;

/// What a network did.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Name of scenario or network.
    pub title: String,
    /// What the scenario is for.
    pub description: String,
    /// The run; `None` for a network that lives.
    pub run: Option<RunFacts>,
    /// How the run ended.
    pub verdict: Option<Verdict>,
    /// What time is told of.
    pub span: Span,
    /// Target time between two blocks.
    pub block_interval_ms: u64,
    /// Why it did not pass.
    pub story: Option<Story>,
    /// The scenario's parameters.
    pub parameters: BTreeMap<String, String>,
    /// Steps in order, of very many the first.
    pub steps: Vec<Step>,
    /// Steps beyond that.
    pub steps_left_out: usize,
    /// Faults in the order they came.
    pub faults: Vec<Band>,
    /// Every node over time.
    pub lanes: Vec<Lane>,
    /// Times between blocks of the best chain.
    pub intervals: Intervals,
    /// Blocks that lost.
    pub stale: Stale,
    /// The merged tree of blocks.
    pub tree: TreePicture,
    /// When blocks came to nodes.
    pub propagation: Propagation,
    /// One row a node.
    pub nodes: Vec<NodeRow>,
    /// Memory and processor over time, by node.
    pub usage: Vec<Usage>,
    /// What carried it, as pairs of a name and a value.
    pub environment: Vec<(String, String)>,
    /// The last warnings and errors.
    pub logs: Vec<LogFact>,
    /// What is missing or odd.
    pub remarks: Vec<String>,
}

/// What only a run has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunFacts {
    /// What random choices followed from.
    pub seed: u64,
    /// What carried the network.
    pub engine: String,
    /// The scenario's file.
    pub file: String,
    /// Why it did not pass, in a sentence.
    pub reason: String,
    /// The command that runs the same again.
    pub replay: String,
    /// From each heal to convergence.
    pub heal_to_converged_ms: Vec<u64>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Begin.
    pub begin_ms: u64,
    /// End, never before the begin.
    pub end_ms: u64,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Where it stands in the file.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// When it began, milliseconds since the begin of the run.
    pub at_ms: Option<u64>,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// What was judged or measured.
    pub notes: Vec<String>,
}

/// A fault over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Its number in this account, from 1.
    pub number: usize,
    /// What: `partition a,b | c`.
    pub title: String,
    /// When it came in force; when it was ordered, if it never did.
    pub from_ms: u64,
    /// When it ended; `None`: it was still in force.
    pub to_ms: Option<u64>,
    /// What came of it.
    pub force: Force,
    /// Nodes it concerns, sorted.
    pub nodes: Vec<NodeName>,
    /// For cuts: which nodes could still reach each other.
    pub groups: Vec<Vec<NodeName>>,
    /// What was measured, in one line.
    pub evidence: String,
    /// What speaks against it.
    pub objections: Vec<String>,
    /// What each probe measured.
    pub probes: Vec<String>,
}

/// What came of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    /// It was proven to bite.
    Proven,
    /// It was measured, and had no effect or not the right one.
    NoEffect,
    /// Nothing was measured: meant to be in force, or never done.
    Unproven,
}

/// A node over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// The node.
    pub node: NodeName,
    /// Every change of its tip.
    pub tips: Vec<TipAt>,
    /// When it did not answer, and how it was down.
    pub outages: Vec<Outage>,
}

/// A tip from some moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TipAt {
    /// When.
    pub at_ms: u64,
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: String,
    /// Blocks the node left behind for it; 0 when its chain only grew.
    pub lost: u32,
    /// Whether it is on the chain that won.
    pub is_best: bool,
}

/// A time without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// Begin.
    pub from_ms: u64,
    /// End; `None`: it goes on.
    pub to_ms: Option<u64>,
    /// How: `exited: killed`.
    pub state: String,
}

/// Times between blocks of the best chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Intervals {
    /// Each block with the time since the one before it.
    pub points: Vec<IntervalAt>,
    /// Mean, median and so on; `None` with fewer than two blocks.
    pub summary: Option<Summary>,
    /// Observed shares against the exponential law of the target.
    pub bins: Vec<Bin>,
}

/// A block and the time it took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntervalAt {
    /// When the block was found.
    pub at_ms: u64,
    /// Its height.
    pub height: u32,
    /// Who mined it.
    pub miner: Option<NodeName>,
    /// Since its parent.
    pub interval_ms: u64,
}

/// A bar of a distribution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Lower bound.
    pub from_ms: u64,
    /// Upper bound; `None`: without end.
    pub to_ms: Option<u64>,
    /// Intervals in it.
    pub count: usize,
    /// What the exponential law lets expect.
    pub expected: f64,
}

/// Figures of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Values.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Nine of ten are no longer.
    pub p90: f64,
    /// Of a hundred, 99 are no longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Blocks that lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// Blocks found.
    pub blocks: usize,
    /// Of them beside the best chain.
    pub stale: usize,
    /// Blocks found while no fault was in force.
    pub quiet_blocks: usize,
    /// Of them beside the best chain.
    pub quiet_stale: usize,
}

/// The tree of blocks, as rows from the oldest to the newest.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TreePicture {
    /// Rows.
    pub rows: Vec<TreeRow>,
    /// Side branches that are not shown.
    pub left_out: usize,
    /// Side branches in all.
    pub sides: usize,
}

/// Blocks that follow each other without a fork between.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TreeRow {
    /// 0: the best chain; side branches count from 1.
    pub lane: usize,
    /// The lane it leaves; its own, where it goes on.
    pub from_lane: usize,
    /// Lanes that pass by this row on their way to a later one.
    pub passing: Vec<usize>,
    /// Whether its lane goes on below.
    pub goes_on: bool,
    /// When the first node had its first block, milliseconds since 1970.
    pub seen_at_ms: u64,
    /// Height of its first block.
    pub from_height: u32,
    /// Height of its last block.
    pub to_height: u32,
    /// Hash of its last block.
    pub last: String,
    /// Who mined its blocks.
    pub mined_by: Vec<(String, u32)>,
    /// Nodes whose tip is in it, with the tip's height.
    pub nodes: Vec<(NodeName, u32)>,
}

/// When blocks came to nodes, after the first node had them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Propagation {
    /// Blocks whose way is known.
    pub blocks: usize,
    /// All nodes together, of blocks found while no fault was in force.
    pub quiet: Option<Summary>,
    /// One row a node.
    pub nodes: Vec<Reception>,
    /// Blocks that took longest to reach the last node, slowest first.
    pub slowest: Vec<SlowBlock>,
}

impl Propagation {
    /// Whether some blocks were found while a fault was in force, others not.
    pub fn is_split(&self) -> bool {
        self.nodes.iter().any(|row| row.disturbed.is_some())
    }
}

/// How blocks came to a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reception {
    /// The node.
    pub node: NodeName,
    /// Blocks it had first, mostly its own.
    pub first: usize,
    /// Blocks found while no fault was in force.
    pub quiet: Option<Summary>,
    /// Blocks found while one was, late ones after a heal included.
    pub disturbed: Option<Summary>,
    /// Blocks that never came, as far as its log tells.
    pub missing: usize,
}

/// A block's way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlowBlock {
    /// Its hash.
    pub hash: String,
    /// Its height.
    pub height: u32,
    /// Who mined it.
    pub miner: Option<NodeName>,
    /// When the first node had it.
    pub at_ms: u64,
    /// Until the last node had it.
    pub spread_ms: u64,
    /// The last node.
    pub last: NodeName,
    /// Whether a fault was in force when it was found.
    pub is_disturbed: bool,
}

/// A node in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeRow {
    /// Its name.
    pub name: NodeName,
    /// What it does.
    pub role: String,
    /// Where it stands.
    pub zone: Option<String>,
    /// How it was at the end.
    pub state: String,
    /// Height of its last known tip.
    pub height: Option<u32>,
    /// Hash of that tip.
    pub tip: Option<String>,
    /// Blocks it mined.
    pub mined: usize,
    /// Of them beside the best chain.
    pub mined_stale: usize,
    /// Reorganisations.
    pub reorgs: usize,
    /// Deepest of them, in blocks.
    pub reorg_depth: u32,
    /// Restarts.
    pub restarts: u32,
    /// Time without an answer.
    pub down_ms: u64,
    /// Most memory it held.
    pub memory_peak_bytes: Option<u64>,
    /// Processor time it used, in seconds.
    pub cpu_s: Option<f64>,
    /// That, as a share of one processor.
    pub cpu_share: Option<f64>,
    /// Bytes sent by gossip and requests.
    pub sent_bytes: Option<f64>,
    /// Bytes received.
    pub received_bytes: Option<f64>,
}

/// A node's memory and processor over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// The node.
    pub node: NodeName,
    /// Bytes held.
    pub memory: Vec<(u64, f64)>,
    /// Share of one processor.
    pub cpu: Vec<(u64, f64)>,
    /// Transactions waiting.
    pub mempool: Vec<(u64, f64)>,
}

impl Span {
    /// How long it is, in milliseconds.
    pub const fn length_ms(self) -> u64 {
        self.end_ms.saturating_sub(self.begin_ms)
    }

    /// Whether that moment is in it.
    pub const fn holds(self, at_ms: u64) -> bool {
        self.begin_ms <= at_ms && at_ms <= self.end_ms
    }
}
