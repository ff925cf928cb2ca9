//! Every kind of claim in a world where it holds, and in the same world where
//! it asks for too much: a claim that nothing can break would claim nothing.

use super::*;

/// Runs those steps, then one claim.
fn claim(before: &str, claim: &str, miners: &[u64], tricks: Tricks) -> Report {
    let steps = format!("\nsteps:\n{before}  - expect:\n      - {claim}\n");
    run(&steps, miners, tricks).0
}

fn found(report: &Report) -> String {
    report
        .failure
        .as_ref()
        .map_or_else(String::new, |x| x.found.clone())
}

/// What is asked for holds first, and is broken then.
#[track_caller]
fn holds_and_breaks(before: &str, miners: &[u64], holding: &str, broken: &str) {
    let report = claim(before, holding, miners, Tricks::default());
    assert_eq!(
        report.verdict,
        Verdict::Pass,
        "{holding}: {}",
        found(&report)
    );
    let report = claim(before, broken, miners, Tricks::default());
    assert_eq!(report.verdict, Verdict::Fail, "{broken}");
    assert_ne!(found(&report), "", "{broken}");
}

const CALM: &str = "  - wait: { height: 8 }\n";

/// Two halves that mined about ten and five blocks apart, and are one again.
const FORKED: &str = "  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: 10s
  - heal
  - wait: 4s
";

#[test]
fn windows_over_a_calm_chain_are_measured() {
    for (holding, broken) in [
        (
            "block_interval: { p95: '< 2 blocks' }\n        from: start",
            "block_interval: { p95: '< 0.5 blocks' }\n        from: start",
        ),
        (
            "block_interval: { mean: '> 0.9 blocks' }\n        from: start",
            "block_interval: { mean: '> 1.5 blocks' }\n        from: start",
        ),
        ("memory: '< 60MiB'", "memory: '< 40MiB'"),
        ("peers: 2", "peers: '>= 4'"),
        ("height: '>= 8'", "height: '< 8'"),
        ("restarts: 0", "restarts: '>= 1'"),
        (
            "metric: { select: toy_blocks_total, rate: '>= 0.5' }\n        within: 10s",
            "metric: { select: toy_blocks_total, rate: '>= 5' }\n        within: 10s",
        ),
        (
            "fork_count: 0\n        from: start",
            "fork_count: '>= 1'\n        from: start",
        ),
        (
            "stale_rate: '< 1%'\n        from: start",
            "stale_rate: '> 1%'\n        from: start",
        ),
        (
            "progress: { blocks: 3 }\n        within: 5s",
            "progress: { blocks: 9 }\n        within: 5s",
        ),
    ] {
        holds_and_breaks(CALM, &[1_000], holding, broken);
    }
}

#[test]
fn what_a_fork_leaves_is_counted() {
    for (holding, broken) in [
        (
            "fork_count: 1\n        from: start",
            "fork_count: 0\n        from: start",
        ),
        (
            "stale_rate: '> 20%'\n        from: start",
            "stale_rate: '< 20%'\n        from: start",
        ),
        (
            "reorg_depth: '>= 4'\n        from: start",
            "reorg_depth: '>= 9'\n        from: start\n        within: 2s",
        ),
        (
            "tip_of: { is: miner-1 }",
            "tip_of: { is: $lost, contains: true }\n        within: 2s",
        ),
        (
            "tip_of: { is: $kept, contains: true }\n        within: 2s",
            "tip_of: { is: $lost, contains: true }\n        within: 2s",
        ),
    ] {
        let before = FORKED.replace(
            "  - heal\n",
            "  - record: { lost: { tip: miner-1 }, kept: { tip: miner-1, below: 6 } }\n  - heal\n",
        );
        holds_and_breaks(&before, &[1_000, 2_000], holding, broken);
    }
}

#[test]
fn a_node_that_is_cut_off_makes_no_progress_and_the_others_do() {
    let before = "  - wait: { height: 3 }\n  - partition: { isolate: observer-0 }\n";
    holds_and_breaks(
        before,
        &[1_000],
        "no_progress: { during: 4 blocks }\n        on: observer-0",
        "no_progress: { during: 4 blocks }\n        on: miner-0",
    );
}

#[test]
fn a_share_of_nodes_may_break_a_claim_and_no_more() {
    let before = "  - wait: { height: 3 }\n  - partition: { isolate: observer-0 }\n  - wait: 6s\n";
    holds_and_breaks(
        before,
        &[1_000],
        "height: '>= 6'\n        allow: 40%",
        "height: '>= 6'\n        allow: 10%",
    );
}

#[test]
fn the_time_to_converge_counts_from_the_heal() {
    // Healed at once, and blocks come every two seconds: within one second of
    // the heal no fresh block can be there; within ten it is.
    let before = "  - wait: { height: 3 }
  - partition: [[bootstrap-0, miner-0], rest]
  - wait: 5s
  - heal
  - wait: 3s
";
    holds_and_breaks(
        before,
        &[2_000],
        "converged: { max_lag: 1, fresh: 1 }\n        from: heal\n        within: 20s",
        "converged: { max_lag: 1, fresh: 9 }\n        from: heal\n        within: 8s",
    );
}

#[test]
fn a_coin_more_than_was_issued_breaks_the_supply() {
    let sound = claim(CALM, "supply", &[1_000], Tricks::default());
    assert_verdict(&sound, Verdict::Pass);
    let tricks = Tricks {
        forger: Some("miner-0".into()),
        ..Tricks::default()
    };
    let forged = claim(CALM, "supply", &[1_000], tricks);
    assert_verdict(&forged, Verdict::Fail);
    assert!(found(&forged).contains("miner-0"), "{}", found(&forged));
}

#[test]
fn lines_are_found_by_pattern_and_counted() {
    let lines = |count: u64| Tricks {
        logs: (0..count)
            .map(|at| {
                (
                    2_000 + at,
                    "miner-0".into(),
                    format!("INFO tip changed height={at}"),
                )
            })
            .collect(),
        ..Tricks::default()
    };
    let pattern = "log: { matches: 'height=[0-9]+$', count: 3 }\n        from: start";
    assert_verdict(&claim(CALM, pattern, &[1_000], lines(3)), Verdict::Pass);
    assert_verdict(&claim(CALM, pattern, &[1_000], lines(2)), Verdict::Fail);
    let other = "log: { matches: 'height=[a-z]+$' }\n        from: start\n        within: 2s";
    assert_verdict(&claim(CALM, other, &[1_000], lines(3)), Verdict::Fail);
}
