//! What is taken back: by `for`, by healing, and by the run's end.

use super::*;

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
    assert_eq!(lasted.len(), 1, "{:#?}", report.faults);
    assert!(
        lasted[0] >= 4_900,
        "the first one's end ended it: {lasted:?}"
    );
    assert!(toy.acts.iter().any(|act| act.contains("Start")));
    assert!(!toy.acts.iter().any(|act| act.contains("Heal(All)")));
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
    let is_restored = |act: &String| act.starts_with("Lift") && act.contains("observer-0");
    assert!(toy.acts.iter().any(is_restored), "{:?}", toy.acts);
}

#[test]
fn lifting_one_fault_leaves_what_else_was_done_to_its_node() {
    let steps = "
steps:
  - wait: { height: 2 }
  - add: { group: observer }
  - upgrade: { on: observer-1, to: ./other }
  - clock_skew: { on: observer-1, by: 5s }
    for: 2s
  - expect: { height: '>= 3', on: observer-1, within: 10s }
";
    let (report, toy) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    let ended = |title: &str| {
        let fault = report.faults.iter().find(|x| x.title.starts_with(title));
        fault
            .expect(title)
            .ended_at_ms
            .expect("the closing heal sees it")
    };
    assert!(
        ended("clock off") < ended("upgrade"),
        "{:#?}",
        report.faults
    );
    assert_eq!(ended("upgrade"), ended("add"));
    assert_eq!(toy.acts.last().map(String::as_str), Some("Heal(All)"));
}

#[test]
fn what_a_later_step_replaced_is_not_lifted_with_the_first() {
    let steps = "
steps:
  - parallel:
      - clock_skew: { on: miner-0, by: 5s }
        for: 2s
      - steps:
          - wait: 1s
          - clock_skew: { on: miner-0, by: 9s }
          - wait: 3s
";
    let (report, toy) = run(steps, &[1_000], Tricks::default());
    assert_verdict(&report, Verdict::Pass);
    assert!(
        !toy.acts.iter().any(|act| act.starts_with("Lift")),
        "{:?}",
        toy.acts
    );
}
