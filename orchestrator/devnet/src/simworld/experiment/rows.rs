//! Which measurement belongs to which name.

use super::{Experiment, Measure, Row, Size, attack, basics, relay, stale, steps};

/// Runs an experiment; `tick` hears of progress, in the unit of
/// [`Measure::length`].
///
/// # Errors
/// A network cannot be simulated, or a node in it broke a rule.
pub fn measure(
    experiment: &Experiment,
    size: Size,
    tick: &dyn Fn(u64),
) -> Result<Vec<Row>, String> {
    match experiment.measure {
        Measure::Poisson => basics::poisson(size, tick),
        Measure::Flooding => basics::flooding(size, tick),
        Measure::Halves => basics::halves(size, tick),
        Measure::ConstantDelay => stale::constant_delay(size, tick),
        Measure::SmallDelay => stale::small_delay(size, tick),
        Measure::DoubleSpend => attack::double_spend(size, tick),
        Measure::Selfish => attack::selfish(size, tick),
        Measure::Asert => steps::asert(size, tick),
        Measure::Intervals => relay::intervals(size, tick),
        Measure::Propagation => relay::propagation(size, tick),
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
