//! Whether what was measured proves what was ordered.

use crate::fault::Fault;
use crate::links::Condition;
use crate::world::{Act, Evidence, ProbeEvidence, Reach};

/// Share of the expected round trip that a measured one must have at least:
/// timers are not exact.
const RTT_SHARE: f64 = 0.8;

/// Why the evidence of an act that a world calls done proves nothing; `None`
/// if it proves it.
pub(super) fn refuted(act: &Act, evidence: &Evidence) -> Option<String> {
    if let Some(objection) = evidence.objections.first() {
        return Some(objection.clone());
    }
    if let Some(probe) = evidence.probes.iter().find(|probe| contradicts(probe)) {
        return Some(format!(
            "{} → {} should be {}, measured {} by {}",
            probe.link.from,
            probe.link.to,
            told(probe.expected),
            told(probe.measured),
            probe.by
        ));
    }
    match act {
        Act::Inflict(fault) => unproven(fault, evidence),
        Act::Heal(_) | Act::Lift { .. } if evidence.summary.is_empty() => {
            Some("nothing was measured".into())
        }
        _ => None,
    }
}

fn unproven(fault: &Fault, evidence: &Evidence) -> Option<String> {
    if evidence.summary.is_empty() {
        return Some("nothing was measured".into());
    }
    let mut probes = evidence.probes.iter();
    match fault {
        Fault::Cut(cut) if !cut.links.is_empty() => {
            let is_cut = |x: &ProbeEvidence| (x.expected, x.measured) == (Reach::Cut, Reach::Cut);
            let is_seen = probes.any(is_cut);
            (!is_seen).then(|| "no probe across the cut was seen to fail".into())
        }
        // A condition that changes nothing has nothing to show.
        Fault::Condition { links, with } if !links.is_empty() && *with != Condition::default() => {
            let is_meant =
                |x: &ProbeEvidence| links.contains(&x.link) || links.contains(&x.link.reversed());
            let is_blind = probes.all(|x| !is_meant(x) || x.measured == Reach::Unknown);
            is_blind.then(|| "no link could be measured".into())
        }
        _ => None,
    }
}

fn contradicts(probe: &ProbeEvidence) -> bool {
    match (probe.expected, probe.measured) {
        (Reach::Cut, Reach::Open { .. }) | (Reach::Open { .. }, Reach::Cut) => true,
        (
            Reach::Open {
                rtt_ms: Some(least),
            },
            Reach::Open { rtt_ms: Some(rtt) },
        ) => rtt < least * RTT_SHARE,
        _ => false,
    }
}

fn told(reach: Reach) -> String {
    match reach {
        Reach::Open { rtt_ms: Some(rtt) } => format!("open with {rtt:.1} ms"),
        Reach::Open { rtt_ms: None } => "open".into(),
        Reach::Cut => "cut".into(),
        Reach::Unknown => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Cut, CutShape, Link};

    fn cut() -> Act {
        let roster = ["a".to_owned(), "b".to_owned()];
        let shape = CutShape::isolate(&roster[..1]);
        Act::Inflict(Fault::Cut(Cut::new(shape, &roster).unwrap()))
    }

    fn evidence(probes: &[(Reach, Reach)]) -> Evidence {
        let probes = probes.iter().map(|(expected, measured)| ProbeEvidence {
            link: Link::new("a", "b"),
            by: "probe".into(),
            before: None,
            expected: *expected,
            measured: *measured,
        });
        Evidence {
            summary: "measured".into(),
            probes: probes.collect(),
            ..Evidence::default()
        }
    }

    const OPEN: Reach = Reach::Open { rtt_ms: None };

    #[test]
    fn a_cut_needs_a_probe_that_failed_across_it() {
        assert_eq!(
            refuted(&cut(), &evidence(&[(Reach::Cut, Reach::Cut)])),
            None
        );
        assert!(refuted(&cut(), &evidence(&[])).is_some());
        assert!(refuted(&cut(), &evidence(&[(Reach::Cut, Reach::Unknown)])).is_some());
        assert!(refuted(&cut(), &evidence(&[(OPEN, OPEN)])).is_some());
    }

    #[test]
    fn a_probe_that_contradicts_refutes_what_the_world_calls_done() {
        let probes = [(Reach::Cut, Reach::Cut), (Reach::Cut, OPEN)];
        let why = refuted(&cut(), &evidence(&probes)).unwrap();
        assert!(why.contains("a → b should be cut, measured open"), "{why}");
        assert!(
            refuted(
                &cut(),
                &evidence(&[(Reach::Cut, Reach::Cut), (OPEN, Reach::Cut)])
            )
            .is_some()
        );
    }

    #[test]
    fn a_condition_without_a_probe_of_its_links_is_not_proven() {
        let slow = |from: &str| {
            Act::Inflict(Fault::Condition {
                links: [Link::new(from, "b")].into(),
                with: Condition {
                    loss: Some(0.5),
                    ..Condition::default()
                },
            })
        };
        assert_eq!(refuted(&slow("a"), &evidence(&[(OPEN, OPEN)])), None);
        for (act, probes) in [
            (slow("a"), &[][..]),
            (slow("a"), &[(OPEN, Reach::Unknown)]),
            (slow("c"), &[(OPEN, OPEN)]),
        ] {
            let why = refuted(&act, &evidence(probes));
            assert_eq!(why.as_deref(), Some("no link could be measured"));
        }
    }

    #[test]
    fn a_latency_that_does_not_show_is_refuted() {
        let latency = Act::Inflict(Fault::Condition {
            links: [Link::new("a", "b")].into(),
            with: Condition {
                latency_ms: Some(50.0),
                ..Condition::default()
            },
        });
        let rtt = |ms| Reach::Open { rtt_ms: Some(ms) };
        assert_eq!(
            refuted(&latency, &evidence(&[(rtt(100.0), rtt(99.0))])),
            None
        );
        let why = refuted(&latency, &evidence(&[(rtt(100.0), rtt(2.0))])).unwrap();
        assert!(
            why.contains("open with 100.0 ms, measured open with 2.0 ms"),
            "{why}"
        );
        assert!(refuted(&latency, &evidence(&[(rtt(100.0), Reach::Unknown)])).is_some());
    }

    #[test]
    fn objections_and_silence_refute() {
        let objected = Evidence {
            objections: vec!["it lives".into()],
            ..evidence(&[(Reach::Cut, Reach::Cut)])
        };
        assert_eq!(refuted(&cut(), &objected), Some("it lives".into()));
        let silent = Evidence::default();
        assert!(refuted(&Act::Heal(crate::fault::Heal::All), &silent).is_some());
    }
}
