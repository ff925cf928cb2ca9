//! What nodes must hold, and what follows from what they hold.

use std::collections::BTreeSet;

use devnet_scenario::fault::{Cut, CutShape, Fault};
use devnet_scenario::links::LinkTable;
use proptest::prelude::*;

use super::*;

fn name(at: usize) -> NodeName {
    format!("n{at}")
}

fn ends(count: usize) -> Ends {
    let end = |at: usize| End {
        ip: Ipv4Addr::from(0x0a00_0002 + u32::try_from(at).expect("few nodes")),
        // Not in the order of names, as real ids are not.
        peer_id: Some(format!("id-{}", count - at)),
    };
    (0..count).map(|at| (name(at), end(at))).collect()
}

fn a_state() -> impl Strategy<Value = LinkState> {
    let number = || prop::option::of(1_u32..1_000).prop_map(|n| n.map(f64::from));
    let loss = prop::option::of(1_u32..99).prop_map(|n| n.map(|n| f64::from(n) / 100.0));
    let rate = prop::option::of(1_u64..1_000_000);
    (any::<bool>(), number(), number(), loss, rate).prop_map(
        |(cut, latency, jitter, loss, rate)| LinkState {
            cut,
            condition: Condition {
                latency_ms: latency,
                jitter_ms: jitter,
                loss,
                rate_bytes_s: rate,
            },
        },
    )
}

fn a_table() -> impl Strategy<Value = (usize, BTreeMap<Link, LinkState>)> {
    (2_usize..7).prop_flat_map(|count| {
        let link = (0..count, 0..count).prop_filter_map("a link joins two", |(from, to)| {
            (from != to).then(|| Link::new(&name(from), &name(to)))
        });
        let table = prop::collection::btree_map(link, a_state(), 0..20);
        (Just(count), table)
    })
}

fn a_kind() -> impl Strategy<Value = EngineKind> {
    prop_oneof![Just(EngineKind::Docker), Just(EngineKind::Process)]
}

fn plain_states(states: &BTreeMap<Link, LinkState>) -> BTreeMap<Link, LinkState> {
    let plain = states
        .iter()
        .map(|(link, state)| (link.clone(), plain(state)));
    plain
        .filter(|(_, state)| *state != LinkState::default())
        .collect()
}

proptest! {
    #[test]
    fn what_nodes_hold_reads_back_as_what_was_meant(
        kind in a_kind(), (count, table) in a_table()
    ) {
        let ends = ends(count);
        let held = holdings(kind, &table, &ends);
        let found = states(&held, &ends);
        prop_assert_eq!(plain_states(&found), plain_states(&table));
        prop_assert!(differences(&table, &found).is_empty());
    }

    #[test]
    fn receivers_in_containers_drop_exactly_what_is_cut((count, table) in a_table()) {
        let ends = ends(count);
        let held = holdings(EngineKind::Docker, &table, &ends);
        // A packet passes if the receiver's filter lets it.
        let passes = |from: &str, to: &str| held[to].filter.drops.get(&ends[from].ip) != Some(&1.0);
        for from in ends.keys() {
            for to in ends.keys().filter(|to| *to != from) {
                let is_cut = table.get(&Link::new(from, to)).is_some_and(|state| state.cut);
                prop_assert_eq!(passes(from, to), !is_cut);
            }
        }
        for held in held.values() {
            prop_assert!(held.conditions.links.iter().all(|link| !link.cut && link.loss == 0.0));
        }
    }

    #[test]
    fn conditions_are_sorted_and_name_no_peer_twice(
        kind in a_kind(), (count, table) in a_table()
    ) {
        for held in holdings(kind, &table, &ends(count)).values() {
            let ids: Vec<&String> = held.conditions.links.iter().map(|link| &link.peerid).collect();
            prop_assert!(ids.is_sorted());
            prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        }
    }

    #[test]
    fn a_lost_rule_is_a_difference((count, table) in a_table(), at in any::<prop::sample::Index>()) {
        let ends = ends(count);
        let wanted = plain_states(&table);
        prop_assume!(!wanted.is_empty());
        let lost = at.index(wanted.len());
        let lost = wanted.keys().nth(lost).cloned().expect("an index within");
        let mut found = wanted.clone();
        found.remove(&lost);
        let held = holdings(EngineKind::Process, &found, &ends);
        let differing = differences(&wanted, &states(&held, &ends));
        prop_assert_eq!(differing.into_keys().collect::<Vec<_>>(), vec![lost]);
    }
}

#[test]
fn every_peer_is_counted_while_anything_is_dropped_and_none_after() {
    let roster: Vec<NodeName> = (0..4).map(name).collect();
    let ends = ends(4);
    let mut table = LinkTable::default();
    let shape = CutShape::isolate(&[name(0)]);
    table.inflict(&Fault::Cut(Cut::new(shape, &roster).unwrap()));
    let held = holdings(EngineKind::Docker, &table.states(), &ends);
    assert!(held.values().all(|held| held.filter.counted.len() == 3));
    let healed = holdings(EngineKind::Docker, &BTreeMap::new(), &ends);
    assert!(healed.values().all(|held| *held == Holding::default()));
}

#[test]
fn a_peer_that_never_told_its_id_is_conditioned_later() {
    let mut ends = ends(2);
    ends.get_mut("n1").expect("it is there").peer_id = None;
    let cut = LinkState {
        cut: true,
        condition: Condition::default(),
    };
    let links = [Link::new("n0", "n1"), Link::new("n1", "n0")];
    let states: BTreeMap<Link, LinkState> = links.into_iter().map(|link| (link, cut)).collect();
    let held = holdings(EngineKind::Process, &states, &ends);
    assert!(held["n0"].conditions.links.is_empty());
    assert_eq!(held["n1"].conditions.links.len(), 1);
}

#[test]
fn losing_everything_is_a_cut() {
    let all = LinkState {
        cut: false,
        condition: Condition {
            loss: Some(1.0),
            latency_ms: Some(5.0),
            ..Condition::default()
        },
    };
    assert!(plain(&all).cut);
    let states = BTreeMap::from([(Link::new("n0", "n1"), all)]);
    let held = holdings(EngineKind::Process, &states, &ends(2));
    assert!(held["n0"].conditions.links[0].cut);
}
