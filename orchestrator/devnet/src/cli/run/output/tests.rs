//! What is said of runs.

use devnet_scenario::world::NodeFacts;

use super::*;

fn run(verdict: Verdict, heal_ms: &[u64]) -> RunRecord {
    RunRecord {
        scenario: "two-way".into(),
        file: "two-way.yaml".into(),
        seed: 7,
        engine: "process".into(),
        network: "n".into(),
        verdict,
        reason: match verdict {
            Verdict::Pass => String::new(),
            _ => "expected one tip; found two".into(),
        },
        cases: Vec::new(),
        oddities: Vec::new(),
        elapsed_ms: 1_000,
        heal_to_converged_ms: heal_ms.to_vec(),
        replay: "devnet run two-way.yaml --seed 7".into(),
        digest: None,
        bundle: None,
        story: String::new(),
        is_bad_input: false,
    }
}

#[test]
fn repeated_runs_tell_how_often_they_fail_and_how_sure_that_is() {
    let runs = [
        run(Verdict::Pass, &[1_200]),
        run(Verdict::Fail, &[]),
        run(Verdict::Pass, &[2_200]),
        run(Verdict::Interrupted, &[]),
    ];
    let shown: Vec<&RunRecord> = runs.iter().collect();
    insta::assert_snapshot!(repeated(&shown), @r"
    two-way: 1 of 3 runs did not pass: 33.3 % (95 % confidence: 6.1 to 79.2 %); heal to converged: median 1.7 s of 2
      FAIL with seed 7: expected one tip; found two
      INTERRUPTED with seed 7: expected one tip; found two
    ");
    let data = statistics(&shown);
    assert_eq!(data["runs"], 3);
    assert_eq!(data["heal_to_converged_median_ms"], 1_700);
}

#[test]
fn the_last_line_counts_verdicts() {
    assert_eq!(counts(&[run(Verdict::Pass, &[])]), "1 of 1 run passed.");
    let runs = [run(Verdict::Pass, &[]), run(Verdict::Invalid, &[])];
    assert_eq!(counts(&runs), "1 of 2 runs passed: 1 INVALID.");
}

#[test]
fn the_moving_line_tells_heights_and_tips() {
    let up = |tip: &str, height: u32| {
        NodeView::Up(Box::new(NodeFacts {
            tip: tip.into(),
            height,
            work: String::new(),
            peers: Vec::new(),
            mempool: 0,
            coins: None,
            restarts: 0,
            memory_bytes: None,
            metrics: None,
        }))
    };
    let down = NodeView::Down {
        state: "paused".into(),
        why: String::new(),
    };
    let mut snapshot = Snapshot::default();
    assert_eq!(summary(&snapshot), "no node answers");
    snapshot.nodes.insert("a".into(), up("x", 4));
    assert_eq!(summary(&snapshot), "height 4, one tip");
    snapshot.nodes.insert("b".into(), up("y", 6));
    snapshot.nodes.insert("c".into(), down);
    assert_eq!(summary(&snapshot), "heights 4 to 6, 2 tips, 1 down");
}
