//! What one run came to, in the shape that reports are made from.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Exit;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// All that was expected held.
    Pass,
    /// Something did not hold that should have.
    Fail,
    /// A fault had not the effect it should have: nothing can be said.
    Invalid,
    /// The world broke, or the run was interrupted.
    Broke,
}

/// How one step or expectation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStatus {
    /// As it should.
    Passed,
    /// Not as it should.
    Failed,
    /// The world could not do it, or it had no effect.
    Errored,
    /// It was not reached.
    Skipped,
}

/// One step or expectation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// How it ended.
    pub status: CaseStatus,
    /// Why, where it did not pass; what was measured, where it did.
    pub message: String,
    /// Time it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Line of the scenario file, from 1, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// One run of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// Name of the scenario.
    pub scenario: String,
    /// Its file.
    pub file: PathBuf,
    /// What random choices followed from.
    pub seed: u64,
    /// What carried the network.
    pub engine: String,
    /// Name of the network.
    pub network: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in a sentence; empty on PASS.
    pub reason: String,
    /// Steps and expectations in order.
    pub cases: Vec<Case>,
    /// From the first order to the last, in milliseconds.
    pub elapsed_ms: u64,
    /// From each heal to the convergence that was expected of it, in
    /// milliseconds.
    pub heal_to_converged_ms: Vec<u64>,
    /// The command that runs the same again.
    pub replay: String,
    /// The bundle, where one was written.
    pub bundle: Option<PathBuf>,
    /// What explains a failure, in a screen; empty on PASS.
    #[serde(skip)]
    pub story: String,
}

impl Verdict {
    /// The exit code.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Pass => Exit::Success,
            Self::Fail => Exit::Failed,
            Self::Invalid => Exit::Invalid,
            Self::Broke => Exit::WorldBroke,
        }
    }

    /// The word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
            Self::Broke => "BROKE",
        }
    }

    /// Of several runs the one that counts: what broke hides what was found,
    /// and a finding weighs more than a run that says nothing.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Self::Pass => 0,
            Self::Invalid => 1,
            Self::Fail => 2,
            Self::Broke => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn case(name: &str, status: CaseStatus, message: &str) -> Case {
        Case {
            name: name.into(),
            status,
            message: message.into(),
            elapsed_ms: 1_500,
            line: None,
        }
    }

    /// A run of two cases that passed, with that verdict.
    pub fn record(verdict: Verdict) -> RunRecord {
        RunRecord {
            scenario: "smoke".into(),
            file: "tests/scenarios/smoke.yaml".into(),
            seed: 7,
            engine: "process".into(),
            network: "run-smoke-1".into(),
            verdict,
            reason: String::new(),
            cases: vec![
                case("wait for height 3", CaseStatus::Passed, ""),
                case("converged", CaseStatus::Passed, ""),
            ],
            elapsed_ms: 3_000,
            heal_to_converged_ms: Vec::new(),
            replay: "devnet run tests/scenarios/smoke.yaml --seed 7".into(),
            bundle: None,
            story: String::new(),
        }
    }

    #[test]
    fn of_several_verdicts_the_worst_counts() {
        use Verdict::{Broke, Fail, Invalid, Pass};
        assert_eq!(Pass.worst(Pass), Pass);
        assert_eq!(Fail.worst(Pass), Fail);
        assert_eq!(Invalid.worst(Fail), Fail);
        assert_eq!(Fail.worst(Broke), Broke);
        let codes = [Pass, Fail, Invalid, Broke].map(|verdict| verdict.exit().code());
        assert_eq!(codes, [0, 1, 4, 3]);
    }
}
