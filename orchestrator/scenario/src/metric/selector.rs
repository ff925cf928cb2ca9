//! Selectors: `name{label="x",other!="y",third=~"re",fourth!~"re"}`.

use regex::{Regex, RegexBuilder};

use super::text::{Sample, quoted};

/// Bytes a selector has at most.
const BYTES_MAX: usize = 1_000;
/// Memory a compiled expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Which series are meant.
#[derive(Clone, Debug)]
pub struct Selector {
    name: String,
    matchers: Vec<Matcher>,
}

/// Why a text is no selector, as a fragment that fits after
/// "`x{` is no metric selector: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Too long.
    #[error("it is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// No name at its front.
    #[error("it begins with no metric name; write one as in `minichain_peers`")]
    NoName,
    /// What follows the name is not a list of matchers in braces.
    #[error(
        "`{0}` is no matcher; write label=\"value\" with =, !=, =~ or !~, separated by commas, in one pair of braces"
    )]
    BadMatcher(String),
    /// A pattern that is no regular expression.
    #[error("`{pattern}` is no regular expression: {why}")]
    BadRegex {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Clone, Debug)]
struct Matcher {
    label: String,
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(String),
    Regex(Regex),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > BYTES_MAX {
            return Err(SelectorError::TooLong);
        }
        let (name, rest) = split_name(text.trim());
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(SelectorError::NoName);
        }
        Ok(Self {
            name: name.into(),
            matchers: matchers(rest.trim_start())?,
        })
    }

    /// Name of the metric.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a sample is meant. A label it does not have counts as empty.
    pub fn matches(&self, sample: &Sample) -> bool {
        sample.name == self.name
            && self.matchers.iter().all(|matcher| {
                let value = sample.labels.get(&matcher.label).map_or("", String::as_str);
                matcher.test.passes(value) != matcher.negated
            })
    }

    /// Whether its name is a counter's, by the conventions of Prometheus.
    pub fn is_counter(&self) -> bool {
        let ends = ["_total", "_count", "_sum", "_bucket"];
        ends.iter().any(|end| self.name.ends_with(end))
    }
}

impl Test {
    fn passes(&self, value: &str) -> bool {
        match self {
            Self::Equal(wanted) => wanted == value,
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

fn split_name(text: &str) -> (&str, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn matchers(text: &str) -> Result<Vec<Matcher>, SelectorError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let inside = text.strip_prefix('{').ok_or_else(|| bad(text))?;
    let mut rest = inside.trim_start();
    let mut found = Vec::new();
    while !rest.starts_with('}') {
        let (matcher, after) = matcher(rest)?;
        found.push(matcher);
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.starts_with('}') => after,
            None => return Err(bad(after)),
        };
    }
    if rest.trim_end() != "}" {
        return Err(bad(&rest[1..]));
    }
    Ok(found)
}

/// Reads one matcher; what follows it begins without space.
fn matcher(text: &str) -> Result<(Matcher, &str), SelectorError> {
    const OPERATORS: [(&str, bool, bool); 4] = [
        ("=~", true, false),
        ("!~", true, true),
        ("!=", false, true),
        ("=", false, false),
    ];
    let (label, after) = split_name(text);
    let after = after.trim_start();
    let (is_regex, negated, after) = OPERATORS
        .into_iter()
        .find_map(|(sign, is_regex, not)| Some((is_regex, not, after.strip_prefix(sign)?)))
        .ok_or_else(|| bad(text))?;
    let (value, after) = quoted(after.trim_start()).ok_or_else(|| bad(text))?;
    if label.is_empty() {
        return Err(bad(text));
    }
    let matcher = Matcher {
        label: label.into(),
        negated,
        test: test(value, is_regex)?,
    };
    Ok((matcher, after.trim_start()))
}

fn bad(at: &str) -> SelectorError {
    SelectorError::BadMatcher(at.chars().take(60).collect())
}

fn test(value: String, is_regex: bool) -> Result<Test, SelectorError> {
    if !is_regex {
        return Ok(Test::Equal(value));
    }
    // As in PromQL the whole value must match.
    let built = RegexBuilder::new(&format!("^(?:{value})$"))
        .size_limit(REGEX_BYTES_MAX)
        .build();
    built
        .map(Test::Regex)
        .map_err(|error| SelectorError::BadRegex {
            pattern: value,
            why: last_line(&error.to_string()),
        })
}

/// The line of an error of the regex crate that says what is wrong.
fn last_line(text: &str) -> String {
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;

    fn picks(selector: &str, line: &str) -> bool {
        let selector = Selector::parse(selector).unwrap();
        parse(line).any(|sample| selector.matches(&sample))
    }

    #[test]
    fn matchers_compare_whole_values_and_missing_labels_as_empty() {
        let line = "m{kind=\"block\",peer=\"n1\"} 3";
        assert!(picks("m", line));
        assert!(picks("m{kind=\"block\"}", line));
        assert!(picks("m{ kind = \"block\" , peer =~ \"n.\" , }", line));
        assert!(!picks("m{kind=~\"blo\"}", line));
        assert!(picks("m{kind!~\"blo\"}", line));
        assert!(picks("m{absent=\"\"}", line));
        assert!(!picks("m{kind!=\"block\"}", line));
        assert!(!picks("n", line));
    }

    #[test]
    fn what_is_no_selector_is_refused_with_the_place() {
        let nameless = Selector::parse("{a=\"b\"}").unwrap_err();
        assert_eq!(nameless, SelectorError::NoName);
        for text in [
            "m{a}",
            "m{a=b}",
            "m{a=\"b\"",
            "m{a=\"b\"} x",
            "m{a=\"b\" c=\"d\"}",
            "m[5m]",
        ] {
            let error = Selector::parse(text).unwrap_err();
            let is_bad = matches!(error, SelectorError::BadMatcher(_));
            assert!(is_bad, "{text}: {error}");
        }
        let error = Selector::parse("m{a=~\"(\"}").unwrap_err();
        assert!(matches!(error, SelectorError::BadRegex { .. }), "{error}");
    }
}
