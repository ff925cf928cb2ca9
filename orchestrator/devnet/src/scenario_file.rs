//! Reads a scenario file together with its network, and says where a fault
//! lies: file, line, column, the line itself with a caret, and the word that
//! was probably meant.

mod network;
mod told;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use devnet_blueprint::Topology;
use devnet_scenario::check::check;
use devnet_scenario::model::{Roster, Scenario};
use devnet_scenario::parse::limits::FILE_BYTES_MAX;
use devnet_scenario::parse::{self, Document, Problem};

pub use network::roster;
pub use told::Told;

use crate::exit::Failure;
use crate::simworld::refuse;

/// A checked scenario and its network.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    /// What happens; every name in it exists.
    pub scenario: Scenario,
    /// On which network; checked. Binaries in it are absolute paths.
    pub topology: Topology,
    /// The network as the scenario names it.
    pub roster: Roster,
    /// What is odd about it, and forbids nothing.
    pub warnings: Vec<Told>,
    /// The file.
    pub path: PathBuf,
    /// Its text, for the bundle.
    pub text: String,
}

/// Why a file is no scenario that can run. Never empty.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Everything wrong, and what is odd beside it.
    pub told: Vec<Told>,
}

impl ScenarioFile {
    /// Reads and checks the file at `path`, with parameters set by name.
    ///
    /// # Errors
    /// It cannot be read, or no run of it can make sense: everything that is
    /// wrong, each at its place.
    pub fn read(path: &Path, sets: &[(String, String)]) -> Result<Self, Failure> {
        Self::examine(path, sets).map_err(|refusal| refusal.failure())
    }

    /// Like [`Self::read`], with everything that is wrong as data.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn examine(path: &Path, sets: &[(String, String)]) -> Result<Self, Refusal> {
        let text = read_text(path).map_err(|why| Refusal::one(Told::unread(path, &why)))?;
        Self::of_text(path, text, sets, |_, _| Vec::new())
    }

    /// Like [`Self::examine`]; also refuses what the simulator has no notion of.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn examine_simulated(path: &Path, sets: &[(String, String)]) -> Result<Self, Refusal> {
        let text = read_text(path).map_err(|why| Refusal::one(Told::unread(path, &why)))?;
        Self::of_text(path, text, sets, not_simulated)
    }

    /// A scenario that is at hand as a text, for the simulator; `path` is what
    /// it is called in problems, and where its topology file is looked for.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn simulated(path: &Path, text: String) -> Result<Self, Refusal> {
        Self::of_text(path, text, &[], not_simulated)
    }

    fn of_text(
        path: &Path,
        text: String,
        sets: &[(String, String)],
        more: fn(&Document, &Topology) -> Vec<Problem>,
    ) -> Result<Self, Refusal> {
        let tell = |problems: &[Problem]| -> Vec<Told> {
            let told = problems.iter();
            told.map(|problem| Told::new(path, &text, problem))
                .collect()
        };
        let document = parse::parse(&text, sets).map_err(|problems| Refusal {
            told: tell(&problems),
        })?;
        let topology = network::topology(&document, path, &text)?;
        let roster = roster(&topology);
        let mut problems = check(&document, &roster);
        problems.extend(more(&document, &topology));
        let warnings = tell(&problems);
        if problems.iter().any(Problem::is_error) {
            return Err(Refusal { told: warnings });
        }
        Ok(Self {
            scenario: document.scenario,
            topology,
            roster,
            warnings,
            path: path.to_owned(),
            text,
        })
    }
}

fn not_simulated(document: &Document, topology: &Topology) -> Vec<Problem> {
    refuse::problems(&document.scenario, topology, &document.tree)
}

impl Refusal {
    /// One thing alone.
    fn one(told: Told) -> Self {
        Self { told: vec![told] }
    }

    /// As a failure of a command.
    pub fn failure(&self) -> Failure {
        let texts: Vec<String> = self.told.iter().map(ToString::to_string).collect();
        Failure::bad_input(texts.join("\n")).next(
            "`devnet schema scenario` tells an editor every key; unknown ones are never ignored.",
        )
    }
}

/// The text of a file, of which no more than a scenario may have is read.
fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() > FILE_BYTES_MAX {
        return Err(format!(
            "it has more than the {FILE_BYTES_MAX} bytes that a scenario may have"
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
