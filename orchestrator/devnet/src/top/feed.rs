//! The nodes' logs as they go on, opened again where they broke off.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::fault::NodeName;
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use super::seen::Seen;
use super::state::State;
use crate::engine::{EngineError, LogLine, LogStream, LogWish};
use crate::faults::Live;

/// Lines of each node that the view begins with.
const TAIL: usize = 40;
/// Lines of each node that are looked through where a log is opened again.
const AGAIN: usize = 200;
/// After a failure it is tried again this much later.
const PAUSE: Duration = Duration::from_secs(2);
/// Lines taken in at once, so that keys are heard between.
const AT_ONCE: usize = 200;

/// Follows all nodes' logs.
pub struct Feed<'a> {
    live: &'a Live,
    stream: Option<LogStream>,
    /// What opens it; kept, because keys interrupt the wait for it.
    opening: Option<LocalBoxFuture<'a, Result<LogStream, EngineError>>>,
    /// Not before this is it opened.
    due: Instant,
    heard: Heard,
}

/// How far each node's log was heard, so that no line is told twice. Nodes'
/// clocks may differ, so each is judged by its own.
#[derive(Default)]
struct Heard {
    last: BTreeMap<NodeName, Mark>,
    /// Of nodes whose log is opened again: up to where it is known.
    known: BTreeMap<NodeName, (Mark, usize)>,
}

/// Time of a node's last line, and how many lines had it.
#[derive(Clone, Copy)]
struct Mark {
    time_ms: u64,
    count: usize,
}

impl Heard {
    /// What was heard until now comes once more.
    fn again(&mut self) {
        let marks = self.last.iter();
        self.known = marks
            .map(|(node, mark)| (node.clone(), (*mark, AGAIN)))
            .collect();
    }

    /// Whether that line was not heard yet.
    fn is_new(&mut self, line: &LogLine) -> bool {
        if let Some((mark, left)) = self.known.get_mut(&line.node) {
            let is_at = line.time_ms == mark.time_ms && mark.count > 0;
            // A clock that was set back hides no more than came again.
            if *left > 0 && (line.time_ms < mark.time_ms || is_at) {
                *left -= 1;
                mark.count -= usize::from(is_at);
                return false;
            }
            self.known.remove(&line.node);
        }
        let time_ms = line.time_ms;
        let last = self.last.entry(line.node.clone());
        let mark = last.or_insert(Mark { time_ms, count: 0 });
        match mark.time_ms == time_ms {
            true => mark.count += 1,
            false => *mark = Mark { time_ms, count: 1 },
        }
        true
    }
}

impl<'a> Feed<'a> {
    /// Opened at the first call of [`Feed::next`].
    pub fn new(live: &'a Live) -> Self {
        Self {
            live,
            stream: None,
            opening: None,
            due: Instant::now(),
            heard: Heard::default(),
        }
    }

    /// A node that joined has a log that is not followed yet. One that starts
    /// again is followed on by its engine.
    pub fn see(&mut self, before: &Seen, now: &Seen) {
        let is_known = |name: &str| before.nodes.iter().any(|node| node.name == name);
        let mut nodes = now.nodes.iter();
        if !before.nodes.is_empty() && nodes.any(|node| !is_known(&node.name)) {
            (self.stream, self.opening) = (None, None);
        }
    }

    /// Takes the next lines into the state, as soon as there are any. May be
    /// dropped and called again.
    pub async fn next(&mut self, state: &mut State) {
        loop {
            let Some(stream) = &mut self.stream else {
                tokio::time::sleep_until(self.due).await;
                if !self.open(state).await {
                    return;
                }
                continue;
            };
            let mut item = Some(stream.next().await);
            let mut taken = 0;
            while let Some(Some(Ok(line))) = item {
                if self.heard.is_new(&line) {
                    state.hear(line);
                }
                state.log_trouble = None;
                taken += 1;
                item = match taken < AT_ONCE {
                    true => stream.next().now_or_never(),
                    false => None,
                };
            }
            if let Some(ended) = item {
                state.log_trouble = ended.and_then(Result::err).map(|error| error.detail);
                self.stream = None;
                self.due = Instant::now() + PAUSE;
            }
            return;
        }
    }

    /// Whether it is open.
    async fn open(&mut self, state: &mut State) -> bool {
        if self.opening.is_none() {
            self.heard.again();
        }
        let tail = match self.heard.last.is_empty() {
            true => TAIL,
            false => AGAIN,
        };
        let live = self.live;
        let opening = self.opening.get_or_insert_with(|| {
            let wish = LogWish {
                nodes: Vec::new(),
                since_ms: None,
                tail: Some(tail),
                follow: true,
            };
            async move { live.engine().logs(live.name(), &wish).await }.boxed_local()
        });
        let opened = opening.await;
        self.opening = None;
        let trouble = match opened {
            Ok(stream) => {
                self.stream = Some(stream);
                return true;
            }
            Err(error) => error.detail,
        };
        state.log_trouble = Some(trouble);
        self.due = Instant::now() + PAUSE;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::LogSource;

    fn new_ones(heard: &mut Heard, lines: &[(&str, u64)]) -> Vec<usize> {
        let line = |(node, time_ms): &(&str, u64)| LogLine {
            node: (*node).to_owned(),
            time_ms: *time_ms,
            source: LogSource::Stdout,
            text: String::new(),
        };
        let numbered = lines.iter().enumerate();
        let new = numbered.filter(|(_, one)| heard.is_new(&line(one)));
        new.map(|(at, _)| at).collect()
    }

    #[test]
    fn a_log_opened_again_tells_no_line_twice_and_loses_none() {
        let mut heard = Heard::default();
        // The clock of `b` is far ahead.
        let before = [("a", 1), ("a", 2), ("b", 900), ("a", 2)];
        assert_eq!(new_ones(&mut heard, &before), [0, 1, 2, 3]);
        heard.again();
        let again = [
            ("a", 1),
            ("b", 900),
            ("a", 2),
            ("a", 2),
            ("a", 2),
            ("b", 900),
            ("a", 3),
        ];
        assert_eq!(new_ones(&mut heard, &again), [4, 5, 6]);
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_node() {
        let mut heard = Heard::default();
        new_ones(&mut heard, &[("a", 900)]);
        heard.again();
        let later = vec![("a", 5); AGAIN + 3];
        let new = new_ones(&mut heard, &later);
        assert_eq!(new, [AGAIN, AGAIN + 1, AGAIN + 2]);
    }
}
