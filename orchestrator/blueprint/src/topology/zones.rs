//! Zones: where nodes stand, and how far apart that is.
//!
//! A node in a zone has the delay of its zone to those of the others; a node in
//! none is as near to all as the host makes it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Found, check_name};
use super::{Flaw, Topology};
use crate::blueprint::ZoneLatency;
use crate::nearest::nearest;

/// Longest one-way delay, and greatest deviation of it, in milliseconds.
pub const LATENCY_MS_MAX: f64 = 10_000.0;

/// Round trip inside a zone of which nothing else is known, in milliseconds:
/// that between two data centres of one region.
const RTT_INSIDE_MS: f64 = 1.0;

/// Deviation of a delay of which nothing else is known, as a share of the
/// delay. An assumption of ours; the published tables give averages alone.
const JITTER_SHARE: f64 = 0.02;

/// Zones that are known without being described, with the round trip in
/// milliseconds to each of those before them.
///
/// Approximate: average round trips between regions of Amazon Web Services,
/// both directions averaged and rounded, as published in "Latency Between AWS
/// Global Regions" and reprinted on 2017-04 at
/// <https://acomputerscientistlearnsaws.blogspot.com/2017/04/aws-regions.html>.
/// Routes have changed since (Frankfurt to Singapore is nearer now); topologies
/// that need today's values give their own.
const REGIONS: &[(&str, &[f64])] = &[
    ("us-east-1", &[]),
    ("us-west-1", &[72.0]),
    ("us-west-2", &[88.0, 19.0]),
    ("eu-west-1", &[81.0, 153.0, 137.0]),
    ("eu-central-1", &[89.0, 167.0, 160.0, 20.0]),
    ("ap-northeast-1", &[145.0, 103.0, 89.0, 212.0, 237.0]),
    ("ap-northeast-2", &[178.0, 132.0, 118.0, 242.0, 266.0, 31.0]),
    (
        "ap-southeast-1",
        &[217.0, 174.0, 161.0, 239.0, 326.0, 74.0, 72.0],
    ),
    (
        "ap-southeast-2",
        &[230.0, 158.0, 162.0, 310.0, 323.0, 104.0, 134.0, 175.0],
    ),
    (
        "sa-east-1",
        &[
            120.0, 193.0, 183.0, 191.0, 195.0, 257.0, 286.0, 328.0, 323.0,
        ],
    ),
];

/// What a topology says about zones itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Zones {
    /// How far zones are apart; replaces what is known of the same pair, and
    /// makes the zones it names known.
    pub matrix: Vec<ZonePair>,
}

/// How far two zones are apart; the same in both directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZonePair {
    /// The two; the same one twice says how far its own nodes are apart.
    pub between: (String, String),
    /// Round trip in milliseconds. Either this or `latency_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// One-way delay in milliseconds. Either this or `rtt_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Standard deviation of the one-way delay in milliseconds. Unset: a
    /// fiftieth of the delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<f64>,
}

impl Zones {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.matrix.is_empty()
    }
}

impl ZonePair {
    /// One-way delay in milliseconds; 0 where none is given.
    fn one_way_ms(&self) -> f64 {
        let halved = self.rtt_ms.map(|rtt_ms| rtt_ms / 2.0);
        self.latency_ms.or(halved).unwrap_or_default()
    }
}

impl Topology {
    /// How far the zones in use are apart, in both directions of each pair and
    /// inside each. Empty if no node is in a zone.
    pub fn zone_latencies(&self) -> Vec<ZoneLatency> {
        let mut latencies = Vec::new();
        let used = self.zones_in_use();
        for from in &used {
            for to in &used {
                if let Some((latency_ms, jitter_ms)) = self.distance(from, to) {
                    latencies.push(ZoneLatency {
                        from: from.clone(),
                        to: to.clone(),
                        latency_ms,
                        jitter_ms,
                    });
                }
            }
        }
        latencies
    }

    fn zones_in_use(&self) -> BTreeSet<String> {
        let members = self.members().into_iter();
        members.filter_map(|member| member.settings.zone).collect()
    }

    /// One-way delay and its deviation, in milliseconds.
    fn distance(&self, one: &str, other: &str) -> Option<(f64, f64)> {
        let own = self.zones.matrix.iter().find(|pair| {
            let (a, b) = (pair.between.0.as_str(), pair.between.1.as_str());
            (a, b) == (one, other) || (b, a) == (one, other)
        });
        if let Some(pair) = own {
            let latency_ms = pair.one_way_ms();
            let jitter_ms = pair.jitter_ms.unwrap_or(latency_ms * JITTER_SHARE);
            return Some((latency_ms, jitter_ms));
        }
        let latency_ms = published_rtt_ms(one, other)? / 2.0;
        Some((latency_ms, latency_ms * JITTER_SHARE))
    }
}

/// Round trip in milliseconds, from the table above.
fn published_rtt_ms(one: &str, other: &str) -> Option<f64> {
    if one == other {
        return Some(RTT_INSIDE_MS);
    }
    let place = |name| REGIONS.iter().position(|(region, _)| *region == name);
    let (one, other) = (place(one)?, place(other)?);
    let (_, to_earlier) = REGIONS.get(one.max(other))?;
    to_earlier.get(one.min(other)).copied()
}

/// Finds every problem of the zones, and of the places in them.
pub fn check(topology: &Topology, found: &mut Found) {
    let before = found.count();
    check_matrix(&topology.zones.matrix, found);
    check_names(topology, found);
    if found.count() == before {
        check_distances(topology, found);
    }
}

fn check_matrix(matrix: &[ZonePair], found: &mut Found) {
    let mut seen = BTreeSet::new();
    for (at, pair) in matrix.iter().enumerate() {
        let path = format!("zones.matrix[{at}]");
        let (one, other) = (&pair.between.0, &pair.between.1);
        for name in [one, other] {
            if let Err(flaw) = check_name(name) {
                found.add(format!("{path}.between"), flaw);
            }
        }
        if !seen.insert((one.min(other), one.max(other))) {
            let flaw = Flaw::DuplicateZonePair(one.clone(), other.clone());
            found.add(format!("{path}.between"), flaw);
        }
        if pair.rtt_ms.is_some() == pair.latency_ms.is_some() {
            found.add(&path, Flaw::ZoneDistance);
        }
        let times = [
            ("rtt_ms", pair.rtt_ms, 2.0 * LATENCY_MS_MAX),
            ("latency_ms", pair.latency_ms, LATENCY_MS_MAX),
            ("jitter_ms", pair.jitter_ms, LATENCY_MS_MAX),
        ];
        for (key, given, max) in times {
            // Written so that NaN is out of range too.
            if let Some(given) = given
                && !(0.0..=max).contains(&given)
            {
                let (given, min, max) = (given.to_string(), "0".into(), max.to_string());
                found.add(format!("{path}.{key}"), Flaw::Range { given, min, max });
            }
        }
    }
}

fn check_names(topology: &Topology, found: &mut Found) {
    let own = topology.zones.matrix.iter().flat_map(|pair| {
        let (one, other) = &pair.between;
        [one.as_str(), other.as_str()]
    });
    let published = REGIONS.iter().map(|(region, _)| *region);
    let known: Vec<&str> = published.chain(own).collect();
    let mut place = |path: String, zone: Option<&String>| {
        if let Some(zone) = zone.filter(|zone| !known.contains(&zone.as_str())) {
            let nearest = nearest(zone, known.iter().copied()).map(Into::into);
            let known = REGIONS.iter().map(|(region, _)| *region);
            let flaw = Flaw::UnknownZone {
                name: zone.clone(),
                nearest,
                known: known.collect::<Vec<_>>().join(", "),
            };
            found.add(path, flaw);
        }
    };
    for (at, group) in topology.groups.iter().enumerate() {
        place(format!("groups[{at}].zone"), group.zone.as_ref());
    }
    for (name, settings) in &topology.nodes {
        place(format!("nodes.{name}.zone"), settings.zone.as_ref());
    }
}

/// Of zones that a topology brings itself, every distance in use is needed.
fn check_distances(topology: &Topology, found: &mut Found) {
    let used = topology.zones_in_use();
    let mut missing: BTreeMap<&String, &String> = BTreeMap::new();
    for one in &used {
        for other in used.iter().filter(|other| one < *other) {
            if topology.distance(one, other).is_none() {
                missing.entry(one).or_insert(other);
            }
        }
    }
    for (one, other) in missing {
        let flaw = Flaw::NoZoneDistance(one.clone(), other.clone());
        found.add("zones.matrix", flaw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_pair_of_regions_once() {
        for (at, (region, to_earlier)) in REGIONS.iter().enumerate() {
            assert_eq!(to_earlier.len(), at, "{region}");
            assert!(check_name(region).is_ok());
            let twice = REGIONS.iter().filter(|(other, _)| other == region);
            assert_eq!(twice.count(), 1, "{region}");
            for (other, _) in REGIONS {
                let rtt_ms = published_rtt_ms(region, other).expect("both are known");
                assert_eq!(published_rtt_ms(other, region), Some(rtt_ms));
                assert!((1.0..400.0).contains(&rtt_ms), "{region} to {other}");
            }
        }
    }
}
