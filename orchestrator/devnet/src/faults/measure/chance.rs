//! Probes of what is left to chance, again and again: loss and jitter.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::super::apply::Applied;
use super::super::proof::delay::Trip;
use super::super::proof::{jitter, loss};
use super::{AGAIN_TIMEOUT, ping, ping_timeout};

/// Probing lossy links by pings ends after this: where much is lost, an answer
/// takes a second and more.
const LOSS_LIMIT: Duration = Duration::from_secs(30);
/// Measuring jitter ends after this at least, and at most, and takes so many of
/// the longest round trips.
const JITTER_LIMIT: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(60));
const JITTER_TRIPS: f64 = 8.0;

/// Takes round trips of links with jitter again and again, one after the
/// other: those under way at once would wait for each other.
pub async fn spreads(applied: &mut Applied) {
    let began = Instant::now();
    let trips = applied.choice.delay.iter();
    let longest_ms = trips
        .map(|link| Trip::over(link, &applied.states).ceiling_ms())
        .fold(0.0, f64::max);
    let limit = Duration::try_from_secs_f64(JITTER_TRIPS * longest_ms / 1_000.0);
    let limit = limit.unwrap_or(JITTER_LIMIT.1);
    let limit = limit.clamp(JITTER_LIMIT.0, JITTER_LIMIT.1);
    while began.elapsed() < limit {
        let chosen = &applied.choice.delay;
        let again = jitter::to_repeat(chosen, &applied.states, &applied.measured);
        if again.is_empty() {
            break;
        }
        let timeout = ping_timeout(applied, &again, 2.0) + AGAIN_TIMEOUT;
        for (link, seen) in ping(applied, &again, timeout).await {
            applied.measured.rtts.entry(link).or_default().push(seen);
        }
    }
}

/// Each link is probed at its own pace: a lost answer holds up no other link.
pub async fn losses(applied: &mut Applied) {
    let began = Instant::now();
    while began.elapsed() < LOSS_LIMIT {
        let Applied {
            choice,
            states,
            measured,
            ..
        } = &*applied;
        let missing = loss::missing(&choice.loss, states, measured);
        if missing.is_empty() {
            break;
        }
        let applied_now = &*applied;
        let probing = missing.into_iter().map(|(link, count)| async move {
            let links = std::slice::from_ref(&link);
            let timeout = ping_timeout(applied_now, links, 2.0) + AGAIN_TIMEOUT;
            let mut answers = Vec::new();
            while answers.len() < count && began.elapsed() < LOSS_LIMIT {
                answers.extend(ping(applied_now, links, timeout).await.into_values());
            }
            (link, answers)
        });
        for (link, answers) in join_all(probing).await {
            applied
                .measured
                .rtts
                .entry(link)
                .or_default()
                .extend(answers);
        }
    }
}
