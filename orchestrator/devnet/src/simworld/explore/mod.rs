//! Searches for schedules that break a network: random topology, load and
//! faults by seed, safety watched while it runs, liveness demanded in the end;
//! what fails is shrunk to the least that still fails.
//!
//! Ranges a case is drawn from: 2 to 6 nodes of which at least one mines, a
//! block every 1 or 2 s, one-way latency of 0 to 400 ms everywhere, 0 to 2
//! payments a second, and up to 8 faults of 1 to 12 s each, those of links
//! beside those of nodes. In the end all is healed, and within 80 blocks all
//! must be on one chain with fresh blocks and the coins that were issued.

mod case;
mod shrink;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use devnet_scenario::report::Verdict;
use devnet_scenario::world::{Act, ActId, Outcome, Snapshot};
use minichain_sim::setup::Planted;

use super::net::Net;
use super::plan::Planned;
use super::play::{self, Play};
use crate::run::drive::Witness;
use crate::scenario_file::ScenarioFile;

pub use case::Case;
pub use shrink::shrink;

/// How a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What kind of failure: a rule of safety, or the verdict. Shrinking keeps
    /// it.
    pub kind: String,
    /// In a sentence.
    pub why: String,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// All held.
    Well,
    /// A fault had no effect, so nothing is proven.
    Invalid(String),
    /// Something that must never be, or an end that never came.
    Badly(Failed),
}

/// What came of many cases.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// Cases that were run.
    pub runs: u64,
    /// Of these, seeds of cases in which a fault had no effect, and what was
    /// found instead.
    pub invalid: BTreeMap<u64, String>,
    /// The failing case of the lowest seed.
    pub failed: Option<(Case, Failed)>,
}

/// Hears of nothing.
struct Nobody;

impl Witness for Nobody {
    fn began(&mut self, _: u64, _: ActId, _: &Act) {}
    fn ended(&mut self, _: u64, _: ActId, _: &Outcome) {}
    fn saw(&mut self, _: &Snapshot) {}
    fn interrupted(&mut self, _: u64) {}
}

/// Runs one case.
///
/// # Errors
/// The case is no scenario that can run, which is a mistake of this room.
pub fn run(case: &Case, planted: Option<Planted>) -> Result<Came, String> {
    let text = case.yaml();
    let file = ScenarioFile::simulated(Path::new("explored.yaml"), text);
    let file = file.map_err(|refusal| refusal.failure().to_string())?;
    let mut planned = Planned::new(&file.topology, "sim-explored", case.seed)?;
    planned.planted = planted;
    let net = Net::new(&planned)?;
    let begun = Play::begin(&file, net, &case.payers(), case.seed);
    let mut play = match begun {
        Ok(play) => play,
        Err(why) => return Ok(badly("begin", &why)),
    };
    while !play.is_unsafe() && play.turn(&mut Nobody) {}
    let violations = play.violations();
    if let Some(first) = violations.first() {
        let kind = format!("unsafe: {:?}", first.rule);
        return Ok(badly(&kind, &play::tell(play.net(), first)));
    }
    let report = play.report();
    let why = report.failure.as_ref().map_or_else(String::new, |failure| {
        format!("expected {}; found {}", failure.expected, failure.found)
    });
    Ok(match report.verdict {
        Verdict::Pass => Came::Well,
        Verdict::Invalid => Came::Invalid(why),
        verdict => badly(verdict.word(), &why),
    })
}

fn badly(kind: &str, why: &str) -> Came {
    Came::Badly(Failed {
        kind: kind.to_owned(),
        why: why.to_owned(),
    })
}

/// Runs the cases of all seeds from `first` to below `end`, so many at a time;
/// `told` hears of each that ended. Stops at the first failure, or as soon as
/// `stop` is set.
///
/// # Errors
/// As [`run`].
pub fn explore(
    (first, end): (u64, u64),
    jobs: usize,
    planted: Option<Planted>,
    stop: &AtomicBool,
    told: &(dyn Fn() + Sync),
) -> Result<Explored, String> {
    let next = AtomicU64::new(first);
    let worst = AtomicU64::new(end);
    let explored = Mutex::new(Ok(Explored::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Lower seeds than one that failed are still of interest.
            if seed >= worst.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed) {
                return;
            }
            let case = Case::draw(seed);
            let came = run(&case, planted);
            if matches!(came, Ok(Came::Badly(_)) | Err(_)) {
                worst.fetch_min(seed, Ordering::Relaxed);
            }
            let mut all = explored.lock().unwrap_or_else(PoisonError::into_inner);
            file(&mut all, case, came);
            told();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.max(1) {
            scope.spawn(work);
        }
        work();
    });
    explored
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

fn file(all: &mut Result<Explored, String>, case: Case, came: Result<Came, String>) {
    let Ok(explored) = all else {
        return;
    };
    explored.runs += 1;
    match came {
        Ok(Came::Well) => {}
        Ok(Came::Invalid(why)) => {
            explored.invalid.insert(case.seed, why);
        }
        Ok(Came::Badly(failed)) => {
            let is_first = explored
                .failed
                .as_ref()
                .is_none_or(|(known, _)| case.seed < known.seed);
            if is_first {
                explored.failed = Some((case, failed));
            }
        }
        Err(why) => *all = Err(format!("seed {}: {why}", case.seed)),
    }
}
