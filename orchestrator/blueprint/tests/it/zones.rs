//! Zones: known or described, refused in words, and carried in the plan.

use devnet_blueprint::Blueprint;

use crate::support::{after, counts, docker, planned, yaml};

/// Every problem of a topology, in words.
fn problems(text: &str) -> String {
    yaml(text).check().unwrap_err().to_string()
}

fn condition(blueprint: &Blueprint, from: &str, to: &str) -> Option<(f64, f64)> {
    let conditions = blueprint.link_conditions();
    let found = conditions
        .iter()
        .find(|(a, b, ..)| (a.as_str(), b.as_str()) == (from, to));
    found.map(|(_, _, latency_ms, jitter_ms)| (*latency_ms, *jitter_ms))
}

const WAN: &str = "
groups:
  - { name: miner, count: 2, zone: eu-west-1 }
  - { name: far, zone: us-east-1 }
  - { name: near }
nodes:
  miner-1: { zone: ap-northeast-1 }
";

#[test]
fn the_example_topology_is_planned_with_all_its_links() {
    let topology = yaml(include_str!("../../../../deploy/topologies/wan.yaml"));
    let blueprint = planned(&topology, &docker());
    let nodes = blueprint.nodes.len();
    assert_eq!(blueprint.link_conditions().len(), nodes * (nodes - 1));
    let home = condition(&blueprint, "observer-0", "asia-0");
    assert_eq!(home, Some((125.0, 8.0)));
}

#[test]
fn a_link_has_half_of_the_published_round_trip_in_each_direction() {
    let blueprint = planned(&yaml(WAN), &docker());
    let europe_to_asia = condition(&blueprint, "miner-0", "miner-1");
    assert_eq!(europe_to_asia, Some((106.0, 2.12)));
    assert_eq!(condition(&blueprint, "miner-1", "miner-0"), europe_to_asia);
    assert_eq!(condition(&blueprint, "miner-0", "far-0").unwrap().0, 40.5);
}

#[test]
fn a_nodes_own_zone_wins_over_its_groups_and_no_zone_is_no_condition() {
    let blueprint = planned(&yaml(WAN), &docker());
    let zone = |name: &str| blueprint.node(name).unwrap().zone.clone();
    assert_eq!(zone("miner-0").as_deref(), Some("eu-west-1"));
    assert_eq!(zone("miner-1").as_deref(), Some("ap-northeast-1"));
    assert_eq!(zone("near-0"), None);
    assert_eq!(condition(&blueprint, "near-0", "miner-0"), None);
    assert_eq!(condition(&blueprint, "miner-0", "near-0"), None);
    // Three nodes in zones, in all directions.
    assert_eq!(blueprint.link_conditions().len(), 6);
}

#[test]
fn a_described_pair_replaces_the_published_one_also_written_the_other_way_round() {
    let text = format!(
        "{WAN}
zones:
  matrix:
    - {{ between: [us-east-1, eu-west-1], latency_ms: 10, jitter_ms: 3 }}
"
    );
    let blueprint = planned(&yaml(&text), &docker());
    assert_eq!(condition(&blueprint, "miner-0", "far-0"), Some((10.0, 3.0)));
    assert_eq!(condition(&blueprint, "far-0", "miner-0"), Some((10.0, 3.0)));
}

#[test]
fn an_unknown_zone_is_told_with_the_nearest_word() {
    let told = problems("groups: [{ name: miner, zone: eu-wst-1 }]");
    assert!(told.starts_with("groups[0].zone: "), "{told}");
    assert!(told.contains("did you mean `eu-west-1`?"), "{told}");
    let told = problems("{ groups: [{ name: miner }], nodes: { miner-0: { zone: moon } } }");
    assert!(told.starts_with("nodes.miner-0.zone: "), "{told}");
    assert!(
        told.contains("zones.matrix") && told.contains("sa-east-1"),
        "{told}"
    );
}

#[test]
fn a_zone_of_ones_own_needs_its_distance_to_those_in_use() {
    let told = problems(
        "
        groups: [{ name: miner, zone: moon }, { name: far, zone: eu-west-1 }]
        zones: { matrix: [{ between: [moon, us-east-1], rtt_ms: 2600 }] }
        ",
    );
    assert!(told.starts_with("zones.matrix: "), "{told}");
    assert!(told.contains("between: [eu-west-1, moon]"), "{told}");
}

#[test]
fn a_distance_given_twice_or_not_at_all_is_refused() {
    let told = problems(
        "
        groups: [{ name: miner }]
        zones:
          matrix:
            - { between: [a, b] }
            - { between: [b, a], rtt_ms: 1, latency_ms: 1 }
            - { between: [a, B], latency_ms: 1 }
            - { between: [a, c], latency_ms: -1 }
            - { between: [a, d], rtt_ms: 20001, jitter_ms: .nan }
        ",
    );
    let paths: Vec<&str> = told
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        paths,
        [
            "zones.matrix[0]",
            "zones.matrix[1].between",
            "zones.matrix[1]",
            "zones.matrix[2].between",
            "zones.matrix[3].latency_ms",
            "zones.matrix[4].rtt_ms",
            "zones.matrix[4].jitter_ms",
        ]
    );
}

#[test]
fn zones_change_no_container_and_a_plan_without_them_reads_as_before() {
    let plain = planned(&counts(2, 2), &docker());
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!text.contains("zone"), "an older devnet reads it too");
    assert_eq!(serde_json::from_str::<Blueprint>(&text).unwrap(), plain);
    let mut topology = counts(2, 2);
    topology.groups[0].zone = Some("eu-west-1".into());
    let zoned = planned(&topology, &after(&plain, docker()));
    let specs = |plan: &Blueprint| -> Vec<String> {
        plan.nodes.iter().map(|node| node.spec.clone()).collect()
    };
    assert_eq!(specs(&zoned), specs(&plain));
    let text = serde_json::to_string(&zoned).unwrap();
    assert_eq!(serde_json::from_str::<Blueprint>(&text).unwrap(), zoned);
    // Within one zone, two data centres.
    assert_eq!(condition(&zoned, "miner-0", "miner-1"), Some((0.5, 0.01)));
}
