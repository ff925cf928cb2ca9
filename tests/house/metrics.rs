//! Metric names follow Prometheus' rules, and nothing shows a metric that no
//! node exports.

use std::collections::BTreeSet;
use std::fs;

use minichain_api::metric::{ALL, Kind};

#[test]
fn metric_names_follow_the_naming_rules() {
    let mut seen = BTreeSet::new();
    for metric in ALL {
        let name = metric.name;
        assert!(seen.insert(name), "{name} is declared twice");
        assert!(name.starts_with("minichain_"), "{name} lacks the prefix");
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

fn is_exported(name: &str) -> bool {
    let base = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    ALL.iter()
        .any(|metric| metric.name == name || metric.name == base)
}

/// Words in `text` that look like a node's metric.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("minichain_"))
        .map(str::to_owned)
        .filter(|word| is_metric_like(word))
        .collect()
}

/// Crate names share the prefix; metrics have at least three words.
fn is_metric_like(word: &str) -> bool {
    word.matches('_').count() >= 2 || word.ends_with("_total")
}
