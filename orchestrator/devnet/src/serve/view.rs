//! What the page is told: plain data with a JSON form. Times are milliseconds
//! since 1970 unless they say otherwise.

use std::collections::BTreeMap;

use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::LinkState;
use devnet_scenario::report::{StepOutcome, StepReport};
use serde::{Deserialize, Serialize};

use crate::faults::record::{Act, Came};

/// What stays while the network lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NetworkView {
    /// Name of the network.
    pub name: String,
    /// What carries it: `docker`, `process` or `sim`.
    pub engine: String,
    /// Target time between two blocks.
    pub spacing_ms: u64,
    /// When it was made.
    pub created_ms: u64,
    /// Names of groups of nodes, which `add` takes.
    pub groups: Vec<String>,
    /// Names of accounts with public keys.
    pub accounts: Vec<String>,
    /// What this page does not do, by its word, with the reason.
    pub refused: BTreeMap<String, String>,
    /// Whether it is a recording: nothing can be done to it.
    pub is_recording: bool,
}

/// How a node answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It runs and does not answer.
    Silent,
    /// It is frozen.
    Paused,
    /// It does not run.
    Down,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeView {
    /// Name.
    pub name: NodeName,
    /// Role, such as `miner`.
    pub role: String,
    /// Group it belongs to.
    pub group: String,
    /// Zone it stands in, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Address in the network.
    pub ip: String,
    /// How it answers.
    pub condition: Condition,
    /// Why it does not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Its tip; what it was last, if it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tip: Option<TipView>,
    /// Names of its peers, sorted.
    pub peers: Vec<NodeName>,
    /// Transactions waiting.
    pub mempool: u64,
    /// Their virtual bytes.
    pub mempool_bytes: u64,
    /// Hashes a second its miner makes; 0 without one.
    pub hashrate: f64,
    /// Blocks it has found since it was started.
    pub found: u64,
}

/// A tip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TipView {
    /// Hash.
    pub hash: String,
    /// Height.
    pub height: u32,
    /// Work up to it, 64 hexadecimal digits.
    pub work: String,
    /// When the node came to it, as far as was seen.
    pub at_ms: u64,
}

/// A node's new tip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TipNews {
    /// The node.
    pub node: NodeName,
    /// Its tip.
    #[serde(flatten)]
    pub tip: TipView,
}

/// A block.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BlockView {
    /// Hash.
    pub hash: String,
    /// Hash of the block before it.
    pub parent: String,
    /// Height.
    pub height: u32,
    /// Who mined it, where it says so.
    pub miner: Option<String>,
    /// Its own time.
    pub time_ms: u64,
    /// Transactions, coinbase included.
    pub transactions: usize,
    /// Bytes.
    pub bytes: usize,
    /// When the first node had it; `None`: nobody saw, and no log tells.
    pub seen_ms: Option<u64>,
    /// How it spread.
    pub spread: Option<SpreadView>,
    /// Ids of its transactions; for looking them up, not told.
    #[serde(skip)]
    pub txids: Vec<String>,
}

impl BlockView {
    /// Works out how it has spread from when it came to whom, in milliseconds.
    pub fn seen_as(&mut self, came: &BTreeMap<NodeName, u64>) {
        self.seen_at_us(came.values().map(|at_ms| at_ms.saturating_mul(1_000)));
    }

    /// The same from times in microseconds since 1970.
    pub fn seen_at_us(&mut self, times_us: impl Iterator<Item = u64>) {
        let mut times: Vec<u64> = times_us.collect();
        times.sort_unstable();
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return;
        };
        let since_ms = |at_us: u64| (at_us - first) as f64 / 1e3;
        self.seen_ms = Some(first / 1_000);
        self.spread = Some(SpreadView {
            nodes: times.len(),
            median_ms: since_ms(times[times.len() / 2]),
            last_ms: since_ms(*last),
        });
    }
}

/// How long a block took from the first node to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SpreadView {
    /// Nodes that have it.
    pub nodes: usize,
    /// Median of their delays, to the microsecond where that is known.
    pub median_ms: f64,
    /// The last one's.
    pub last_ms: f64,
}

/// Everything that is meant to be in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FaultsView {
    /// One by one, oldest first.
    pub active: Vec<FaultView>,
    /// Groups that the cut separates; empty without a cut.
    pub groups: Vec<Vec<NodeName>>,
    /// Links that are not free. Those that run between two groups are left out.
    pub links: Vec<LinkView>,
}

/// A fault that is meant to be in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultView {
    /// Its number in the life of the network.
    pub id: u32,
    /// Kind, such as `cut`.
    pub kind: String,
    /// What, in words.
    pub title: String,
    /// Nodes it concerns; empty for all.
    pub nodes: Vec<NodeName>,
    /// Since when.
    pub since_ms: u64,
    /// Until when; `None`: until healed.
    pub until_ms: Option<u64>,
    /// What was measured when it was made; `None`: nobody wrote it down, or not
    /// yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofView>,
}

/// What was measured of a fault when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProofView {
    /// What came of it.
    pub came: Came,
    /// What was measured, or what speaks against it.
    pub detail: String,
}

impl ProofView {
    /// Of an act that was written down.
    pub fn of(act: &Act) -> Self {
        Self {
            came: act.came,
            detail: match act.objections.as_slice() {
                [] => act.detail.clone(),
                objections => objections.join("; "),
            },
        }
    }
}

/// One direction of a link that is not free.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkView {
    /// Which.
    #[serde(flatten)]
    pub link: Link,
    /// How it is.
    pub state: LinkState,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EventView {
    /// Number, growing.
    pub id: u64,
    /// When.
    pub at_ms: u64,
    /// What sort: `fault`, `proof`, `heal`, `reorg`, `node`, `payment` or `refused`.
    pub kind: &'static str,
    /// What, in words.
    pub title: String,
    /// More of it, such as what was measured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Node it befell, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// Number of the fault that began or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u32>,
}

/// A scenario that is played on the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioView {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Verdict, once it is over.
    pub verdict: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<StepView>,
}

/// A step of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Where it stands in the file.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// How it stands.
    pub outcome: StepOutcome,
    /// When it began.
    pub begun_ms: Option<u64>,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// What was judged or measured.
    pub notes: Vec<String>,
}

impl StepView {
    /// A step as the runner reports it.
    pub fn of(step: &StepReport) -> Self {
        Self {
            path: step.path.clone(),
            title: step.title.clone(),
            outcome: step.outcome,
            begun_ms: step.begun_at_ms,
            took_ms: step.took_ms(),
            notes: step.notes.clone(),
        }
    }
}

/// What changed since the last patch; a first patch holds everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Patch {
    /// When it was made.
    pub at_ms: u64,
    /// Whether what was told before is void.
    #[serde(skip_serializing_if = "is_false")]
    pub whole: bool,
    /// What stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkView>,
    /// Nodes that changed in more than their tip; null: gone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<NodeName, Option<NodeView>>,
    /// New tips, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tips: Vec<TipNews>,
    /// Blocks that are new or spread further.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockView>,
    /// Faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultsView>,
    /// What happened, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventView>,
    /// The scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<ScenarioView>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Patch {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let nothing = Self {
            at_ms: self.at_ms,
            ..Self::default()
        };
        *self == nothing
    }
}
