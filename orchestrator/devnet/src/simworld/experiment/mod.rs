//! Published results, done again in the simulator: each experiment is a file
//! under `tests/experiments` that says what is measured, what it must be by
//! theory, and how far it may be off.

mod attack;
mod basics;
mod network;
mod plot;
mod profile;
mod relay;
mod rows;
mod stale;
mod statistics;
mod steps;
mod watch;
pub(crate) mod ways;

use serde::{Deserialize, Serialize};

pub use plot::svg;
pub use rows::measure;
pub use watch::{Ended, Watch};

/// The experiments that ship, with their files.
const FILES: &[&str] = &[
    include_str!("../../../../../tests/experiments/poisson.yaml"),
    include_str!("../../../../../tests/experiments/flooding.yaml"),
    include_str!("../../../../../tests/experiments/halves.yaml"),
    include_str!("../../../../../tests/experiments/constant-delay.yaml"),
    include_str!("../../../../../tests/experiments/small-delay.yaml"),
    include_str!("../../../../../tests/experiments/double-spend.yaml"),
    include_str!("../../../../../tests/experiments/selfish.yaml"),
    include_str!("../../../../../tests/experiments/asert.yaml"),
    include_str!("../../../../../tests/experiments/intervals.yaml"),
    include_str!("../../../../../tests/experiments/propagation.yaml"),
];

/// An experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name on the command line.
    pub name: String,
    /// What it shows, in a sentence.
    pub title: String,
    /// Where the theory stands.
    pub reference: String,
    /// What is done.
    pub measure: Measure,
    /// What is smaller in a quick run.
    pub quick: Size,
    /// How large a full one is.
    pub full: Size,
}

/// What is done, and how far a figure may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Times between blocks at constant difficulty.
    Poisson,
    /// When a block reaches every node, against shortest paths.
    Flooding,
    /// Two equal halves cut off from each other.
    Halves,
    /// Stale blocks where everybody hears of a block after the same time.
    ConstantDelay,
    /// Stale blocks where delays are small beside the interval.
    SmallDelay,
    /// An attacker who reverses a payment.
    DoubleSpend,
    /// A selfish miner's revenue.
    Selfish,
    /// ASERT's answer to a step of the hash rate.
    Asert,
    /// Stale blocks at several intervals on a Bitcoin-like network.
    Intervals,
    /// How fast blocks spread on Bitcoin-like and Litecoin-like networks.
    Propagation,
}

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Nodes that mine, or honest miners; where an experiment's network is given,
    /// all nodes.
    pub miners: usize,
    /// Block intervals of each network or cut, or attempts of an attacker.
    pub blocks: u64,
    /// Networks of different seeds, where many are needed.
    #[serde(default = "one")]
    pub networks: u64,
}

const fn one() -> u64 {
    1
}

/// A measured figure beside what it must be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Of what.
    pub what: String,
    /// By theory.
    pub expected: f64,
    /// As measured.
    pub measured: f64,
    /// The least it may be.
    pub low: f64,
    /// The most it may be.
    pub high: f64,
}

impl Row {
    /// Whether the figure is what it must be.
    pub fn holds(&self) -> bool {
        (self.low..=self.high).contains(&self.measured)
    }

    /// How far off, in tolerances: at most one in either direction is well.
    fn off(&self) -> f64 {
        let off = self.measured - self.expected;
        let room = match off > 0.0 {
            true => self.high - self.expected,
            false => self.expected - self.low,
        };
        match room > 0.0 {
            true => off / room,
            false if off == 0.0 => 0.0,
            false => f64::INFINITY.copysign(off),
        }
    }

    /// What is allowed, as a reader sees it.
    #[must_use]
    pub fn bounds(&self) -> String {
        format!("{:.4} to {:.4}", self.low, self.high)
    }
}

/// All experiments, in the order of the folder's page.
///
/// # Errors
/// A file that cannot be read, which is a mistake of this program.
pub fn all() -> Result<Vec<Experiment>, String> {
    let files = FILES.iter();
    let read = files.map(|text| serde_yaml::from_str(text).map_err(|error| error.to_string()));
    read.collect()
}
