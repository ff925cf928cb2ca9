//! Judging claims against what was seen.
//!
//! A judgement is made of the whole history, never of one look alone:
//! agreement counts only with blocks that nobody knew before the last heal,
//! parting only from where the chains stood when the cut came in force.

mod chain;
mod each;
mod fork;
mod node;
mod outside;
mod scene;
mod timing;
mod winner;

use std::collections::BTreeMap;

use crate::fault::NodeName;
use crate::model::{Claim, Expectation, MetricMode, Since};
use crate::world::Wants;

pub use scene::Scene;

/// What a claim comes to, now. Each says why, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It holds; with the evidence.
    Holds(String),
    /// It does not hold now, and may later.
    NotYet(String),
    /// It cannot be told yet: too little was seen, or it is about something
    /// that only time brings (fresh blocks, the end of a window).
    TooEarly(String),
    /// It does not hold and never will.
    Violated(String),
}

/// An expectation with its nodes, from the moment it is open.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is expected.
    pub expectation: Expectation,
    /// Nodes it is about, excused ones taken out.
    pub nodes: Vec<NodeName>,
    /// Begin of its step, milliseconds on the world's clock.
    pub begun_at_ms: u64,
    /// When it was first to be judged: later than the begin where other claims
    /// of the step had to hold first.
    pub begun_judging_at_ms: u64,
    /// Heights in the first look since the step's begin.
    pub baseline: Option<BTreeMap<NodeName, u32>>,
    /// Looks taken before its step began; it is judged only by later ones.
    pub looks_before: u64,
    /// Number of the history's watch for it, for claims about metrics and logs.
    pub watch: u64,
}

/// Judges a case. `None` before the first look since its step began.
pub fn judge(scene: &Scene<'_>, case: &Case) -> Option<Judgement> {
    if scene.history.looks() <= case.looks_before {
        return None;
    }
    let judgement = match &case.expectation.claim {
        Claim::Converged { max_lag, fresh } => chain::converged(scene, case, *max_lag, *fresh),
        Claim::Diverged { advance } => fork::diverged(scene, case, *advance),
        Claim::Progress { blocks } => chain::progress(scene, case, *blocks),
        Claim::NoProgress { during } => chain::no_progress(scene, case, *during),
        Claim::Height(is) => node::height(scene, case, is),
        Claim::TipOf { of, contains } => chain::tip_of(scene, case, of, *contains),
        Claim::ReorgDepth(is) => fork::reorg_depth(scene, case, is),
        Claim::ForkCount(is) => fork::fork_count(scene, case, is),
        Claim::StaleRate(is) => fork::stale_rate(scene, case, is),
        Claim::BlockInterval(bounds) => timing::block_interval(scene, case, bounds),
        Claim::Winner { side } => winner::winner(scene, case, side.as_ref()),
        Claim::Supply => chain::supply(scene, case),
        Claim::Transaction(claim) => outside::transaction(scene, case, claim),
        Claim::Peers(is) => node::peers(scene, case, is),
        Claim::Metric(claim) => outside::metric(scene, case, claim),
        Claim::Log(claim) => outside::log(scene, case, claim),
        Claim::NoErrorLogs { .. } => outside::no_error_logs(scene, case),
        Claim::Restarts(is) => node::restarts(scene, case, is),
        Claim::Memory(is) => node::memory(scene, case, is),
    };
    Some(judgement)
}

/// What the next look must contain for this case.
pub fn wants(scene: &Scene<'_>, case: &Case) -> Wants {
    let mut wants = Wants::default();
    match &case.expectation.claim {
        Claim::Converged { max_lag, .. } => {
            wants.coins_at = chain::common_height(scene, case, *max_lag);
        }
        Claim::Supply => wants.coins_at = chain::lowest(scene, case),
        Claim::Transaction(claim) => wants.transactions = scene.sent(&claim.name).to_vec(),
        Claim::Metric(_) => wants.metrics = true,
        Claim::Log(_) | Claim::NoErrorLogs { .. } => wants.logs = true,
        _ => {}
    }
    wants
}

impl Case {
    /// From when its windows and limits count.
    pub fn window_begin(&self, scene: &Scene<'_>) -> u64 {
        match self.expectation.since {
            Since::Step => self.begun_at_ms,
            Since::Start => scene.history.first_at_ms(),
            Since::Heal => match scene.history.faults.last_end_ms() {
                Some(end) if end > scene.history.first_at_ms() => end,
                _ => self.begun_at_ms,
            },
        }
    }

    /// Until when it must hold; `None` where it is judged once.
    pub fn deadline(&self, scene: &Scene<'_>) -> Option<u64> {
        let within = self.expectation.within?.ms(scene.interval_ms());
        Some(self.window_begin(scene).saturating_add(within))
    }

    /// Whether the window must be over before the case can hold: a claim that
    /// something stays away, with a limit that says for how long.
    pub(crate) fn must_be_over(&self, scene: &Scene<'_>) -> bool {
        self.deadline(scene)
            .is_some_and(|deadline| scene.now_ms() < deadline)
    }

    /// Whether what it reads from metrics or logs begins before its step, so
    /// that looks before must have it too.
    pub fn reads_the_past(&self) -> bool {
        let is_past = self.expectation.since != Since::Step;
        match &self.expectation.claim {
            Claim::Log(_) | Claim::NoErrorLogs { .. } => is_past,
            Claim::Metric(claim) => is_past && claim.mode != MetricMode::Value,
            _ => false,
        }
    }
}

impl Judgement {
    /// The reason or evidence.
    pub fn text(&self) -> &str {
        match self {
            Self::Holds(text)
            | Self::NotYet(text)
            | Self::TooEarly(text)
            | Self::Violated(text) => text,
        }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds(_))
    }
}
