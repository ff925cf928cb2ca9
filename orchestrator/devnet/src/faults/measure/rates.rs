//! Sends payloads over links whose rate is limited.

use std::collections::BTreeMap;
use std::time::Duration;

use devnet_scenario::fault::Link;
use futures::future::join_all;

use super::super::admin::PROBE_TIMEOUT_MAX;
use super::super::apply::Applied;
use super::super::proof::{Seen, rate};
use super::{AGAIN_TIMEOUT, SETUP_TRIPS, ping_bytes, ping_timeout};

/// A payload may wait for what else its link carries.
const PATIENCE: f64 = 3.0;
/// Tries of what did not come back.
const ATTEMPTS_MAX: usize = 2;

/// Measures how long payloads take; links of one sender side by side.
pub async fn take(applied: &mut Applied) {
    for _ in 0..ATTEMPTS_MAX {
        let mut by_size: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        let is_open = |link: &&Link| {
            let seen = applied.measured.payloads.get(*link);
            !matches!(seen, Some((_, Seen::Reached { .. })))
        };
        for link in applied.choice.rate.iter().filter(is_open) {
            let bytes = rate::bytes(link, &applied.states);
            by_size.entry(bytes).or_default().push(link.clone());
        }
        if by_size.is_empty() {
            return;
        }
        let rounds = by_size.iter().map(|(bytes, links)| {
            let timeout = timeout(applied, links, *bytes);
            let round = ping_bytes(applied, links, timeout, Some(*bytes));
            async move { (*bytes, round.await) }
        });
        let rounds: Vec<(u32, BTreeMap<Link, Seen>)> = join_all(rounds).await;
        for (bytes, seen) in rounds {
            let seen = seen.into_iter().map(|(link, seen)| (link, (bytes, seen)));
            applied.measured.payloads.extend(seen);
        }
    }
}

fn timeout(applied: &Applied, links: &[Link], bytes: u32) -> Duration {
    let times = links
        .iter()
        .map(|link| rate::wanted_ms(link, &applied.states, bytes));
    let longest_ms = times.max_by(f64::total_cmp).unwrap_or_default();
    let payload = Duration::try_from_secs_f64(PATIENCE * longest_ms / 1_000.0);
    let setup = ping_timeout(applied, links, SETUP_TRIPS) + AGAIN_TIMEOUT;
    payload.map_or(PROBE_TIMEOUT_MAX, |time| {
        (time + setup).min(PROBE_TIMEOUT_MAX)
    })
}
