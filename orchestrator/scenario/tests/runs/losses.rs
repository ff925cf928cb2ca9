//! Nodes that end without the run's doing.

use super::toy::look::Away;
use super::*;

fn dying(name: &str, at_ms: u64) -> Tricks {
    Tricks {
        dies: Some((name.into(), at_ms)),
        ..Tricks::default()
    }
}

#[test]
fn a_node_that_ends_on_its_own_is_told_though_no_claim_is_about_it() {
    let steps = "\nsteps:\n  - wait: 10s\n";
    let (report, _) = run(steps, &[1_000], dying("observer-0", 5_000));
    assert_verdict(&report, Verdict::Pass);
    let [odd] = &report.oddities[..] else {
        panic!("{:?}", report.oddities);
    };
    assert!(odd.starts_with("observer-0 ended at 4."), "{odd}");
    assert!(odd.ends_with("not by this run: killed"), "{odd}");
}

#[test]
fn a_node_that_ended_on_its_own_and_was_started_is_told_with_both_times() {
    let steps = "\nsteps:\n  - wait: 8s\n  - start: observer-0\n  - wait: 3s\n";
    let (report, _) = run(steps, &[1_000], dying("observer-0", 5_000));
    assert_verdict(&report, Verdict::Pass);
    let [odd] = &report.oddities[..] else {
        panic!("{:?}", report.oddities);
    };
    assert!(odd.contains("observer-0 ended at 4."), "{odd}");
    assert!(odd.contains("; it answered again at 8."), "{odd}");
}

#[test]
fn what_the_run_ends_is_no_loss() {
    for steps in [
        "  - kill: miner-1\n  - wait: 3s\n  - start: miner-1\n  - wait: 3s\n",
        "  - stop: observer-0\n    for: 3s\n  - wait: 3s\n",
        "  - restart: miner-0\n  - wait: 3s\n  - kill: miner-0\n  - wait: 3s\n  - heal\n",
        "  - remove: observer-0\n  - wait: 3s\n  - heal\n  - wait: 3s\n",
    ] {
        let steps = format!("\nsteps:\n  - wait: 2s\n{steps}");
        let (report, _) = run(&steps, &[1_000, 1_500], Tricks::default());
        assert_verdict(&report, Verdict::Pass);
        assert_eq!(report.oddities, Vec::<String>::new(), "{steps}");
    }
}

#[test]
fn nodes_that_end_with_their_engine_are_told_once() {
    let away = Away {
        from_ms: 6_000,
        until_ms: 9_000,
        nodes_end_at_ms: Some(6_000),
    };
    let tricks = Tricks {
        away: Some(away),
        ..Tricks::default()
    };
    let (report, _) = run("\nsteps:\n  - wait: 20s\n", &[1_000], tricks);
    assert_verdict(&report, Verdict::Broken);
    assert_eq!(report.oddities, Vec::<String>::new());
}
