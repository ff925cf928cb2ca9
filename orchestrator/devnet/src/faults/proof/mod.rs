//! The proof that a fault bit: which links are probed, and what the answers
//! mean. Pure; the probes themselves are taken by [`super::measure`].

pub mod choose;
pub mod delay;
pub mod jitter;
pub mod loss;
pub mod rate;
pub mod reach;

use std::collections::BTreeMap;

use devnet_scenario::fault::{Link, NodeName};
use devnet_scenario::links::LinkState;
use devnet_scenario::world::{Evidence, Outcome, ProbeEvidence, Reach};

use super::links;
use crate::engine::fault::Packets;

/// What is to be shown about links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goals {
    /// What is cut is cut, and the rest is not.
    pub reach: bool,
    /// Round trips take what they should.
    pub delay: bool,
    /// Packets get lost.
    pub loss: bool,
    /// Bytes take as long as their rate says.
    pub rate: bool,
}

/// What became of one probe, whoever took it.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The other end answered.
    Reached {
        /// Round trip in milliseconds.
        rtt_ms: f64,
    },
    /// Nothing came back.
    Silent,
    /// The probe could not be taken; why.
    Untold(String),
}

/// How a link was before a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Earlier {
    /// Nobody has cut it; what became of a probe.
    Probed(Seen),
    /// The nodes held it cut already.
    Cut,
}

impl Earlier {
    fn reach(&self) -> Reach {
        match self {
            Self::Probed(Seen::Reached { rtt_ms }) => Reach::Open {
                rtt_ms: Some(*rtt_ms),
            },
            Self::Probed(Seen::Untold(_)) => Reach::Unknown,
            Self::Probed(Seen::Silent) | Self::Cut => Reach::Cut,
        }
    }
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Links before the fault; empty where nothing is newly cut or conditioned.
    pub earlier: BTreeMap<Link, Earlier>,
    /// Probes by direction.
    pub probes: BTreeMap<Link, Seen>,
    /// Packets that arrived, by direction, since the rules were set; only where
    /// receivers count.
    pub packets: BTreeMap<Link, Packets>,
    /// Round trips by direction of the probe, several where one was not enough.
    pub rtts: BTreeMap<Link, Vec<Seen>>,
    /// Milliseconds that every round trip takes by nature, where that is known
    /// before; faults have to show on top.
    pub nature_ms: f64,
    /// Times payloads took, the fastest of several tries, with their bytes.
    pub payloads: BTreeMap<Link, (u32, Seen)>,
    /// What the nodes say is in force.
    pub held: BTreeMap<Link, LinkState>,
    /// Nodes that run and would not be told or asked, with the reason.
    pub deaf: BTreeMap<NodeName, String>,
}

impl Measured {
    /// How a link, or the way back, was before the fault, if it was looked at:
    /// a round trip is one of both.
    fn before(&self, link: &Link) -> Option<Reach> {
        let earlier = self.earlier.get(link);
        let earlier = earlier.or_else(|| self.earlier.get(&link.reversed()))?;
        Some(earlier.reach())
    }
}

/// A judgement on one matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// What was found, as part of a sentence; empty if nothing was looked at.
    pub summary: String,
    /// What speaks against the fault.
    pub objections: Vec<String>,
    /// The probes.
    pub probes: Vec<ProbeEvidence>,
}

/// Links so many are named in one objection.
const NAMED_MAX: usize = 4;

/// Puts findings together to the outcome of an act that was in force at that
/// time.
pub fn outcome(findings: Vec<Finding>, in_force_at_ms: u64) -> Outcome {
    let mut evidence = Evidence {
        in_force_at_ms: Some(in_force_at_ms),
        ..Evidence::default()
    };
    let mut parts = Vec::new();
    for finding in findings {
        parts.extend((!finding.summary.is_empty()).then_some(finding.summary));
        evidence.objections.extend(finding.objections);
        evidence.probes.extend(finding.probes);
    }
    evidence.summary = parts.join("; ");
    if evidence.objections.is_empty() {
        Outcome::Done(evidence)
    } else {
        Outcome::Ineffective(evidence)
    }
}

/// Whether the nodes say they hold what they were told, among nodes that run.
pub fn judge_held(
    wanted: &BTreeMap<Link, LinkState>,
    running: &[NodeName],
    measured: &Measured,
) -> Finding {
    let runs = |link: &Link| running.contains(&link.from) && running.contains(&link.to);
    let differing: Vec<String> = links::differences(wanted, &measured.held)
        .into_iter()
        .filter(|(link, _)| runs(link))
        .map(|(link, (wanted, found))| {
            let (wanted, found) = (spell_state(&wanted), spell_state(&found));
            format!(
                "{} -> {} should be {wanted} and is {found}",
                link.from, link.to
            )
        })
        .collect();
    let mut objections = Vec::new();
    if !differing.is_empty() {
        objections.push(format!("read back from the nodes: {}", some_of(&differing)));
    }
    objections.extend(spell_deaf(&measured.deaf));
    Finding {
        objections,
        ..Finding::default()
    }
}

/// Nodes that would not be told or asked, those with one reason together.
pub fn spell_deaf(deaf: &BTreeMap<NodeName, String>) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (node, why) in deaf {
        by_reason.entry(why).or_default().push(node.clone());
    }
    let reasons = by_reason.iter();
    reasons
        .map(|(why, nodes)| format!("{} {why}", some_of(nodes)))
        .collect()
}

/// A link's state in a few words: `cut`, `free`, `80 ms +- 10 ms, 5 % loss`.
pub fn spell_state(state: &LinkState) -> String {
    let condition = &state.condition;
    let mut parts = Vec::new();
    if state.cut {
        parts.push("cut".to_owned());
    }
    match (condition.latency_ms, condition.jitter_ms) {
        (None, None) => {}
        (Some(latency_ms), None) => parts.push(format!("{latency_ms} ms")),
        (latency_ms, Some(jitter_ms)) => {
            let latency_ms = latency_ms.unwrap_or_default();
            parts.push(format!("{latency_ms} +- {jitter_ms} ms"));
        }
    }
    if let Some(loss) = condition.loss {
        parts.push(format!("{} % loss", rounded(loss * 100.0)));
    }
    if let Some(rate) = condition.rate_bytes_s {
        parts.push(format!("{rate} bytes/s"));
    }
    if parts.is_empty() {
        return "free".to_owned();
    }
    parts.join(", ")
}

/// The first few, and how many more there are.
fn some_of(texts: &[String]) -> String {
    let named: Vec<&str> = texts.iter().take(NAMED_MAX).map(String::as_str).collect();
    match texts.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// A number with at most two decimals.
fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn spell_link(link: &Link) -> String {
    format!("{} -> {}", link.from, link.to)
}

#[cfg(test)]
mod tests;
