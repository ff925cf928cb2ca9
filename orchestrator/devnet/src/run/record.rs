//! What one run came to, in the shape that reports are made from.

use std::path::PathBuf;

use devnet_scenario::report::Verdict;
use serde::Serialize;

use crate::exit::Exit;

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
    /// What was odd whatever the verdict: a node that ended on its own, an
    /// engine that was away.
    pub oddities: Vec<String>,
    /// From the first order to the last, in milliseconds.
    pub elapsed_ms: u64,
    /// From each heal to the convergence that was expected of it, in
    /// milliseconds.
    pub heal_to_converged_ms: Vec<u64>,
    /// The command that runs the same again.
    pub replay: String,
    /// Digest over all that happened, where the world can tell: the same seed
    /// gives the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The bundle, where one was written.
    pub bundle: Option<PathBuf>,
    /// What explains a failure, all of it; empty on PASS.
    #[serde(skip)]
    pub story: String,
    /// It broke off because it was asked for something that cannot work: a
    /// program that is not there, a scenario that does not fit the network.
    #[serde(skip)]
    pub is_bad_input: bool,
}

/// The exit code of several runs: the worst counts. What broke only because of
/// what it was asked for is bad input.
pub fn exit_of_all(ran: &[RunRecord]) -> Exit {
    let Some(worst) = ran.iter().map(|run| run.verdict).max() else {
        return Exit::Success;
    };
    let mut broken = ran.iter().filter(|run| run.verdict == Verdict::Broken);
    if worst == Verdict::Broken && broken.all(|run| run.is_bad_input) {
        return Exit::BadInput;
    }
    exit_of(worst)
}

/// The exit code that tells a verdict.
const fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Success,
        Verdict::Fail | Verdict::Interrupted => Exit::Failed,
        Verdict::Invalid => Exit::Invalid,
        Verdict::Broken => Exit::WorldBroke,
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
            oddities: Vec::new(),
            elapsed_ms: 3_000,
            heal_to_converged_ms: Vec::new(),
            replay: "devnet run tests/scenarios/smoke.yaml --seed 7".into(),
            digest: None,
            bundle: None,
            story: String::new(),
            is_bad_input: false,
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_verdicts() {
        use Verdict::{Broken, Fail, Interrupted, Invalid, Pass};
        for verdict in [Pass, Interrupted, Fail, Invalid, Broken] {
            assert_eq!(exit_of(verdict).code(), verdict.exit_code());
        }
    }

    #[test]
    fn the_worst_run_counts_and_bad_input_is_no_broken_world() {
        let broken = |is_bad_input| RunRecord {
            is_bad_input,
            ..record(Verdict::Broken)
        };
        let pass = || record(Verdict::Pass);
        assert_eq!(exit_of_all(&[]), Exit::Success);
        assert_eq!(exit_of_all(&[pass(), record(Verdict::Fail)]), Exit::Failed);
        assert_eq!(exit_of_all(&[pass(), broken(true)]), Exit::BadInput);
        assert_eq!(
            exit_of_all(&[broken(true), broken(false)]),
            Exit::WorldBroke
        );
        assert_eq!(
            exit_of_all(&[record(Verdict::Invalid), record(Verdict::Fail)]),
            Exit::Invalid
        );
    }
}
