//! Whether what was measured proves what was ordered.

use crate::fault::Fault;
use crate::world::{Act, Evidence, ProbeEvidence, Reach};

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
        Act::Heal(_) if evidence.summary.is_empty() => Some("nothing was measured".into()),
        _ => None,
    }
}

fn unproven(fault: &Fault, evidence: &Evidence) -> Option<String> {
    if evidence.summary.is_empty() {
        return Some("nothing was measured".into());
    }
    let is_cut = matches!(fault, Fault::Cut(cut) if !cut.links.is_empty());
    let mut probes = evidence.probes.iter();
    let is_seen = probes.any(|probe| probe.expected == Reach::Cut && probe.measured == Reach::Cut);
    (is_cut && !is_seen).then(|| "no probe across the cut was seen to fail".into())
}

fn contradicts(probe: &ProbeEvidence) -> bool {
    matches!(
        (probe.expected, probe.measured),
        (Reach::Cut, Reach::Open { .. }) | (Reach::Open { .. }, Reach::Cut)
    )
}

fn told(reach: Reach) -> &'static str {
    match reach {
        Reach::Open { .. } => "open",
        Reach::Cut => "cut",
        Reach::Unknown => "unknown",
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
            by: "tcp".into(),
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
