//! The forms of a scenario file as tables: which keys a mapping has, and what
//! stands under them. The parser reads by them and the JSON Schema is made from
//! them, so the two cannot differ.

mod claims;
mod faults;
mod sim;
mod steps;

pub(crate) use claims::{
    BARE, BLOCK_INTERVAL, CONVERGED, DIVERGED, EXPECTATION, LINES, LOG, METRIC, NO_ERROR_LOGS,
    NO_PROGRESS, PERCENTILES, PROGRESS, TIP_OF, TRANSACTION, WINNER,
};
pub(crate) use faults::{
    ADD, BRIDGE, CLOCK_SKEW, CONDITION_OF, HASH_RATE, HEAL, LINK, ONE_WAY, PARTITION, RANDOM,
    UPGRADE,
};
pub(crate) use sim::{CPU, GOSSIP, NODE as SIM_NODE, SIM};
pub(crate) use steps::{
    ALWAYS, CHOICE, COUNTS, LOAD, QUANTITY, REPEAT, SCENARIO, STEP, STOP_LOAD, TRANSFER, WAIT,
};

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Form {
    /// Name of its definition in the schema.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Field],
    /// Whether it has exactly one of the keys that are not in `common`.
    pub is_choice: bool,
    /// Keys that may stand beside the one of a choice.
    pub common: &'static [&'static str],
}

/// A key of a mapping.
#[derive(Debug)]
pub(crate) struct Field {
    /// As written.
    pub key: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// What stands under it.
    pub shape: Shape,
    /// Whether it must be there.
    pub is_required: bool,
}

/// What can stand as a value.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Nothing at all.
    Nothing,
    /// A text, not empty.
    Text,
    /// A text, a number, or `true`/`false`.
    Scalar,
    /// `true` or `false`.
    Switch,
    /// A number from 0.
    Number,
    /// A whole number within bounds.
    Count(u32, u32),
    /// A time with its unit.
    Time,
    /// A time to the microsecond with its unit.
    Micros,
    /// A time that may be negative.
    Offset,
    /// A share, such as `5%`.
    Share,
    /// A rate, such as `1MB/s`.
    Rate,
    /// A size, such as `500kB`.
    Size,
    /// Coins.
    Coins,
    /// A comparison, such as `">= 3"`.
    Comparison,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Nodes.
    Nodes,
    /// A list.
    List(&'static Shape),
    /// A list of two.
    Pair(&'static Shape),
    /// A mapping of known keys.
    Form(&'static Form),
    /// A mapping of free names.
    Named(&'static Shape),
    /// One of these.
    Any(&'static [Shape]),
    /// A list of steps.
    Steps,
    /// An expectation, or a list of them.
    Claims,
    /// A topology.
    Topology,
}

impl Form {
    /// A mapping whose keys are all independent.
    pub const fn new(name: &'static str, doc: &'static str, keys: &'static [Field]) -> Self {
        Self {
            name,
            doc,
            keys,
            is_choice: false,
            common: &[],
        }
    }

    /// A mapping with exactly one key beside the `common` ones.
    pub const fn choice(
        name: &'static str,
        doc: &'static str,
        common: &'static [&'static str],
        keys: &'static [Field],
    ) -> Self {
        Self {
            name,
            doc,
            keys,
            is_choice: true,
            common,
        }
    }

    /// All keys.
    pub fn words(&self) -> Vec<&'static str> {
        self.keys.iter().map(|field| field.key).collect()
    }

    /// Whether a key is the one of a choice.
    pub fn is_main(&self, key: &str) -> bool {
        self.is_choice && !self.common.contains(&key)
    }
}

impl Field {
    /// A key that must be there.
    pub const fn needed(key: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            key,
            doc,
            shape,
            is_required: true,
        }
    }

    /// A key that may be left out.
    pub const fn optional(key: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            key,
            doc,
            shape,
            is_required: false,
        }
    }
}
