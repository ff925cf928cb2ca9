//! Which measurement belongs to which name.

use super::{Ended, Experiment, Measure, Row, Size, Watch};
use super::{attack, basics, relay, stale, steps};

/// Runs an experiment, and adds each row of its table as soon as it is known.
///
/// # Errors
/// It has not come to its end; the rows are those that were known by then.
pub fn measure(
    experiment: &Experiment,
    size: Size,
    watch: &Watch<'_>,
    rows: &mut Vec<Row>,
) -> Result<(), Ended> {
    match experiment.measure {
        Measure::Poisson => basics::poisson(size, watch, rows),
        Measure::Flooding => basics::flooding(size, watch, rows),
        Measure::Halves => basics::halves(size, watch, rows),
        Measure::ConstantDelay => stale::constant_delay(size, watch, rows),
        Measure::SmallDelay => stale::small_delay(size, watch, rows),
        Measure::DoubleSpend => attack::double_spend(size, watch, rows),
        Measure::Selfish => attack::selfish(size, watch, rows),
        Measure::Asert => steps::asert(size, watch, rows),
        Measure::Intervals => relay::intervals(size, watch, rows),
        Measure::Propagation => relay::propagation(size, watch, rows),
    }
}

impl Measure {
    /// How long a run of that size is, for a bar of progress: block intervals,
    /// or attempts of an attacker.
    pub const fn length(self, size: Size) -> u64 {
        let one = size.blocks * size.networks;
        match self {
            Self::Poisson | Self::Flooding | Self::Halves | Self::SmallDelay => one,
            Self::ConstantDelay => one * stale::DELAYS.len() as u64,
            Self::DoubleSpend => one * attack::SPENDS.len() as u64,
            Self::Selfish => one * (attack::SELFISH.len() as u64 + 1),
            Self::Asert => steps::length(size),
            Self::Intervals => one * relay::RUNS,
            Self::Propagation => one * relay::PROFILES,
        }
    }
}
