//! The contract between the runner and a world: what the runner orders, and
//! what a world tells it. Readable in one sitting; both the live world and the
//! simulator speak it.
//!
//! A world carries out [`Order`]s and answers with [`Heard`]. It decides
//! nothing: it does what it is told, measures, and reports what it measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Heal, Link, NodeName};

/// Number of an act, unique within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActId(pub u32);

/// What the runner wants next.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Begin an act. The world goes on asking for orders while it is under way
    /// and reports its end by [`Heard::Acted`].
    Act {
        /// Its number.
        id: ActId,
        /// What to do.
        act: Act,
        /// Give up after so many milliseconds.
        timeout_ms: u64,
    },
    /// Look at the network; answer with [`Heard::Saw`].
    Look(Wants),
    /// Nothing to do before this time (milliseconds on the world's clock), or
    /// until an act under way has ended.
    WaitUntil(u64),
    /// The run is over; the report is ready. Nothing may be asked for after.
    Done,
}

/// Something to be done to the network.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Inflict a fault, and prove that it bit.
    Inflict(Fault),
    /// Take faults out, and prove that they are gone.
    Heal(Heal),
    /// Take out what is left of one fault, and prove that it is gone. Whatever
    /// else was done to the same nodes and links stays as it is, and so does
    /// what has replaced the fault meanwhile.
    Lift {
        /// The act that inflicted it.
        act: ActId,
        /// What it inflicted.
        fault: Fault,
    },
    /// Send transactions at a steady rate, in the background, until
    /// [`Act::StopLoad`]. Ends as soon as the load runs.
    StartLoad(Load),
    /// Stop the load of that name; tells what was sent.
    StopLoad {
        /// Its name.
        name: String,
    },
    /// Send one payment; its id is reported.
    Transfer(Transfer),
}

/// Transactions at a rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Name, to stop and judge it by.
    pub name: String,
    /// Transactions a second.
    pub rate: f64,
    /// Account that pays.
    pub from: String,
    /// Account that is paid.
    pub to: String,
    /// Nodes they are handed to, in turn.
    pub via: Vec<NodeName>,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// Account that pays.
    pub from: String,
    /// Account that is paid.
    pub to: String,
    /// Amount in base units.
    pub sats: u64,
    /// Node it is handed to.
    pub via: NodeName,
}

/// What a look shall contain beside the nodes' facts, because it costs more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Digest and sum of the coins of every node, as of its own block at this
    /// height (its tip's where the height is above it).
    pub coins_at: Option<u32>,
    /// Metrics of every node.
    pub metrics: bool,
    /// Log lines since the last look that wanted them.
    pub logs: bool,
    /// Where these transactions are, by id.
    pub transactions: Vec<String>,
}

/// What a world tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Time has passed, nothing else; also the first word of a run.
    Nothing,
    /// An act has ended.
    Acted {
        /// Its number.
        id: ActId,
        /// How.
        outcome: Outcome,
    },
    /// The answer to [`Order::Look`].
    Saw(Box<Snapshot>),
    /// The user interrupts: go to the end by way of `finally`.
    Interrupted,
}

/// How an act ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done, with measured evidence.
    Done(Evidence),
    /// It was done as told, and had no effect, or not the one it should have:
    /// the run is invalid.
    Ineffective(Evidence),
    /// The world could not do it (a dead daemon, a full disk).
    Failed {
        /// Why, for people.
        why: String,
    },
}

/// What was measured about an act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// One line for people: `12 of 12 cross-group probes failed, 18 of 18
    /// others passed`.
    pub summary: String,
    /// What speaks against it; empty if it bit.
    pub objections: Vec<String>,
    /// Probes, where links are concerned.
    pub probes: Vec<ProbeEvidence>,
    /// When the act was in force, milliseconds on the world's clock.
    pub in_force_at_ms: Option<u64>,
    /// Ids of transactions sent, for loads and transfers.
    pub transactions: Vec<String>,
}

/// One link before and after an act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeEvidence {
    /// Which direction. A round trip is told for both.
    pub link: Link,
    /// How: `probe` (a connection or a ping that came about, or did not),
    /// `packets` (counted by the receiver's filter), `conditions` (a probe
    /// failed, and the sender says which direction it cuts), `ping` (a round
    /// trip), `payload` (the time that many bytes took).
    pub by: String,
    /// What was measured before the act, where it matters and was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Reach>,
    /// What should be, as the act states.
    pub expected: Reach,
    /// What was measured.
    pub measured: Reach,
}

/// Whether something gets through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// It does; with the round trip in milliseconds, where one was measured or
    /// is expected at least.
    Open {
        /// Round trip.
        rtt_ms: Option<f64>,
    },
    /// It does not.
    Cut,
    /// Could not be told (the node does not run).
    Unknown,
}

/// Everything seen in one look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When, milliseconds on the world's clock.
    pub at_ms: u64,
    /// Every node of the network as it is now.
    pub nodes: BTreeMap<NodeName, NodeView>,
    /// Blocks that no look before has told, parents before children. The
    /// first look tells the whole tree that is known, genesis first.
    pub blocks: Vec<BlockFact>,
    /// Log lines since the last look that wanted them, if wanted, by time.
    pub logs: Vec<LogFact>,
    /// Lines since then that came faster than they could be kept, and are not
    /// among them.
    #[serde(default)]
    pub logs_lost: u64,
    /// Transactions asked for: id → node → where it is.
    pub transactions: BTreeMap<String, BTreeMap<NodeName, TxPlace>>,
    /// Why the engine that carries the nodes is not there, or was not for a
    /// moment since the look before; what this look tells of processes may then
    /// be old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
}

/// One node as seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeView {
    /// It answers.
    Up(Box<NodeFacts>),
    /// It does not.
    Down {
        /// `exited`, `paused`, `running` (but silent) or `missing`.
        state: String,
        /// Why, for people.
        why: String,
    },
}

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Hash of its tip.
    pub tip: String,
    /// Height of its tip.
    pub height: u32,
    /// Work of its chain, 64 hexadecimal digits; compares as text.
    pub work: String,
    /// Names of nodes it is connected with, sorted.
    pub peers: Vec<NodeName>,
    /// Transactions waiting.
    pub mempool: u64,
    /// Its coins, if wanted.
    pub coins: Option<Coins>,
    /// Times it was started since the network came up, the first not counted.
    pub restarts: u32,
    /// Memory it holds, where known.
    pub memory_bytes: Option<u64>,
    /// Its metrics in the Prometheus text format, if wanted.
    pub metrics: Option<String>,
}

/// A node's coins at a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coins {
    /// Height of the block.
    pub height: u32,
    /// Hash of the block.
    pub block: String,
    /// MuHash of the set of unspent outputs.
    pub digest: String,
    /// Sum of the unspent outputs, in base units.
    pub total_sats: u64,
    /// What the schedule has issued up to there, in base units.
    pub issued_sats: u64,
}

/// A block that some node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockFact {
    /// Its hash.
    pub hash: String,
    /// Its parent; `None` for genesis.
    pub parent: Option<String>,
    /// Its height.
    pub height: u32,
    /// Work up to it, 64 hexadecimal digits.
    pub work: String,
    /// The node that mined it, where its coinbase says so.
    pub miner: Option<NodeName>,
    /// Its header's time, milliseconds since 1970.
    pub time_ms: u64,
    /// Transactions in it, the coinbase counted.
    pub transactions: u32,
}

/// A line of a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFact {
    /// Which node.
    pub node: NodeName,
    /// When, milliseconds on the world's clock.
    pub at_ms: u64,
    /// The line.
    pub text: String,
}

/// Where a transaction is, on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TxPlace {
    /// In a block of its active chain, this high.
    Confirmed {
        /// Height.
        height: u32,
    },
    /// In its mempool.
    Waiting,
    /// Nowhere.
    Unknown,
}

impl Snapshot {
    /// Facts of a node that answers.
    pub fn facts(&self, node: &str) -> Option<&NodeFacts> {
        match self.nodes.get(node)? {
            NodeView::Up(facts) => Some(facts),
            NodeView::Down { .. } => None,
        }
    }
}
