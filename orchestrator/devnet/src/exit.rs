//! How a command ends: exit codes and the one error type every verb returns.
//!
//! A [`Failure`] is written for the person at the keyboard: what went wrong,
//! and what to do next. Must never import an engine or a verb.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

/// Exit codes of every verb; part of the command's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or there was nothing to do.
    Success = 0,
    /// The command ran, and its answer is no: unhealthy at the time-out,
    /// interrupted, a check of `doctor` failed.
    Failed = 1,
    /// Arguments or a topology that cannot work. Nothing was touched.
    BadInput = 2,
    /// The world broke: daemon, disk, ports, permissions.
    WorldBroke = 3,
    /// What was done was measured, and had no effect, or not the one it should
    /// have.
    Invalid = 4,
}

impl Exit {
    /// The number handed to the parent process.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not succeed, in words for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    message: String,
    next: Vec<String>,
}

impl Failure {
    /// The command ran, and its answer is no (exit code 1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Arguments or a topology that cannot work (exit code 2).
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, message)
    }

    /// Daemon, disk, ports or permissions (exit code 3).
    pub fn world(message: impl Into<String>) -> Self {
        Self::new(Exit::WorldBroke, message)
    }

    /// A fault that did not bite, a healing that did not heal (exit code 4).
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Exit::Invalid, message)
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            next: Vec::new(),
        }
    }

    /// Adds one thing the user can do about it; a whole sentence or a command.
    #[must_use]
    pub fn next(mut self, advice: impl Into<String>) -> Self {
        self.next.push(advice.into());
        self
    }

    /// The exit code this failure ends with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// What went wrong, without the advice.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The failure as data, for `--json`.
    pub fn to_json(&self) -> Value {
        json!({ "error": { "message": self.message, "next": self.next, "exit_code": self.exit.code() } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for advice in &self.next {
            write!(f, "\n  next: {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_cause_and_advice_on_lines_of_their_own() {
        let failure = Failure::world("no Docker daemon answers")
            .next("Start it.")
            .next("Or don't.");
        assert_eq!(
            failure.to_string(),
            "error: no Docker daemon answers\n  next: Start it.\n  next: Or don't."
        );
        assert_eq!(failure.exit().code(), 3);
    }

    #[test]
    fn a_failure_is_data_too() {
        let value = Failure::bad_input("no nodes")
            .next("Ask for one.")
            .to_json();
        assert_eq!(value["error"]["exit_code"], 2);
        assert_eq!(value["error"]["next"][0], "Ask for one.");
    }
}
