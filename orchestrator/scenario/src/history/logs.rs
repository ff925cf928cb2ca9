//! Log lines, kept within a bound.

use std::collections::{BTreeMap, VecDeque};

use regex::{Regex, RegexBuilder};

use crate::fault::NodeName;
use crate::model::Lines;
use crate::world::LogFact;

/// Lines kept.
pub const LINES_MAX: usize = 20_000;
/// Bytes of one line kept.
pub const LINE_BYTES_MAX: usize = 2_000;

/// Hits of one watch kept; of more only the number is known.
const HITS_MAX: usize = 10_000;
/// Memory a compiled expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Anything else.
    Plain,
    /// A warning.
    Warn,
    /// An error, or a panic.
    Error,
}

/// The newest lines of all nodes; older ones are forgotten, their number is not.
#[derive(Clone, Debug, Default)]
pub struct LogBook {
    lines: VecDeque<LogFact>,
    forgotten: u64,
    /// Lines ever heard, by node.
    heard: BTreeMap<NodeName, u64>,
    /// Lines the world could not keep, and when it told so last.
    lost: u64,
    lost_at_ms: Option<u64>,
}

impl LogBook {
    /// Lines kept, in the order they were heard.
    pub fn lines(&self) -> impl Iterator<Item = &LogFact> {
        self.lines.iter()
    }

    /// Lines that were heard and forgotten.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Lines ever heard from that node.
    pub fn heard(&self, node: &str) -> u64 {
        self.heard.get(node).copied().unwrap_or(0)
    }

    /// Lines that were said and never heard.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether lines were said since that time that were never heard.
    pub fn has_lost_since(&self, since_ms: u64) -> bool {
        self.lost_at_ms.is_some_and(|at_ms| at_ms >= since_ms)
    }

    pub(super) fn lose(&mut self, count: u64, at_ms: u64) {
        if count > 0 {
            self.lost = self.lost.saturating_add(count);
            self.lost_at_ms = Some(at_ms);
        }
    }

    pub(super) fn take(&mut self, line: &LogFact) {
        if self.lines.len() >= LINES_MAX {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        *self.heard.entry(line.node.clone()).or_default() += 1;
        let mut line = line.clone();
        line.text.truncate(floor_boundary(&line.text));
        self.lines.push_back(line);
    }
}

/// Which lines are meant.
#[derive(Clone, Debug)]
pub enum LineTest {
    /// That contain this text.
    Containing(String),
    /// That match.
    Matching(Regex),
    /// Errors, except those that pass one of these.
    Errors(Vec<LineTest>),
    /// None: the expression was none, which a checked scenario does not have.
    Nothing,
}

/// Lines of one kind since some moment.
#[derive(Clone, Debug)]
pub struct LogWatch {
    test: LineTest,
    hits: Vec<LogFact>,
    /// Hits beyond what is kept.
    more: u64,
}

impl LineTest {
    /// The test for these lines.
    pub fn new(lines: &Lines) -> Self {
        match lines {
            Lines::Containing(text) => Self::Containing(text.clone()),
            Lines::Matching(pattern) => RegexBuilder::new(pattern)
                .size_limit(REGEX_BYTES_MAX)
                .build()
                .map_or(Self::Nothing, Self::Matching),
        }
    }

    /// Whether a line is meant.
    pub fn passes(&self, text: &str) -> bool {
        match self {
            Self::Containing(wanted) => text.contains(wanted),
            Self::Matching(regex) => regex.is_match(text),
            Self::Errors(ignored) => {
                severity(text) == Severity::Error && !ignored.iter().any(|x| x.passes(text))
            }
            Self::Nothing => false,
        }
    }
}

impl LogWatch {
    /// A watch that has seen nothing.
    pub fn new(test: LineTest) -> Self {
        Self {
            test,
            hits: Vec::new(),
            more: 0,
        }
    }

    /// Lines of these nodes since that time, and how many more there are that
    /// were not kept.
    pub fn hits(&self, nodes: &[NodeName], since_ms: u64) -> (Vec<&LogFact>, u64) {
        let hits = self.hits.iter();
        let meant = hits.filter(|line| line.at_ms >= since_ms && nodes.contains(&line.node));
        (meant.collect(), self.more)
    }

    pub(super) fn take(&mut self, line: &LogFact) {
        if !self.test.passes(&line.text) {
            return;
        }
        if self.hits.len() >= HITS_MAX {
            self.more += 1;
        } else {
            let mut line = line.clone();
            line.text.truncate(floor_boundary(&line.text));
            self.hits.push(line);
        }
    }
}

/// How bad a line is, by the level word in its head: before the message, so
/// that a message which mentions an error is no error.
pub fn severity(text: &str) -> Severity {
    let head = text.split_whitespace().take(3);
    let words = head.map(|word| word.trim_matches(|c: char| !c.is_ascii_alphabetic()));
    let by_word = words.filter_map(level).next();
    let by_field = || {
        let (_, rest) = text.split_once("\"level\":\"")?;
        level(rest.split('"').next()?)
    };
    let by_panic = || text.contains("panicked at").then_some(Severity::Error);
    by_word
        .or_else(by_field)
        .or_else(by_panic)
        .unwrap_or(Severity::Plain)
}

fn level(word: &str) -> Option<Severity> {
    match word {
        "ERROR" | "FATAL" => Some(Severity::Error),
        "WARN" | "WARNING" => Some(Severity::Warn),
        "INFO" | "DEBUG" | "TRACE" => Some(Severity::Plain),
        _ => None,
    }
}

fn floor_boundary(text: &str) -> usize {
    let mut end = text.len().min(LINE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogFact {
        LogFact {
            node: "n0".into(),
            at_ms: 1,
            text: text.into(),
        }
    }

    #[test]
    fn the_level_is_read_from_the_head_not_from_the_message() {
        let error = "2026-11-24T14:00:00Z ERROR minichain: store is gone";
        let mention = "2026-11-24T14:00:00Z  INFO minichain: peer said ERROR";
        assert_eq!(severity(error), Severity::Error);
        assert_eq!(severity(mention), Severity::Plain);
        assert_eq!(
            severity("2026-11-24T14:00:00Z  WARN x: slow"),
            Severity::Warn
        );
        assert_eq!(
            severity("thread 'main' panicked at src/main.rs:1"),
            Severity::Error
        );
        assert_eq!(
            severity(r#"{"timestamp":"x","level":"ERROR","f":{}}"#),
            Severity::Error
        );
    }

    #[test]
    fn old_lines_are_forgotten_and_counted() {
        let mut book = LogBook::default();
        for _ in 0..LINES_MAX + 3 {
            book.take(&line("x"));
        }
        assert_eq!(book.lines().count(), LINES_MAX);
        assert_eq!(book.forgotten(), 3);
        assert_eq!(book.heard("n0"), LINES_MAX as u64 + 3);
    }

    #[test]
    fn a_long_line_is_cut_at_a_letter() {
        let mut book = LogBook::default();
        book.take(&line(&"ä".repeat(LINE_BYTES_MAX)));
        let kept = book.lines().next().unwrap();
        assert_eq!(kept.text.len(), LINE_BYTES_MAX);
    }
}
