//! Whether round trips spread as jitter says.
//!
//! Jitter is a normal deviation of each direction's delay, so that the sum of
//! squares of round trips about their mean, over the ordered variance, follows
//! chi-squared. Only too little spread speaks against it: what a busy machine
//! adds is spread too.

use std::collections::BTreeMap;

use devnet_scenario::fault::Link;
use devnet_scenario::links::LinkState;

use super::super::links::plain;
use super::loss::CHANCE_MIN;
use super::{Finding, Measured, Seen, rounded, some_of, spell_link};

/// With so many round trips beyond the first of each link, a spread below a
/// fifth of the ordered one is no accident: its chance is below one in a
/// million.
const TELLING: usize = 16;
/// With fewer than so many nothing can be said.
const TELLING_LEAST: usize = 6;
/// Round trips of one link at least, and at most.
const EACH: (usize, usize) = (5, TELLING + 1);

/// Links of these that still need round trips.
pub fn to_repeat(
    probed: &[Link],
    states: &BTreeMap<Link, LinkState>,
    measured: &Measured,
) -> Vec<Link> {
    let jittered = jittered(probed, states);
    let each = TELLING.div_ceil(jittered.len().max(1)) + 1;
    let each = each.clamp(EACH.0, EACH.1);
    let open = jittered.into_iter();
    open.filter(|link| answers(measured, link).len() < each)
        .collect()
}

/// Judges the spread of all links with jitter together, and of each alone.
pub fn judge(probed: &[Link], states: &BTreeMap<Link, LinkState>, measured: &Measured) -> Finding {
    let jittered = jittered(probed, states);
    if jittered.is_empty() {
        return Finding::default();
    }
    let mut finding = Finding::default();
    let mut all = Spread::default();
    let mut still = Vec::new();
    for link in &jittered {
        let one = Spread::of(&answers(measured, link), variance(link, states));
        if one.is_too_little() {
            still.push(format!("{} ({one})", spell_link(link)));
        }
        all.add(&one);
    }
    if all.is_too_little() && still.is_empty() {
        still.push(format!("all links together ({all})"));
    }
    if !still.is_empty() {
        let text = format!("the jitter does not show: {}", some_of(&still));
        finding.objections.push(text);
    }
    if all.free < TELLING_LEAST {
        finding.objections.push(format!(
            "the jitter could not be measured: {} round trips beyond the first of each link, at \
             least {TELLING_LEAST} tell",
            all.free
        ));
    }
    finding.summary = format!("round trips of {} links spread by {all}", jittered.len());
    finding
}

/// Spread of round trips, in units of what was ordered.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    /// Sum of squares about the mean, each over the ordered variance.
    squares: f64,
    /// Degrees of freedom: round trips beyond the first of each link.
    free: usize,
    /// Ordered variances, each as often as it is in `free`.
    ordered: f64,
}

impl Spread {
    fn of(answers: &[f64], variance: f64) -> Self {
        let count = answers.len() as f64;
        let mean = answers.iter().sum::<f64>() / count.max(1.0);
        let squares: f64 = answers.iter().map(|rtt_ms| (rtt_ms - mean).powi(2)).sum();
        let free = answers.len().saturating_sub(1);
        Self {
            squares: squares / variance,
            free,
            ordered: variance * free as f64,
        }
    }

    fn add(&mut self, more: &Self) {
        self.squares += more.squares;
        self.free += more.free;
        self.ordered += more.ordered;
    }

    /// Found variance over the ordered one.
    fn ratio(&self) -> f64 {
        self.squares / self.free.max(1) as f64
    }

    /// Whether so little spread is as good as impossible. The chance that a
    /// chi-squared of `k` is at most `k x`, for `x < 1`, is at most
    /// `(x exp(1 - x))^(k/2)` (Chernoff's bound).
    fn is_too_little(&self) -> bool {
        let ratio = self.ratio();
        let bound = (ratio * (1.0 - ratio).exp()).powf(self.free as f64 / 2.0);
        self.free > 0 && ratio < 1.0 && bound < CHANCE_MIN
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ordered = (self.ordered / self.free.max(1) as f64).sqrt();
        let found = rounded(ordered * self.ratio().sqrt());
        let count = self.free;
        write!(
            f,
            "{found} ms of {} ms ordered, over {count}",
            rounded(ordered)
        )
    }
}

fn jittered(probed: &[Link], states: &BTreeMap<Link, LinkState>) -> Vec<Link> {
    let has_jitter = |link: &&Link| variance(link, states) > 0.0;
    probed.iter().filter(has_jitter).cloned().collect()
}

/// Least variance of a round trip by the jitter of both directions, in square
/// milliseconds. A delay is never below zero, which takes from the spread where
/// it is small beside its deviation: 0.34 of the variance is left without any
/// delay, 0.75 where both are alike, 0.96 at twice the deviation.
fn variance(link: &Link, states: &BTreeMap<Link, LinkState>) -> f64 {
    let one_way = |link: &Link| {
        let condition = states.get(link).map(plain).unwrap_or_default().condition;
        let jitter_ms = condition.jitter_ms.unwrap_or_default();
        let latency_ms = condition.latency_ms.unwrap_or_default();
        let share = match latency_ms / jitter_ms {
            ratio if ratio >= 2.0 => 0.96,
            ratio if ratio >= 1.0 => 0.75,
            _ => 0.34,
        };
        share * jitter_ms * jitter_ms
    };
    one_way(link) + one_way(&link.reversed())
}

fn answers(measured: &Measured, link: &Link) -> Vec<f64> {
    let seen = measured.rtts.get(link).into_iter().flatten();
    seen.filter_map(|seen| match seen {
        Seen::Reached { rtt_ms } => Some(*rtt_ms),
        _ => None,
    })
    .collect()
}
