//! The XML as CI systems read it.

use super::super::record::tests::{case, record};
use super::*;

#[test]
fn a_failed_run_is_a_suite_with_its_story() {
    let mut run = record(Verdict::Fail);
    run.cases[1] = case(
        "converged <everywhere>",
        CaseStatus::Failed,
        "2 tips & no peace",
    );
    run.cases
        .push(case("never reached", CaseStatus::Skipped, ""));
    run.story = "miner-0 is on aa\u{1b}[31m, miner-1 on bb".into();
    let mut text = junit(&[run]).expect("it can be written");
    text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_that_broke_before_its_first_step_is_an_error() {
    let mut run = record(Verdict::Broken);
    run.cases.clear();
    run.reason = "no Docker engine answers".into();
    let text = junit(&[run]).expect("it can be written");
    assert!(text.contains("errors=\"1\""), "{text}");
    assert!(text.contains("no Docker engine answers"), "{text}");
}

#[test]
fn a_passing_run_has_no_failures() {
    let text = junit(&[record(Verdict::Pass), record(Verdict::Pass)]).expect("it can be written");
    assert!(
        text.contains("tests=\"4\" skipped=\"0\" failures=\"0\" errors=\"0\""),
        "{text}"
    );
}
