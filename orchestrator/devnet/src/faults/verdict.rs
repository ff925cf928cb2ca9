//! From what was measured to the outcome of an act.

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::Fault;
use devnet_scenario::links::LinkState;
use devnet_scenario::world::Outcome;

use super::apply::Applied;
use super::proof::{self, Finding, Goals};

/// What shows that a fault bit.
pub const fn goals_of(fault: &Fault) -> Goals {
    match fault {
        Fault::Cut(_) => Goals {
            reach: true,
            delay: false,
            loss: false,
        },
        Fault::Condition { with, .. } => Goals {
            reach: false,
            delay: with.latency_ms.is_some() || with.jitter_ms.is_some(),
            loss: with.loss.is_some(),
        },
        Fault::Node { .. } => Goals {
            reach: false,
            delay: false,
            loss: false,
        },
    }
}

/// Judges what was measured; `more` was found beside.
pub fn judge(applied: &Applied, goals: Goals, more: Finding) -> Outcome {
    let Applied {
        choice,
        states,
        measured,
        ..
    } = applied;
    let mut findings = vec![proof::judge_held(states, &applied.running, measured)];
    if goals.reach {
        findings.push(proof::reach::judge(
            &choice.reach,
            choice.of,
            states,
            measured,
        ));
    }
    if goals.delay {
        findings.push(proof::delay::judge(&choice.delay, states, measured));
    }
    if goals.loss {
        findings.push(match applied.layout.blueprint.engine {
            EngineKind::Docker => proof::loss::judge_packets(&choice.loss, states, measured),
            EngineKind::Process => proof::loss::judge_delays(&choice.loss, states, measured),
        });
    }
    findings.push(more);
    if !applied.skipped.is_empty() {
        findings.push(Finding {
            summary: format!(
                "{} did not run; what is meant for them is done when they start",
                applied.skipped.join(", ")
            ),
            ..Finding::default()
        });
    }
    proof::outcome(findings, applied.in_force_at_ms)
}

/// A limit of the rate is proved by what the nodes say alone.
pub fn rates(fault: &Fault, applied: &Applied) -> Finding {
    let Fault::Condition { links, with } = fault else {
        return Finding::default();
    };
    let Some(rate) = with.rate_bytes_s else {
        return Finding::default();
    };
    let limited = |held: &&LinkState| held.condition.rate_bytes_s == with.rate_bytes_s;
    let held = links
        .iter()
        .filter_map(|link| applied.measured.held.get(link));
    Finding {
        summary: format!(
            "{} of {} links are limited to {rate} bytes/s, as read back from the nodes",
            held.filter(limited).count(),
            links.len()
        ),
        ..Finding::default()
    }
}

/// Two outcomes as one; the worse decides.
pub fn both(first: Outcome, second: Outcome) -> Outcome {
    let (mut evidence, is_ineffective) = match first {
        Outcome::Done(evidence) => (evidence, false),
        Outcome::Ineffective(evidence) => (evidence, true),
        failed @ Outcome::Failed { .. } => return failed,
    };
    let (more, is_more_ineffective) = match second {
        Outcome::Done(evidence) => (evidence, false),
        Outcome::Ineffective(evidence) => (evidence, true),
        failed @ Outcome::Failed { .. } => return failed,
    };
    let parts = [evidence.summary, more.summary];
    let parts: Vec<String> = parts.into_iter().filter(|text| !text.is_empty()).collect();
    evidence.summary = parts.join("; ");
    evidence.objections.extend(more.objections);
    evidence.probes.extend(more.probes);
    evidence.in_force_at_ms = evidence.in_force_at_ms.max(more.in_force_at_ms);
    if is_ineffective || is_more_ineffective {
        Outcome::Ineffective(evidence)
    } else {
        Outcome::Done(evidence)
    }
}
