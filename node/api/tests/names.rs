//! Metric and method names keep the rules of their worlds.

use std::collections::BTreeSet;

use minichain_api::metric::{self, Buckets, Kind};
use minichain_api::{port, rpc};

#[test]
fn metric_names_are_unique_and_follow_prometheus() {
    let names: BTreeSet<_> = metric::ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), metric::ALL.len());
    for metric in metric::ALL {
        let name = metric.name;
        assert!(name.starts_with("minichain_"), "{name}");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{name}"
        );
        assert!(
            metric.help.ends_with('.') && metric.help.len() > 10,
            "{name}"
        );
        for reserved in ["le", "quantile", "job", "instance"] {
            assert!(!metric.labels.contains(&reserved), "{name}");
        }
    }
}

#[test]
fn histograms_and_only_they_have_ascending_buckets_at_every_pace() {
    for metric in metric::ALL {
        let is_histogram = metric.kind == Kind::Histogram;
        assert_eq!(
            is_histogram,
            metric.buckets != Buckets::None,
            "{}",
            metric.name
        );
        for spacing_s in [1.0, 5.0, 600.0] {
            let bounds = metric.buckets.bounds(spacing_s);
            assert_eq!(is_histogram, bounds.len() > 5, "{}", metric.name);
            assert!(
                bounds.windows(2).all(|pair| pair[0] < pair[1]),
                "{} {bounds:?}",
                metric.name
            );
        }
    }
    assert_eq!(Buckets::Spacings(&[0.7, 2.0]).bounds(3.0), [2.1, 6.0]);
}

#[test]
fn method_names_are_sorted_and_unique() {
    let sorted: BTreeSet<_> = rpc::method::ALL.iter().copied().collect();
    assert!(sorted.iter().copied().eq(rpc::method::ALL.iter().copied()));
}

#[test]
fn derived_ports_of_the_walk_do_not_collide() {
    let ports: BTreeSet<u16> = [8999, 9000, 9001]
        .into_iter()
        .flat_map(|p2p| [p2p, p2p + port::RPC_OFFSET, p2p + port::METRICS_OFFSET])
        .collect();
    assert_eq!(ports.len(), 9);
}
