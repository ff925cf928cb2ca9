//! Whether packets get lost, and about as many as they should.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::super::links::plain;
use super::choose::LOST_ENOUGH;
use super::delay::Trip;
use super::{Finding, Measured, Seen, rounded, some_of, spell_link};

/// A share of loss that is as unlikely as this, given the wanted one, is
/// another share.
const CHANCE_MIN: f64 = 1e-6;
/// A segment that was lost comes this much later at least, in milliseconds: the
/// least retransmission time-out of TCP (200 ms on Linux), less what timers
/// miss.
pub const RETRANSMISSION_MS: f64 = 150.0;
/// So many delayed answers show that a link loses segments.
pub const DELAYED_ENOUGH: usize = 2;

/// Judges by what receivers counted.
pub fn judge_packets(
    probed: &BTreeMap<Link, usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Finding {
    let mut finding = Finding::default();
    let (mut arrived, mut dropped, mut wanted) = (0, 0, 0.0);
    let mut odd = Vec::new();
    for link in probed.keys() {
        let share = wanted_loss(link, states);
        let packets = measured.packets.get(link).copied().unwrap_or_default();
        let count = packets.passed.saturating_add(packets.dropped);
        arrived += count;
        dropped += packets.dropped;
        wanted += share * count as f64;
        let is_odd = count == 0 || chance_bound(packets.dropped, count, share) < CHANCE_MIN;
        if is_odd {
            odd.push(format!(
                "{} ({} of {count} packets, {} % wanted)",
                spell_link(link),
                packets.dropped,
                rounded(share * 100.0)
            ));
        }
        finding
            .probes
            .push(evidence(link, "packets", packets.passed > 0));
    }
    if !odd.is_empty() {
        let text = format!(
            "not the share of packets is lost that should be: {}",
            some_of(&odd)
        );
        finding.objections.push(text);
    }
    // One link may have too few packets to tell; all of them together less so.
    if dropped == 0 && wanted >= LOST_ENOUGH {
        let text = format!("none of {arrived} packets was lost");
        finding.objections.push(text);
    }
    if !probed.is_empty() {
        finding.summary = spell_packets(dropped, arrived, wanted);
    }
    finding
}

/// Judges by how often an answer came a retransmission late, or never. That
/// shows that segments get lost, not how many of them.
pub fn judge_delays(
    probed: &BTreeMap<Link, usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Finding {
    let mut finding = Finding::default();
    let mut unshown = Vec::new();
    let (mut answers, mut late) = (0, 0);
    for link in probed.keys() {
        let (count, delayed) = delayed(link, states, measured);
        answers += count;
        late += delayed;
        let expected = wanted_loss(link, states) * count as f64;
        if count == 0 || (delayed == 0 && expected >= LOST_ENOUGH) {
            unshown.push(format!("{} ({count} answers)", spell_link(link)));
        }
        finding.probes.push(evidence(link, "ping", count > 0));
    }
    if !unshown.is_empty() {
        let text = format!(
            "no answer came late, as if nothing were lost: {}",
            some_of(&unshown)
        );
        finding.objections.push(text);
    }
    if !probed.is_empty() {
        finding.summary = format!(
            "{late} of {answers} answers over {} lossy links came a retransmission late",
            probed.len()
        );
    }
    finding
}

/// Whether a link has been probed often enough to be judged.
pub fn is_told(link: &Link, states: &BTreeMap<Link, LinkState>, measured: &Measured) -> bool {
    let (count, delayed) = delayed(link, states, measured);
    delayed >= DELAYED_ENOUGH || wanted_loss(link, states) * count as f64 >= LOST_ENOUGH
}

/// Answers, and how many of them came late or never.
fn delayed(link: &Link, states: &BTreeMap<Link, LinkState>, measured: &Measured) -> (usize, usize) {
    let limit_ms = Trip::over(link, states).ceiling_ms() + RETRANSMISSION_MS;
    let seen = measured.rtts.get(link).map_or(&[][..], Vec::as_slice);
    let is_late = |seen: &&Seen| match seen {
        Seen::Reached { rtt_ms } => *rtt_ms >= limit_ms,
        Seen::Silent => true,
        Seen::Untold(_) => false,
    };
    let told = seen.iter().filter(|seen| !matches!(seen, Seen::Untold(_)));
    (told.count(), seen.iter().filter(is_late).count())
}

fn wanted_loss(link: &Link, states: &BTreeMap<Link, LinkState>) -> f64 {
    let state = states.get(link).map(plain).unwrap_or_default();
    state.condition.loss.unwrap_or_default()
}

fn evidence(link: &Link, by: &str, is_open: bool) -> ProbeEvidence {
    ProbeEvidence {
        link: link.clone(),
        by: by.to_owned(),
        before: None,
        expected: Reach::Open { rtt_ms: None },
        measured: if is_open {
            Reach::Open { rtt_ms: None }
        } else {
            Reach::Unknown
        },
    }
}

fn spell_packets(dropped: u64, arrived: u64, wanted: f64) -> String {
    let percent = |part: f64| match arrived {
        0 => "0".to_owned(),
        all => rounded(100.0 * part / all as f64),
    };
    let caution = if dropped == 0 && wanted < LOST_ENOUGH {
        "; too few to tell, the rule was read back"
    } else {
        ""
    };
    format!(
        "{dropped} of {arrived} packets lost ({} %, {} % wanted{caution})",
        percent(dropped as f64),
        percent(wanted)
    )
}

/// An upper bound of the chance that of `count` packets so few, or so many, are
/// lost where each is with chance `share` (Chernoff, Hoeffding 1963: the chance
/// is at most `exp(-count * KL(found, share))`).
fn chance_bound(lost: u64, count: u64, share: f64) -> f64 {
    let count = count as f64;
    let found = lost as f64 / count;
    let part = |a: f64, b: f64| if a <= 0.0 { 0.0 } else { a * (a / b).ln() };
    let divergence = part(found, share) + part(1.0 - found, 1.0 - share);
    (-count * divergence).exp()
}
