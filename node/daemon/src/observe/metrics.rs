//! The registry: every metric of [`metric::ALL`], made from its declaration.

use std::collections::BTreeMap;

use minichain_api::metric::{self, Kind, Metric};
use minichain_chain::{mempool, rules};
use minichain_protocol::output::DisconnectReason;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{CounterVec, Error, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry};

use super::Setup;

/// All metrics of a node, found by their declaration.
pub struct Metrics {
    registry: Registry,
    instruments: BTreeMap<&'static str, Instrument>,
}

enum Instrument {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

impl Metrics {
    /// Registers everything, and the process's own memory and CPU time.
    pub fn new(setup: &Setup) -> Result<Self, Error> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        let mut instruments = BTreeMap::new();
        for metric in metric::ALL {
            instruments.insert(metric.name, instrument(&registry, metric, setup)?);
        }
        let metrics = Self {
            registry,
            instruments,
        };
        let labels = [env!("CARGO_PKG_VERSION"), &setup.name, &setup.network];
        metrics.set(metric::BUILD_INFO, &labels, 1.0);
        let fixed = |metric, value| metrics.set(metric, &[], value);
        fixed(metric::TARGET_SPACING, f64::from(setup.spacing_s));
        let weight = f64::from(setup.block_weight_max);
        fixed(metric::BLOCK_WEIGHT_LIMIT, weight);
        let memory = super::float(setup.mempool_bytes_max);
        fixed(metric::MEMPOOL_MEMORY_LIMIT, memory);
        Ok(metrics)
    }

    /// Adds to a counter of things.
    pub fn count(&self, metric: Metric, labels: &[&str], by: u64) {
        self.add(metric, labels, super::float(by));
    }

    /// Adds to a counter; `by` is not negative.
    pub fn add(&self, metric: Metric, labels: &[&str], by: f64) {
        if let Some(Instrument::Counter(counter)) = self.instruments.get(metric.name) {
            counter.with_label_values(labels).inc_by(by.max(0.0));
        }
    }

    /// Sets a gauge.
    pub fn set(&self, metric: Metric, labels: &[&str], value: f64) {
        if let Some(Instrument::Gauge(gauge)) = self.instruments.get(metric.name) {
            gauge.with_label_values(labels).set(value);
        }
    }

    /// Adds a value to a histogram.
    pub fn observe(&self, metric: Metric, value: f64) {
        if let Some(Instrument::Histogram(histogram)) = self.instruments.get(metric.name) {
            histogram.with_label_values::<&str>(&[]).observe(value);
        }
    }

    /// Everything, sorted by name.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// The one way from a declaration to a prometheus object. Every combination of
/// label values exists from the start, so that rates begin at zero.
fn instrument(registry: &Registry, metric: &Metric, setup: &Setup) -> Result<Instrument, Error> {
    let opts = Opts::new(metric.name, metric.help);
    let combinations = combinations(metric);
    Ok(match metric.kind {
        Kind::Counter => {
            let counter = register(registry, CounterVec::new(opts, metric.labels)?)?;
            for labels in &combinations {
                counter.get_metric_with_label_values(labels)?;
            }
            Instrument::Counter(counter)
        }
        Kind::Gauge => {
            let gauge = register(registry, GaugeVec::new(opts, metric.labels)?)?;
            for labels in &combinations {
                gauge.get_metric_with_label_values(labels)?;
            }
            Instrument::Gauge(gauge)
        }
        Kind::Histogram => {
            let opts = HistogramOpts::from(opts)
                .buckets(metric.buckets.bounds(f64::from(setup.spacing_s.max(1))));
            let histogram = register(registry, HistogramVec::new(opts, metric.labels)?)?;
            for labels in &combinations {
                histogram.get_metric_with_label_values(labels)?;
            }
            Instrument::Histogram(histogram)
        }
    })
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, one: C) -> Result<C, Error> {
    registry.register(Box::new(one.clone()))?;
    Ok(one)
}

/// Every combination of a metric's label values; none for build information,
/// whose only series is made by hand.
fn combinations(metric: &Metric) -> Vec<Vec<&'static str>> {
    let mut combinations = vec![Vec::new()];
    for label in metric.labels {
        let values = label_values(metric, label);
        combinations = combinations
            .iter()
            .flat_map(|begin| {
                values.iter().map(move |value| {
                    let mut all: Vec<&'static str> = begin.clone();
                    all.push(*value);
                    all
                })
            })
            .collect();
    }
    combinations
}

/// The closed set a label's values come from; empty for what runs.
pub fn label_values(metric: &Metric, label: &str) -> Vec<&'static str> {
    match label {
        "direction" if metric.name == metric::PEERS.name => metric::DIALLED.to_vec(),
        "direction" => metric::FLOWS.to_vec(),
        "topic" => metric::TOPICS.to_vec(),
        "verdict" => metric::VERDICTS.to_vec(),
        "kind" => metric::REQUEST_KINDS.to_vec(),
        "method" => [metric::METHODS_COUNTED, metric::METHODS_OTHER].concat(),
        "rule" => rules::RULES.to_vec(),
        "reason" if metric.name == metric::DISCONNECTS.name => DisconnectReason::LABELS.to_vec(),
        "reason" => mempool::REASONS.to_vec(),
        _ => Vec::new(),
    }
}
