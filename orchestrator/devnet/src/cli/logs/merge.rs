//! Puts lines of several nodes in time order.
//!
//! A log that ends is sorted as a whole. One that is followed is sorted over a
//! short window: a line is held back until no earlier one is to be expected.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::Instant;

use crate::engine::{EngineError, LogLine, LogStream};

/// How long a followed line is held back; engines hand on within less.
const WINDOW: Duration = Duration::from_millis(250);

/// Lines in time order.
pub struct Merge {
    lines: LogStream,
    follow: bool,
    is_over: bool,
    held: BinaryHeap<Reverse<Held>>,
    arrived: u64,
    failure: Option<EngineError>,
}

/// A line with its place: by time, then by arrival.
struct Held {
    time_ms: u64,
    arrival: u64,
    at: Instant,
    line: LogLine,
}

impl Merge {
    /// Sorts `lines`; `follow` says that they may never end.
    pub fn new(lines: LogStream, follow: bool) -> Self {
        Self {
            lines,
            follow,
            is_over: false,
            held: BinaryHeap::new(),
            arrived: 0,
            failure: None,
        }
    }

    /// The next line in time order. A failure comes after all lines that came
    /// before it.
    pub async fn next(&mut self) -> Option<Result<LogLine, EngineError>> {
        loop {
            if self.is_over {
                return match self.held.pop() {
                    Some(Reverse(held)) => Some(Ok(held.line)),
                    None => self.failure.take().map(Err),
                };
            }
            let due = self
                .held
                .peek()
                .filter(|_| self.follow)
                .map(|held| held.0.at + WINDOW);
            let Some(due) = due else {
                let line = self.lines.next().await;
                self.take(line);
                continue;
            };
            match tokio::time::timeout_at(due, self.lines.next()).await {
                Ok(line) => self.take(line),
                Err(_elapsed) => return self.held.pop().map(|held| Ok(held.0.line)),
            }
        }
    }

    fn take(&mut self, line: Option<Result<LogLine, EngineError>>) {
        match line {
            Some(Ok(line)) => {
                self.arrived += 1;
                self.held.push(Reverse(Held {
                    time_ms: line.time_ms,
                    arrival: self.arrived,
                    at: Instant::now(),
                    line,
                }));
            }
            Some(Err(error)) => {
                self.failure = Some(error);
                self.is_over = true;
            }
            None => self.is_over = true,
        }
    }
}

impl Held {
    const fn key(&self) -> (u64, u64) {
        (self.time_ms, self.arrival)
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::engine::{ErrorKind, LogSource};

    fn line(node: &str, time_ms: u64) -> Result<LogLine, EngineError> {
        Ok(LogLine {
            node: node.into(),
            time_ms,
            source: LogSource::Stdout,
            text: format!("{node}@{time_ms}"),
        })
    }

    async fn merged(lines: LogStream, follow: bool) -> Vec<String> {
        let mut merge = Merge::new(lines, follow);
        let mut texts = Vec::new();
        while let Some(line) = merge.next().await {
            texts.push(line.map_or_else(|error| error.detail, |line| line.text));
        }
        texts
    }

    #[tokio::test]
    async fn lines_of_several_nodes_come_in_time_order() {
        let lines = [line("a", 5), line("a", 9), line("b", 1), line("b", 7)];
        let texts = merged(stream::iter(lines).boxed(), false).await;
        assert_eq!(texts, ["b@1", "a@5", "b@7", "a@9"]);
    }

    #[tokio::test]
    async fn lines_of_one_moment_keep_their_order() {
        let lines = [line("b", 5), line("a", 5), line("c", 5)];
        assert_eq!(
            merged(stream::iter(lines).boxed(), false).await,
            ["b@5", "a@5", "c@5"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_followed_line_waits_for_an_earlier_one() {
        let (sender, receiver) = futures::channel::mpsc::unbounded();
        let mut merge = Merge::new(receiver.boxed(), true);
        sender.unbounded_send(line("a", 5)).expect("it is open");
        sender.unbounded_send(line("b", 3)).expect("it is open");
        let next = merge.next().await.expect("a line").expect("a sound line");
        assert_eq!(next.text, "b@3");
        let next = merge.next().await.expect("a line").expect("a sound line");
        assert_eq!(next.text, "a@5", "and it does not wait for ever");
        drop(sender);
        assert!(merge.next().await.is_none());
    }

    #[tokio::test]
    async fn a_failure_comes_after_what_was_read() {
        let broken = Err(EngineError::new(ErrorKind::Lost, "reading", "gone"));
        let lines = [line("a", 5), broken, line("a", 1)];
        assert_eq!(
            merged(stream::iter(lines).boxed(), false).await,
            ["a@5", "gone"]
        );
    }
}
