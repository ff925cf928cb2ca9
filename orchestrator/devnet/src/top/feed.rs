//! The nodes' logs as they go on, opened again where they broke off.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use super::seen::{Life, Seen};
use super::state::State;
use crate::engine::{LogStream, LogWish};
use crate::faults::Live;

/// Lines of each node that the view begins with.
const TAIL: usize = 40;
/// After a failure it is tried again this much later.
const PAUSE: Duration = Duration::from_secs(2);
/// Lines taken in at once, so that keys are heard between.
const AT_ONCE: usize = 200;

/// Follows all nodes' logs.
pub struct Feed<'a> {
    live: &'a Live,
    stream: Option<LogStream>,
    /// Not before this is it opened.
    due: Instant,
    /// Time of the last line, in milliseconds since 1970.
    last_ms: Option<u64>,
}

impl<'a> Feed<'a> {
    /// Opened at the first call of [`Feed::next`].
    pub fn new(live: &'a Live) -> Self {
        Self {
            live,
            stream: None,
            due: Instant::now(),
            last_ms: None,
        }
    }

    /// A node that came to life has a log that is not followed yet.
    pub fn see(&mut self, before: &Seen, now: &Seen) {
        let had_none = |name: &str| {
            let mut nodes = before.nodes.iter();
            let known = nodes.find(|node| node.name == name);
            known.is_some_and(|node| !node.life.has_process())
                || (known.is_none() && !before.nodes.is_empty())
        };
        let is_new = now
            .nodes
            .iter()
            .any(|node| node.life == Life::Running && had_none(&node.name));
        if is_new {
            self.stream = None;
        }
    }

    /// Takes the next lines into the state, as soon as there are any. May be
    /// dropped and called again.
    pub async fn next(&mut self, state: &mut State) {
        loop {
            if self.stream.is_none() {
                tokio::time::sleep_until(self.due).await;
                self.open(state).await;
                continue;
            }
            let Some(stream) = &mut self.stream else {
                continue;
            };
            let mut item = Some(stream.next().await);
            let mut taken = 0;
            while let Some(Some(Ok(line))) = item {
                self.last_ms = self.last_ms.max(Some(line.time_ms));
                state.hear(line);
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

    async fn open(&mut self, state: &mut State) {
        let wish = LogWish {
            nodes: Vec::new(),
            since_ms: self.last_ms.map(|last_ms| last_ms.saturating_add(1)),
            tail: Some(TAIL),
            follow: true,
        };
        match self.live.engine().logs(self.live.name(), &wish).await {
            Ok(stream) => self.stream = Some(stream),
            Err(error) => {
                state.log_trouble = Some(error.detail);
                self.due = Instant::now() + PAUSE;
            }
        }
    }
}
