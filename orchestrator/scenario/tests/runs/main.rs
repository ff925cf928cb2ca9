//! Whole scenarios against the toy world.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

#[path = "../toy/mod.rs"]
mod toy;

mod absence;
mod claims;
mod judged;
mod losses;
mod shipped;
mod undoing;

use devnet_scenario::check::check;
use devnet_scenario::model::{Member, Roster, TopologySource};
use devnet_scenario::parse::{Document, parse};
use devnet_scenario::report::{Report, StepOutcome, Verdict, fork_svg, fork_tree, story};
use devnet_scenario::runner::Runner;
use toy::{Toy, Tricks, roster};

const TOPOLOGY: &str = "name: toy\ndescription: d\ntopology: { nodes: 4, miners: 2 }\n";

fn runner(steps: &str, roster: Roster, seed: u64) -> Runner {
    let text = format!("{TOPOLOGY}{steps}");
    let document = parse(&text, &[]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let problems = check(&document, &roster);
    let errors: Vec<_> = problems.iter().filter(|x| x.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Runner::new(document.scenario, roster, seed)
}

fn run(steps: &str, miners: &[u64], tricks: Tricks) -> (Report, Toy) {
    let mut toy = Toy::new(miners, tricks);
    let mut runner = runner(steps, roster(miners), 7);
    toy.run(&mut runner);
    (runner.report().clone(), toy)
}

fn assert_verdict(report: &Report, verdict: Verdict) {
    assert_eq!(
        report.verdict, verdict,
        "{:#?}\n{:#?}",
        report.failure, report.steps
    );
}

fn step<'a>(report: &'a Report, path: &str) -> &'a devnet_scenario::report::StepReport {
    let found = report.steps.iter().find(|step| step.path == path);
    found.unwrap_or_else(|| panic!("no step {path}: {:#?}", report.steps))
}

const TWO_WAY: &str = "
steps:
  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - expect: { diverged: { advance: 2 }, within: 60 blocks }
  - heal: all
  - expect:
      - converged: { max_lag: 1, fresh: 1 }
        within: 20 blocks
      - winner
      - reorg_depth: '>= 1'
        from: start
      - supply
      - restarts: 0
";

#[test]
fn a_branch_that_was_not_told_is_no_foreign_chain() {
    let steps = "
steps:
  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: 5s
  - expect: { height: '< 4', on: bootstrap-0 }
";
    let story_of = |hidden: Option<&str>| {
        let tricks = Tricks {
            hidden: hidden.map(str::to_owned),
            ..Tricks::default()
        };
        // The second miner begins when the network is cut already.
        let (report, _) = run(steps, &[1_000, 7_000], tricks);
        assert_verdict(&report, Verdict::Fail);
        story(&report).unwrap().to_string()
    };
    assert!(story_of(None).contains("parted    common ancestor"));
    let untold = story_of(Some("miner-1"));
    assert!(
        untold.contains("parted    where is not known: miner-1"),
        "{untold}"
    );
}

// genesis ─ … ─ F ─┬─ miner-0: 10 blocks in 10 s ── wins
//                  └─ miner-1:  5 blocks in 10 s
#[test]
fn two_halves_part_and_the_heavier_branch_wins() {
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    assert_eq!(report.faults.len(), 1);
    assert!(report.faults[0].ended_at_ms.is_some());
    let parting = report.faults[0].parting.as_ref().unwrap();
    assert!(
        parting.fork.as_ref().is_some_and(|fork| fork.is_fork),
        "{parting}"
    );
    assert!(
        parting.sides.iter().all(|side| side.gained >= Some(1)),
        "{parting}"
    );
    assert_eq!(
        report.nodes["observer-0"].tips.last(),
        report.nodes["miner-0"].tips.last()
    );
    assert!(report.nodes["miner-1"].reorg_depth >= 2);
    let winner = &step(&report, "5").notes;
    assert!(
        winner.iter().any(|x| x.contains("had most work and won")),
        "{winner:?}"
    );
    assert!(story(&report).is_none());
}

#[test]
fn agreement_without_fresh_blocks_after_the_heal_does_not_pass() {
    let tricks = Tricks {
        stops_at_heal: true,
        ..Tricks::default()
    };
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Fail);
    let failure = report.failure.unwrap();
    assert!(
        failure.found.contains("0 of 1 fresh blocks"),
        "{}",
        failure.found
    );
}

#[test]
fn equal_work_is_told_and_no_winner_is_demanded() {
    let (report, _) = run(TWO_WAY, &[2_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    let notes = &step(&report, "5").notes;
    assert!(notes.iter().any(|x| x.contains("equal work")), "{notes:?}");
}

#[test]
fn sides_that_had_parted_before_the_cut_have_not_diverged_by_it() {
    let steps = "
steps:
  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: { blocks: 4, on: miner-1 }
  - partition: [[bootstrap-0, miner-0], [miner-1, observer-0]]
  - expect: { diverged: { advance: 1 }, within: 60 blocks }
";
    let (report, _) = run(steps, &[1_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Fail);
    let found = report.failure.unwrap().found;
    assert!(found.contains("already, before the cut came"), "{found}");
}

#[test]
fn other_coins_on_the_same_block_are_a_failure() {
    let tricks = Tricks {
        odd_coins: Some("observer-0".into()),
        ..Tricks::default()
    };
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Fail);
    assert!(report.failure.unwrap().found.contains("but other coins"));
}

#[test]
fn a_wrong_expectation_fails_and_tells_its_story() {
    let steps = "
steps:
  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: { blocks: 3, on: miner-0 }
  - title: They race ahead
    expect: { progress: { blocks: 50 }, within: 5s }
  - wait: 1s
";
    let tricks = Tricks {
        logs: vec![(
            9_000,
            "miner-1".into(),
            "2026 WARN minichain: no news <for> 5 s".into(),
        )],
        ..Tricks::default()
    };
    let (report, _) = run(steps, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Fail);
    assert_eq!(step(&report, "4").outcome, StepOutcome::Failed);
    assert_eq!(step(&report, "5").outcome, StepOutcome::Skipped);
    let told = story(&report).unwrap();
    let text = told.to_string();
    println!("{text}");
    for part in [
        "FAIL toy: step 4 (They race ahead)",
        "expected  progress by 50 blocks",
        "bootstrap-0, miner-0; 8 since the fork: miner-0 8",
        "since the fork: miner-1",
        "common ancestor",
        "cut bootstrap-0,miner-0 | miner-1,observer-0 since",
        "no news <for> 5 s",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(text.lines().count() <= 40, "{text}");
    let tips = &report.failure.as_ref().unwrap().tips;
    let tree = fork_tree(&report, tips).text();
    assert!(tree.contains("└─"), "{tree}");
    let svg = fork_svg(&report, tips);
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(!svg.contains("<for>"));
}

#[test]
fn a_fault_that_does_nothing_makes_the_run_invalid() {
    for tricks in [
        Tricks {
            ineffective: true,
            ..Tricks::default()
        },
        Tricks {
            lying: true,
            ..Tricks::default()
        },
    ] {
        let (report, _) = run(TWO_WAY, &[1_000, 2_000], tricks);
        assert_verdict(&report, Verdict::Invalid);
        assert_eq!(report.verdict.exit_code(), 4);
        assert_eq!(step(&report, "2").outcome, StepOutcome::Invalid);
        assert_eq!(report.failure.as_ref().unwrap().step, "2");
        assert!(report.faults[0].evidence.is_some());
        assert_eq!(step(&report, "end.1").kind, "heal");
    }
}

#[test]
fn a_world_that_cannot_do_it_is_broken() {
    let tricks = Tricks {
        fails_from: Some(1),
        ..Tricks::default()
    };
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Broken);
    assert_eq!(report.verdict.exit_code(), 3);
    assert!(report.failure.unwrap().found.contains("disk is full"));
}

const LONG: &str = "
steps:
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: 600s
finally:
  - title: Last words
    transfer: { from: alice, to: bob, amount: 1 }
  - title: Never true
    expect: { height: '>= 100000', within: 1s }
  - wait: 1s
";

#[test]
fn an_interrupted_run_goes_to_its_end_by_way_of_finally() {
    let tricks = Tricks {
        interrupt_at_ms: Some(5_000),
        ..Tricks::default()
    };
    let (report, toy) = run(LONG, &[1_000, 2_000], tricks);
    assert_eq!(step(&report, "2").outcome, StepOutcome::Abandoned);
    assert_eq!(step(&report, "finally.1").outcome, StepOutcome::Passed);
    assert_eq!(step(&report, "finally.3").outcome, StepOutcome::Passed);
    assert_eq!(step(&report, "end.1").outcome, StepOutcome::Passed);
    assert!(toy.now_ms < 30_000);
    // What fails in the end outweighs the interruption.
    assert_verdict(&report, Verdict::Fail);
    assert!(
        report
            .troubles
            .iter()
            .any(|x| x.verdict == Verdict::Interrupted)
    );
}

#[test]
fn a_world_that_stops_telling_is_broken_and_healed_all_the_same() {
    let tricks = Tricks {
        blind_from_ms: Some(5_000),
        ..Tricks::default()
    };
    let (report, toy) = run(LONG, &[1_000, 2_000], tricks);
    assert_verdict(&report, Verdict::Broken);
    assert!(
        toy.acts.last().unwrap().contains("Heal(All)"),
        "{:?}",
        toy.acts
    );
}

#[test]
fn finally_runs_even_if_nothing_else_did() {
    let tricks = Tricks {
        interrupt_at_ms: Some(0),
        ..Tricks::default()
    };
    let mut toy = Toy::new(&[1_000], tricks);
    let mut runner = runner(LONG, roster(&[1_000]), 1);
    let first = runner.next(0, devnet_scenario::world::Heard::Interrupted);
    assert!(matches!(first, devnet_scenario::world::Order::Look(_)));
    toy.tricks.interrupt_at_ms = None;
    toy.run(&mut runner);
    assert_eq!(step(runner.report(), "1").outcome, StepOutcome::Skipped);
    assert_eq!(
        step(runner.report(), "finally.1").outcome,
        StepOutcome::Passed
    );
}

#[test]
fn interrupted_alone_is_told_as_such() {
    let tricks = Tricks {
        interrupt_at_ms: Some(5_000),
        ..Tricks::default()
    };
    let (report, _) = run("\nsteps:\n  - wait: 600s\n", &[1_000], tricks);
    assert_verdict(&report, Verdict::Interrupted);
    assert_eq!(report.verdict.exit_code(), 1);
}

const CHAOS: &str = "
steps:
  - wait: { height: 2 }
  - title: chaos
    repeat:
      count: 12
      choose:
        - steps:
            - kill: { random: 1, of: miner }
              for: 1s
        - steps:
            - pause: { random: 2 }
              for: 1s
        - weight: 3
          steps:
            - partition: [{ random: 2 }, rest]
              for: 1s
  - expect: { converged: { max_lag: 1 }, within: 30 blocks }
";

#[test]
fn the_same_seed_gives_the_same_orders_and_another_seed_others() {
    let miners = [1_000, 1_700, 2_300];
    let digest = |steps: &str, seed: u64, rates: &[u64]| {
        let mut toy = Toy::new(rates, Tricks::default());
        let mut runner = runner(steps, roster(rates), seed);
        toy.run(&mut runner);
        assert_verdict(runner.report(), Verdict::Pass);
        runner.report().orders_digest.clone()
    };
    let first = digest(CHAOS, 1, &miners);
    assert_eq!(first, digest(CHAOS, 1, &[1_300, 900, 1_900]));
    assert_ne!(first, digest(CHAOS, 2, &miners));
}

#[test]
fn taking_a_step_out_moves_no_other_draw() {
    let miners = [1_000, 1_700, 2_300];
    let acts = |steps: &str| {
        let mut toy = Toy::new(&miners, Tricks::default());
        toy.run(&mut runner(steps, roster(&miners), 5));
        toy.acts
    };
    let without = CHAOS.replace("  - wait: { height: 2 }\n", "");
    assert_eq!(acts(CHAOS), acts(&without));
}

#[test]
fn a_step_that_takes_too_long_fails() {
    let steps = "\nsteps:\n  - wait: { height: 1000 }\n    timeout: 3s\n";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Fail);
    assert!(report.failure.unwrap().found.contains("not at 1000"));
}

#[test]
fn a_report_survives_being_written_and_read() {
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], Tricks::default());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
