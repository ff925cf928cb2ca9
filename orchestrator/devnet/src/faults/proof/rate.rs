//! Whether bytes take as long as the limit of the rate says.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::super::links::plain;
use super::delay::Trip;
use super::{Finding, Measured, Seen, some_of, spell_link};

/// A payload takes this share of its time at least: what is sent first need
/// not wait.
const SHARE: f64 = 0.8;
/// A payload shall take about so long, in milliseconds.
const WANTED_MS: u64 = 400;
/// Bytes of a payload; the least, and the most that nodes carry.
const BYTES: (u32, u32) = (512, 256 * 1_024);
/// What a payload takes less than this long, in milliseconds, it takes without
/// a limit too.
const SHOWS_MS: u64 = 20;
/// The highest limit that can be proven, in bytes a second.
pub const PROVABLE_MAX: u64 = BYTES.1 as u64 * 1_000 / SHOWS_MS;

/// Bytes that show the limits of the link and the way back well.
pub fn bytes(link: &Link, states: &BTreeMap<Link, LinkState>) -> u32 {
    let rate = |link: &Link| of(states, link).condition.rate_bytes_s;
    let rates = [rate(link), rate(&link.reversed())];
    let slowest = rates.into_iter().flatten().min();
    let wanted = slowest.map_or(u64::MAX, |rate| rate.saturating_mul(WANTED_MS) / 1_000);
    u32::try_from(wanted)
        .unwrap_or(BYTES.1)
        .clamp(BYTES.0, BYTES.1)
}

/// Time that many bytes take there and back by their rates, in milliseconds.
pub fn wanted_ms(link: &Link, states: &BTreeMap<Link, LinkState>, bytes: u32) -> f64 {
    let one_way = |link: &Link| {
        let rate = of(states, link).condition.rate_bytes_s;
        rate.map_or(0.0, |rate| 1e3 * f64::from(bytes) / rate.max(1) as f64)
    };
    one_way(link) + one_way(&link.reversed())
}

/// Judges every measured payload.
pub fn judge(probed: &[Link], states: &BTreeMap<Link, LinkState>, measured: &Measured) -> Finding {
    let mut finding = Finding::default();
    let (mut fast, mut silent) = (Vec::new(), Vec::new());
    let (mut shown, mut limited) = (0, 0);
    let mut too_high = Vec::new();
    let mut free = None;
    for link in probed {
        let (bytes, took_ms) = took(link, states, measured);
        let wanted_ms = wanted_ms(link, states, bytes);
        let latency_ms = Trip::over(link, states).floor_ms() + measured.nature_ms;
        let least_ms = SHARE * wanted_ms + latency_ms;
        finding
            .probes
            .push(evidence(link, (wanted_ms, latency_ms), took_ms, measured));
        if wanted_ms <= 0.0 {
            free = took_ms.map(|took_ms| (link, bytes, took_ms));
            continue;
        }
        limited += 1;
        match took_ms {
            None => silent.push(spell_link(link)),
            Some(took_ms) if took_ms < least_ms => fast.push(format!(
                "{} {bytes} bytes in {took_ms:.0} ms instead of {wanted_ms:.0} ms",
                spell_link(link)
            )),
            Some(_) if wanted_ms < SHOWS_MS as f64 => too_high.push(spell_link(link)),
            Some(_) => shown += 1,
        }
    }
    let mut object = |what: &str, links: &[String]| {
        if !links.is_empty() {
            let text = format!("{what}: {}", some_of(links));
            finding.objections.push(text);
        }
    };
    object("the limit of the rate does not show", &fast);
    object("the rate could not be measured", &silent);
    let what = format!("a limit above {PROVABLE_MAX} bytes/s is too high to be proven");
    object(&what, &too_high);
    if limited > 0 {
        finding.summary = format!("{shown} of {limited} links show the limit of their rate");
        if let Some((link, bytes, took_ms)) = free {
            let text = format!(
                "; {bytes} bytes over {}, which has none, took {took_ms:.0} ms",
                spell_link(link)
            );
            finding.summary.push_str(&text);
            finding.objections.extend(alike(probed, states, measured));
        }
    }
    finding
}

/// Whether a link without limit is no faster than those with one: then it is
/// not the limit that shows.
fn alike(
    probed: &[Link],
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Option<String> {
    let rate = |link: &Link| {
        let (bytes, took_ms) = took(link, states, measured);
        let is_limited = wanted_ms(link, states, bytes) > 0.0;
        Some((is_limited, f64::from(bytes) / took_ms?.max(0.001)))
    };
    let rates: Vec<(bool, f64)> = probed.iter().filter_map(rate).collect();
    let of = |limited: bool| rates.iter().filter(move |(is, _)| *is == limited);
    let slowest = of(true).map(|(_, rate)| *rate).min_by(f64::total_cmp)?;
    let free = of(false).map(|(_, rate)| *rate).max_by(f64::total_cmp)?;
    (free <= slowest).then(|| "a link without limit is no faster than those with one".to_owned())
}

fn took(
    link: &Link,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> (u32, Option<f64>) {
    match measured.payloads.get(link) {
        Some((bytes, Seen::Reached { rtt_ms })) => (*bytes, Some(*rtt_ms)),
        Some((bytes, _)) => (*bytes, None),
        None => (bytes(link, states), None),
    }
}

fn evidence(
    link: &Link,
    wanted: (f64, f64),
    took_ms: Option<f64>,
    measured: &Measured,
) -> ProbeEvidence {
    let (wanted_ms, latency_ms) = wanted;
    ProbeEvidence {
        link: link.clone(),
        by: "payload".to_owned(),
        before: measured.before(link),
        expected: Reach::Open {
            rtt_ms: (wanted_ms > 0.0).then_some(wanted_ms + latency_ms),
        },
        measured: took_ms.map_or(Reach::Unknown, |rtt_ms| Reach::Open {
            rtt_ms: Some(rtt_ms),
        }),
    }
}

fn of(states: &BTreeMap<Link, LinkState>, link: &Link) -> LinkState {
    states.get(link).map(plain).unwrap_or_default()
}
