//! Whether round trips take what they should.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{ProbeEvidence, Reach};

use super::super::links::plain;
use super::{Finding, Measured, Seen, some_of};

/// A round trip shows its latency if it takes this share of it: clocks and
/// timers are coarse.
const SHARE: f64 = 0.9;
/// Deviations a round trip may fall short by, where latency jitters.
const DEVIATIONS: f64 = 4.0;
/// A round trip without latency that takes this long, in milliseconds, half of
/// what slow ones take, and more than what these take beyond their latency, is
/// slow too: what a busy machine adds, it adds to all.
const FREE_MS_MAX: f64 = 100.0;
/// The same where nothing has latency: there is nothing to compare with, and
/// that the nodes hold no latency has been read back.
const ALL_FREE_MS_MAX: f64 = 400.0;

/// What a round trip shall take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    /// Latency of both directions, in milliseconds.
    pub latency_ms: f64,
    /// Deviation of both together, in milliseconds.
    pub jitter_ms: f64,
}

impl Trip {
    /// The round trip over a link and back.
    pub fn over(link: &Link, states: &BTreeMap<Link, LinkState>) -> Self {
        let of = |link: &Link| states.get(link).map(plain).unwrap_or_default().condition;
        let (there, back) = (of(link), of(&link.reversed()));
        let jitter = |jitter_ms: Option<f64>| jitter_ms.unwrap_or_default();
        Self {
            latency_ms: there.latency_ms.unwrap_or_default() + back.latency_ms.unwrap_or_default(),
            jitter_ms: jitter(there.jitter_ms).hypot(jitter(back.jitter_ms)),
        }
    }

    /// The least that shows it, in milliseconds.
    pub fn floor_ms(&self) -> f64 {
        (SHARE * self.latency_ms - DEVIATIONS * self.jitter_ms).max(0.0)
    }

    /// What nearly every such round trip keeps to, in milliseconds.
    pub fn ceiling_ms(&self) -> f64 {
        self.latency_ms + DEVIATIONS * self.jitter_ms
    }
}

/// Round trips that do not yet show what they should, and are worth another
/// try: those without an answer, and those that were slow without a reason.
pub fn to_repeat(
    probed: &[Link],
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Vec<Link> {
    let limit_ms = free_limit_ms(probed, states, measured);
    let is_settled = |link: &&Link| match added_ms(measured, link) {
        Some(rtt_ms) => Trip::over(link, states).latency_ms > 0.0 || rtt_ms < limit_ms,
        None => false,
    };
    let open = probed.iter().filter(|link| !is_settled(link));
    open.cloned().collect()
}

/// Judges every measured round trip.
pub fn judge(probed: &[Link], states: &BTreeMap<Link, LinkState>, measured: &Measured) -> Finding {
    let limit_ms = free_limit_ms(probed, states, measured);
    let mut finding = Finding::default();
    let (mut slow, mut free) = (Group::default(), Group::default());
    let (mut fast, mut slowed, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for link in probed {
        let trip = Trip::over(link, states);
        let is_slow = trip.latency_ms > 0.0;
        let whole_ms = fastest_ms(measured, link);
        let rtt_ms = added_ms(measured, link);
        let wanted_ms = trip.latency_ms + measured.nature_ms;
        let told = |rtt_ms: f64| {
            let ends = format!("{} <-> {}", link.from, link.to);
            let rtt_ms = rtt_ms + measured.nature_ms;
            format!("{ends} {rtt_ms:.1} ms instead of {wanted_ms:.1} ms")
        };
        let is_well = match rtt_ms {
            None => {
                silent.push(format!("{} <-> {}", link.from, link.to));
                false
            }
            Some(rtt_ms) if rtt_ms < trip.floor_ms() => {
                fast.push(told(rtt_ms));
                false
            }
            Some(rtt_ms) if !is_slow && rtt_ms >= limit_ms => {
                slowed.push(told(rtt_ms));
                false
            }
            Some(_) => true,
        };
        if is_slow { &mut slow } else { &mut free }.count(whole_ms, wanted_ms, is_well);
        finding.probes.push(ProbeEvidence {
            link: link.clone(),
            by: "ping".to_owned(),
            before: measured.before(link),
            expected: Reach::Open {
                rtt_ms: is_slow.then_some(wanted_ms),
            },
            measured: whole_ms.map_or(Reach::Unknown, |rtt_ms| Reach::Open {
                rtt_ms: Some(rtt_ms),
            }),
        });
    }
    let mut object = |what: &str, links: &[String]| {
        if !links.is_empty() {
            let text = format!("{what}: {}", some_of(links));
            finding.objections.push(text);
        }
    };
    object("the latency does not show", &fast);
    object("round trips without latency are slow", &slowed);
    object("round trips could not be measured", &silent);
    finding.summary = spell(&slow, &free);
    finding
}

/// The fastest answer; one alone may have met a busy machine.
fn fastest_ms(measured: &Measured, link: &Link) -> Option<f64> {
    let answers = measured.rtts.get(link)?.iter();
    answers
        .filter_map(|seen| match seen {
            Seen::Reached { rtt_ms } => Some(*rtt_ms),
            _ => None,
        })
        .min_by(f64::total_cmp)
}

/// What a round trip takes beyond what it takes by nature.
fn added_ms(measured: &Measured, link: &Link) -> Option<f64> {
    fastest_ms(measured, link).map(|rtt_ms| (rtt_ms - measured.nature_ms).max(0.0))
}

fn free_limit_ms(probed: &[Link], states: &BTreeMap<Link, LinkState>, measured: &Measured) -> f64 {
    let slow = probed.iter().filter_map(|link| {
        let latency_ms = Trip::over(link, states).latency_ms;
        (latency_ms > 0.0).then(|| (latency_ms, added_ms(measured, link)))
    });
    let (mut least_ms, mut excess_ms) = (f64::INFINITY, f64::INFINITY);
    for (latency_ms, rtt_ms) in slow {
        least_ms = least_ms.min(latency_ms);
        excess_ms = excess_ms.min(rtt_ms.map_or(f64::INFINITY, |rtt_ms| rtt_ms - latency_ms));
    }
    if least_ms.is_infinite() {
        return ALL_FREE_MS_MAX;
    }
    let excess_ms = if excess_ms.is_finite() {
        excess_ms.max(0.0)
    } else {
        0.0
    };
    (least_ms / 2.0).max(FREE_MS_MAX) + excess_ms
}

#[derive(Default)]
struct Group {
    all: usize,
    well: usize,
    wanted_ms: Option<(f64, f64)>,
    found_ms: Option<(f64, f64)>,
}

impl Group {
    fn count(&mut self, rtt_ms: Option<f64>, wanted_ms: f64, is_well: bool) {
        self.all += 1;
        self.well += usize::from(is_well);
        widen(&mut self.wanted_ms, wanted_ms);
        if let Some(rtt_ms) = rtt_ms {
            widen(&mut self.found_ms, rtt_ms);
        }
    }
}

fn widen(range: &mut Option<(f64, f64)>, value: f64) {
    let (low, high) = range.unwrap_or((value, value));
    *range = Some((low.min(value), high.max(value)));
}

fn spell(slow: &Group, free: &Group) -> String {
    let range = |range: Option<(f64, f64)>| match range {
        None => "-".to_owned(),
        Some((low, high)) if high - low < 1.0 => format!("{high:.0} ms"),
        Some((low, high)) => format!("{low:.0} to {high:.0} ms"),
    };
    let mut parts = Vec::new();
    if slow.all > 0 {
        parts.push(format!(
            "{} of {} round trips show their latency ({} wanted, {} measured)",
            slow.well,
            slow.all,
            range(slow.wanted_ms),
            range(slow.found_ms)
        ));
    }
    if free.all > 0 {
        let others = if slow.all > 0 {
            "others"
        } else {
            "round trips"
        };
        parts.push(format!(
            "{} of {} {others} are fast ({})",
            free.well,
            free.all,
            range(free.found_ms)
        ));
    }
    parts.join(", ")
}
