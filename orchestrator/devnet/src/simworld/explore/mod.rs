//! Searches for schedules that break a network: random topology, load and
//! faults by seed, safety watched while it runs, liveness demanded in the end;
//! what fails is shrunk to the least that still fails.
//!
//! Ranges a case is drawn from: 2 to 6 nodes, or as many as are asked for, of
//! which at least one mines, all connected or in a line or a ring, a block every 1
//! or 2 s, one-way latency of 0 to 400 ms from end to end, 0 to 2 payments a second,
//! and up to 8 faults of 1 to 12 s each, those of links beside those of nodes; nodes
//! join and leave as well. Those of storage are crashes, which take along what is
//! not durable yet, writes that reach the disk in part, full disks, and disks that
//! are taken away. Beyond 64 nodes those that are all connected each find 8
//! others. Wide ranges add up to 16 faults, clocks off by up to 32 s instead of 4,
//! nodes that start up to 10 s late, and validation that takes up to 100 ms for a
//! block, 10 ms for an input and 2 ms for 1,000 bytes from end to end. Each purpose
//! has chance of its own, so whatever is asked for beside it moves nothing else.
//!
//! In the end all is healed, and within 80 blocks all must be on one chain with
//! fresh blocks and the coins that were issued.

mod case;
mod draw;
mod file;
mod shrink;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use devnet_scenario::report::Verdict;
use devnet_scenario::world::{Act, ActId, Outcome, Snapshot};
use minichain_sim::setup::Planted;
use minichain_sim::world::Damage;

use super::net::Net;
use super::play::{self, Play};
use crate::run::drive::Witness;
use crate::scenario_file::ScenarioFile;

pub use case::Case;
pub use draw::{NODES_MAX, NODES_MIN, Ranges};
pub use shrink::{RUNS_MAX, shrink};
pub use tally::{Faced, Storage, Tally};

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The first seed, and the one behind the last.
    pub seeds: (u64, u64),
    /// What cases are drawn from.
    pub ranges: Ranges,
    /// Cases at a time.
    pub jobs: usize,
    /// A mistake that all nodes make.
    pub planted: Option<Planted>,
}

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
    /// All held, on disks that went through this.
    Well(Damage),
    /// A fault had no effect, so nothing is proven.
    Invalid(String),
    /// Something that must never be, or an end that never came.
    Badly(Failed),
    /// Nothing: nobody waits for it any more.
    Unfinished,
}

/// What came of many cases, however many of them ran at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explored {
    /// Cases that were run to their end; up to the one that failed, if one did.
    pub runs: u64,
    /// Of these, seeds of cases in which a fault had no effect, and what was
    /// found instead.
    pub invalid: BTreeMap<u64, String>,
    /// What those went through that held.
    pub held: Tally,
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

/// Runs one case, to its end or until `stop` is set.
///
/// # Errors
/// The case is no scenario that can run, which is a mistake of this room.
pub fn run(case: &Case, planted: Option<Planted>, stop: &AtomicBool) -> Result<Came, String> {
    let text = case.yaml();
    let file = ScenarioFile::simulated(Path::new("explored.yaml"), text);
    let file = file.map_err(|refusal| refusal.failure().to_string())?;
    let mut planned = Play::planned(&file, "sim-explored", case.seed)?;
    planned.planted = planted;
    let net = Net::new(&planned)?;
    let begun = Play::begin(&file, net, &case.payers(), case.seed);
    let mut play = match begun {
        Ok(play) => play,
        Err(why) => return Ok(badly("begin", &why)),
    };
    while !play.is_unsafe() && play.turn(&mut Nobody) {
        if stop.load(Ordering::Relaxed) {
            return Ok(Came::Unfinished);
        }
    }
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
        Verdict::Pass => Came::Well(play.net().world().damage()),
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

/// Runs the cases of all seeds, so many at a time; `told` hears of each that
/// ended. Stops at the first failure, or as soon as `stop` is set.
///
/// # Errors
/// As [`run`].
pub fn explore(
    search: &Search,
    stop: &AtomicBool,
    told: &(dyn Fn() + Sync),
) -> Result<Explored, String> {
    let (first, end) = search.seeds;
    let next = AtomicU64::new(first);
    let worst = AtomicU64::new(end);
    let found = Mutex::new(Found::default());
    let work = || {
        loop {
            // Lower seeds than one that failed are still of interest.
            let is_wanted = |seed: u64| seed < worst.load(Ordering::Relaxed);
            let after = |seed| is_wanted(seed).then(|| seed + 1);
            let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
            let (Ok(seed), false) = (taken, stop.load(Ordering::Relaxed)) else {
                return;
            };
            let case = Case::draw(seed, search.ranges);
            let came = run(&case, search.planted, stop);
            if matches!(came, Ok(Came::Badly(_)) | Err(_)) {
                worst.fetch_min(seed, Ordering::Relaxed);
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.file(case, came);
            told();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..search.jobs.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let found = found.into_inner();
    found.unwrap_or_else(PoisonError::into_inner).conclude()
}

/// What was found so far, in the order in which cases ended.
#[derive(Default)]
struct Found {
    /// Seeds of cases that came to their end.
    ended: BTreeSet<u64>,
    held: BTreeMap<u64, Faced>,
    invalid: BTreeMap<u64, String>,
    failed: Option<(Case, Failed)>,
    odd: BTreeMap<u64, String>,
}

impl Found {
    fn file(&mut self, case: Case, came: Result<Came, String>) {
        let seed = case.seed;
        match came {
            Ok(Came::Unfinished) => return,
            Ok(Came::Well(damage)) => {
                self.held.insert(seed, Faced::of(&case, damage));
            }
            Ok(Came::Invalid(why)) => {
                self.invalid.insert(seed, why);
            }
            Ok(Came::Badly(failed)) => {
                let known = self.failed.as_ref();
                if known.is_none_or(|(known, _)| seed < known.seed) {
                    self.failed = Some((case, failed));
                }
            }
            Err(why) => {
                self.odd.insert(seed, why);
            }
        }
        self.ended.insert(seed);
    }

    /// What one job alone would have found: nothing beyond the first failure.
    fn conclude(mut self) -> Result<Explored, String> {
        let failed_at = self.failed.as_ref().map(|(case, _)| case.seed);
        let is_counted = |seed: u64| failed_at.is_none_or(|last| seed <= last);
        if let Some((seed, why)) = self.odd.pop_first().filter(|(seed, _)| is_counted(*seed)) {
            return Err(format!("seed {seed}: {why}"));
        }
        self.invalid.retain(|seed, _| is_counted(*seed));
        self.ended.retain(|seed| is_counted(*seed));
        self.held.retain(|seed, _| is_counted(*seed));
        Ok(Explored {
            runs: self.ended.len() as u64,
            invalid: self.invalid,
            held: Tally::of(self.held.values()),
            failed: self.failed,
        })
    }
}
