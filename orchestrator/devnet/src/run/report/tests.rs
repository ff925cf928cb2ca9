//! Records from reports.

use std::collections::BTreeMap;

use devnet_scenario::parse;
use devnet_scenario::report::HealReport;

use super::*;

const TEXT: &str = "\
name: x
topology: { nodes: 3 }
steps:
  - wait: { height: 1 }
  - parallel:
      - kill: miner-0
      - repeat:
          count: 2
          steps:
            - start: miner-0
finally:
  - heal
";

fn facts() -> Facts {
    Facts {
        scenario: "x".into(),
        file: "my scenarios/x.yaml".into(),
        seed: 7,
        engine: "docker".into(),
        network: "run-x-1".into(),
        sets: vec![("cut".into(), "30s".into())],
        image: None,
        binary: None,
    }
}

fn step(path: &str, kind: &str, title: &str, ended_at_ms: u64) -> StepReport {
    StepReport {
        path: path.into(),
        title: title.into(),
        kind: kind.into(),
        begun_at_ms: Some(1_000),
        ended_at_ms: Some(ended_at_ms),
        outcome: StepOutcome::Passed,
        notes: Vec::new(),
    }
}

fn heal(done_at_ms: u64) -> HealReport {
    HealReport {
        step: String::new(),
        title: String::new(),
        ordered_at_ms: done_at_ms,
        done_at_ms,
        evidence: String::new(),
        before: BTreeMap::new(),
    }
}

fn report(steps: Vec<StepReport>, heals: Vec<HealReport>) -> Report {
    Report {
        name: "x".into(),
        description: String::new(),
        verdict: Verdict::Pass,
        seed: 7,
        parameters: BTreeMap::new(),
        roster: Vec::new(),
        block_interval_ms: 1_000,
        started_at_ms: 1_000,
        ended_at_ms: Some(9_000),
        steps,
        failure: None,
        troubles: Vec::new(),
        faults: Vec::new(),
        heals,
        nodes: BTreeMap::new(),
        blocks: Vec::new(),
        recorded: BTreeMap::new(),
        transactions: BTreeMap::new(),
        logs: Vec::new(),
        oddities: Vec::new(),
        orders_digest: String::new(),
    }
}

fn tree() -> Tree {
    parse::parse(TEXT, &[]).expect("a scenario").tree
}

#[test]
fn steps_become_cases_at_their_lines() {
    let steps = ["1", "2.1", "2.2#2.1", "finally.1", "end.1"]
        .map(|path| step(path, "wait", "waiting", 2_500));
    let record = record(&facts(), &report(steps.to_vec(), Vec::new()), &tree());
    let lines: Vec<Option<usize>> = record.cases.iter().map(|case| case.line).collect();
    assert_eq!(lines, [Some(4), Some(6), Some(10), Some(12), None]);
    assert_eq!(record.cases[0].name, "1 waiting");
    assert_eq!(record.cases[0].elapsed_ms, 1_500);
    assert_eq!(record.elapsed_ms, 8_000);
}

#[test]
fn the_time_from_a_heal_to_convergence_is_that_of_the_next_claim() {
    let steps = vec![
        step("1", "expect", "converged", 1_500),
        step("2", "expect", "converged", 4_200),
        step("3", "expect", "supply", 4_300),
        step("4", "expect", "converged", 8_000),
    ];
    let times = heal_to_converged_ms(&report(steps, vec![heal(3_000), heal(7_500)]));
    assert_eq!(times, [1_200, 500]);
}

#[test]
fn the_replay_is_a_command_a_shell_reads_back() {
    assert_eq!(
        replay(&facts()),
        "devnet run 'my scenarios/x.yaml' --seed 7 --engine docker --set cut=30s"
    );
    assert_eq!(quoted("it's"), "'it'\\''s'");
    assert_eq!(quoted(""), "''");
}

#[test]
fn a_story_fits_on_a_screen() {
    let long: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
    let screen = screen(&long.join("\n"));
    assert_eq!(screen.lines().count(), STORY_LINES_MAX);
    assert!(
        screen.ends_with("(61 lines more in the bundle's story.txt)"),
        "{screen}"
    );
}
