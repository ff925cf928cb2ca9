//! One run of a scenario in the simulator, from its file to what came of it.

use devnet_scenario::report::{Report, Verdict};
use minichain_sim::check::Violation;

use super::drive::Drive;
use super::net::Net;
use super::plan::Planned;
use crate::run::drive::Witness;
use crate::run::payments::funding_patience_ms;
use crate::run::runner::{Directing, News};
use crate::scenario_file::ScenarioFile;

/// A run.
pub struct Play {
    net: Net,
    director: Directing,
    drive: Drive,
    start_ms: u64,
}

impl Play {
    /// A run on a network that is up; `payers` are accounts whose coins are
    /// split before.
    ///
    /// # Errors
    /// Says why the scenario cannot begin.
    pub fn begin(
        file: &ScenarioFile,
        mut net: Net,
        payers: &[String],
        seed: u64,
    ) -> Result<Self, String> {
        if !payers.is_empty() {
            let patience = funding_patience_ms(file.roster.block_interval_ms);
            net.prefund(payers, patience)?;
        }
        let director = Directing::new(file.scenario.clone(), file.roster.clone(), seed);
        Ok(Self {
            start_ms: net.now_ms(),
            net,
            director,
            drive: Drive::default(),
        })
    }

    /// The network of a scenario, with what that tells of lines and machines.
    ///
    /// # Errors
    /// Says what cannot be planned.
    pub fn planned(file: &ScenarioFile, name: &str, seed: u64) -> Result<Planned, String> {
        let mut planned = Planned::new(&file.topology, name, seed)?;
        planned.sim = file.scenario.sim.clone().unwrap_or_default();
        Ok(planned)
    }

    /// The network of a scenario, up.
    ///
    /// # Errors
    /// Says why there can be no such network.
    pub fn network(file: &ScenarioFile, name: &str, seed: u64) -> Result<Net, String> {
        Net::new(&Self::planned(file, name, seed)?)
    }

    /// Goes one step on; false once the run is over.
    pub fn turn<W: Witness>(&mut self, witness: &mut W) -> bool {
        self.drive.turn(&mut self.director, &mut self.net, witness)
    }

    /// The user interrupts.
    pub fn interrupt<W: Witness>(&mut self, witness: &mut W) {
        self.drive.interrupt(&self.net, witness);
    }

    /// When the first step began, milliseconds on the world's clock.
    pub const fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// Where news of the run can be had.
    pub fn news(&self) -> News {
        self.director.news()
    }

    /// The report so far.
    pub fn report(&self) -> &Report {
        self.director.report()
    }

    /// The network.
    pub const fn net(&self) -> &Net {
        &self.net
    }

    /// Holds the coins of all nodes against each other, and tells what must
    /// never be and was.
    pub fn violations(&mut self) -> Vec<Violation> {
        self.net.world.compare_coins();
        self.net.world.violations().to_vec()
    }

    /// Whether something that must never be has been.
    pub fn is_unsafe(&self) -> bool {
        !self.net.world.violations().is_empty()
    }
}

/// The verdict of a run in which that was found: what must never be is a
/// failure, whatever else went well.
pub fn verdict(report: &Report, violations: &[Violation]) -> Verdict {
    match violations.is_empty() {
        true => report.verdict,
        false => report.verdict.max(Verdict::Fail),
    }
}

/// A violation as a sentence.
pub fn tell(net: &Net, violation: &Violation) -> String {
    let node = net.world.name(violation.place);
    let at = violation.at / minichain_sim::queue::MILLI;
    let seconds = crate::run::chronicle::Seconds(at);
    format!(
        "{:?} on {node}, {seconds} after the network began: {}",
        violation.rule, violation.what
    )
}
