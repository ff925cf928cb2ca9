//! Scenarios held against a network.

use devnet_scenario::check::check;

use crate::support::{read, refused, roster, spell};

#[test]
fn names_of_nodes_groups_zones_and_accounts_must_exist() {
    assert_eq!(
        refused(
            "- kill: [miner-0, minr-1]\n- pause: miners\n- latency: { is: 5ms, zones: [eu, uss] }\n\
             - transfer: { from: alcie, to: bob, amount: 1 }\n\
             - partition: { links: [[miner-0, miner-9]] }\n- expect: { height: 1, except: nobody }"
        ),
        [
            "4:21 there is no node or group `minr-1`; did you mean `miner-1`?",
            "5:12 there is no node or group `miners`; did you mean `miner`?",
            "6:37 no node stands in a zone `uss`; did you mean `us`?",
            "7:23 there is no account `alcie`; did you mean `alice`?",
            "8:36 cannot partition: there is no node miner-9; did you mean `miner-0`?",
            "9:34 there is no node or group `nobody`; known are: bootstrap, miner, observer, bootstrap-0, miner-0, miner-1, observer-0",
        ]
    );
}

#[test]
fn partitions_that_cannot_be_made_are_refused() {
    let cases = [
        (
            "- partition: [[miner-0], [miner-0]]",
            "stands in two groups",
        ),
        ("- partition: [all]", "nothing would be cut"),
        ("- partition: [all, rest]", "`rest`"),
        ("- partition: { isolate: rest }", "`rest`"),
        (
            "- kill: { random: 9, of: miner }",
            "9 nodes cannot be drawn from 2",
        ),
        (
            "- latency: { is: 5ms, between: [miner-0, miner-0] }",
            "no link joins",
        ),
    ];
    for (step, why) in cases {
        let told = refused(step);
        assert!(told.len() == 1 && told[0].contains(why), "{step}: {told:?}");
    }
}

#[test]
fn times_are_more_than_nothing_and_at_most_a_day() {
    assert_eq!(
        refused(
            "- wait: 0s\n- wait: 90000 blocks\n- { kill: miner-0, for: 10s, timeout: 5s }\n- { restart: miner-0, for: 5s }"
        ),
        [
            "4:11 a time of nothing; choose a longer one",
            "5:11 90000 blocks are longer than the 24h that a step may take",
            "6:41 a step of 10s cannot end within 5s",
            "7:30 `for` has no meaning for `restart`: it leaves nothing to take back",
        ]
    );
}

#[test]
fn records_are_made_once_before_they_are_used() {
    assert_eq!(
        refused(
            "- expect: { height: \">= $before\" }\n- record: { before: height, top: tip }\n\
             - record: { before: height }\n- expect: { height: \">= $befor + 1\" }\n\
             - expect: { tip_of: { is: $before } }\n- expect: { height: $top }\n\
             - expect: { tip_of: { is: $top, contains: true } }"
        ),
        [
            "4:23 nothing was recorded as `before` before; there are none here",
            "6:23 `before` is already recorded by an earlier step",
            "7:23 nothing was recorded as `befor` before; did you mean `before`?",
            "8:29 `$before` is a number; `tip_of` needs a recorded tip",
            "9:23 `$top` is a tip, no number; compare it by `tip_of`",
        ]
    );
}

#[test]
fn payments_are_judged_and_stopped_after_they_were_sent() {
    assert_eq!(
        refused(
            "- stop_load: { name: load }\n- load: { rate: 1, from: alice, to: bob }\n\
             - stop_load: { name: load }\n- expect: { transaction: { of: laod } }\n\
             - transfer: { name: load, from: alice, to: bob, amount: 1 }"
        ),
        [
            "4:16 no load `load` was started before; there are none here",
            "7:34 no load or transfer `laod` was sent before; did you mean `load`?",
            "8:23 there is already a load or transfer `load`",
        ]
    );
}

#[test]
fn claims_that_can_never_hold_are_refused() {
    let never = "this can never hold";
    let cases = [
        ("- expect: diverged", never),
        ("- partition: halves\n- heal\n- expect: diverged", never),
        (
            "- { partition: halves, for: 5s }\n- expect: diverged",
            never,
        ),
        ("- partition: halves\n- expect: converged", never),
        ("- expect: winner", never),
        ("- expect: { peers: \"< 0\" }", never),
        (
            "- expect: { log: { contains: x, count: \"== -1\" } }",
            never,
        ),
        (
            "- expect: { height: 1, on: miner-0, except: miner-0 }",
            "every node is excused",
        ),
        ("- wait: { peers: 4 }", "no node can have 4 peers"),
        (
            "- hash_rate: { on: observer-0, to: 5 }",
            "`observer-0` does not mine",
        ),
        (
            "- expect: { block_interval: { mean: \"< 3\" } }",
            "a time needs a unit",
        ),
        (
            "- always: { expect: { supply: , within: 5s }, steps: [heal] }",
            "`within` has no meaning in `always`",
        ),
    ];
    for (steps, why) in cases {
        let told = refused(steps);
        assert!(
            told.len() == 1 && told[0].contains(why),
            "{steps}: {told:?}"
        );
    }
}

#[test]
fn claims_that_can_hold_are_not_refused() {
    for steps in [
        "- partition: halves\n- expect: diverged\n- heal: cuts\n- expect: [converged, winner]",
        "- partition: [miner-0, rest]\n- expect: { converged: , except: miner-0 }",
        "- partition: { bridge: { sides: [miner-0, miner-1], over: bootstrap-0 } }\n- expect: converged",
        "- parallel:\n    - { partition: halves, for: 9s }\n    - steps: [{ wait: 4s }, { expect: diverged }]\n- expect: converged",
        "- add: { group: observer }\n- kill: observer-1",
        "- repeat: { count: 3, choose: [{ steps: [{ kill: miner-0, for: 2s }] }, { weight: 2, steps: [heal] }] }",
    ] {
        assert_eq!(refused(steps), Vec::<String>::new(), "{steps}");
    }
}

#[test]
fn a_scenario_that_expects_nothing_is_odd() {
    let problems = check(&read("- wait: 5s"), &roster());
    assert_eq!(
        spell(&problems),
        ["4:3 warning: nothing is expected, so this scenario passes whatever happens"]
    );
}

#[test]
fn nobody_waits_for_blocks_that_nobody_mines() {
    let mut idle = roster();
    idle.nodes.retain(|node| node.role != "miner");
    let problems = check(&read("- wait: { blocks: 2 }\n- expect: progress"), &idle);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].what.contains("no node of the network mines"));
}
