//! Samples of a node's metrics over time.

use std::collections::VecDeque;

use devnet_scenario::metric::{Sample, parse};
use minichain_api::metric;

/// How a sample of a bundle begins.
pub const HEADING: &str = "# sampled at ";
/// Samples kept of one node at most; of more every second is dropped, again and
/// again.
const KEPT_MAX: usize = 1_200;
/// A rate is taken over this time at least.
const WINDOW_MS: u64 = 30_000;
/// What the node's own process tells, beside its metrics.
const MEMORY: &str = "process_resident_memory_bytes";
const CPU: &str = "process_cpu_seconds_total";

/// One node's samples, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// The samples.
    pub taken: Vec<Taken>,
    every: usize,
    seen: usize,
}

/// What a sample tells; `None` where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Bytes held.
    pub memory: Option<f64>,
    /// Processor seconds used since the process began.
    pub cpu_s: Option<f64>,
    /// Transactions waiting.
    pub mempool: Option<f64>,
    /// Bytes sent since the process began.
    pub sent: Option<f64>,
    /// Bytes received since then.
    pub received: Option<f64>,
}

impl Samples {
    /// Takes in one sample in the Prometheus text format.
    pub fn take(&mut self, at_ms: u64, text: &str) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every.max(1)) {
            return;
        }
        self.taken.push(Taken::read(at_ms, text));
        if self.taken.len() > KEPT_MAX {
            let mut place = 0;
            self.taken.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.every = self.every.max(1) * 2;
        }
    }

    /// How much a counter grew from the first sample to the last, starting
    /// again after each restart; by a single sample since the process began.
    pub fn growth(&self, of: impl Fn(&Taken) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.taken.iter().filter_map(of).collect();
        if let [only] = values.as_slice() {
            return Some(*only);
        }
        values.first()?;
        let grown = values.windows(2).map(|pair| grown(pair[0], pair[1]));
        Some(grown.sum())
    }

    /// A counter's rate a second, each over [`WINDOW_MS`] at least: processor
    /// time is told in whole seconds.
    pub fn rates(&self, of: impl Fn(&Taken) -> Option<f64>) -> Vec<(u64, f64)> {
        let values = self
            .taken
            .iter()
            .filter_map(|taken| Some((taken.at_ms, of(taken)?)));
        let mut rates = Vec::new();
        let mut window: VecDeque<(u64, f64)> = VecDeque::new();
        let (mut last, mut total) = (None, 0.0);
        for (at_ms, value) in values {
            total += last.map_or(0.0, |last| grown(last, value));
            last = Some(value);
            window.push_back((at_ms, total));
            let is_over = |since: &(u64, f64)| at_ms.saturating_sub(since.0) >= WINDOW_MS;
            while window.get(1).is_some_and(is_over) {
                window.pop_front();
            }
            if let Some((since_ms, before)) = window.front().filter(|since| is_over(since)) {
                let seconds = at_ms.saturating_sub(*since_ms) as f64 / 1e3;
                rates.push((at_ms, (total - before) / seconds));
            }
        }
        rates
    }
}

impl Taken {
    fn read(at_ms: u64, text: &str) -> Self {
        let mut taken = Self {
            at_ms,
            ..Self::default()
        };
        for sample in parse(text).filter(|sample| sample.value.is_finite()) {
            match sample.name.as_str() {
                MEMORY => taken.memory = Some(sample.value),
                CPU => taken.cpu_s = Some(sample.value),
                name if name == metric::MEMPOOL_TRANSACTIONS.name => {
                    taken.mempool = Some(sample.value);
                }
                name if name == metric::GOSSIP_BYTES.name || name == metric::REQUEST_BYTES.name => {
                    taken.add_traffic(&sample);
                }
                _ => {}
            }
        }
        taken
    }

    fn add_traffic(&mut self, sample: &Sample) {
        let sum = match sample.labels.get("direction").map(String::as_str) {
            Some("sent") => &mut self.sent,
            Some("received") => &mut self.received,
            _ => return,
        };
        *sum = Some(sum.unwrap_or_default() + sample.value);
    }
}

/// How much a counter grew; one that fell began again at zero.
fn grown(before: f64, after: f64) -> f64 {
    if after >= before {
        after - before
    } else {
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cpu: f64, sent: f64) -> String {
        format!(
            "# HELP x y\nprocess_resident_memory_bytes 1000\nprocess_cpu_seconds_total {cpu}\n\
             minichain_gossip_bytes_total{{direction=\"sent\",topic=\"block\"}} {sent}\n\
             minichain_request_bytes_total{{direction=\"sent\",kind=\"blocks\"}} 5\n\
             minichain_gossip_bytes_total{{direction=\"received\",topic=\"block\"}} 7\n"
        )
    }

    #[test]
    fn counters_go_on_after_a_restart() {
        let mut samples = Samples::default();
        for (at_ms, cpu) in [(0, 1.0), (20_000, 4.0), (40_000, 2.0), (60_000, 2.0)] {
            samples.take(at_ms, &text(cpu, 10.0));
        }
        assert_eq!(samples.growth(|taken| taken.cpu_s), Some(5.0));
        let rates = samples.rates(|taken| taken.cpu_s);
        assert_eq!(rates, [(40_000, 5.0 / 40.0), (60_000, 2.0 / 40.0)]);
        assert_eq!(samples.taken[0].sent, Some(15.0));
        assert_eq!(samples.taken[0].received, Some(7.0));
        assert_eq!(samples.growth(|taken| taken.mempool), None);
    }

    #[test]
    fn a_single_sample_tells_what_was_used_since_the_process_began() {
        let mut samples = Samples::default();
        samples.take(1_000, &text(3.0, 10.0));
        assert_eq!(samples.growth(|taken| taken.cpu_s), Some(3.0));
        assert_eq!(samples.growth(|taken| taken.sent), Some(15.0));
        assert_eq!(samples.growth(|taken| taken.mempool), None);
    }

    #[test]
    fn long_runs_are_thinned_out_and_keep_their_ends() {
        let mut samples = Samples::default();
        for at_ms in 0..100_000 {
            samples.take(at_ms, "process_cpu_seconds_total 1");
        }
        assert!(samples.taken.len() <= KEPT_MAX);
        assert!(samples.taken.len() >= KEPT_MAX / 3);
        assert!(samples.taken[0].at_ms < 1_000);
        assert!(samples.taken.last().is_some_and(|last| last.at_ms > 99_000));
    }
}
