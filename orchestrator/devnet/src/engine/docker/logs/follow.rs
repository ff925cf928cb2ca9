//! One node's log as it goes on. The engine ends the stream of a container that
//! stops, and tells nobody when it starts again; so it is opened again here,
//! where it broke off, until no container of the node is left.

use std::time::Duration;

use bollard::Docker;
use devnet_blueprint::label;
use futures::stream::{self, StreamExt as _};

use super::{LogStream, LogWish, lines, options};
use crate::engine::docker::observe::containers;
use crate::engine::{EngineError, LogLine};

/// Between an end and the next opening, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// Follows the node's container, and whatever container takes its place.
pub fn follow(docker: Docker, network: String, node: String, wish: &LogWish) -> LogStream {
    let follower = Follower {
        docker,
        network,
        node,
        wish: wish.clone(),
        container: None,
        lines: None,
        heard: Heard::default(),
        pause: Duration::ZERO,
    };
    stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(line)) => Some((Ok(line), Some(follower))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

struct Follower {
    docker: Docker,
    network: String,
    node: String,
    wish: LogWish,
    /// Id of the container that was opened last.
    container: Option<String>,
    lines: Option<LogStream>,
    heard: Heard,
    pause: Duration,
}

/// How far a container's log was heard: lines of one moment are told apart by
/// their number.
#[derive(Debug, Default)]
struct Heard {
    last_ms: u64,
    count: usize,
    /// Where it was opened again, and how many lines of that moment are known.
    resumed: (u64, usize),
}

impl Follower {
    async fn next(&mut self) -> Result<Option<LogLine>, EngineError> {
        loop {
            let Some(lines) = &mut self.lines else {
                tokio::time::sleep(self.pause).await;
                self.pause = (2 * self.pause).clamp(AGAIN.0, AGAIN.1);
                if !self.open().await? {
                    return Ok(None);
                }
                continue;
            };
            match lines.next().await {
                Some(Ok(line)) if self.heard.is_new(line.time_ms) => {
                    self.pause = AGAIN.0;
                    return Ok(Some(line));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => self.lines = None,
            }
        }
    }

    /// Whether there is something to follow.
    async fn open(&mut self) -> Result<bool, EngineError> {
        let action = format!("reading the log of {}", self.node);
        let found = containers(&self.docker, &action, Some(&self.network)).await?;
        let is_own = |labels: &std::collections::HashMap<String, String>| {
            labels.get(label::NODE) == Some(&self.node)
        };
        let own = found
            .into_iter()
            .find(|container| container.labels.as_ref().is_some_and(is_own));
        let Some(id) = own.and_then(|container| container.id) else {
            return Ok(false);
        };
        let is_same = self.container.as_ref() == Some(&id);
        let wish = match &self.container {
            None => self.wish.clone(),
            Some(_) => LogWish {
                tail: None,
                since_ms: is_same.then(|| self.heard.again()),
                ..self.wish.clone()
            },
        };
        if !is_same {
            self.heard = Heard::default();
        }
        let entries = self.docker.logs(&id, Some(options(&wish).build())).boxed();
        let since_ms = wish.since_ms.unwrap_or(0);
        self.lines = Some(lines(self.node.clone(), entries, since_ms));
        self.container = Some(id);
        Ok(true)
    }
}

impl Heard {
    /// It is opened again; from which time on.
    fn again(&mut self) -> u64 {
        self.resumed = (self.last_ms, self.count);
        self.last_ms
    }

    /// Whether a line of that time was not heard yet.
    fn is_new(&mut self, time_ms: u64) -> bool {
        let (from_ms, known) = &mut self.resumed;
        if time_ms < *from_ms {
            return false;
        }
        if time_ms == *from_ms && *known > 0 {
            *known -= 1;
            return false;
        }
        match time_ms == self.last_ms {
            true => self.count += 1,
            false => (self.last_ms, self.count) = (time_ms, 1),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_ones(heard: &mut Heard, times: &[u64]) -> Vec<bool> {
        times.iter().map(|time_ms| heard.is_new(*time_ms)).collect()
    }

    #[test]
    fn a_log_that_is_opened_again_goes_on_where_it_broke_off() {
        let mut heard = Heard::default();
        assert_eq!(new_ones(&mut heard, &[5, 7, 7]), [true, true, true]);
        assert_eq!(heard.again(), 7);
        // A third line of that moment had not come yet.
        assert_eq!(
            new_ones(&mut heard, &[6, 7, 7, 7, 9]),
            [false, false, false, true, true]
        );
        assert_eq!(heard.again(), 9);
        assert_eq!(new_ones(&mut heard, &[9, 9]), [false, true]);
    }

    #[test]
    fn a_log_that_told_nothing_tells_all() {
        let mut heard = Heard::default();
        assert_eq!(heard.again(), 0);
        assert_eq!(new_ones(&mut heard, &[0, 3]), [true, true]);
    }
}
