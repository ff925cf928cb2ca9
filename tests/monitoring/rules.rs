//! Recording and alerting rules: Prometheus' own checks and tests, and that
//! every alert says what a person needs and is tested both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use minichain_tests::tools;
use serde::Deserialize;

use crate::expression;
use crate::reference::Reference;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "name")]
    _name: String,
    rules: Vec<Rule>,
}

/// One rule; either `record` or `alert` is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub record: Option<String>,
    pub alert: Option<String>,
    pub expr: String,
    #[serde(rename = "for")]
    _for: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The part of a test file that says which alerts it looks at.
#[derive(Deserialize)]
struct TestFile {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    promql_expr_test: Vec<ExprTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct ExprTest {
    expr: String,
}

/// Where rules stand.
pub fn folder() -> PathBuf {
    crate::root().join("deploy/prometheus/rules")
}

/// Every rule, recording rules first and in their order.
pub fn all() -> Vec<Rule> {
    let mut rules = Vec::new();
    for name in ["recording.yml", "alerts.yml"] {
        let path = folder().join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file: File =
            serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        rules.extend(file.groups.into_iter().flat_map(|group| group.rules));
    }
    rules
}

fn tests() -> Vec<PathBuf> {
    files(&folder().join("tests"))
}

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn prometheus_accepts_the_rules() {
    if let Some(promtool) = tools::tool("promtool", "prometheus", "prometheus_accepts_the_rules") {
        let mut promtool = Command::new(promtool);
        tools::must(
            promtool
                .args(["check", "rules", "--lint-fatal"])
                .args(files(&folder())),
        );
    }
}

#[test]
fn rules_do_what_their_tests_say() {
    if let Some(promtool) = tools::tool("promtool", "prometheus", "rules_do_what_their_tests_say") {
        let mut promtool = Command::new(promtool);
        tools::must(promtool.args(["test", "rules"]).args(tests()));
    }
}

#[test]
fn rules_name_only_what_exists() {
    let reference = Reference::new();
    for rule in all() {
        if let Err(why) = expression::check(&rule.expr, &reference) {
            panic!("{why}");
        }
    }
}

#[test]
fn every_alert_says_how_bad_what_where_and_what_to_do() {
    let reference = Reference::new();
    for rule in all() {
        let Some(name) = &rule.alert else { continue };
        let labels = expression::check(&rule.expr, &reference).expect("checked by another test");
        let severity = rule.labels.get("severity").map(String::as_str);
        assert!(
            matches!(severity, Some("critical" | "warning" | "info")),
            "{name}: severity {severity:?}"
        );
        for key in ["summary", "description"] {
            let text = rule.annotations.get(key);
            let text = text.unwrap_or_else(|| panic!("{name} has no {key}"));
            for label in ["network", "node"] {
                let is_named = text.contains(&format!("$labels.{label}"));
                let is_due =
                    labels.contains(label) && !(name.starts_with("Devnet") && label == "node");
                assert!(
                    is_named || !is_due,
                    "{name}: the {key} does not name the {label}"
                );
            }
            for used in text.split("$labels.").skip(1) {
                let label: String = used.chars().take_while(|c| c.is_alphanumeric()).collect();
                assert!(
                    labels.contains(&label),
                    "{name}: its alerts have no label {label}"
                );
            }
        }
        assert!(
            rule.annotations["description"].len() > rule.annotations["summary"].len(),
            "{name}: the description says no more than the summary"
        );
    }
}

#[test]
fn every_rule_is_tested_and_every_alert_both_ways() {
    let (mut firing, mut quiet, mut asked) = (BTreeSet::new(), BTreeSet::new(), String::new());
    for path in tests() {
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file: TestFile =
            serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for test in file.tests {
            for alert in test.alert_rule_test {
                let set = if alert.exp_alerts.is_empty() {
                    &mut quiet
                } else {
                    &mut firing
                };
                set.insert(alert.alertname);
            }
            asked.extend(
                test.promql_expr_test
                    .into_iter()
                    .map(|test| test.expr + "\n"),
            );
        }
    }
    for rule in all() {
        if let Some(name) = rule.alert {
            assert!(firing.contains(&name), "no test shows {name} firing");
            assert!(quiet.contains(&name), "no test shows {name} not firing");
        }
        if let Some(name) = rule.record {
            assert!(asked.contains(&name), "no test asks for {name}");
        }
    }
}
