//! Claims that are judged during a run.

use super::*;

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
fn a_block_below_the_first_one_cannot_be_recorded() {
    let steps = "
steps:
  - wait: { height: 2 }
  - record: { first: { tip: all, below: 2 } }
  - record: { none: { tip: miner-0, below: 100 } }
";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Fail);
    assert!(report.recorded.contains_key("first"));
    assert!(!report.recorded.contains_key("none"));
    let found = report.failure.unwrap().found;
    assert!(found.contains("no block 100 below its tip"), "{found}");
}

#[test]
fn a_step_waits_as_long_as_its_timeout_says() {
    let line_after_90_s = || Tricks {
        logs: vec![(90_000, "miner-0".into(), "hello".into())],
        ..Tricks::default()
    };
    for (timeout, ends_within_s) in [
        ("", Err(60..=61)),
        ("\n    timeout: 20s", Err(20..=21)),
        ("\n    timeout: 80s", Err(80..=81)),
        ("\n    timeout: 120s", Ok(90..=91)),
    ] {
        let steps = format!("\nsteps:\n  - wait: {{ log: hello, on: miner-0 }}{timeout}\n");
        let (report, _) = run(&steps, &[1_000], line_after_90_s());
        let (verdict, seconds) = match ends_within_s {
            Ok(seconds) => (Verdict::Pass, seconds),
            Err(seconds) => (Verdict::Fail, seconds),
        };
        assert_verdict(&report, verdict);
        let ended_at_s = step(&report, "1").ended_at_ms.unwrap() / 1_000;
        assert!(seconds.contains(&ended_at_s), "{timeout}: {ended_at_s} s");
    }
}

#[test]
fn a_wait_for_a_time_lasts_that_time_as_long_as_its_timeout_is() {
    let steps = "\nsteps:\n  - wait: 5s\n    timeout: 90s\n";
    let (report, _) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    let ended_at_s = step(&report, "1").ended_at_ms.unwrap() / 1_000;
    assert!((5..=6).contains(&ended_at_s), "{ended_at_s} s");
}

#[test]
fn values_are_waited_for_as_long_as_the_timeout_says() {
    for (timeout, verdict) in [("", Verdict::Fail), ("timeout: 60s", Verdict::Pass)] {
        let steps = format!(
            "
steps:
  - wait: {{ height: 2 }}
  - parallel:
      - kill: miner-0
        for: 30s
      - steps:
          - wait: 2s
          - record: {{ up: {{ metric: toy_height, on: miner-0 }} }}
            {timeout}
"
        );
        let (report, _) = run(&steps, &[1_000, 1_000], Tricks::default());
        assert_verdict(&report, verdict);
    }
}

#[test]
fn absence_in_a_log_of_which_lines_were_lost_cannot_be_told() {
    for claim in ["no_error_logs", "log: { contains: panic, count: 0 }"] {
        let steps = format!(
            "\nsteps:\n  - wait: {{ height: 3 }}\n  - expect: {{ {claim}, from: start, within: 5s }}\n"
        );
        let steps = steps.replace("{ no_error_logs", "{ no_error_logs: {}");
        let (report, _) = run(&steps, &[1_000], Tricks::default());
        assert_verdict(&report, Verdict::Pass);
        let tricks = Tricks {
            loses_a_line_at_ms: Some(2_000),
            ..Tricks::default()
        };
        let (report, _) = run(&steps, &[1_000], tricks);
        assert_verdict(&report, Verdict::Fail);
        let found = &report.failure.as_ref().unwrap().found;
        assert!(found.contains("1 log lines were lost"), "{claim}: {found}");
        assert!(
            report.oddities[0].contains("came faster"),
            "{:?}",
            report.oddities
        );
    }
}
