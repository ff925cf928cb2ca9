//! Selectors, metric selectors, log lines and names.

use regex::RegexBuilder;

use super::limits::REGEX_BYTES_MAX;
use super::reader::Reader;
use super::tree::{Tree, Value};
use crate::form;
use crate::metric;
use crate::model::{Lines, MetricSelector, Pick, Selector, is_identifier};

const NODES_MAX: u32 = 1_000;

impl Reader {
    /// Nodes: a word, words separated by commas, a list, or a draw.
    pub fn nodes(&mut self, tree: &Tree) -> Option<Selector> {
        let picks = match &tree.value {
            Value::Text(_) => self.words(tree)?,
            Value::List(_) => {
                let parts = self.list(tree, |reader, item| match item.value {
                    Value::Text(_) => reader.words(item),
                    _ => reader.draw(item).map(|pick| vec![pick]),
                })?;
                parts.concat()
            }
            Value::Map(_) => vec![self.draw(tree)?],
            _ => {
                let what = format!(
                    "nodes are needed here (a name, a group, `all`, a list, or random: n), not {}",
                    tree.kind()
                );
                return self.refuse(tree.place, what);
            }
        };
        Some(Selector(picks))
    }

    fn words(&mut self, tree: &Tree) -> Option<Vec<Pick>> {
        let text = self.text(tree)?;
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        if words.iter().any(|word| word.is_empty()) {
            return self.refuse(tree.place, "a name is missing beside a comma");
        }
        Some(words.into_iter().map(Pick::of_word).collect())
    }

    fn draw(&mut self, tree: &Tree) -> Option<Pick> {
        let (fields, key, value) = self.choice(tree, &form::RANDOM)?;
        if key.text == "zone" {
            if let Some(of) = fields.key("of") {
                return self.refuse(of.place, "`of` only stands beside `random`");
            }
            return self.text(value).map(Pick::Zone);
        }
        let count = self.count(value, 1, NODES_MAX)?;
        let of = self.optional(fields.get("of"), Self::nodes)?;
        Some(Pick::Random {
            count,
            of: Box::new(of.unwrap_or_else(Selector::all)),
        })
    }

    /// Names of nodes: a text, or a list of texts.
    pub fn names(&mut self, tree: &Tree) -> Option<Vec<String>> {
        match &tree.value {
            Value::List(_) => self.list(tree, Self::text),
            _ => {
                let text = self.text(tree)?;
                Some(text.split(',').map(|name| name.trim().into()).collect())
            }
        }
    }

    /// A name for a load, transfer or record.
    pub fn name(&mut self, tree: &Tree) -> Option<String> {
        let text = self.text(tree)?;
        if is_identifier(&text) {
            return Some(text);
        }
        let what =
            format!("`{text}` cannot be a name; use 1 to 40 of a-z, 0-9 and _, a letter first");
        self.refuse(tree.place, what)
    }

    /// A selector of metrics.
    pub fn metric(&mut self, tree: &Tree) -> Option<MetricSelector> {
        let text = self.text(tree)?;
        match metric::Selector::parse(&text) {
            Ok(_) => Some(MetricSelector { text }),
            Err(error) => self.refuse(
                tree.place,
                format!("`{text}` is no metric selector: {error}"),
            ),
        }
    }

    /// Lines of a log: a text they contain, or a mapping.
    pub fn lines(&mut self, tree: &Tree) -> Option<Lines> {
        if matches!(tree.value, Value::Text(_)) {
            return self.text(tree).map(Lines::Containing);
        }
        let (_, key, value) = self.choice(tree, &form::LINES)?;
        self.lines_by(&key.text, value)
    }

    /// Lines by the key `contains` or `matches`.
    pub fn lines_by(&mut self, key: &str, value: &Tree) -> Option<Lines> {
        let text = self.text(value)?;
        if key == "contains" {
            return Some(Lines::Containing(text));
        }
        let regex = RegexBuilder::new(&text)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build();
        match regex {
            Ok(_) => Some(Lines::Matching(text)),
            Err(error) => {
                let told = error.to_string();
                let why = told.lines().last().unwrap_or("it cannot be read").trim();
                let what = format!("`{text}` is no regular expression: {why}");
                self.refuse(value.place, what)
            }
        }
    }
}
