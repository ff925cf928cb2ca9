//! Steps: what a scenario does.

use std::collections::BTreeMap;

use super::expect::{Expectation, Lines, MetricSelector};
use super::faults::{ConditionWish, PartitionWish};
use super::quantity::{Amount, Offset, Time};
use super::selector::Selector;
use crate::fault::Heal;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is called in reports.
    pub title: Option<String>,
    /// It fails when it takes longer.
    pub timeout: Option<Time>,
    /// `for:` of a fault or load: the step lasts so long, then what it did is
    /// reverted (or the load stopped).
    pub lasts: Option<Time>,
    /// What it does.
    pub verb: Verb,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Cuts the network in parts.
    Partition(PartitionWish),
    /// Takes faults out. Nodes are picked by the selector instead where it is
    /// given; the [`Heal`] then names none.
    Heal(Heal, Option<Selector>),
    /// Slows or loses what is sent (`latency`, `jitter`, `loss`, `bandwidth`,
    /// `link`).
    Condition(ConditionWish),
    /// SIGKILL.
    Kill(Selector),
    /// SIGTERM.
    Stop(Selector),
    /// Starts again.
    Start(Selector),
    /// Stops and starts.
    Restart(Selector),
    /// Freezes.
    Pause(Selector),
    /// Thaws.
    Unpause(Selector),
    /// Empties the data folder.
    Wipe(Selector),
    /// Damages the store.
    CorruptStore(Selector),
    /// Fills the disk quota.
    FillDisk(Selector),
    /// Sets clocks off.
    ClockSkew(SkewWish),
    /// Changes hash rates.
    HashRate(RateWish),
    /// Adds fresh nodes.
    Add(AddWish),
    /// Removes nodes.
    Remove(Selector),
    /// Runs another program in their place.
    Upgrade(UpgradeWish),
    /// Waits.
    Wait(Wait),
    /// Starts a load, in the background where the step has no `for:`.
    Load(LoadWish),
    /// Stops the load of that name.
    StopLoad(String),
    /// Sends a payment.
    Transfer(TransferWish),
    /// Runs steps at the same time.
    Parallel(Vec<Step>),
    /// Runs steps one after another (a branch of `parallel`, a group).
    Sequence(Vec<Step>),
    /// Runs steps several times.
    Repeat(RepeatWish),
    /// Keeps values under names.
    Record(BTreeMap<String, Quantity>),
    /// Claims; all must hold.
    Expect(Vec<Expectation>),
    /// Claims that hold at every look while steps run.
    Always(AlwaysWish),
}

/// Clocks set off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkewWish {
    /// Whose.
    pub on: Selector,
    /// By how much; may be negative.
    pub by: Offset,
}

/// Hash rates changed.
#[derive(Clone, Debug, PartialEq)]
pub struct RateWish {
    /// Whose.
    pub on: Selector,
    /// Hashes a second of each; 0 idles.
    pub to: f64,
}

/// Fresh nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddWish {
    /// Name of an existing group.
    pub group: String,
    /// How many.
    pub count: u32,
}

/// Another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeWish {
    /// Of which nodes.
    pub on: Selector,
    /// Image reference or path of a binary.
    pub to: String,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// So long.
    For(Time),
    /// Every node of `on` is at least this high.
    Height {
        /// Height.
        height: u32,
        /// Which nodes; all where unset.
        on: Option<Selector>,
    },
    /// Every node of `on` has grown by so many blocks since the step's begin.
    Blocks {
        /// Blocks.
        blocks: u32,
        /// Which nodes; all where unset.
        on: Option<Selector>,
    },
    /// Every node of `on` has at least so many peers.
    Peers {
        /// Peers.
        peers: u32,
        /// Which nodes; all where unset.
        on: Option<Selector>,
    },
    /// Every node of `on` has logged such a line since the step's begin.
    Log {
        /// Which lines.
        lines: Lines,
        /// Which nodes; all where unset.
        on: Option<Selector>,
    },
}

/// Transactions at a rate.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadWish {
    /// To stop and judge it by.
    pub name: String,
    /// Transactions a second.
    pub rate: f64,
    /// Account that pays.
    pub from: String,
    /// Account that is paid.
    pub to: String,
    /// Nodes they are handed to, in turn.
    pub via: Selector,
}

/// One payment.
#[derive(Clone, Debug, PartialEq)]
pub struct TransferWish {
    /// To judge it by.
    pub name: Option<String>,
    /// Account that pays.
    pub from: String,
    /// Account that is paid.
    pub to: String,
    /// How much.
    pub amount: Amount,
    /// The first node of it takes the payment; all: the first of the roster.
    pub via: Selector,
}

/// Steps several times. Either `steps` or `choose` is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct RepeatWish {
    /// How often.
    pub count: u32,
    /// All of them, each time.
    pub steps: Vec<Step>,
    /// One of them, each time, drawn from the run's seed.
    pub choose: Vec<Choice>,
}

/// One of several ways to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// How often relative to the others; more than 0.
    pub weight: u32,
    /// What is done.
    pub steps: Vec<Step>,
}

/// Something to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity {
    /// The greatest height among these nodes.
    Height(Selector),
    /// The tip with most work among these nodes, or a block of its chain.
    Tip {
        /// Which nodes.
        on: Selector,
        /// How many blocks below the tip.
        below: u32,
    },
    /// The most work among these nodes (as a number: rounded).
    Work(Selector),
    /// Sum of a metric over these nodes.
    Metric {
        /// Which series.
        selector: MetricSelector,
        /// Which nodes.
        on: Selector,
    },
}

/// Claims that hold while steps run.
#[derive(Clone, Debug, PartialEq)]
pub struct AlwaysWish {
    /// What must hold at every look.
    pub expect: Vec<Expectation>,
    /// What runs meanwhile.
    pub steps: Vec<Step>,
}

impl Verb {
    /// The word a file has for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Heal(..) => "heal",
            Self::Condition(_) => "link",
            Self::Kill(_) => "kill",
            Self::Stop(_) => "stop",
            Self::Start(_) => "start",
            Self::Restart(_) => "restart",
            Self::Pause(_) => "pause",
            Self::Unpause(_) => "unpause",
            Self::Wipe(_) => "wipe",
            Self::CorruptStore(_) => "corrupt_store",
            Self::FillDisk(_) => "fill_disk",
            Self::ClockSkew(_) => "clock_skew",
            Self::HashRate(_) => "hash_rate",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::Upgrade(_) => "upgrade",
            Self::Wait(_) => "wait",
            Self::Load(_) => "load",
            Self::StopLoad(_) => "stop_load",
            Self::Transfer(_) => "transfer",
            Self::Parallel(_) => "parallel",
            Self::Sequence(_) => "steps",
            Self::Repeat(_) => "repeat",
            Self::Record(_) => "record",
            Self::Expect(_) => "expect",
            Self::Always(_) => "always",
        }
    }
}
