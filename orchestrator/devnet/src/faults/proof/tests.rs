//! What measured answers mean.

mod chance;

use std::collections::BTreeSet;

use devnet_scenario::fault::{Cut, CutShape, Fault};
use devnet_scenario::links::{Condition, LinkTable};
use devnet_scenario::world::Reach;
use proptest::prelude::*;

use super::choose::{Choice, Pairs, choose};
use super::*;

fn roster(count: usize) -> Vec<NodeName> {
    (0..count).map(|at| format!("n{at:03}")).collect()
}

fn states_of(fault: &Fault) -> BTreeMap<Link, LinkState> {
    let mut table = LinkTable::default();
    table.inflict(fault);
    table.states()
}

fn cut(shape: CutShape, count: usize) -> BTreeMap<Link, LinkState> {
    states_of(&Fault::Cut(
        Cut::new(shape, &roster(count)).expect("a sound shape"),
    ))
}

fn latency(links: &[(&str, &str)], with: Condition) -> BTreeMap<Link, LinkState> {
    let links: BTreeSet<Link> = links.iter().map(|(from, to)| Link::new(from, to)).collect();
    states_of(&Fault::Condition { links, with })
}

/// Links probed of a network with more than can all be.
const SAMPLE: usize = 500;

fn chosen(count: usize, states: &BTreeMap<Link, LinkState>) -> Choice {
    choose(
        &roster(count),
        &Pairs::All,
        &Pairs::All,
        states,
        (SAMPLE, 7),
    )
}

/// What a network measures in which every link is in its state.
fn ideal(choice: &Choice, states: &BTreeMap<Link, LinkState>, counts: bool) -> Measured {
    let is_cut = |link: &Link| states.get(link).is_some_and(|state| state.cut);
    let mut measured = Measured {
        held: states.clone(),
        ..Measured::default()
    };
    for link in &choice.reach {
        let passes = !is_cut(link) && !is_cut(&link.reversed());
        let seen = match passes {
            true => Seen::Reached { rtt_ms: 0.1 },
            false => Seen::Silent,
        };
        measured.probes.insert(link.clone(), seen);
        if counts {
            let (passed, dropped) = if is_cut(link) { (0, 2) } else { (9, 0) };
            let packets = Packets { passed, dropped };
            measured.packets.insert(link.clone(), packets);
        }
    }
    measured
}

fn reach(choice: &Choice, states: &BTreeMap<Link, LinkState>, measured: &Measured) -> Finding {
    reach::judge(&choice.reach, choice.of, states, measured)
}

#[test]
fn a_partition_that_bit_is_told_in_a_line() {
    let states = cut(CutShape::halves(&roster(6)), 6);
    let choice = chosen(6, &states);
    for counts in [true, false] {
        let finding = reach(&choice, &states, &ideal(&choice, &states, counts));
        assert_eq!(
            finding.summary,
            "18 of 18 probes across the cut fail, 12 of 12 others pass"
        );
        assert!(finding.objections.is_empty(), "{:?}", finding.objections);
        assert_eq!(finding.probes.len(), 30);
    }
}

#[test]
fn one_probe_through_a_cut_is_enough_to_object() {
    let states = cut(CutShape::halves(&roster(6)), 6);
    let choice = chosen(6, &states);
    let mut measured = ideal(&choice, &states, true);
    let through = Link::new("n000", "n005");
    measured
        .probes
        .insert(through, Seen::Reached { rtt_ms: 1.0 });
    let finding = reach(&choice, &states, &measured);
    assert_eq!(
        finding.objections,
        ["a probe got through what is cut: n000 -> n005"]
    );
    assert!(
        finding.summary.starts_with("17 of 18"),
        "{}",
        finding.summary
    );
}

#[test]
fn packets_through_a_cut_object_even_where_every_probe_fails() {
    let states = cut(CutShape::halves(&roster(4)), 4);
    let choice = chosen(4, &states);
    let mut measured = ideal(&choice, &states, true);
    let leaking = Packets {
        passed: 1,
        dropped: 5,
    };
    measured.packets.insert(Link::new("n000", "n003"), leaking);
    let finding = reach(&choice, &states, &measured);
    assert_eq!(
        finding.objections,
        ["packets got through what is cut: n000 -> n003"]
    );
}

#[test]
fn a_cut_that_takes_more_than_it_should_is_objected_to() {
    let states = cut(CutShape::isolate(&roster(1)), 4);
    let choice = chosen(4, &states);
    let mut measured = ideal(&choice, &states, false);
    measured
        .probes
        .insert(Link::new("n001", "n002"), Seen::Silent);
    let finding = reach(&choice, &states, &measured);
    assert_eq!(
        finding.objections,
        ["nothing gets through what is not cut: n001 -> n002"]
    );
}

#[test]
fn a_one_way_cut_needs_packets_to_pass_the_other_way() {
    let shape = CutShape::OneWay {
        from: vec!["n000".into()],
        to: vec!["n001".into()],
    };
    let states = cut(shape, 3);
    let choice = chosen(3, &states);
    let mut measured = ideal(&choice, &states, true);
    let finding = reach(&choice, &states, &measured);
    assert!(finding.objections.is_empty(), "{:?}", finding.objections);
    let of = |from: &str, to: &str| {
        let link = Link::new(from, to);
        let probe = finding.probes.iter().find(|probe| probe.link == link);
        let probe = probe.expect("it was probed");
        (probe.by.clone(), probe.measured)
    };
    assert_eq!(of("n000", "n001"), ("packets".into(), Reach::Cut));
    let open = Reach::Open { rtt_ms: None };
    assert_eq!(of("n001", "n000"), ("packets".into(), open));
    // Cut both ways instead: the wrong effect.
    let both_ways = Packets {
        passed: 0,
        dropped: 3,
    };
    measured
        .packets
        .insert(Link::new("n001", "n000"), both_ways);
    let finding = reach(&choice, &states, &measured);
    assert_eq!(
        finding.objections,
        ["nothing gets through what is not cut: n001 -> n000"]
    );
}

#[test]
fn what_was_not_measured_proves_nothing() {
    let states = cut(CutShape::halves(&roster(2)), 2);
    let choice = chosen(2, &states);
    let finding = reach(&choice, &states, &Measured::default());
    assert_eq!(finding.objections.len(), 1);
    let untold = Seen::Untold("n000 does not answer".into());
    let measured = Measured {
        probes: choice
            .reach
            .iter()
            .map(|link| (link.clone(), untold.clone()))
            .collect(),
        ..Measured::default()
    };
    assert_eq!(reach(&choice, &states, &measured).objections.len(), 1);
}

#[test]
fn rules_that_nodes_do_not_hold_are_objected_to() {
    let states = cut(CutShape::halves(&roster(2)), 2);
    let finding = judge_held(&states, &roster(2), &Measured::default());
    assert_eq!(
        finding.objections,
        [
            "read back from the nodes: n000 -> n001 should be cut and is free, \
          n001 -> n000 should be cut and is free"
        ]
    );
    // Of a node that does not run nothing is expected.
    assert!(
        judge_held(&states, &roster(1), &Measured::default())
            .objections
            .is_empty()
    );
}

#[test]
fn latency_must_show_in_the_round_trip() {
    let with = Condition {
        latency_ms: Some(50.0),
        ..Condition::default()
    };
    let states = latency(&[("n000", "n001"), ("n001", "n000")], with);
    let choice = chosen(3, &states);
    let slow = Link::new("n000", "n001");
    let measured = |slow_ms: f64, free_ms: f64| Measured {
        rtts: choice
            .delay
            .iter()
            .map(|link| {
                let rtt_ms = if *link == slow { slow_ms } else { free_ms };
                (link.clone(), vec![Seen::Reached { rtt_ms }])
            })
            .collect(),
        ..Measured::default()
    };
    let judge = |measured: &Measured| delay::judge(&choice.delay, &states, measured);
    let finding = judge(&measured(101.0, 1.0));
    assert!(finding.objections.is_empty(), "{:?}", finding.objections);
    assert_eq!(
        finding.summary,
        "1 of 1 round trips show their latency (100 ms wanted, 101 ms measured), \
         2 of 2 others are fast (1 ms)"
    );
    assert!(judge(&measured(89.0, 1.0)).objections[0].contains("the latency does not show"));
    assert!(judge(&measured(101.0, 120.0)).objections[0].contains("without latency are slow"));
    assert_eq!(judge(&Measured::default()).objections.len(), 1);
    let busy = judge(&measured(250.0, 120.0));
    assert!(
        busy.objections.is_empty(),
        "what a busy machine adds, it adds to all"
    );
    // Only what is not settled is measured again.
    let again = delay::to_repeat(&choice.delay, &states, &measured(101.0, 120.0));
    assert_eq!(again.len(), 2);
}

#[test]
fn in_large_networks_what_is_cut_is_probed_first() {
    let states = cut(CutShape::isolate(&roster(1)), 100);
    let choice = chosen(100, &states);
    assert_eq!(choice.reach.len(), SAMPLE);
    assert_eq!(choice.of, Some(9_900));
    assert!(states.keys().all(|link| choice.reach.contains(link)));
    assert_eq!(choice, chosen(100, &states), "the seed decides");
    let larger = (choose::REACH_MAX, 7);
    let more = choose(&roster(100), &Pairs::All, &Pairs::All, &states, larger);
    assert_eq!(more.reach.len(), choose::REACH_MAX);
    assert!(choice.reach.iter().all(|link| more.reach.contains(link)));
    let few = chosen(45, &BTreeMap::new());
    assert_eq!((few.reach.len(), few.of), (45 * 44, None), "all of them");
    let finding = reach(&choice, &states, &ideal(&choice, &states, true));
    assert!(
        finding.summary.contains("a sample of 500 of 9900"),
        "{}",
        finding.summary
    );
}

#[test]
fn without_a_connection_of_their_own_nodes_are_not_probed() {
    let edge = Link::new("n000", "n001");
    let edges = Pairs::Edges(BTreeSet::from([edge.clone(), edge.reversed()]));
    let choice = choose(&roster(3), &edges, &edges, &BTreeMap::new(), (SAMPLE, 7));
    assert_eq!(choice.reach, [edge.clone(), edge.reversed()]);
    assert_eq!(choice.delay, [edge]);
}

proptest! {
    #[test]
    fn any_partition_that_holds_is_proved_and_no_other(
        count in 2_usize..9, first in prop::collection::vec(any::<bool>(), 8), counts in any::<bool>(),
        broken in any::<prop::sample::Index>(),
    ) {
        let group: Vec<NodeName> = roster(count)
            .into_iter()
            .zip(&first)
            .filter(|(_, is_in)| **is_in)
            .map(|(node, _)| node)
            .collect();
        prop_assume!(!group.is_empty() && group.len() < count);
        let states = cut(CutShape::Groups(vec![group]), count);
        let choice = chosen(count, &states);
        let mut measured = ideal(&choice, &states, counts);
        prop_assert!(reach(&choice, &states, &measured).objections.is_empty());
        let at = broken.index(choice.reach.len());
        let seen = measured.probes.get_mut(&choice.reach[at]).expect("it was probed");
        *seen = match seen {
            Seen::Reached { .. } => Seen::Silent,
            _ => Seen::Reached { rtt_ms: 1.0 },
        };
        prop_assert!(!reach(&choice, &states, &measured).objections.is_empty());
    }
}

/// Looks at the links across before they are cut, the way `of` tells.
fn looked_at(measured: &mut Measured, of: impl Fn(&Link) -> Earlier) {
    let silent = measured.probes.iter();
    let silent = silent.filter(|(_, seen)| **seen == Seen::Silent);
    let earlier = silent.map(|(link, _)| (link.clone(), of(link)));
    measured.earlier = earlier.collect();
}

#[test]
fn a_cut_of_links_that_were_silent_before_proves_nothing() {
    let states = cut(CutShape::halves(&roster(4)), 4);
    let choice = chosen(4, &states);
    let mut measured = ideal(&choice, &states, false);
    looked_at(&mut measured, |_| Earlier::Probed(Seen::Silent));
    let finding = reach(&choice, &states, &measured);
    assert_eq!(finding.objections.len(), 1, "{:?}", finding.objections);
    assert!(finding.objections[0].contains("before the cut either"));
    // What receivers dropped is proof enough.
    let mut counted = ideal(&choice, &states, true);
    looked_at(&mut counted, |_| Earlier::Probed(Seen::Silent));
    assert!(reach(&choice, &states, &counted).objections.is_empty());
}

#[test]
fn links_that_passed_before_the_cut_prove_it_and_silent_ones_are_counted_out() {
    let states = cut(CutShape::halves(&roster(4)), 4);
    let choice = chosen(4, &states);
    let mut measured = ideal(&choice, &states, false);
    looked_at(&mut measured, |link| match link.from.as_str() {
        "n000" => Earlier::Probed(Seen::Silent),
        "n001" => Earlier::Cut,
        _ => Earlier::Probed(Seen::Reached { rtt_ms: 0.2 }),
    });
    let finding = reach(&choice, &states, &measured);
    assert!(finding.objections.is_empty(), "{:?}", finding.objections);
    assert_eq!(
        finding.summary,
        "6 of 8 probes across the cut fail, 4 of 4 others pass; 2 could not pass before either \
         and prove nothing"
    );
    let of = |from: &str| {
        let link = Link::new(from, "n003");
        let mut probes = finding.probes.iter();
        let probe = probes.find(|probe| probe.link == link);
        probe.map(|probe| (probe.before, probe.measured))
    };
    assert_eq!(of("n000"), Some((Some(Reach::Cut), Reach::Unknown)));
    assert_eq!(of("n001"), Some((Some(Reach::Cut), Reach::Cut)));
    assert_eq!(of("n002"), Some((None, Reach::Open { rtt_ms: Some(0.1) })));
}

#[test]
fn a_probe_through_a_cut_objects_whatever_was_before() {
    let states = cut(CutShape::halves(&roster(2)), 2);
    let choice = chosen(2, &states);
    let mut measured = ideal(&choice, &states, false);
    looked_at(&mut measured, |_| Earlier::Probed(Seen::Silent));
    let link = Link::new("n000", "n001");
    measured.probes.insert(link, Seen::Reached { rtt_ms: 0.1 });
    let finding = reach(&choice, &states, &measured);
    assert_eq!(
        finding.objections[0],
        "a probe got through what is cut: n000 -> n001"
    );
}

#[test]
fn a_limit_of_the_rate_must_show_in_the_time_a_payload_takes() {
    let with = Condition {
        rate_bytes_s: Some(100_000),
        ..Condition::default()
    };
    let states = latency(&[("n000", "n001")], with);
    let choice = chosen(3, &states);
    let limited = Link::new("n000", "n001");
    assert_eq!(choice.rate.len(), 2, "{:?}", choice.rate);
    let bytes = rate::bytes(&limited, &states);
    assert_eq!(bytes, 40_000);
    assert!((rate::wanted_ms(&limited, &states, bytes) - 400.0).abs() < 1e-9);
    let judge = |limited_ms: f64, free_ms: f64| {
        let payload = |link: &Link| {
            let rtt_ms = if *link == limited {
                limited_ms
            } else {
                free_ms
            };
            let size = rate::bytes(link, &states);
            (link.clone(), (size, Seen::Reached { rtt_ms }))
        };
        let measured = Measured {
            payloads: choice.rate.iter().map(payload).collect(),
            ..Measured::default()
        };
        rate::judge(&choice.rate, &states, &measured)
    };
    let finding = judge(405.0, 8.0);
    assert!(finding.objections.is_empty(), "{:?}", finding.objections);
    assert!(finding.summary.starts_with("1 of 1 links show"));
    assert!(judge(300.0, 8.0).objections[0].contains("40000 bytes in 300 ms instead of 400 ms"));
    assert!(judge(405.0, 9_000.0).objections[0].contains("no faster"));
    let unmeasured = rate::judge(&choice.rate, &states, &Measured::default());
    assert!(unmeasured.objections[0].contains("could not be measured"));
}

#[test]
fn limits_too_high_to_show_are_not_called_proven() {
    let with = Condition {
        rate_bytes_s: Some(1_000_000_000),
        ..Condition::default()
    };
    let states = latency(&[("n000", "n001")], with);
    let link = Link::new("n000", "n001");
    let payload = (256 * 1_024, Seen::Reached { rtt_ms: 5.0 });
    let measured = Measured {
        payloads: BTreeMap::from([(link.clone(), payload)]),
        ..Measured::default()
    };
    let finding = rate::judge(&[link], &states, &measured);
    assert!(
        finding.objections[0].contains("too high to be proven"),
        "{finding:?}"
    );
    assert_eq!(rate::PROVABLE_MAX, 13_107_200, "as the command line says");
}
