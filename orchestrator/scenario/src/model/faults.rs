//! Wishes for faults of the network, in the words of a scenario.

use std::fmt;

use super::quantity::{ByteRate, Share, Time};
use super::selector::Selector;

/// The partition that is wished. It states all cuts at once.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionWish {
    /// Groups that cannot reach each other; nodes of none form one more.
    Groups(Vec<Selector>),
    /// Each of these nodes alone, all others together.
    Isolate(Selector),
    /// Two halves of the roster, in its order.
    Halves,
    /// Every node sees a majority, no two the same.
    MajoritiesRing,
    /// Sides, and nodes that reach all of them.
    Bridge {
        /// The sides; nodes of none form one more.
        sides: Vec<Selector>,
        /// Nodes that reach everyone.
        bridge: Selector,
    },
    /// What the first send does not arrive at the second.
    OneWay {
        /// Senders.
        from: Selector,
        /// Receivers.
        to: Selector,
    },
    /// Single pairs of nodes, both directions.
    Links(Vec<(String, String)>),
}

/// What shall happen on links. What is unset stays as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionWish {
    /// Where.
    pub links: LinkSet,
    /// One-way delay.
    pub latency: Option<Time>,
    /// Standard deviation of the delay.
    pub jitter: Option<Time>,
    /// Packets lost.
    pub loss: Option<Share>,
    /// Bytes a second at most.
    pub bandwidth: Option<ByteRate>,
}

/// A set of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkSet {
    /// All links of the network.
    All,
    /// All links from and to these nodes.
    Of(Selector),
    /// Both directions between two sets of nodes.
    Between(Selector, Selector),
    /// What the first send to the second.
    OneWay {
        /// Senders.
        from: Selector,
        /// Receivers.
        to: Selector,
    },
    /// Both directions between two zones; the same zone twice means within it.
    Zones(String, String),
}

impl fmt::Display for PartitionWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups(groups) => write!(f, "{}", joined(groups)),
            Self::Isolate(nodes) => write!(f, "isolate {nodes}"),
            Self::Halves => f.write_str("halves"),
            Self::MajoritiesRing => f.write_str("a ring of majorities"),
            Self::Bridge { sides, bridge } => {
                write!(f, "{} with bridge {bridge}", joined(sides))
            }
            Self::OneWay { from, to } => write!(f, "one way {from} -x-> {to}"),
            Self::Links(pairs) => {
                let texts: Vec<String> = pairs.iter().map(|(a, b)| format!("{a} | {b}")).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

impl fmt::Display for LinkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all links"),
            Self::Of(nodes) => write!(f, "links of {nodes}"),
            Self::Between(a, b) => write!(f, "links between {a} and {b}"),
            Self::OneWay { from, to } => write!(f, "links from {from} to {to}"),
            Self::Zones(a, b) if a == b => write!(f, "links within zone {a}"),
            Self::Zones(a, b) => write!(f, "links between zones {a} and {b}"),
        }
    }
}

impl fmt::Display for ConditionWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.latency.map(|time| format!("latency {time}")));
        parts.extend(self.jitter.map(|time| format!("jitter {time}")));
        parts.extend(self.loss.map(|share| format!("loss {share}")));
        let rate = |rate: ByteRate| format!("at most {} bytes/s", rate.bytes_s);
        parts.extend(self.bandwidth.map(rate));
        write!(f, "{} on {}", parts.join(", "), self.links)
    }
}

fn joined(groups: &[Selector]) -> String {
    let texts: Vec<String> = groups.iter().map(ToString::to_string).collect();
    texts.join(" | ")
}
