//! Every series there can be, with its labels: of nodes, of the orchestrator,
//! of their processes, of Prometheus itself, and of recording rules.

use std::collections::{BTreeMap, BTreeSet};

use minichain_api::metric::{Kind, Metric};

use crate::expression;
use crate::rules;

/// Labels that every scraped series has: Prometheus' own and those of the
/// target.
const TARGET: &[&str] = &["job", "instance", "network", "node", "role"];

/// What the process collector of the `prometheus` crate exports.
const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// What Prometheus says of every scrape.
const SCRAPE: &[&str] = &["up", "scrape_duration_seconds", "scrape_samples_scraped"];

/// A set of label names.
pub type Labels = BTreeSet<String>;

/// Series by name.
pub struct Reference {
    series: BTreeMap<String, Labels>,
    /// Bounds of the histograms whose bounds do not depend on the network.
    bounds: BTreeMap<String, Vec<String>>,
}

impl Reference {
    /// All there is, recording rules included.
    pub fn new() -> Self {
        let mut reference = Self {
            series: BTreeMap::new(),
            bounds: BTreeMap::new(),
        };
        for metric in minichain_api::metric::ALL
            .iter()
            .chain(devnet_blueprint::metric::ALL)
        {
            reference.add_metric(metric);
        }
        for name in PROCESS.iter().chain(SCRAPE) {
            reference.add(name, &[]);
        }
        reference.add(
            "ALERTS",
            &["alertname", "alertstate", "severity", "kind", "rule"],
        );
        reference.add_recorded();
        reference
    }

    /// The labels that series of this name can have, if there are any.
    pub fn labels(&self, name: &str) -> Option<&Labels> {
        self.series.get(name)
    }

    /// Values of `le`, where they are the same on every network.
    pub fn bounds(&self, name: &str) -> Option<&[String]> {
        self.bounds.get(name).map(Vec::as_slice)
    }

    fn add(&mut self, name: &str, labels: &[&str]) {
        let labels = TARGET.iter().chain(labels).map(|&label| label.to_owned());
        self.series.insert(name.to_owned(), labels.collect());
    }

    fn add_metric(&mut self, metric: &Metric) {
        let name = metric.name;
        if metric.kind != Kind::Histogram {
            return self.add(name, metric.labels);
        }
        self.add(&format!("{name}_sum"), metric.labels);
        self.add(&format!("{name}_count"), metric.labels);
        let bucket = format!("{name}_bucket");
        self.add(&bucket, &[metric.labels, &["le"]].concat());
        if let minichain_api::metric::Buckets::Fixed(bounds) = metric.buckets {
            let bounds = bounds.iter().map(ToString::to_string);
            self.bounds.insert(bucket, bounds.collect());
        }
    }

    /// A recording rule has the labels of its expression; it may build on those
    /// before it.
    fn add_recorded(&mut self) {
        for rule in rules::all() {
            if let Some(name) = rule.record {
                let labels = expression::check(&rule.expr, self)
                    .unwrap_or_else(|why| panic!("{name}: {why}"));
                self.series.insert(name, labels);
            }
        }
    }
}
