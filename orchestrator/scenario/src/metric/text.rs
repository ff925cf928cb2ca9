//! Reading the Prometheus text format.

use std::collections::BTreeMap;

/// Samples read from one text at most; later ones are ignored.
pub const SAMPLES_MAX: usize = 20_000;
/// Labels of one sample at most.
const LABELS_MAX: usize = 64;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// The value; may be infinite or not a number.
    pub value: f64,
}

/// The samples of a text, in its order. Comments, empty lines and lines that
/// are no sample are passed over.
pub fn parse(text: &str) -> impl Iterator<Item = Sample> + '_ {
    text.lines().filter_map(sample).take(SAMPLES_MAX)
}

/// Reads `name` or `name{label="value",…}` from the front of a text; the rest
/// is returned with it.
fn series(line: &str) -> Option<(String, BTreeMap<String, String>, &str)> {
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match rest.strip_prefix('{') {
        Some(inside) => {
            let (labels, rest) = labels(inside)?;
            Some((name.into(), labels, rest))
        }
        None => Some((name.into(), BTreeMap::new(), rest)),
    }
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (name, labels, rest) = series(line)?;
    let value = rest.split_whitespace().next()?;
    Some(Sample {
        name,
        labels,
        value: number(value)?,
    })
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        other => other.parse().ok(),
    }
}

fn labels(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((found, after));
        }
        if found.len() >= LABELS_MAX {
            return None;
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        found.insert(name.trim().to_owned(), value);
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
}

/// Reads a value in double quotes, with `\\`, `\"` and `\n` as escapes.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    let inside = &text[1..];
    while let Some((place, char)) = chars.next() {
        match char {
            '"' => return Some((value, &inside[place + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_labels_escapes_and_special_values() {
        let text = "# HELP a x\n# TYPE a counter\na 1\nb{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.5 1700000\n\nc{} +Inf\nd{x=\"}\",} NaN\n";
        let samples: Vec<Sample> = parse(text).collect();
        assert_eq!(samples.len(), 4);
        assert_eq!((samples[0].name.as_str(), samples[0].value), ("a", 1.0));
        assert_eq!(samples[1].labels["y"], "q\"\\\n");
        assert_eq!(samples[1].value, 2.5);
        assert!(samples[2].value.is_infinite());
        assert!(samples[3].value.is_nan());
        assert_eq!(samples[3].labels["x"], "}");
    }

    #[test]
    fn lines_that_are_no_samples_are_passed_over() {
        for line in ["{x=\"1\"} 2", "a{x=\"1} 2", "a{x} 2", "a", "a b", "9a 1"] {
            assert_eq!(parse(line).count(), 0, "{line}");
        }
    }
}
