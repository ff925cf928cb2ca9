//! What is left to chance: loss and jitter, and how much of it is enough.

use super::*;

fn lossy(loss: f64) -> BTreeMap<Link, LinkState> {
    let with = Condition {
        loss: Some(loss),
        ..Condition::default()
    };
    latency(&[("n000", "n001")], with)
}

fn link() -> Link {
    Link::new("n000", "n001")
}

#[test]
fn loss_must_show_in_the_counters() {
    let states = lossy(0.2);
    let probed = chosen(2, &states).loss;
    let judge = |passed: u64, dropped: u64| {
        let packets = BTreeMap::from([(link(), Packets { passed, dropped })]);
        let measured = Measured {
            packets,
            ..Measured::default()
        };
        loss::judge_packets(&probed, &states, &measured)
    };
    assert!(judge(80, 20).objections.is_empty());
    assert!(judge(70, 30).objections.is_empty());
    for (passed, dropped) in [(10, 0), (8, 2)] {
        let few = judge(passed, dropped).objections;
        assert!(
            few[0].contains("too few to prove a loss of 20 %"),
            "{few:?}"
        );
    }
    assert!(!judge(100, 0).objections.is_empty());
    assert!(!judge(20, 80).objections.is_empty());
    assert!(!judge(0, 0).objections.is_empty());
}

#[test]
fn so_many_probes_go_out_that_enough_of_them_should_be_lost() {
    for share in [0.5, 0.2, 0.05, 0.01, 0.001] {
        let probes: usize = chosen(2, &lossy(share)).loss.values().sum();
        assert!(
            probes as f64 * share >= choose::LOST_ENOUGH,
            "{share}: {probes}"
        );
        assert!(
            probes as f64 * share <= choose::LOST_ENOUGH + 1.0,
            "{share}: {probes}"
        );
    }
    // Where links share their probes, each share still shows.
    let with = |loss| Condition {
        loss: Some(loss),
        ..Condition::default()
    };
    let mut table = LinkTable::default();
    let links: BTreeSet<Link> = chosen(6, &BTreeMap::new()).reach.into_iter().collect();
    table.inflict(&Fault::Condition {
        links,
        with: with(0.01),
    });
    let rare = BTreeSet::from([link(), link().reversed()]);
    table.inflict(&Fault::Condition {
        links: rare.clone(),
        with: with(0.001),
    });
    let probes = chosen(6, &table.states()).loss;
    let (few, many): (Vec<_>, Vec<_>) = probes.iter().partition(|(link, _)| rare.contains(*link));
    let sum = |of: &[(&Link, &usize)]| of.iter().map(|(_, count)| **count).sum::<usize>() as f64;
    assert!(sum(&few) * 0.001 >= choose::LOST_ENOUGH, "{few:?}");
    assert!(sum(&many) * 0.01 >= choose::LOST_ENOUGH, "{many:?}");
    assert!(sum(&few) + sum(&many) <= (choose::LOSS_MAX + probes.len()) as f64);
    // A share that no number of probes within bounds can show is not proven.
    let probes: usize = chosen(2, &lossy(1e-5)).loss.values().sum();
    assert!((probes as f64) * 1e-5 < choose::LOST_ENOUGH, "{probes}");
}

#[test]
fn a_share_that_is_not_proven_is_not_hidden_by_others_that_are() {
    let mut table = LinkTable::default();
    for (from, to, loss) in [("n000", "n001", 0.5), ("n001", "n000", 0.001)] {
        let with = Condition {
            loss: Some(loss),
            ..Condition::default()
        };
        let links = BTreeSet::from([Link::new(from, to)]);
        table.inflict(&Fault::Condition { links, with });
    }
    let states = table.states();
    let packets = |passed, dropped| Packets { passed, dropped };
    let measured = Measured {
        packets: BTreeMap::from([
            (link(), packets(500, 500)),
            (link().reversed(), packets(1_000, 1)),
        ]),
        ..Measured::default()
    };
    let finding = loss::judge_packets(&chosen(2, &states).loss, &states, &measured);
    assert!(
        finding.objections[0].contains("a loss of 0.1 %"),
        "{finding:?}"
    );
}

#[test]
fn loss_in_processes_must_show_as_late_answers() {
    let states = lossy(0.5);
    let probed = chosen(2, &states).loss;
    let measured = |fast: usize, late: usize| {
        let seen = |rtt_ms| Seen::Reached { rtt_ms };
        let rtts = [vec![seen(1.0); fast], vec![seen(210.0); late]].concat();
        Measured {
            rtts: BTreeMap::from([(link(), rtts)]),
            ..Measured::default()
        }
    };
    let judge = |measured: &Measured| loss::judge_delays(&probed, &states, measured).objections;
    assert!(judge(&measured(14, 14)).is_empty());
    assert!(judge(&measured(3, 2))[0].contains("too few to prove"));
    let missing = |fast, late| loss::missing(&probed, &states, &measured(fast, late));
    assert_eq!(missing(0, 2), BTreeMap::from([(link(), 26)]));
    assert_eq!(missing(28, 0), BTreeMap::new());
    // Where both ways lose, a round trip meets two losses.
    let with = Condition {
        loss: Some(0.5),
        ..Condition::default()
    };
    let both = latency(&[("n000", "n001"), ("n001", "n000")], with);
    let probed_both = chosen(2, &both).loss;
    let missing = loss::missing(&probed_both, &both, &Measured::default());
    assert_eq!(missing.into_values().collect::<Vec<_>>(), [10, 10]);
    assert!(judge(&measured(28, 0))[0].contains("as if nothing were lost"));
    assert!(judge(&measured(99, 1))[0].contains("fewer answers came late"));
    assert!(!judge(&measured(0, 0)).is_empty());
}

fn jittery(latency_ms: f64, jitter_ms: f64) -> BTreeMap<Link, LinkState> {
    let with = Condition {
        latency_ms: Some(latency_ms),
        jitter_ms: Some(jitter_ms),
        ..Condition::default()
    };
    latency(&[("n000", "n001"), ("n001", "n000")], with)
}

fn trips(rtts: impl IntoIterator<Item = f64>) -> Measured {
    let seen = rtts.into_iter().map(|rtt_ms| Seen::Reached { rtt_ms });
    Measured {
        rtts: BTreeMap::from([(link(), seen.collect())]),
        ..Measured::default()
    }
}

#[test]
fn round_trips_that_all_take_as_long_show_no_jitter() {
    let states = jittery(50.0, 10.0);
    let judge = |measured: &Measured| jitter::judge(&[link()], &states, measured);
    let noise = |at: usize| 100.0 + [0.0, 0.4, 0.9, 0.2][at % 4];
    let still = judge(&trips((0..17).map(noise)));
    assert!(
        still.objections[0].contains("the jitter does not show"),
        "{still:?}"
    );
    let spread = |at: usize| 100.0 + [0.0, 12.0, -9.0, 15.0, -20.0][at % 5];
    let shown = judge(&trips((0..17).map(spread)));
    assert!(shown.objections.is_empty(), "{shown:?}");
    assert!(
        shown
            .summary
            .starts_with("round trips of 1 links spread by 1"),
        "{shown:?}"
    );
    let few = judge(&trips((0..4).map(spread)));
    assert!(
        few.objections[0].contains("could not be measured"),
        "{few:?}"
    );
    // What a busy machine adds speaks against nothing.
    let busy = judge(&trips((0..17).map(|at| 100.0 + 40.0 * (at % 3) as f64)));
    assert!(busy.objections.is_empty(), "{busy:?}");
}

#[test]
fn round_trips_are_repeated_until_they_tell_of_the_jitter() {
    let states = jittery(50.0, 10.0);
    let open = |count| jitter::to_repeat(&[link()], &states, &trips(vec![100.0; count]));
    assert_eq!(open(16).len(), 1);
    assert_eq!(open(17), []);
    assert_eq!(jitter::to_repeat(&[link()], &lossy(0.1), &trips([])), []);
}

proptest! {
    /// Draws as the nodes' conditioner does: normal, and never below zero.
    #[test]
    fn real_jitter_is_never_objected_to(
        uniform in proptest::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 34),
        latency_ms in 0.0..200.0_f64,
        jitter_ms in 1.0..50.0_f64,
    ) {
        // Box and Muller (1958).
        let normal = |(a, b): &(f64, f64)| {
            (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        };
        let one_way = |drawn| (latency_ms + jitter_ms * normal(drawn)).max(0.0);
        let rtts = uniform.chunks(2).map(|pair| pair.iter().map(one_way).sum::<f64>());
        let rtts: Vec<f64> = rtts.collect();
        let states = jittery(latency_ms, jitter_ms);
        let finding = jitter::judge(&[link()], &states, &trips(rtts));
        prop_assert_eq!(finding.objections, Vec::<String>::new());
    }
}
