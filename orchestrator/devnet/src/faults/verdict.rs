//! From what was measured to the outcome of an act.

use std::collections::BTreeMap;

use devnet_blueprint::EngineKind;
use devnet_scenario::fault::{Fault, Heal, Link, NodeName};
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{Outcome, ProbeEvidence, Reach};

use super::apply::Applied;
use super::links;
use super::proof::choose::Choice;
use super::proof::{self, Finding, Goals, Measured};

/// What shows that a fault bit.
pub fn goals_of(fault: &Fault) -> Goals {
    match fault {
        Fault::Cut(_) => Goals {
            reach: true,
            ..Goals::default()
        },
        Fault::Condition { with, .. } => Goals {
            // All lost is cut.
            reach: with.loss.is_some_and(|loss| loss >= 1.0),
            delay: with.latency_ms.is_some() || with.jitter_ms.is_some(),
            loss: with.loss.is_some(),
            rate: with.rate_bytes_s.is_some(),
        },
        Fault::Node { .. } => Goals::default(),
    }
}

/// Holds a fault of links to its proof: that it will be in force once its
/// nodes run is no proof, something must have been measured on one of them.
pub fn proven(fault: &Fault, outcome: Outcome) -> Outcome {
    let links = match fault {
        Fault::Cut(cut) => &cut.links,
        Fault::Condition { links, .. } => links,
        Fault::Node { .. } => return outcome,
    };
    let Outcome::Done(mut evidence) = outcome else {
        return outcome;
    };
    let is_measured = |probe: &ProbeEvidence| {
        let is_meant = links.contains(&probe.link) || links.contains(&probe.link.reversed());
        is_meant && probe.measured != Reach::Unknown
    };
    if links.is_empty() || evidence.probes.iter().any(is_measured) {
        return Outcome::Done(evidence);
    }
    let objection = "none of its links could be measured: its nodes do not run, or do not answer";
    evidence.objections.push(objection.to_owned());
    Outcome::Ineffective(evidence)
}

/// What shows that healing took what it takes out of links.
pub fn goals_of_heal(heal: &Heal, had_conditions: bool) -> Goals {
    Goals {
        reach: !matches!(heal, Heal::Nodes(_)),
        delay: had_conditions && !matches!(heal, Heal::Cuts | Heal::Nodes(_)),
        ..Goals::default()
    }
}

/// What shows that a condition is gone, and others stay.
pub fn goals_of_lifted_condition() -> Goals {
    Goals {
        reach: true,
        delay: true,
        ..Goals::default()
    }
}

/// How the loss of packets shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossBy {
    /// Receivers count packets.
    Packets,
    /// Answers come a retransmission late.
    Delays,
}

/// Judges what was measured; `more` was found beside.
pub fn judge(applied: &Applied, goals: Goals, more: Finding) -> Outcome {
    let loss_by = match applied.layout.blueprint.engine {
        EngineKind::Docker => LossBy::Packets,
        EngineKind::Process => LossBy::Delays,
    };
    let probed = Probed {
        running: &applied.running,
        skipped: &applied.skipped,
        choice: &applied.choice,
        states: &applied.states,
        measured: &applied.measured,
    };
    let mut findings = probed.judge(goals, loss_by);
    findings.push(more);
    proof::outcome(findings, applied.in_force_at_ms)
}

/// Links that were probed, whichever world they are in.
#[derive(Clone, Copy, Debug)]
pub struct Probed<'a> {
    /// Nodes that run.
    pub running: &'a [NodeName],
    /// Planned nodes that do not.
    pub skipped: &'a [NodeName],
    /// What was probed.
    pub choice: &'a Choice,
    /// What shall be.
    pub states: &'a BTreeMap<Link, LinkState>,
    /// What was measured.
    pub measured: &'a Measured,
}

impl Probed<'_> {
    /// What that shows of each goal, and of what the nodes hold.
    pub fn judge(self, goals: Goals, loss_by: LossBy) -> Vec<Finding> {
        let Self {
            running,
            skipped,
            choice,
            states,
            measured,
        } = self;
        let mut findings = vec![proof::judge_held(states, running, measured)];
        if goals.reach {
            let (reach, of) = (&choice.reach, choice.of);
            findings.push(proof::reach::judge(reach, of, states, measured));
        }
        if goals.delay {
            findings.push(proof::delay::judge(&choice.delay, states, measured));
            findings.push(proof::jitter::judge(&choice.delay, states, measured));
        }
        if goals.loss {
            findings.push(match loss_by {
                LossBy::Packets => proof::loss::judge_packets(&choice.loss, states, measured),
                LossBy::Delays => proof::loss::judge_delays(&choice.loss, states, measured),
            });
        }
        if goals.rate {
            findings.push(proof::rate::judge(&choice.rate, states, measured));
        }
        if !skipped.is_empty() {
            findings.push(Finding {
                summary: format!(
                    "{} did not run; what is meant for them is done when they start",
                    skipped.join(", ")
                ),
                ..Finding::default()
            });
        }
        findings
    }
}

/// What a fault set on links, as the nodes say they hold it: the only proof of
/// what a cut hides.
pub fn read_back(fault: &Fault, applied: &Applied) -> Finding {
    let Fault::Condition { links, .. } = fault else {
        return Finding::default();
    };
    let runs = |node: &String| applied.running.contains(node);
    let links = links
        .iter()
        .filter(|link| runs(&link.from) && runs(&link.to));
    let (mut all, mut holding) = (0, 0);
    for link in links {
        let wanted = applied.states.get(link).copied().unwrap_or_default();
        let held = applied.measured.held.get(link).copied().unwrap_or_default();
        all += 1;
        holding += usize::from(is_held(&wanted, &held));
    }
    Finding {
        summary: format!("{holding} of {all} links read back as told"),
        ..Finding::default()
    }
}

fn is_held(wanted: &LinkState, held: &LinkState) -> bool {
    let link = Link::new("a", "b");
    let one = |state: &LinkState| BTreeMap::from([(link.clone(), *state)]);
    links::differences(&one(wanted), &one(held)).is_empty()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use devnet_scenario::fault::Link;
    use devnet_scenario::links::Condition;
    use devnet_scenario::world::Evidence;

    use super::*;

    fn evidence(from: &str, to: &str, measured: Reach) -> Outcome {
        let probe = ProbeEvidence {
            link: Link::new(from, to),
            by: "ping".into(),
            before: None,
            expected: Reach::Open { rtt_ms: None },
            measured,
        };
        Outcome::Done(Evidence {
            probes: vec![probe],
            ..Evidence::default()
        })
    }

    #[test]
    fn a_fault_of_links_needs_a_measurement_of_one_of_them() {
        let fault = Fault::Condition {
            links: BTreeSet::from([Link::new("a", "b")]),
            with: Condition::default(),
        };
        let open = Reach::Open { rtt_ms: Some(9.0) };
        let is_done = |outcome| matches!(proven(&fault, outcome), Outcome::Done(_));
        assert!(is_done(evidence("a", "b", open)));
        assert!(is_done(evidence("b", "a", open)), "a round trip is of both");
        assert!(!is_done(evidence("a", "b", Reach::Unknown)));
        assert!(!is_done(evidence("a", "c", open)), "another link");
        assert!(!is_done(Outcome::Done(Evidence::default())));
    }
}
