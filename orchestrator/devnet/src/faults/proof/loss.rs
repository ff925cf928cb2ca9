//! Whether packets get lost, and about as many as they should.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::super::links::plain;
use super::choose::{LOSS_LEAST, LOST_ENOUGH};
use super::delay::Trip;
use super::{Finding, Measured, Seen, rounded, some_of, spell_link};

/// A share of loss that is as unlikely as this, given the wanted one, is
/// another share.
pub const CHANCE_MIN: f64 = 1e-6;
/// A segment that was lost comes this much later at least, in milliseconds: the
/// least retransmission time-out of TCP (200 ms on Linux), less what timers
/// miss.
pub const RETRANSMISSION_MS: f64 = 150.0;

/// Judges by what receivers counted.
pub fn judge_packets(
    probed: &BTreeMap<Link, usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Finding {
    let mut finding = Finding::default();
    let (mut arrived, mut dropped, mut wanted) = (0, 0, 0.0);
    let mut shares = Shares::default();
    let mut odd = Vec::new();
    for link in probed.keys() {
        let share = wanted_loss(link, states);
        let packets = measured.packets.get(link).copied().unwrap_or_default();
        let count = packets.passed.saturating_add(packets.dropped);
        arrived += count;
        dropped += packets.dropped;
        wanted += share * count as f64;
        shares.add(share, count);
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
            .push(evidence(link, "packets", packets.passed > 0, measured));
    }
    if !odd.is_empty() {
        let text = format!(
            "not the share of packets is lost that should be: {}",
            some_of(&odd)
        );
        finding.objections.push(text);
    }
    // One link may have too few packets to tell; all of them together must not.
    if dropped == 0 && wanted >= LOST_ENOUGH {
        let text = format!("none of {arrived} packets was lost");
        finding.objections.push(text);
    }
    finding.objections.extend(shares.too_few());
    if !probed.is_empty() {
        finding.summary = spell_packets(dropped, arrived, wanted);
    }
    finding
}

/// Judges by how often an answer came a retransmission late, or never. That
/// shows that segments get lost, and no fewer than should.
pub fn judge_delays(
    probed: &BTreeMap<Link, usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Finding {
    let mut finding = Finding::default();
    let mut unshown = Vec::new();
    let (mut answers, mut late) = (0, 0);
    let mut shares = Shares::default();
    let mut sparing = Vec::new();
    for link in probed.keys() {
        let (count, delayed) = delayed(link, states, measured);
        answers += count;
        late += delayed;
        let share = trip_loss(link, states);
        let expected = share * count as f64;
        shares.add(share, u64::try_from(count).unwrap_or(u64::MAX));
        let told = || format!("{} ({delayed} of {count} answers)", spell_link(link));
        if count == 0 || (delayed == 0 && expected >= LOST_ENOUGH) {
            unshown.push(told());
        } else if is_fewer(delayed, count, share) {
            sparing.push(told());
        }
        finding
            .probes
            .push(evidence(link, "ping", count > 0, measured));
    }
    let mut object = |what: &str, links: &[String]| {
        if !links.is_empty() {
            let text = format!("{what}: {}", some_of(links));
            finding.objections.push(text);
        }
    };
    object("no answer came late, as if nothing were lost", &unshown);
    object("fewer answers came late than should by the loss", &sparing);
    finding.objections.extend(shares.too_few());
    if !probed.is_empty() {
        finding.summary = format!(
            "{late} of {answers} answers over {} lossy links came a retransmission late",
            probed.len()
        );
    }
    finding
}

/// How many more answers of each lossy link are needed, so that each share is
/// judged by enough of them; empty if that is done.
pub fn missing(
    probed: &BTreeMap<Link, usize>,
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> BTreeMap<Link, usize> {
    let mut shares = Shares::default();
    let mut links: BTreeMap<u64, Vec<&Link>> = BTreeMap::new();
    for link in probed.keys() {
        let share = trip_loss(link, states);
        let (count, _) = delayed(link, states, measured);
        shares.add(share, u64::try_from(count).unwrap_or(u64::MAX));
        links.entry(share.to_bits()).or_default().push(link);
    }
    let mut missing = BTreeMap::new();
    for (bits, links) in links {
        let lacks = shares.lacks(bits);
        let each = (lacks / links.len() as f64).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what does not fit is bounded by the time there is"
        )]
        let each = each as usize;
        let links = links.into_iter().filter(|_| each > 0);
        missing.extend(links.map(|link| (link.clone(), each)));
    }
    missing
}

/// What could be lost, by the share that should be.
#[derive(Default)]
struct Shares {
    /// Packets by the share's bits; shares are not negative, so these order as
    /// the shares do.
    packets: BTreeMap<u64, u64>,
}

impl Shares {
    fn add(&mut self, share: f64, packets: u64) {
        let of_share = self.packets.entry(share.to_bits()).or_default();
        *of_share = of_share.saturating_add(packets);
    }

    /// Packets or answers that a share needs beyond those there are.
    fn lacks(&self, share: u64) -> f64 {
        let have = self.packets.get(&share).copied().unwrap_or_default();
        let needed = LOST_ENOUGH / f64::from_bits(share).max(LOSS_LEAST);
        (needed - have as f64).max(0.0)
    }

    /// Why a share is not proven because too few losses were to be expected.
    fn too_few(&self) -> Option<String> {
        let mut shares = self.packets.iter();
        let expected = |share: u64, packets: u64| f64::from_bits(share) * packets as f64;
        let (share, of) = shares.find(|(share, of)| expected(**share, **of) < LOST_ENOUGH)?;
        Some(format!(
            "too few to prove a loss of {} %: of {of} packets {} should be lost, at least \
             {LOST_ENOUGH} must; a larger share, more links or the container engine show it",
            rounded(f64::from_bits(*share) * 100.0),
            rounded(expected(*share, *of))
        ))
    }
}

/// Whether so few late answers are as good as impossible. More prove nothing: a
/// busy machine makes answers late too.
fn is_fewer(delayed: usize, count: usize, share: f64) -> bool {
    let (delayed, count) = (delayed as u64, count as u64);
    let is_below = (delayed as f64) < share * count as f64;
    is_below && chance_bound(delayed, count, share) < CHANCE_MIN
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

/// Share of round trips of which a segment is lost on one of the two ways.
fn trip_loss(link: &Link, states: &BTreeMap<Link, LinkState>) -> f64 {
    let passes = |link: &Link| 1.0 - wanted_loss(link, states);
    1.0 - passes(link) * passes(&link.reversed())
}

fn evidence(link: &Link, by: &str, is_open: bool, measured: &Measured) -> ProbeEvidence {
    ProbeEvidence {
        link: link.clone(),
        by: by.to_owned(),
        before: measured.before(link),
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
    format!(
        "{dropped} of {arrived} packets lost ({} %, {} % wanted)",
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
