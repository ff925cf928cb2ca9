//! The registry: every metric of [`metric::ALL`], made from its declaration.

use std::collections::BTreeMap;

use minichain_api::metric::{self, Kind, Metric};
use minichain_chain::{mempool, rules};
use minichain_protocol::output::DisconnectReason;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Error, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::Setup;

/// All metrics of a node, found by their declaration.
pub struct Metrics {
    registry: Registry,
    instruments: BTreeMap<&'static str, Instrument>,
}

enum Instrument {
    Counter(IntCounterVec),
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
        Ok(metrics)
    }

    /// Adds to a counter.
    pub fn count(&self, metric: Metric, labels: &[&str], by: u64) {
        if let Some(Instrument::Counter(counter)) = self.instruments.get(metric.name) {
            counter.with_label_values(labels).inc_by(by);
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
            let counter = register(registry, IntCounterVec::new(opts, metric.labels)?)?;
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
            let opts = HistogramOpts::from(opts).buckets(buckets(metric, setup));
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
                    let mut all = begin.clone();
                    all.push(*value);
                    all
                })
            })
            .collect();
    }
    combinations
}

/// The closed set a label's values come from.
fn label_values(metric: &Metric, label: &str) -> &'static [&'static str] {
    match label {
        "direction" if metric.name == metric::PEERS.name => metric::DIALLED,
        "direction" => metric::FLOWS,
        "topic" => metric::TOPICS,
        "verdict" => metric::VERDICTS,
        "kind" => metric::REQUEST_KINDS,
        "rule" => rules::RULES,
        "reason" if metric.name == metric::DISCONNECTS.name => DisconnectReason::LABELS,
        "reason" => mempool::REASONS,
        _ => &[],
    }
}

/// Bucket bounds in the metric's own unit. What is measured against the pace
/// of blocks follows the network's spacing.
fn buckets(metric: &Metric, setup: &Setup) -> Vec<f64> {
    let spacing_s = f64::from(setup.spacing_s.max(1));
    if metric.name == metric::BLOCK_INTERVAL.name {
        [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0]
            .map(|part| part * spacing_s)
            .into()
    } else if metric.name == metric::BLOCK_PROPAGATION.name {
        ladder(0.001, 2.0 * spacing_s)
    } else if metric.name == metric::REORG_DEPTH.name {
        vec![1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0, 100.0]
    } else {
        ladder(0.0001, 5.0)
    }
}

/// 1, 2, 5, 10, 20, 50 … times `first`, up to the first bound not below `last`.
fn ladder(first: f64, last: f64) -> Vec<f64> {
    let mut bounds = Vec::new();
    let mut decade = first;
    loop {
        for step in [1.0, 2.0, 5.0] {
            bounds.push(decade * step);
            if decade * step >= last {
                return bounds;
            }
        }
        decade *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::ladder;

    #[test]
    fn ladder_covers_its_range_once() {
        let bounds = ladder(0.001, 10.0);
        assert!(
            bounds.windows(2).all(|pair| pair[0] < pair[1]),
            "{bounds:?}"
        );
        assert!(
            bounds
                .last()
                .is_some_and(|&last| (10.0..20.1).contains(&last)),
            "{bounds:?}"
        );
    }
}
