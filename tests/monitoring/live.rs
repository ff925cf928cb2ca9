//! Every expression on a real Prometheus that scrapes a real network through a
//! partition, a heal, a payment load and a crash.

use std::cell::Cell;
use std::fs;
use std::time::{Duration, SystemTime};

use minichain_tests::network::{Network, wait_until};
use minichain_tests::prometheus::{NO_IMAGE, Prometheus, Range, Series};
use minichain_tests::tools;
use serde_json::Value;

use crate::dashboards;
use crate::expression;
use crate::inventory::{self, text};
use crate::rules;

/// What happens to the network. Blocks come each second, so all is over in half
/// a minute.
const STORY: &str = "
name: monitored
topology: { nodes: 5, miners: 3, block_time: 1s }
steps:
  - wait: { height: 2 }
    timeout: 60 blocks
  - parallel:
      - load: { name: payments, rate: 4, from: alice, to: carol, via: miner-0 }
        for: 16s
      - steps:
          - wait: 5s
          - partition: [[bootstrap-0, miner-0], rest]
            for: 7s
          - kill: observer-0
            for: 2s
  - latency: { is: 30ms, on: miner-1 }
    for: 2s
  - expect:
      converged: { fresh: 1 }
      within: 60 blocks
";

const TEST: &str = "every_expression_returns_data_on_a_real_prometheus";

#[test]
fn every_expression_returns_data_on_a_real_prometheus() {
    if tools::tool("prometheus", "prometheus", TEST).is_none() {
        return;
    }
    let monitored = Monitored::up();
    monitored.wait_until_scraped();
    let started_s = now_s();
    monitored.live_through_the_story();
    let look = monitored.look(started_s);
    let mut empty = of_dashboards(&look);
    empty.extend(of_variables(&look));
    empty.extend(of_rules(&look));
    assert!(
        empty.is_empty(),
        "{} of {} expressions return no data:\n{}",
        empty.len(),
        look.asked.get(),
        empty.join("\n")
    );
    eprintln!("{} expressions returned data", look.asked.get());
    rules_run(&look);
    alerts_were_raised(&look);
}

/// A network with its Prometheus.
struct Monitored {
    prometheus: Prometheus,
    network: Network,
}

/// Everything that is known of it, asked at one time.
struct Look<'a> {
    network: &'a str,
    prometheus: &'a Prometheus,
    range: Range,
    rate_interval: String,
    span: String,
    asked: Cell<u32>,
}

impl Look<'_> {
    /// Why an expression shows nothing, if so. A series of nothing but NaN is
    /// an empty picture too.
    fn empty(&self, place: &str, expr: &str, is_range: bool) -> Option<String> {
        self.asked.set(self.asked.get() + 1);
        let expr = self.filled(expr);
        let answer = if is_range {
            self.prometheus.range(&expr, self.range)
        } else {
            self.prometheus.instant(&expr, self.range.end_s)
        };
        let why = match answer {
            Err(why) => why,
            Ok(series) if series.is_empty() => "nothing".into(),
            Ok(series) if !series.iter().any(has_number) => "no number".into(),
            Ok(_) => return None,
        };
        Some(format!("{place}: {why}: {expr}"))
    }

    /// The expression as Grafana would send it.
    fn filled(&self, expr: &str) -> String {
        let values = [
            ("$__rate_interval", self.rate_interval.as_str()),
            ("$__range", &self.span),
            ("$network", self.network),
            ("$node", ".+"),
        ];
        expression::replace(expr, &values)
    }
}

fn has_number(series: &Series) -> bool {
    series.values.iter().any(|value| value.is_finite())
}

fn of_dashboards(look: &Look<'_>) -> Vec<String> {
    let expressions = inventory::expressions();
    let empty = |one: &inventory::Expression| look.empty(&one.place, &one.text, one.is_range);
    expressions.iter().filter_map(empty).collect()
}

/// The values that a variable offers.
fn of_variables(look: &Look<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for dashboard in dashboards::ALL.iter().map(dashboards::committed) {
        let list = dashboard["templating"]["list"]
            .as_array()
            .expect("variables")
            .clone();
        for variable in list.iter().filter(|variable| variable["type"] == "query") {
            let query = text(&variable["query"]["query"]);
            let inner = query
                .strip_prefix("label_values(")
                .and_then(|q| q.strip_suffix(')'));
            let (selector, label) = inner
                .and_then(|q| q.rsplit_once(", "))
                .expect("label_values");
            look.asked.set(look.asked.get() + 1);
            let answer = look
                .prometheus
                .instant(&look.filled(selector), look.range.end_s);
            let found = answer.is_ok_and(|all| all.iter().any(|one| one.labels[label].is_string()));
            if !found {
                problems.push(format!("variable {}: no value", variable["name"]));
            }
        }
    }
    problems
}

/// Both sides of every condition, and every recorded series.
fn of_rules(look: &Look<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for rule in rules::all() {
        let name = rule
            .record
            .as_ref()
            .or(rule.alert.as_ref())
            .expect("a name")
            .clone();
        let expr = expression::parse(&rule.expr).unwrap_or_else(|why| panic!("{why}"));
        let mut parts = expression::must_have_data(&expr);
        parts.extend(rule.record);
        let empty = |part: &String| look.empty(&format!("rule {name}"), part, true);
        problems.extend(parts.iter().filter_map(empty));
    }
    problems
}

/// Prometheus runs the rules that stand here, all of them, without trouble.
fn rules_run(look: &Look<'_>) {
    let loaded = look.prometheus.get("rules", &[]);
    let loaded = loaded.unwrap_or_else(|why| panic!("{why}"));
    let groups = loaded["groups"].as_array().expect("groups");
    let running: Vec<&Value> = groups
        .iter()
        .filter_map(|group| group["rules"].as_array())
        .flatten()
        .collect();
    assert_eq!(running.len(), rules::all().len());
    for rule in running {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

/// What was done to the network raised alarm.
fn alerts_were_raised(look: &Look<'_>) {
    for (alert, state) in [
        ("DevnetFaultInForce", "firing"),
        ("MinichainNodeDown", "pending"),
    ] {
        let expr = format!("ALERTS{{alertname=\"{alert}\", alertstate=\"{state}\"}}");
        let seen = look.prometheus.range(&expr, look.range);
        let seen = seen.unwrap_or_else(|why| panic!("{why}"));
        assert!(!seen.is_empty(), "{alert} was never {state}");
    }
}

fn now_s() -> f64 {
    let since = SystemTime::UNIX_EPOCH.elapsed();
    since.expect("it is after 1970").as_secs_f64()
}

impl Monitored {
    /// Five nodes, three of them mining, and what `devnet` runs beside them on
    /// a host without images.
    fn up() -> Self {
        let network = Network::new("process");
        let size = ["--nodes", "5", "--miners", "3", "--block-time", "1s"];
        let out = network
            .command()
            .args(["up", "--monitoring", "--json"])
            .args(size)
            .env("DEVNET_PROMETHEUS_IMAGE", NO_IMAGE)
            .env("DEVNET_GRAFANA_IMAGE", NO_IMAGE)
            .output()
            .expect("devnet runs");
        assert!(out.status.success(), "{}", tools::said(&out));
        let report: Value = serde_json::from_slice(&out.stdout).expect("up --json prints JSON");
        let prometheus = Prometheus::at(&text(&report["monitoring"]["prometheus"]));
        Self {
            prometheus,
            network,
        }
    }

    /// From here on a look must find everything.
    fn wait_until_scraped(&self) {
        wait_until(Duration::from_secs(30), || {
            let up = self.prometheus.instant("up == 1", now_s())?;
            match up.len() {
                6 => Ok(()),
                other => Err(format!("{other} of 5 nodes and the exporter are scraped")),
            }
        });
    }

    fn live_through_the_story(&self) {
        let story = self.network.state().join("story.yaml");
        fs::write(&story, STORY).expect("a writable disk");
        let story = story.to_string_lossy();
        let bundle = format!("{story}.bundle");
        let name = &self.network.name;
        self.network
            .must(&["run", &story, "--name", name, "--bundle", &bundle]);
    }

    /// As Grafana asks: four scrapes a window, or a scrape more than a step.
    fn look(&self, start_s: f64) -> Look<'_> {
        let (end_s, step_s) = (now_s(), 1.0);
        let scrape_s = self.scrape_interval_s();
        let range = Range {
            start_s,
            end_s,
            step_s,
        };
        Look {
            network: &self.network.name,
            prometheus: &self.prometheus,
            range,
            rate_interval: format!("{}s", (4.0 * scrape_s).max(step_s + scrape_s)),
            span: format!("{}s", (end_s - start_s).ceil()),
            asked: Cell::new(0),
        }
    }

    fn scrape_interval_s(&self) -> f64 {
        let targets = self.prometheus.get("targets", &[("state", "active")]);
        let targets = targets.unwrap_or_else(|why| panic!("{why}"));
        let interval = text(&targets["activeTargets"][0]["scrapeInterval"]);
        let seconds = interval.strip_suffix('s').and_then(|s| s.parse().ok());
        seconds.unwrap_or_else(|| panic!("a scrape interval of {interval}"))
    }
}
