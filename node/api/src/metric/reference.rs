//! The reference page of metrics, from their declarations.

use std::fmt::Write as _;

use super::{Buckets, Metric};

/// A chapter of the reference in Markdown: a table of `metrics`, and the
/// values of their labels as `values` tells them (none: not of a closed set).
#[must_use]
pub fn reference(
    title: &str,
    metrics: &[Metric],
    values: impl Fn(&Metric, &str) -> Vec<&'static str>,
) -> String {
    let mut text = format!("## {title}\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n");
    for metric in metrics {
        let labels: Vec<String> = metric.labels.iter().map(|label| code(label)).collect();
        let (name, kind) = (code(metric.name), metric.kind.word());
        let meaning = format!("{}{}", metric.help, bounds(metric.buckets));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {kind} | {} | {meaning} |",
            labels.join(", ")
        );
    }
    text.push_str("\n| label | of | values |\n|---|---|---|\n");
    for metric in metrics {
        for label in metric.labels {
            let values: Vec<String> = values(metric, label).into_iter().map(code).collect();
            if !values.is_empty() {
                let (label, name) = (code(label), code(metric.name));
                let _ = writeln!(text, "| {label} | {name} | {} |", values.join(", "));
            }
        }
    }
    text
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

fn bounds(buckets: Buckets) -> String {
    let (parts, unit) = match buckets {
        Buckets::None => return String::new(),
        Buckets::Fixed(bounds) => (bounds, ""),
        Buckets::Spacings(parts) => (parts, " × the target spacing"),
    };
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    format!(" Buckets end at {}{unit}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Kind;

    #[test]
    fn page_tells_bounds_and_values() {
        let metric = |name, kind, labels, buckets| Metric {
            name,
            kind,
            labels,
            buckets,
            help: "Some.",
        };
        let metrics = [
            metric("a_total", Kind::Counter, &["kind"], Buckets::None),
            metric("b", Kind::Histogram, &[], Buckets::Spacings(&[0.5, 2.0])),
        ];
        let text = reference("Title", &metrics, |_, _| vec!["x", "y"]);
        for line in [
            "## Title",
            "| `a_total` | counter | `kind` | Some. |",
            "| `b` | histogram |  | Some. Buckets end at 0.5, 2 × the target spacing. |",
            "| `kind` | `a_total` | `x`, `y` |",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
