//! Whether the engine is there. It keeps a stream of events open for as long as
//! it lives, so that even a restart between two questions is seen.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as BollardError;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::call::root_cause;
use crate::engine::Presence;

/// For an answer to a ping; an engine that hangs is no engine that is gone.
const PING_MAX: Duration = Duration::from_secs(5);
/// Between two pings.
const PING_PAUSE: Duration = Duration::from_millis(500);
/// A stream of events that does not last so long is none: some proxies in front
/// of engines allow none.
const STEADY: Duration = Duration::from_secs(1);

/// Tells when the engine goes away and when it is back.
pub fn presence(docker: Docker) -> BoxStream<'static, Presence> {
    stream::unfold((docker, true), |(docker, is_there)| async move {
        let told = match is_there {
            true => Presence::Away(until_gone(&docker).await),
            false => {
                until_back(&docker).await;
                Presence::Back
            }
        };
        Some((told, (docker, !is_there)))
    })
    .boxed()
}

/// Why it is gone, as soon as it is.
async fn until_gone(docker: &Docker) -> String {
    loop {
        let opened = Instant::now();
        let ended = events_end(docker).await;
        let is_steady = opened.elapsed() >= STEADY;
        match (ended, ping(docker).await) {
            (Some(why), _) if is_steady => return why,
            (_, Err(why)) => return why,
            (_, Ok(())) => sleep(PING_PAUSE).await,
        }
    }
}

async fn until_back(docker: &Docker) {
    while ping(docker).await.is_err() {
        sleep(PING_PAUSE).await;
    }
}

/// Why the stream of events ended; `None` if the engine gives none.
async fn events_end(docker: &Docker) -> Option<String> {
    // Of the daemon itself, which are few.
    let few = HashMap::from([("type", vec!["daemon"])]);
    let options = EventsOptionsBuilder::default().filters(&few).build();
    let mut events = Box::pin(docker.events(Some(options)));
    loop {
        match events.next().await {
            Some(Ok(_)) => {}
            Some(Err(
                BollardError::DockerResponseServerError { .. }
                | BollardError::JsonDataError { .. }
                | BollardError::RequestTimeoutError,
            )) => return None,
            Some(Err(error)) => return Some(root_cause(&error)),
            None => return Some("it closed its connections".into()),
        }
    }
}

/// Whether anybody is there; who refuses or hesitates is there as well.
async fn ping(docker: &Docker) -> Result<(), String> {
    match timeout(PING_MAX, docker.ping()).await {
        Ok(Ok(_)) | Err(_) => Ok(()),
        Ok(Err(
            BollardError::DockerResponseServerError { .. } | BollardError::RequestTimeoutError,
        )) => Ok(()),
        Ok(Err(error)) => Err(root_cause(&error)),
    }
}

#[cfg(test)]
mod tests;
