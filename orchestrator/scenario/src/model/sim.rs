//! What only the simulator must be told: nodes elsewhere run on machines that
//! have it by nature.

use std::fmt;

use super::quantity::{ByteRate, Bytes, Micros, Offset, Share};
use super::selector::Selector;

/// What a simulated network is like, beyond its topology.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimWish {
    /// One-way delay of every link by nature; faults and zones come on top.
    /// Unset: the simulator's own.
    pub latency: Option<Micros>,
    /// Share of packets that every link loses by nature; a fault's loss takes
    /// its place.
    pub loss: Option<Share>,
    /// Each node starts later than the first could by up to this, drawn by the
    /// run's seed.
    pub start_jitter: Micros,
    /// Connections that each node makes, to others drawn by the run's seed.
    /// Unset: to all, or to a few in large networks.
    pub outbound: Option<u32>,
    /// The line of every node that has none of its own.
    pub line: LineWish,
    /// Bytes that every block is larger by while it travels.
    pub block_ballast: Option<Bytes>,
    /// What validation takes; nothing, where nothing is said.
    pub cpu: CpuWish,
    /// How gossip spreads.
    pub gossip: GossipWish,
    /// Single nodes; a later one wins over those before.
    pub nodes: Vec<NodeWish>,
}

/// What a node's line carries, one thing after the other; unset: anything at
/// once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineWish {
    /// Of all that the node sends.
    pub upload: Option<ByteRate>,
    /// Of all that comes to it.
    pub download: Option<ByteRate>,
}

/// What validating takes a node, one thing after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuWish {
    /// For every block.
    pub block: Micros,
    /// For every signed input, in a block or in a transaction by itself.
    pub input: Micros,
    /// For every 1,000 bytes.
    pub kilobyte: Micros,
}

/// How gossip spreads; the names are gossipsub's. What is unset is the
/// simulator's own, as near as what is set allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GossipWish {
    /// Neighbours that a node wants in the mesh of a topic.
    pub degree: Option<u32>,
    /// With fewer it takes some in.
    pub degree_low: Option<u32>,
    /// With more it lets some go.
    pub degree_high: Option<u32>,
    /// Neighbours outside the mesh that are told at a heartbeat what there is.
    pub lazy: Option<u32>,
    /// Time between two looks at the mesh.
    pub heartbeat: Option<Micros>,
}

/// How some nodes differ from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeWish {
    /// Which nodes; nothing is drawn.
    pub on: Selector,
    /// Their line; what is unset stays as it was.
    pub line: LineWish,
    /// How far their clocks are ahead, when nothing else is done to them.
    pub clock_skew: Option<Offset>,
}

/// What one node runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its line.
    pub line: LineWish,
    /// Milliseconds its clock is ahead.
    pub skew_ms: i64,
}

impl SimWish {
    /// What the node of that name, group and zone runs on.
    pub fn machine(&self, name: &str, group: &str, zone: Option<&str>) -> Machine {
        let mut machine = Machine {
            line: self.line,
            skew_ms: 0,
        };
        let own = self.nodes.iter();
        for wish in own.filter(|wish| wish.on.means(name, group, zone)) {
            machine.line = wish.line.or(machine.line);
            if let Some(skew) = wish.clock_skew {
                machine.skew_ms = skew.ms;
            }
        }
        machine
    }
}

impl LineWish {
    /// This, and the other where nothing is said.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            upload: self.upload.or(other.upload),
            download: self.download.or(other.download),
        }
    }

    fn parts(self) -> impl Iterator<Item = String> {
        let said = [(self.upload, "upload"), (self.download, "download")];
        let parts = said.into_iter();
        parts.filter_map(|(rate, what)| Some(format!("{what} {}", rate?)))
    }
}

impl GossipWish {
    /// Which of its degrees contradict each other, as a sentence.
    pub(crate) fn disorder(&self) -> Option<String> {
        let low = (self.degree_low, "degree_low");
        let degree = (self.degree, "degree");
        let high = (self.degree_high, "degree_high");
        let pairs = [(low, degree), (degree, high), (low, high)];
        pairs.into_iter().find_map(|((less, one), (more, other))| {
            let (less, more) = less.zip(more).filter(|(less, more)| less > more)?;
            Some(format!(
                "`{one}` is {less} and `{other}` is {more}; a mesh needs degree_low <= degree <= \
                 degree_high"
            ))
        })
    }

    fn parts(self) -> impl Iterator<Item = String> {
        let counts = [
            (self.degree, "degree"),
            (self.degree_low, "degree_low"),
            (self.degree_high, "degree_high"),
            (self.lazy, "lazy"),
        ];
        let counts = counts.into_iter();
        let counts = counts.filter_map(|(count, what)| Some(format!("{what} {}", count?)));
        counts.chain(self.heartbeat.map(|time| format!("heartbeat {time}")))
    }
}

impl fmt::Display for SimWish {
    /// What it says, with commas; nothing where it says nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CpuWish {
            block,
            input,
            kilobyte,
        } = self.cpu;
        let mut parts = Vec::new();
        let latency = |latency| format!("{latency} from node to node");
        parts.extend(self.latency.map(latency));
        parts.extend(self.loss.map(|loss| format!("links lose {loss}")));
        if self.start_jitter > Micros::default() {
            parts.push(format!("nodes start up to {} late", self.start_jitter));
        }
        let outbound = |count| format!("each dials {count} others");
        parts.extend(self.outbound.map(outbound));
        parts.extend(self.line.parts());
        let ballast = |bytes| format!("blocks carry {bytes} of ballast");
        parts.extend(self.block_ballast.map(ballast));
        let costs = [(block, "a block"), (input, "an input"), (kilobyte, "1 kB")];
        for (cost, of) in costs {
            if cost > Micros::default() {
                parts.push(format!("{of} takes {cost} to validate"));
            }
        }
        parts.extend(self.gossip.parts().map(|part| format!("gossip {part}")));
        parts.extend(self.nodes.iter().map(NodeWish::to_string));
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for NodeWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skew = self.clock_skew.map(|skew| format!("clock {skew}"));
        let parts: Vec<String> = self.line.parts().chain(skew).collect();
        write!(f, "{} {}", self.on, parts.join(" and "))
    }
}
