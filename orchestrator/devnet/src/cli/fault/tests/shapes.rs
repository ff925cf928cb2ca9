//! Every shape of a cut and every way to name links, by the words a user types,
//! held against what the nodes say afterwards.

use std::collections::BTreeSet;

use devnet_scenario::fault::{Fault, Link};
use devnet_scenario::links::{Condition, LinkState};
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::*;

const FIVE: [&str; 6] = ["--nodes", "5", "--miners", "2", "--engine", "docker"];

impl Lab {
    /// What the nodes hold, by link.
    async fn held(&self) -> Vec<(Link, LinkState)> {
        let found = faults::in_force(&self.stage.world, &self.live).await;
        let found = found.expect("they answer");
        assert_eq!(found.differences, Vec::<String>::new());
        let links = found.links.into_iter();
        links.map(|force| (force.link, force.state)).collect()
    }

    /// Links that are cut, as `from>to`, in order.
    async fn cut(&self) -> BTreeSet<String> {
        let held = self.held().await.into_iter();
        held.filter(|(_, state)| state.cut)
            .map(|(link, _)| format!("{}>{}", link.from, link.to))
            .collect()
    }
}

fn both_ways(pairs: &[(&str, &str)]) -> BTreeSet<String> {
    let ways = pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
    ways.map(|(from, to)| format!("{from}>{to}")).collect()
}

#[tokio::test]
async fn every_shape_cuts_just_the_links_it_says() {
    let lab = Lab::up_with(&FIVE).await;
    let all = |a: &[&'static str], b: &[&'static str]| {
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b)));
        both_ways(&pairs.collect::<Vec<_>>())
    };
    let (boot, m0, m1) = ("bootstrap-0", "miner-0", "miner-1");
    let (o0, o1) = ("observer-0", "observer-1");
    let cases = [
        ("partition miner-0", all(&[m0], &[boot, m1, o0, o1])),
        (
            "partition bootstrap-0,miner-0 miner-1",
            &(&all(&[boot, m0], &[m1, o0, o1]) | &all(&[m1], &[o0, o1])) | &BTreeSet::new(),
        ),
        ("partition --halves", all(&[boot, m0, m1], &[o0, o1])),
        (
            "partition --isolate miner-0,miner-1",
            &all(&[m0], &[boot, m1, o0, o1]) | &all(&[m1], &[boot, o0, o1]),
        ),
        (
            "partition --bridge observer-0 bootstrap-0,miner-0 miner-1,observer-1",
            all(&[boot, m0], &[m1, o1]),
        ),
        (
            "partition --one-way miner-0:miner-1",
            BTreeSet::from(["miner-0>miner-1".to_owned()]),
        ),
        (
            "partition --link miner-0:miner-1 --link observer-0:bootstrap-0",
            both_ways(&[(m0, m1), (o0, boot)]),
        ),
    ];
    for (line, wanted) in cases {
        assert_eq!(lab.run(line).await, Ok(Exit::Success), "{line}");
        assert_eq!(lab.cut().await, wanted, "{line}");
    }
}

#[tokio::test]
async fn in_a_ring_of_majorities_each_node_reaches_most_and_nobody_all() {
    let lab = Lab::up_with(&FIVE).await;
    let line = "partition --majorities-ring";
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
    let cut = lab.cut().await;
    let reached: BTreeSet<Vec<String>> = lab
        .live
        .layout()
        .roster()
        .iter()
        .map(|node| {
            let others = lab.live.layout().roster();
            let reached = others
                .into_iter()
                .filter(|other| !cut.contains(&format!("{node}>{other}")));
            reached.collect()
        })
        .collect();
    assert_eq!(reached.len(), 5, "no two see the same: {reached:?}");
    assert!(reached.iter().all(|seen| seen.len() == 3), "{reached:?}");
}

#[tokio::test]
async fn links_are_named_by_node_group_pair_and_direction() {
    let lab = Lab::up_with(&FIVE).await;
    for (line, count) in [
        ("latency --delay 20ms", 20),
        ("latency miner-0 --delay 20ms", 8),
        ("latency miner --delay 20ms", 14),
        ("latency miner:observer --delay 20ms", 8),
        ("latency miner-0:miner-1 --delay 20ms", 2),
        ("latency miner-0:miner-1 --delay 20ms --one-way", 1),
        ("bandwidth miner-0:miner-1 64kB --one-way", 1),
        ("bandwidth observer-0 64kB", 8),
    ] {
        assert_eq!(lab.run(line).await, Ok(Exit::Success), "{line}");
        let held = lab.held().await;
        let is_slow = held
            .iter()
            .all(|(_, state)| state.condition.latency_ms == Some(20.0));
        let is_narrow = held
            .iter()
            .all(|(_, state)| state.condition.rate_bytes_s == Some(64_000));
        assert_eq!(
            (is_slow, is_narrow),
            (line.starts_with('l'), line.starts_with('b'))
        );
        assert_eq!(held.len(), count, "{line}");
        assert_eq!(lab.run("heal").await, Ok(Exit::Success));
    }
}

#[tokio::test]
async fn zones_are_as_far_apart_as_their_pair_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("zoned.yaml");
    let topology = "
groups:
  - { name: bootstrap, zone: us-west-1 }
  - { name: miner, count: 2, zone: us-east-1 }
";
    std::fs::write(&file, topology).expect("a writable disk");
    let path = file.to_string_lossy();
    let lab = Lab::up_with(&["--file", &path, "--engine", "process"]).await;
    // These nodes answer only now that the network is up.
    assert_eq!(lab.run("faults --reapply").await, Ok(Exit::Success));
    let before = lab.held().await;
    let line = "latency us-west-1:us-east-1 --delay 90ms";
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
    let held = lab.held().await.into_iter();
    let across: Vec<(Link, LinkState)> = held
        .filter(|(link, _)| link.from == "bootstrap-0" || link.to == "bootstrap-0")
        .collect();
    assert_eq!(across.len(), 4);
    for (link, state) in across {
        assert_eq!(state.condition.latency_ms, Some(90.0), "{link:?}");
    }
    // What the topology itself says of its zones comes back.
    assert_eq!(lab.run("heal --conditions").await, Ok(Exit::Success));
    assert_eq!(lab.held().await, before);
}

#[tokio::test]
async fn what_was_measured_before_a_condition_is_told_beside_it() {
    let lab = Lab::up("docker").await;
    let fault = |with: Condition| Fault::Condition {
        links: BTreeSet::from([Link::new("miner-0", "miner-1")]),
        with,
    };
    let latency = |latency_ms: f64| Condition {
        latency_ms: Some(latency_ms),
        ..Condition::default()
    };
    let rate = Condition {
        rate_bytes_s: Some(64_000),
        ..Condition::default()
    };
    for (with, before_ms) in [(latency(30.0), 0.5), (latency(70.0), 30.5), (rate, 70.5)] {
        let probe = lab.probe_of(&fault(with)).await;
        let open = |rtt_ms| {
            Some(Reach::Open {
                rtt_ms: Some(rtt_ms),
            })
        };
        assert_eq!(probe.before, open(before_ms), "{probe:?}");
        assert_ne!(Some(probe.measured), probe.before);
    }
}

impl Lab {
    /// What was measured of the slow link by that fault.
    async fn probe_of(&self, fault: &Fault) -> ProbeEvidence {
        let inflicted = faults::inflict_for(&self.stage.world, &self.live, fault, None).await;
        let inflicted = inflicted.expect("all is well");
        let Outcome::Done(evidence) = inflicted.outcome else {
            panic!("{inflicted:?}");
        };
        let mut probes = evidence.probes.into_iter();
        let slow = probes.find(|probe| matches!(probe.expected, Reach::Open { rtt_ms: Some(_) }));
        slow.expect("a slow link is probed")
    }
}

#[tokio::test]
async fn sides_whose_nodes_never_met_are_introduced_before_the_cut() {
    let lab = Lab::up_with(&FIVE).await;
    for node in ["miner-0", "miner-1", "observer-0", "observer-1"] {
        lab.nodes.connect("bootstrap-0", node);
    }
    let line = "partition bootstrap-0,miner-0 miner-1,observer-0,observer-1";
    assert_eq!(lab.run(line).await, Ok(Exit::Success));
    for (a, b, is) in [
        ("miner-1", "observer-0", true),
        ("miner-1", "observer-1", true),
        ("miner-0", "miner-1", false),
    ] {
        assert_eq!(lab.nodes.are_connected(a, b), is, "{a} {b}");
    }
}

#[tokio::test]
async fn what_is_over_at_once_takes_no_time() {
    let lab = Lab::up("docker").await;
    let before = lab.stage.done().len();
    for (line, next) in [
        ("start miner-0 --for 5s", "devnet stop miner-0 --for"),
        ("restart miner-0 --for 5s", "devnet stop miner-0 --for"),
        ("wipe miner-0 --for 5s", "devnet stop miner-0 --for"),
        ("unpause miner-0 --for 5s", "devnet pause miner-0 --for"),
    ] {
        let failure = lab.run(line).await.expect_err(line);
        assert_eq!(failure.exit(), Exit::BadInput, "{line}");
        assert!(failure.to_string().contains(next), "{line}: {failure}");
    }
    assert_eq!(lab.stage.done().len(), before);
}
