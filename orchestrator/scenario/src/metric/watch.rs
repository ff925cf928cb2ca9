//! What a selector reads over time.

use std::collections::BTreeMap;

use super::selector::Selector;
use super::text::parse;
use crate::fault::NodeName;

/// Series of one node that a watch follows at most.
const SERIES_MAX: usize = 2_000;
/// Points of one node kept; after that every other one is forgotten.
const POINTS_MAX: usize = 4_000;

/// A selector on every node, over time.
#[derive(Clone, Debug)]
pub struct Watch {
    selector: Selector,
    nodes: BTreeMap<NodeName, OfNode>,
}

#[derive(Clone, Debug, Default)]
struct OfNode {
    /// Newest value of each series, by labels.
    last: BTreeMap<BTreeMap<String, String>, f64>,
    points: Vec<Point>,
}

/// All series of a node together, in one look.
#[derive(Clone, Copy, Debug)]
struct Point {
    at_ms: u64,
    /// Sum; `None` where no series matched.
    value: Option<f64>,
    /// Growth since the first look, resets of counters taken out.
    grown: f64,
}

/// What one node's series add up to over a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Sum of the newest values.
    pub value: f64,
    /// How much they grew in the window. For a counter (a name that ends in
    /// `_total`, `_count`, `_sum` or `_bucket`) a fall is a restart from zero;
    /// for anything else it is a fall.
    pub delta: f64,
    /// Milliseconds between the oldest and the newest look of the window.
    pub over_ms: u64,
}

impl Watch {
    /// A watch that has seen nothing.
    pub fn new(selector: Selector) -> Self {
        Self {
            selector,
            nodes: BTreeMap::new(),
        }
    }

    /// Which series it follows.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Takes in a node's metrics.
    pub fn saw(&mut self, node: &str, text: &str, at_ms: u64) {
        let is_counter = self.selector.is_counter();
        let known = self.nodes.entry(node.into()).or_default();
        let mut grown = known.points.last().map_or(0.0, |point| point.grown);
        let mut value = None;
        for sample in parse(text).filter(|sample| self.selector.matches(sample)) {
            value = Some(value.unwrap_or(0.0) + sample.value);
            let is_full = known.last.len() >= SERIES_MAX;
            if is_full && !known.last.contains_key(&sample.labels) {
                continue;
            }
            let before = known.last.insert(sample.labels, sample.value);
            let more = match before {
                Some(before) if is_counter && sample.value < before => sample.value,
                Some(before) => sample.value - before,
                // A counter that was not there in an earlier look began at 0.
                None if is_counter && !known.points.is_empty() => sample.value,
                None => 0.0,
            };
            // One value that is no number shall not spoil all that follow.
            if more.is_finite() {
                grown += more;
            }
        }
        known.push(Point {
            at_ms,
            value,
            grown,
        });
    }

    /// What that node's series add up to since that time; `None` if its newest
    /// metrics have no such series. The window begins with the last look at or
    /// before `since_ms`, else with the first after it.
    pub fn reading(&self, node: &str, since_ms: u64) -> Option<Reading> {
        let points = &self.nodes.get(node)?.points;
        let newest = points.last()?;
        let begin = points
            .iter()
            .rev()
            .find(|point| point.at_ms <= since_ms)
            .or(points.first())?;
        Some(Reading {
            value: newest.value?,
            delta: newest.grown - begin.grown,
            over_ms: newest.at_ms.saturating_sub(begin.at_ms),
        })
    }
}

impl OfNode {
    fn push(&mut self, point: Point) {
        if self.points.len() >= POINTS_MAX {
            let mut place = 0_usize;
            self.points.retain(|_| {
                place += 1;
                place % 2 == 1
            });
        }
        self.points.push(point);
    }
}

impl Reading {
    /// Growth a second; `None` before a second look came.
    pub fn rate(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a run lasts far below 2^52 ms")]
        let seconds = self.over_ms as f64 / 1_000.0;
        (self.over_ms > 0).then(|| self.delta / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(selector: &str) -> Watch {
        Watch::new(Selector::parse(selector).unwrap())
    }

    fn read(name: &str, values: &[(u64, f64)], since_ms: u64) -> Reading {
        let mut watch = watch(name);
        for (at_ms, value) in values {
            watch.saw("n0", &format!("{name} {value}"), *at_ms);
        }
        watch.reading("n0", since_ms).unwrap()
    }

    #[test]
    fn a_counter_that_restarts_goes_on_counting() {
        let values = [(0, 100.0), (1_000, 110.0), (2_000, 4.0), (4_000, 6.0)];
        let reading = read("x_total", &values, 0);
        assert_eq!(reading.value, 6.0);
        assert_eq!(reading.delta, 16.0);
        assert_eq!(reading.rate(), Some(4.0));
    }

    #[test]
    fn a_value_that_is_no_number_spoils_no_later_one() {
        let values = [(0, 1.0), (1_000, f64::NAN), (2_000, 2.0), (3_000, 5.0)];
        assert_eq!(read("x", &values, 0).delta, 3.0);
    }

    #[test]
    fn a_window_begins_with_the_last_look_before_it() {
        let values = [(0, 100.0), (1_000, 110.0), (3_000, 150.0)];
        let reading = read("x_total", &values, 1_500);
        assert_eq!((reading.delta, reading.over_ms), (40.0, 2_000));
    }

    #[test]
    fn a_gauge_may_fall() {
        let reading = read("peers", &[(0, 5.0), (1_000, 2.0)], 0);
        assert_eq!(reading.delta, -3.0);
        assert_eq!(reading.rate(), Some(-3.0));
    }

    #[test]
    fn one_look_has_no_rate() {
        assert_eq!(read("x_total", &[(5, 1.0)], 0).rate(), None);
    }

    #[test]
    fn a_counter_that_appears_later_began_at_zero() {
        let mut watch = watch("errors_total");
        watch.saw("n0", "other 1", 0);
        assert_eq!(watch.reading("n0", 0), None);
        watch.saw("n0", "errors_total 3", 1_000);
        assert_eq!(watch.reading("n0", 0).unwrap().delta, 3.0);
        assert_eq!(watch.reading("n0", 0).unwrap().rate(), Some(3.0));
    }

    #[test]
    fn series_of_one_node_are_summed_and_labels_compared_whole() {
        let mut watch = watch("x_total{k=~\"a|b\",absent!=\"q\"}");
        let text =
            |a, b| format!("x_total{{k=\"a\"}} {a}\nx_total{{k=\"b\"}} {b}\nx_total{{k=\"ab\"}} 9");
        watch.saw("n0", &text(1, 2), 0);
        watch.saw("n0", &text(2, 4), 10);
        let reading = watch.reading("n0", 0).unwrap();
        assert_eq!((reading.value, reading.delta), (6.0, 3.0));
    }

    #[test]
    fn points_are_thinned_and_the_newest_stays() {
        let mut watch = watch("x_total");
        for at in 0..10_000_u32 {
            watch.saw("n0", &format!("x_total {at}"), u64::from(at));
        }
        assert!(watch.nodes["n0"].points.len() <= POINTS_MAX);
        assert_eq!(watch.reading("n0", 0).unwrap().delta, 9_999.0);
    }
}
