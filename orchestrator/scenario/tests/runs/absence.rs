//! The engine goes away in the midst of a run.

use super::toy::look::Away;
use super::*;

const CALM: &str = "
steps:
  - wait: { height: 12 }
  - expect: { converged: { max_lag: 1 }, within: 20 blocks }
";

fn away(from_ms: u64, until_ms: u64) -> Tricks {
    Tricks {
        away: Some(Away {
            from_ms,
            until_ms,
            nodes_end_at_ms: None,
        }),
        ..Tricks::default()
    }
}

fn taking_along(from_ms: u64, until_ms: u64) -> Tricks {
    let mut tricks = away(from_ms, until_ms);
    if let Some(away) = &mut tricks.away {
        away.nodes_end_at_ms = Some(from_ms);
    }
    tricks
}

#[track_caller]
fn assert_found(report: &Report, words: &str) {
    let failure = report.failure.as_ref().expect("something went wrong");
    assert!(failure.found.contains(words), "{failure:#?}");
}

#[test]
fn an_engine_that_takes_its_nodes_along_breaks_the_run_and_fails_nothing() {
    for steps in [CALM, TWO_WAY] {
        let (report, toy) = run(steps, &[1_000, 2_000], taking_along(6_000, 9_000));
        assert_verdict(&report, Verdict::Broken);
        assert_found(&report, "(nobody listens there), and ended with it: ");
        assert_found(&report, "bootstrap-0, miner-0, miner-1, observer-0");
        assert!(report.troubles.iter().all(|x| x.verdict != Verdict::Fail));
        assert!(toy.now_ms < 15_000, "it ends as soon as that is known");
    }
}

#[test]
fn an_engine_that_ends_its_nodes_before_it_goes_away_breaks_the_run_as_well() {
    let mut tricks = away(9_000, 11_000);
    if let Some(away) = &mut tricks.away {
        away.nodes_end_at_ms = Some(6_000);
    }
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Broken);
    assert_found(&report, "and ended with it: ");
    assert_found(&report, "bootstrap-0, miner-0, miner-1, observer-0");
}

#[test]
fn nodes_that_go_on_without_the_engine_pass_and_that_is_told() {
    let (report, _) = run(CALM, &[1_000, 2_000], away(6_000, 16_000));
    assert_verdict(&report, Verdict::Pass);
    let told = report.oddities.iter().any(|odd| {
        odd.contains("the engine was away from 5.") && odd.contains("every node went on")
    });
    assert!(told, "{:?}", report.oddities);
}

#[test]
fn an_engine_that_stays_away_is_not_waited_for_for_ever() {
    let steps = "\nsteps:\n  - wait: 600s\nfinally:\n  - wait: 1s\n";
    let (report, toy) = run(steps, &[1_000], away(6_000, u64::MAX));
    assert_verdict(&report, Verdict::Broken);
    assert_found(&report, "was not back after 30.0 s");
    assert_eq!(step(&report, "1").outcome, StepOutcome::Abandoned);
    assert_eq!(step(&report, "finally.1").outcome, StepOutcome::Passed);
    assert!(toy.now_ms < 45_000, "{}", toy.now_ms);
}

#[test]
fn a_claim_that_breaks_while_the_engine_is_away_breaks_the_run() {
    let steps = "
steps:
  - always:
      expect: { peers: '>= 1' }
      steps:
        - wait: 20s
";
    let (report, _) = run(steps, &[1_000], away(6_000, 9_000));
    assert_verdict(&report, Verdict::Broken);
    assert_found(&report, "while the engine was away");
    assert_eq!(step(&report, "1").outcome, StepOutcome::Broken);
}

#[test]
fn a_run_that_ends_while_the_engine_is_away_waits_for_what_became_of_the_nodes() {
    let steps = "\nsteps:\n  - wait: 5s\n";
    let (report, toy) = run(steps, &[1_000], away(5_500, 9_000));
    assert_verdict(&report, Verdict::Pass);
    assert!(toy.now_ms >= 9_000);
    let (report, _) = run(steps, &[1_000], taking_along(5_500, 9_000));
    assert_verdict(&report, Verdict::Broken);
    let (report, _) = run(steps, &[1_000], away(5_500, u64::MAX));
    assert_verdict(&report, Verdict::Broken);
}

#[test]
fn a_node_that_the_run_has_killed_did_not_end_with_the_engine() {
    let steps = "
steps:
  - kill: observer-0
  - wait: 10s
  - start: observer-0
";
    let (report, _) = run(steps, &[1_000], away(5_000, 7_000));
    assert_verdict(&report, Verdict::Pass);
}
