//! A problem as it is shown and as data.

use std::fmt;
use std::path::Path;

use devnet_scenario::parse::{Place, Problem, Severity};
use serde::Serialize;

use crate::topology_file::{self, point};

/// Something wrong or odd, at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The file.
    pub file: String,
    /// Line, from 1; null for what comes from no place of the file.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong, and what to do about it.
    pub message: String,
    /// The same for people, with the line and a caret.
    #[serde(skip)]
    pub shown: String,
}

impl Told {
    /// A problem of the text of a file.
    pub(super) fn new(path: &Path, text: &str, problem: &Problem) -> Self {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let prefix = match problem.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        let place = problem.place.map(of_place);
        let what = format!("{prefix}{}", problem.what);
        Self {
            file: path.display().to_string(),
            line: problem.place.map(|place| place.line),
            column: problem.place.map(|place| place.column),
            severity,
            message: problem.what.clone(),
            shown: point(path, text, place, &what),
        }
    }

    /// A file that cannot be read.
    pub(super) fn unread(path: &Path, why: &str) -> Self {
        let message = format!("cannot be read: {why}");
        Self::new(path, "", &Problem::of_argument(message))
    }

    /// A topology file that the scenario names, at the place where it does;
    /// `shown` has the place in that file.
    pub(super) fn elsewhere(path: &Path, place: Place, shown: &str) -> Self {
        Self {
            file: path.display().to_string(),
            line: Some(place.line),
            column: Some(place.column),
            severity: "error",
            message: shown.to_owned(),
            shown: shown.to_owned(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

const fn of_place(place: Place) -> topology_file::Place {
    topology_file::Place {
        line: place.line,
        column: place.column,
    }
}
