//! What a run leaves behind.

mod forktree;
mod story;
mod svg;
mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::NodeName;
use crate::history::faults::{FaultEntry, TipMark};
use crate::history::nodes::{StateChange, TipChange};
use crate::history::{Fork, MinedBy};
use crate::world::{BlockFact, LogFact};

pub use forktree::{ForkTree, Segment, best_chain, fork_tree, fork_tree_along};
pub use story::{Story, story};
pub use svg::fork_svg;
pub use verdict::Verdict;

/// Everything a run did, saw and judged. Times are milliseconds on the world's
/// clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the scenario.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How it ended. While it goes on: the worst so far.
    pub verdict: Verdict,
    /// Seed of all draws.
    pub seed: u64,
    /// Parameters with their values.
    pub parameters: BTreeMap<String, String>,
    /// Nodes of the network when the run began.
    pub roster: Vec<RosterEntry>,
    /// Target time between two blocks.
    pub block_interval_ms: u64,
    /// When the run began.
    pub started_at_ms: u64,
    /// When it ended; `None` while it goes on.
    pub ended_at_ms: Option<u64>,
    /// Steps in the order they began; those that never began come last.
    pub steps: Vec<StepReport>,
    /// What decided the verdict, where it is none of pass.
    pub failure: Option<Failure>,
    /// What else went wrong after that, worst verdicts first.
    pub troubles: Vec<Trouble>,
    /// Every fault with its evidence.
    pub faults: Vec<FaultEntry>,
    /// Every heal with its evidence.
    pub heals: Vec<HealReport>,
    /// Every node over time.
    pub nodes: BTreeMap<NodeName, NodeReport>,
    /// Every block that was seen, parents before children.
    pub blocks: Vec<BlockReport>,
    /// Recorded values, as text.
    pub recorded: BTreeMap<String, String>,
    /// Transactions sent, by the name of their load or transfer.
    pub transactions: BTreeMap<String, Vec<String>>,
    /// Log lines that matter: warnings, errors and what was said around the
    /// failure, by time.
    pub logs: Vec<LogFact>,
    /// What worlds and nodes told that does not fit together.
    pub oddities: Vec<String>,
    /// Digest of all orders given, to compare two runs by.
    pub orders_digest: String,
}

/// A node of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// Its name.
    pub name: NodeName,
    /// Its group.
    pub group: String,
    /// What it does.
    pub role: String,
    /// Where it stands.
    pub zone: Option<String>,
}

/// A step as it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Where it stands in the file: `3`, `3.1`, `4#2.1` (second round of a
    /// repeat), `finally.1`; what the runner does on its own is `end.1`.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// Its verb: `partition`, `expect`.
    pub kind: String,
    /// When it began.
    pub begun_at_ms: Option<u64>,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What was judged or measured, for people: one line a claim or act.
    pub notes: Vec<String>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// Not begun; for ever, once the run is over.
    Skipped,
    /// Under way.
    Running,
    /// As it should.
    Passed,
    /// What it claims or waits for did not come true.
    Failed,
    /// Its fault did not bite.
    Invalid,
    /// The world could not do it.
    Broken,
    /// Given up because the run ended around it.
    Abandoned,
}

/// What decided the verdict, and how the network was then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which verdict.
    pub verdict: Verdict,
    /// When.
    pub at_ms: u64,
    /// Path of the step.
    pub step: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Faults in force then, for people.
    pub faults_in_force: Vec<String>,
    /// Every answering node's tip then.
    pub tips: BTreeMap<NodeName, TipMark>,
    /// Nodes that did not answer then, and why.
    pub down: BTreeMap<NodeName, String>,
    /// Where their chains parted; `None` if they share no block that was told.
    pub fork: Option<Fork>,
}

/// Something that went wrong beside what decided the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it would have made of the run alone.
    pub verdict: Verdict,
    /// Path of the step.
    pub step: String,
    /// What.
    pub text: String,
}

/// A heal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealReport {
    /// Path of the step.
    pub step: String,
    /// What was healed, for people.
    pub title: String,
    /// When it was ordered.
    pub ordered_at_ms: u64,
    /// When it was proven.
    pub done_at_ms: u64,
    /// What was measured, in one line.
    pub evidence: String,
    /// Every answering node's tip in the last look before.
    pub before: BTreeMap<NodeName, TipMark>,
}

/// A node over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Every change of its tip.
    pub tips: Vec<TipChange>,
    /// Every time it went up or down.
    pub states: Vec<StateChange>,
    /// Deepest reorganisation.
    pub reorg_depth: u32,
    /// Restarts in the run.
    pub restarts: u32,
    /// Most memory it held.
    pub memory_peak_bytes: Option<u64>,
}

/// A block that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockReport {
    /// When the first look told it.
    pub seen_at_ms: u64,
    /// The block.
    #[serde(flatten)]
    pub fact: BlockFact,
}

impl Report {
    /// Milliseconds from begin to end.
    pub fn took_ms(&self) -> Option<u64> {
        let ended = self.ended_at_ms?;
        Some(ended.saturating_sub(self.started_at_ms))
    }

    /// Seconds since the run began, as everything shows times: `12.3 s`.
    pub fn clock(&self, at_ms: u64) -> String {
        seconds(at_ms.saturating_sub(self.started_at_ms))
    }
}

impl StepReport {
    /// Milliseconds it took, once it ended.
    pub fn took_ms(&self) -> Option<u64> {
        Some(self.ended_at_ms?.saturating_sub(self.begun_at_ms?))
    }
}

/// `12.3 s`.
pub fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

/// Who mined how much, for people: `miner-0 3, miner-1 2`.
pub fn told(mined: &MinedBy) -> String {
    let parts: Vec<String> = mined
        .iter()
        .map(|(miner, blocks)| format!("{miner} {blocks}"))
        .collect();
    parts.join(", ")
}
