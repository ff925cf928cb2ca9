//! What is wrong with a scenario, and where.

use super::tree::Place;

/// One thing wrong, or worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` for what comes from outside of the file (`--set`).
    pub place: Option<Place>,
    /// What, with what to do about it.
    pub what: String,
    /// Whether it forbids a run.
    pub severity: Severity,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// It can, but probably does not say what was meant.
    Warning,
}

impl Problem {
    /// An error at a place.
    pub fn at(place: Place, what: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            what: what.into(),
            severity: Severity::Error,
        }
    }

    /// A warning at a place.
    pub fn warning(place: Place, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::at(place, what)
        }
    }

    /// An error of an argument.
    pub fn of_argument(what: impl Into<String>) -> Self {
        Self {
            place: None,
            what: what.into(),
            severity: Severity::Error,
        }
    }

    /// Whether it forbids a run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
