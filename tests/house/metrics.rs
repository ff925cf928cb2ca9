//! Metric names follow Prometheus' rules, and nothing shows a metric that nobody
//! exports.

use std::collections::BTreeSet;
use std::fs;

use minichain_api::metric::{Kind, Metric};

use crate::imports;

/// What begins the names of each program's metrics, and the metrics.
const EXPORTED: &[(&str, &[Metric])] = &[
    ("minichain_", minichain_api::metric::ALL),
    ("devnet_", devnet_blueprint::metric::ALL),
];

#[test]
fn metric_names_follow_the_naming_rules() {
    let mut seen = BTreeSet::new();
    for (prefix, metric) in EXPORTED
        .iter()
        .flat_map(|(prefix, all)| all.iter().map(move |metric| (prefix, metric)))
    {
        let name = metric.name;
        assert!(seen.insert(name), "{name} is declared twice");
        assert!(name.starts_with(prefix), "{name} lacks {prefix}");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name} has odd characters"
        );
        assert_eq!(
            metric.kind == Kind::Counter,
            name.ends_with("_total"),
            "{name}: _total"
        );
        assert!(metric.help.ends_with('.'), "{name}: help is a sentence");
    }
}

#[test]
fn documents_name_only_metrics_that_exist() {
    let mut unknown = Vec::new();
    for path in crate::tracked(".") {
        let is_text = path
            .extension()
            .is_some_and(|e| ["md", "json", "yml", "yaml"].iter().any(|t| e == *t));
        if !is_text {
            continue;
        }
        let text = fs::read_to_string(&path).expect("documents are UTF-8");
        for name in metric_names(&text) {
            if !is_exported(&name) {
                unknown.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "metrics that nobody exports:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn words_that_look_like_metrics_are_found() {
    let text = "`minichain_peers`, devnet_node_total{a=\"b\"}; minichain_node::observe, devnet_*";
    let found = metric_names(text);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, ["devnet_node_total", "minichain_peers"]);
    assert!(is_exported("minichain_peers") && !is_exported("devnet_node_total"));
    assert!(is_exported("devnet_convergence_seconds_bucket"));
}

fn is_exported(name: &str) -> bool {
    let base = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    // The name of a recording rule leaves out a counter's suffix.
    let counter = format!("{name}_total");
    let mut all = EXPORTED.iter().flat_map(|(_, all)| *all);
    all.any(|metric| [name, base, &counter].contains(&metric.name))
}

/// Words in `text` that look like a metric: they begin like one, and no crate
/// of ours is called so.
fn metric_names(text: &str) -> BTreeSet<String> {
    let crates = imports::crates();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| EXPORTED.iter().any(|(prefix, _)| word.starts_with(prefix)))
        .filter(|word| !word.ends_with('_') && !crates.contains(*word))
        .map(str::to_owned)
        .collect()
}
