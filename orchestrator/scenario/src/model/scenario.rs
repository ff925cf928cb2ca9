//! A whole scenario.

use std::collections::BTreeMap;
use std::fmt;

use super::quantity::Time;
use super::sim::SimWish;
use super::step::Step;
use crate::parse::Tree;

/// A scenario, as its file says with parameters put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name: 1 to 60 of `a-z`, `0-9`, `-`, a letter first.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// On which network.
    pub topology: TopologySource,
    /// Parameters with the values they have in this run.
    pub parameters: BTreeMap<String, Parameter>,
    /// What the simulator is told, where the file tells it anything.
    pub sim: Option<SimWish>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What is done in the end, whatever happened.
    pub finally: Vec<Step>,
}

/// Where the network is described.
#[derive(Clone, Debug, PartialEq)]
pub enum TopologySource {
    /// By numbers alone.
    Counts(Counts),
    /// In a file of its own; relative to the scenario's.
    File(String),
    /// In the scenario, in the words of a topology file. This room does not
    /// know them.
    Inline(Tree),
}

/// A network by numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Nodes in all.
    pub nodes: u32,
    /// How many of them mine. Unset: as `devnet up` does.
    pub miners: Option<u32>,
    /// Target time between two blocks. Unset: the topology's default.
    pub block_time: Option<Time>,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// `true` or `false`.
    Switch(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => on.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}
