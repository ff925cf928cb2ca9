//! Whole scenarios against the toy world.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

mod toy;

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

// genesis ─ … ─ F ─┬─ miner-0: 10 blocks in 10 s ── wins
//                  └─ miner-1:  5 blocks in 10 s
#[test]
fn two_halves_part_and_the_heavier_branch_wins() {
    let (report, _) = run(TWO_WAY, &[1_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    assert_eq!(report.faults.len(), 1);
    assert!(report.faults[0].ended_at_ms.is_some());
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

#[test]
fn what_is_still_in_force_is_healed_in_the_end() {
    let steps = "
steps:
  - partition: [[bootstrap-0, miner-0], rest]
  - load: { name: payments, rate: 2, from: alice, to: bob, via: miner-0 }
  - wait: 2s
";
    let (report, toy) = run(steps, &[1_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    assert!(toy.acts.iter().any(|act| act.contains("StopLoad")));
    assert!(toy.acts.last().unwrap().contains("Heal"));
    assert!(
        report
            .faults
            .iter()
            .all(|fault| fault.ended_at_ms.is_some())
    );
    assert!(report.transactions["payments"].len() >= 3);
}

#[test]
fn a_step_with_for_takes_back_what_it_did_and_nothing_else() {
    let steps = "
steps:
  - parallel:
      - latency: { is: 50ms, on: miner-0 }
        for: 2s
      - latency: { is: 90ms, on: miner-1 }
        for: 5s
      - kill: observer-0
        for: 3s
  - expect: { converged: { max_lag: 1 }, within: 20 blocks }
";
    let (report, toy) = run(steps, &[1_000, 2_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    let lasted: Vec<u64> = report
        .faults
        .iter()
        .filter(|x| x.step == "1.2")
        .map(|x| x.ended_at_ms.unwrap() - x.in_force_at_ms.unwrap())
        .collect();
    assert_eq!(
        lasted.len(),
        2,
        "inflicted anew after the first heal: {:#?}",
        report.faults
    );
    assert!(lasted.iter().sum::<u64>() >= 4_000, "{lasted:?}");
    assert!(toy.acts.iter().any(|act| act.contains("Start")));
    assert!(!toy.acts.iter().any(|act| act.contains("Heal(All)")));
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
fn a_claim_that_must_always_hold_ends_the_run_when_it_breaks() {
    let steps = "
steps:
  - always:
      expect:
        - height: '< 6'
        - progress
      steps:
        - wait: { height: 20 }
        - wait: 1s
";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Fail);
    let failure = report.failure.as_ref().unwrap();
    assert!(
        failure.expected.contains("always height < 6"),
        "{failure:?}"
    );
    assert_eq!(step(&report, "1.1").outcome, StepOutcome::Abandoned);
}

#[test]
fn a_claim_that_holds_all_the_time_passes() {
    let steps = "
steps:
  - always:
      expect:
        - peers: '>= 2'
        - progress: { blocks: 2 }
        - no_error_logs
      steps:
        - wait: { blocks: 3 }
";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    assert_eq!(step(&report, "1").notes.len(), 3);
}

#[test]
fn an_error_line_is_found_in_the_whole_window() {
    let steps = "
steps:
  - wait: 8s
  - expect:
      no_error_logs:
      from: start
";
    let tricks = Tricks {
        logs: vec![(
            3_000,
            "miner-0".into(),
            "2026 ERROR minichain: store is gone".into(),
        )],
        ..Tricks::default()
    };
    let (report, _) = run(steps, &[1_000], tricks);
    assert_verdict(&report, Verdict::Fail);
    assert!(report.failure.unwrap().found.contains("store is gone"));
}

#[test]
fn absence_is_not_told_of_a_log_that_nobody_hears() {
    for claim in ["no_error_logs:", "log: { contains: panicked, count: 0 }"] {
        let steps =
            format!("\nsteps:\n  - wait: 3s\n  - expect:\n      {claim}\n      from: start\n");
        let tricks = |is_mute| Tricks {
            is_mute,
            ..Tricks::default()
        };
        let (heard, _) = run(&steps, &[1_000], tricks(false));
        assert_verdict(&heard, Verdict::Pass);
        let (mute, _) = run(&steps, &[1_000], tricks(true));
        assert_verdict(&mute, Verdict::Fail);
        let found = mute.failure.unwrap().found;
        assert!(found.contains("not a line of"), "{found}");
    }
}

#[test]
fn values_metrics_logs_and_transactions_are_judged() {
    let steps = "
steps:
  - wait: { height: 2 }
  - record: { before: height, start: tip }
  - transfer: { name: payment, from: alice, to: bob, amount: 1 }
  - wait: { log: hello, on: miner-0 }
  - expect:
      - height: '>= $before + 3'
        within: 10s
      - transaction: { of: payment, is: confirmed }
        within: 10s
      - tip_of: { is: $start, contains: true }
      - metric: { select: toy_height, value: '>= 5' }
        within: 10s
      - metric: { select: toy_blocks_total, delta: '>= 2' }
        within: 10s
      - log: { contains: hello, count: 1 }
        from: start
      - block_interval: { mean: '< 2 blocks' }
        from: start
      - stale_rate: '< 50%'
        from: start
      - memory: '< 200MiB'
";
    let tricks = Tricks {
        logs: vec![(6_000, "miner-0".into(), "2026 INFO hello".into())],
        ..Tricks::default()
    };
    let (report, _) = run(steps, &[1_000], tricks);
    assert_verdict(&report, Verdict::Pass);
    assert_eq!(report.recorded["before"], "2");
}

#[test]
fn nodes_that_are_added_and_removed_are_judged_and_not() {
    let steps = "
steps:
  - wait: { height: 3 }
  - add: { group: observer }
  - expect: { height: '>= 3', on: observer-1, within: 10s }
  - remove: observer-0
  - expect: { converged: { max_lag: 0 }, within: 20s }
";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
}

#[test]
fn healing_leads_back_to_the_nodes_that_the_network_came_up_with() {
    let steps = "
steps:
  - wait: { height: 3 }
  - add: { group: observer }
  - remove: observer-0
    for: 2s
  - expect: { height: '>= 3', on: observer-0, within: 10s }
  - heal: all
  - expect:
      - converged: { max_lag: 1 }
        within: 20s
      - height: '>= 3'
";
    let (report, toy) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    let restored = "Heal(Nodes([\"observer-0\"]))";
    assert!(toy.acts.iter().any(|act| act == restored), "{:?}", toy.acts);
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

/// Every scenario that ships, with the roster its topology makes.
fn shipped() -> Vec<(String, Document, Roster)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/scenarios");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    files
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let document = parse(&text, &[]).unwrap();
            let roster = roster_of(&document.scenario.topology);
            (path.display().to_string(), document, roster)
        })
        .collect()
}

#[derive(serde::Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(serde::Deserialize)]
struct Group {
    name: String,
    role: Option<String>,
    count: Option<usize>,
    zone: Option<String>,
}

fn roster_of(topology: &TopologySource) -> Roster {
    let group = |name: &str, count: usize| Group {
        name: name.into(),
        role: None,
        count: Some(count),
        zone: None,
    };
    let groups = match topology {
        TopologySource::Counts(counts) => {
            let miners = counts.miners.unwrap() as usize;
            let rest = counts.nodes as usize - miners - 1;
            vec![
                group("bootstrap", 1),
                group("miner", miners),
                group("observer", rest),
            ]
        }
        TopologySource::Inline(tree) => tree.read::<Groups>().unwrap().groups,
        TopologySource::File(path) => panic!("{path}: a file of its own"),
    };
    let members = groups.iter().flat_map(|group| {
        (0..group.count.unwrap_or(1)).map(|index| Member {
            name: format!("{}-{index}", group.name),
            group: group.name.clone(),
            role: group.role.clone().unwrap_or_else(|| group.name.clone()),
            zone: group.zone.clone(),
        })
    });
    Roster {
        nodes: members.collect(),
        ..roster(&[])
    }
}

#[test]
fn every_shipped_scenario_passes_on_a_healthy_toy() {
    for (path, document, roster) in shipped() {
        let miners = roster.nodes.iter().filter(|x| x.role == "miner").count() as u64;
        for seed in 0..8 {
            // Rates differ, so that branches differ in work.
            let every_ms = |index: usize| 900 * miners + (150 * seed + 70) * index as u64;
            let mut toy = Toy::of(&roster, Tricks::default(), every_ms);
            let mut runner = Runner::new(document.scenario.clone(), roster.clone(), seed);
            toy.run(&mut runner);
            let report = runner.report();
            let told = story(report).map(|story| story.to_string());
            let told = told.unwrap_or_default();
            assert_eq!(report.verdict, Verdict::Pass, "{path} with {seed}\n{told}");
        }
    }
}

#[test]
fn a_healthy_network_that_should_stand_still_is_a_failure() {
    let text = include_str!("../../../tests/scenarios/bad/wrong-expectation.yaml");
    let document = parse(text, &[]).unwrap();
    let roster = roster_of(&document.scenario.topology);
    let mut toy = Toy::of(&roster, Tricks::default(), |_| 1_000);
    let mut runner = Runner::new(document.scenario, roster, 1);
    toy.run(&mut runner);
    assert_verdict(runner.report(), Verdict::Fail);
    assert!(
        runner
            .report()
            .failure
            .as_ref()
            .unwrap()
            .found
            .contains("grew from")
    );
}
