//! JUnit XML: a suite for each run, a case for each step and expectation.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use devnet_scenario::report::Verdict;

use super::record::{Case, CaseStatus, RunRecord};

/// The XML of these runs.
///
/// # Errors
/// Says what could not be written.
pub fn junit(runs: &[RunRecord]) -> Result<String, String> {
    let mut report = Report::new("devnet run");
    let total_ms = runs.iter().map(|run| run.elapsed_ms).sum();
    report.set_time(Duration::from_millis(total_ms));
    for run in runs {
        report.add_test_suite(suite(run));
    }
    report.to_string().map_err(|error| error.to_string())
}

fn suite(run: &RunRecord) -> TestSuite {
    let mut suite = TestSuite::new(run.scenario.as_str());
    suite.set_time(Duration::from_millis(run.elapsed_ms));
    let seed = run.seed.to_string();
    let file = run.file.to_string_lossy();
    for (name, value) in [
        ("seed", seed.as_str()),
        ("engine", run.engine.as_str()),
        ("version", env!("CARGO_PKG_VERSION")),
        ("file", &file),
        ("network", run.network.as_str()),
        ("verdict", run.verdict.word()),
        ("replay", run.replay.as_str()),
    ] {
        suite.add_property(Property::new(name, value));
    }
    for case in &run.cases {
        suite.add_test_case(test_case(run, case));
    }
    if !has_culprit(run) {
        suite.add_test_case(verdict_case(run));
    }
    if !run.story.is_empty() {
        suite.set_system_out(run.story.as_str());
    }
    suite
}

/// Whether the cases tell why the run did not pass; a passing run needs none.
fn has_culprit(run: &RunRecord) -> bool {
    let is_culprit = |case: &Case| matches!(case.status, CaseStatus::Failed | CaseStatus::Errored);
    let has_any = run.cases.iter().any(is_culprit);
    has_any || run.verdict == Verdict::Pass && !run.cases.is_empty()
}

/// Stands for the whole run, where no case tells how it ended.
fn verdict_case(run: &RunRecord) -> TestCase {
    let status = match run.verdict {
        Verdict::Pass => CaseStatus::Passed,
        Verdict::Fail => CaseStatus::Failed,
        Verdict::Invalid | Verdict::Broken | Verdict::Interrupted => CaseStatus::Errored,
    };
    let case = Case {
        name: "verdict".into(),
        status,
        message: run.reason.clone(),
        elapsed_ms: run.elapsed_ms,
        line: None,
    };
    test_case(run, &case)
}

fn test_case(run: &RunRecord, case: &Case) -> TestCase {
    let failed = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(case.message.as_str());
        status.set_type(run.verdict.word());
        status.set_description(match run.story.is_empty() {
            true => case.message.as_str(),
            false => run.story.as_str(),
        });
        status
    };
    let status = match case.status {
        CaseStatus::Passed => TestCaseStatus::success(),
        CaseStatus::Failed => failed(NonSuccessKind::Failure),
        CaseStatus::Errored => failed(NonSuccessKind::Error),
        CaseStatus::Skipped => TestCaseStatus::skipped(),
    };
    let mut test = TestCase::new(case.name.as_str(), status);
    test.set_classname(run.scenario.as_str());
    test.set_time(Duration::from_millis(case.elapsed_ms));
    if let Some(line) = case.line {
        let line = line.to_string();
        test.add_property(Property::new("line", line.as_str()));
    }
    test
}

#[cfg(test)]
mod tests;
