//! The registry: every metric of `devnet_blueprint::metric`, made from its
//! declaration.

use std::collections::BTreeMap;

use devnet_blueprint::EngineKind;
use devnet_blueprint::metric::{self, FAULT_EVENTS, FAULT_KINDS, ROLES, STATES};
use minichain_api::metric::{Kind, Metric};
use prometheus::core::Collector;
use prometheus::{
    CounterVec, Encoder, Error, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder,
};

/// All metrics of a network, found by their declaration.
pub struct Metrics {
    registry: Registry,
    counters: BTreeMap<&'static str, CounterVec>,
    gauges: BTreeMap<&'static str, GaugeVec>,
    histograms: BTreeMap<&'static str, HistogramVec>,
}

/// The closed set a label's values come from; empty for what watches.
pub fn label_values(_: &Metric, label: &str) -> Vec<&'static str> {
    match label {
        "role" => ROLES.to_vec(),
        "state" => STATES.to_vec(),
        "kind" => FAULT_KINDS.to_vec(),
        "event" => FAULT_EVENTS.to_vec(),
        _ => Vec::new(),
    }
}

impl Metrics {
    /// Registers everything. Every combination of label values exists from the
    /// start, so that rates begin at zero.
    pub fn new(spacing_s: f64, engine: EngineKind) -> Result<Self, Error> {
        let mut metrics = Self {
            registry: Registry::new(),
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
        };
        for metric in metric::ALL {
            metrics.register(metric, spacing_s)?;
        }
        let labels = [env!("CARGO_PKG_VERSION"), &engine.to_string()];
        metrics.set(metric::BUILD_INFO, &labels, 1.0);
        Ok(metrics)
    }

    fn register(&mut self, metric: &Metric, spacing_s: f64) -> Result<(), Error> {
        let opts = Opts::new(metric.name, metric.help);
        let series = combinations(metric);
        let registry = &self.registry;
        match metric.kind {
            Kind::Counter => {
                let counter = registered(registry, CounterVec::new(opts, metric.labels)?)?;
                for labels in &series {
                    counter.get_metric_with_label_values(labels)?;
                }
                self.counters.insert(metric.name, counter);
            }
            Kind::Gauge => {
                let gauge = registered(registry, GaugeVec::new(opts, metric.labels)?)?;
                for labels in &series {
                    gauge.get_metric_with_label_values(labels)?;
                }
                self.gauges.insert(metric.name, gauge);
            }
            Kind::Histogram => {
                let opts = HistogramOpts::from(opts).buckets(metric.buckets.bounds(spacing_s));
                let histogram = registered(registry, HistogramVec::new(opts, metric.labels)?)?;
                for labels in &series {
                    histogram.get_metric_with_label_values(labels)?;
                }
                self.histograms.insert(metric.name, histogram);
            }
        }
        Ok(())
    }

    /// Sets a gauge.
    pub fn set(&self, metric: Metric, labels: &[&str], value: f64) {
        if let Some(gauge) = self.gauges.get(metric.name) {
            gauge.with_label_values(labels).set(value);
        }
    }

    /// Lets a counter grow to `value`; one that is there already stays.
    pub fn grow_to(&self, metric: Metric, labels: &[&str], value: f64) {
        if let Some(counter) = self.counters.get(metric.name) {
            let counter = counter.with_label_values(labels);
            counter.inc_by((value - counter.get()).max(0.0));
        }
    }

    /// Adds one to a counter.
    pub fn count(&self, metric: Metric) {
        if let Some(counter) = self.counters.get(metric.name) {
            counter.with_label_values::<&str>(&[]).inc();
        }
    }

    /// Adds a value to a histogram.
    pub fn observe(&self, metric: Metric, value: f64) {
        if let Some(histogram) = self.histograms.get(metric.name) {
            histogram.with_label_values::<&str>(&[]).observe(value);
        }
    }

    /// Everything, in the text format.
    pub fn text(&self) -> Result<String, Error> {
        let mut bytes = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut bytes)?;
        String::from_utf8(bytes).map_err(|error| Error::Msg(error.to_string()))
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, one: C) -> Result<C, Error> {
    registry.register(Box::new(one.clone()))?;
    Ok(one)
}

fn combinations(metric: &Metric) -> Vec<Vec<&'static str>> {
    let mut combinations = vec![Vec::new()];
    for label in metric.labels {
        let values = label_values(metric, label);
        let with = |begin: &Vec<&'static str>, value| [begin.as_slice(), &[value]].concat();
        combinations = combinations
            .iter()
            .flat_map(|begin| values.iter().map(move |value| with(begin, *value)))
            .collect();
    }
    combinations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_is_declared_is_served() {
        let metrics = Metrics::new(2.0, EngineKind::Process).expect("declarations are valid");
        let text = metrics.text().expect("it encodes");
        for one in metric::ALL {
            assert!(text.contains(&format!("# HELP {} ", one.name)), "{text}");
        }
        let families = text.lines().filter(|line| line.starts_with("# TYPE "));
        assert_eq!(families.count(), metric::ALL.len());
        assert!(text.contains("devnet_nodes{role=\"miner\",state=\"paused\"} 0"));
        assert!(text.contains("devnet_convergence_seconds_bucket{le=\"0.5\"} 0"));
    }

    #[test]
    fn a_counter_never_falls() {
        let metrics = Metrics::new(1.0, EngineKind::Docker).expect("declarations are valid");
        let labels = ["cut", "lifted"];
        for value in [2.0, 1.0, 3.0] {
            metrics.grow_to(metric::FAULT_EVENTS_TOTAL, &labels, value);
        }
        let text = metrics.text().expect("it encodes");
        let line = "devnet_fault_events_total{event=\"lifted\",kind=\"cut\"} 3";
        assert!(text.contains(line), "{text}");
    }
}
