//! Acts in words, for progress lines and the timeline of faults.

use std::collections::BTreeSet;

use devnet_scenario::fault::{Cut, Fault, Heal, Link, NodeName};
use devnet_scenario::links::Condition;
use devnet_scenario::world::{Act, Evidence, Outcome};

/// Names that are spelled out; more are counted.
const NAMES_MAX: usize = 6;

/// What is done.
pub fn act(act: &Act) -> String {
    match act {
        Act::Inflict(fault) => self::fault(fault),
        Act::Heal(heal) => self::heal(heal),
        Act::Lift { fault, .. } => format!("lift {}", self::fault(fault)),
        Act::StartLoad(load) => format!(
            "load {}: {} payments a second from {} to {} through {}",
            load.name,
            load.rate,
            load.from,
            load.to,
            names(&load.via)
        ),
        Act::StopLoad { name } => format!("stop load {name}"),
        Act::Transfer(transfer) => format!(
            "transfer {} base units from {} to {} through {}",
            transfer.sats, transfer.from, transfer.to, transfer.via
        ),
    }
}

/// What came of it, in one line.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(Evidence { summary, .. }) if summary.is_empty() => "done".to_owned(),
        Outcome::Done(evidence) => evidence.summary.clone(),
        Outcome::Ineffective(evidence) => match evidence.objections.first() {
            Some(objection) => format!("had no effect: {objection}"),
            None => format!("had no effect: {}", evidence.summary),
        },
        Outcome::Failed { why } => format!("could not be done: {why}"),
    }
}

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Cut(Cut { shape, links }) if links.is_empty() => {
            format!("partition: nothing ({shape})")
                .trim_end_matches(" ()")
                .to_owned()
        }
        Fault::Cut(cut) => format!("partition {}", cut.shape),
        Fault::Condition { links, with } => {
            format!("{} on {}", condition(with), self::links(links))
        }
        Fault::Node { nodes, what } => format!("{what} {}", names(nodes)),
    }
}

fn heal(heal: &Heal) -> String {
    match heal {
        Heal::All => "heal everything".to_owned(),
        Heal::Cuts => "heal partitions".to_owned(),
        Heal::Conditions => "heal slow and lossy links".to_owned(),
        Heal::Nodes(nodes) => format!("heal {}", names(nodes)),
    }
}

fn condition(with: &Condition) -> String {
    let mut parts = Vec::new();
    if let Some(latency_ms) = with.latency_ms {
        parts.push(format!("latency {latency_ms} ms"));
    }
    if let Some(jitter_ms) = with.jitter_ms {
        parts.push(format!("jitter {jitter_ms} ms"));
    }
    if let Some(loss) = with.loss {
        parts.push(format!("loss {} %", loss * 100.0));
    }
    if let Some(rate) = with.rate_bytes_s {
        parts.push(format!("at most {rate} bytes a second"));
    }
    match parts.is_empty() {
        true => "no condition".to_owned(),
        false => parts.join(", "),
    }
}

fn links(links: &BTreeSet<Link>) -> String {
    let both = |link: &Link| links.contains(&link.reversed());
    match links.len() {
        1 => links
            .iter()
            .map(|link| format!("{} -> {}", link.from, link.to))
            .collect(),
        2 if links.iter().all(both) => links
            .iter()
            .take(1)
            .map(|link| format!("{} <-> {}", link.from, link.to))
            .collect(),
        count => format!("{count} links"),
    }
}

fn names(nodes: &[NodeName]) -> String {
    let shown: Vec<&str> = nodes.iter().take(NAMES_MAX).map(String::as_str).collect();
    match nodes.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use devnet_scenario::fault::CutShape;

    use devnet_scenario::fault::NodeFault;

    use super::*;

    #[test]
    fn acts_read_like_commands() {
        let roster: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let cut = Cut::new(CutShape::isolate(&["a".to_owned()]), &roster).expect("a cut");
        let said = |it: Act| act(&it);
        assert_eq!(said(Act::Inflict(Fault::Cut(cut))), "partition a | b,c");
        let slow = Fault::Condition {
            links: BTreeSet::from([Link::new("a", "b"), Link::new("b", "a")]),
            with: Condition {
                latency_ms: Some(50.0),
                loss: Some(0.05),
                ..Condition::default()
            },
        };
        assert_eq!(
            said(Act::Inflict(slow)),
            "latency 50 ms, loss 5 % on a <-> b"
        );
        let kill = Fault::Node {
            nodes: (0..8).map(|number| format!("n{number}")).collect(),
            what: NodeFault::Kill,
        };
        assert_eq!(
            said(Act::Inflict(kill)),
            "kill n0, n1, n2, n3, n4, n5 and 2 more"
        );
        assert_eq!(said(Act::Heal(Heal::All)), "heal everything");
    }

    #[test]
    fn an_ineffective_act_says_what_speaks_against_it() {
        let evidence = Evidence {
            summary: "cut".into(),
            objections: vec!["a reaches c".into()],
            ..Evidence::default()
        };
        assert_eq!(
            outcome(&Outcome::Ineffective(evidence)),
            "had no effect: a reaches c"
        );
    }
}
