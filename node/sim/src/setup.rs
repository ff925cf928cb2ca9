//! What a world is made of, as plain values.

use minichain_chain::mempool::MempoolLimits;
use minichain_chain::params::Params;
use minichain_protocol::config::Timing;

use crate::link::{Drawn, Latency, Paths};
use crate::queue::{MILLI, Micros, SECOND};

/// The x coordinate of the curve's generator (SEC 2): a key nobody here has
/// the secret of.
pub const NOBODY: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// A whole network.
#[derive(Clone, Debug)]
pub struct Setup {
    /// All chance follows from it.
    pub seed: u64,
    /// The chain's rules; the proof must be
    /// [`minichain_chain::params::Proof::Simulated`].
    pub params: Params,
    /// The world's wall clock when it begins, milliseconds since 1970.
    pub epoch_ms: u64,
    /// The nodes, in the order of their numbers.
    pub nodes: Vec<NodeSetup>,
    /// Each node starts later than its time by up to this, drawn by lot.
    pub start_jitter: Micros,
    /// Who dials whom.
    pub peering: Peering,
    /// What lies between them.
    pub links: Links,
    /// How gossip spreads.
    pub gossip: Gossip,
    /// Bytes that every block is larger by on the wire: transactions that take
    /// time to carry and are not simulated.
    pub ballast_bytes: u64,
    /// How long validation takes.
    pub cpu: CpuCost,
    /// How often nodes do what.
    pub timing: Timing,
    /// How fast broken connections are noticed and mended.
    pub pace: Pace,
    /// What every mempool may hold.
    pub mempool: MempoolLimits,
    /// A mistake that all nodes make, for tests of whatever shall find it.
    pub planted: Option<Planted>,
}

/// A mistake on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Of two branches with equal work the last seen wins.
    LastSeenWins,
}

/// One node.
#[derive(Clone, Debug, Default)]
pub struct NodeSetup {
    /// What it calls itself; the tag in its blocks.
    pub name: String,
    /// Row and column in the matrix of [`Paths::Zones`].
    pub zone: usize,
    /// Hashes a second; 0: it does not mine.
    pub hash_rate: u64,
    /// Taproot output key of its rewards; none: one of nobody's. A node with
    /// one is a miner, idle while its hash rate is 0.
    pub reward_key: Option<[u8; 32]>,
    /// Milliseconds its wall clock is ahead of the world's.
    pub skew_ms: i64,
    /// When it starts.
    pub starts_at: Micros,
    /// Bytes a second it can send and receive; none: as many as you like.
    pub upload: Option<u64>,
    /// As `upload`.
    pub download: Option<u64>,
    /// Where messages are announced, two nodes that both have this set send them
    /// to each other unasked, and before they tell anybody else.
    pub pushes: bool,
}

/// Who dials whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peering {
    /// Everybody everybody.
    Everybody,
    /// These pairs, the first dials.
    Edges(Vec<(usize, usize)>),
    /// Each node so many others, drawn by lot, as a crawler of the network
    /// would find them.
    Random {
        /// Connections a node makes by itself.
        outbound: usize,
    },
}

/// What lies between nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    /// One-way latency, each way by itself.
    pub paths: Paths,
    /// When it is drawn.
    pub drawn: Drawn,
    /// Round trips until a new connection is ready.
    pub handshake_trips: u64,
}

/// How gossip spreads; the names are gossipsub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// Whether the mesh is told of a message and asks for it, as Bitcoin's `inv`
    /// and `getdata` do, instead of getting it unasked. For networks without
    /// faults: who was told of it twice asks the first alone, even if that one
    /// goes.
    pub announces: bool,
    /// Mesh neighbours a node wants for a topic.
    pub degree: usize,
    /// Fewer than that: more are taken in.
    pub degree_low: usize,
    /// More than that: some are let go.
    pub degree_high: usize,
    /// Neighbours outside the mesh that are told what there is.
    pub lazy: usize,
    /// Time between looks at the mesh.
    pub heartbeat: Micros,
    /// How long a message counts as seen.
    pub memory: Micros,
}

/// What validating a message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CpuCost {
    /// For every block.
    pub block_us: u64,
    /// For every input that is signed, in a block or by itself.
    pub input_us: u64,
    /// For every 1,000 bytes.
    pub kilobyte_us: u64,
}

/// How fast broken connections are noticed and mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between pings.
    pub ping: Micros,
    /// A connection on which no ping was answered for this long is closed.
    pub silence: Micros,
    /// Time between two attempts to reach a lost peer, ± 25 %.
    pub redial: Micros,
    /// Changes that need not be durable at once are after this time.
    pub commit: Micros,
    /// How long a peer that misbehaved is kept away.
    pub ban: Micros,
}

/// Why there can be no such world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// No network can run on the parameters.
    #[error("{0}")]
    Params(String),
    /// Real work in a simulator would never be found.
    #[error("the network asks for real work; set its proof to simulated")]
    RealWork,
    /// A number in the peering names no node.
    #[error("there is an edge from node {from} to node {to}, and there are {nodes} nodes")]
    Edge {
        /// Who dials.
        from: usize,
        /// Whom.
        to: usize,
        /// Nodes there are.
        nodes: usize,
    },
    /// More than numbers can name.
    #[error("{0} nodes are more than a world can hold")]
    TooManyNodes(usize),
}

impl NodeSetup {
    /// Whether it works on blocks, be it at no rate for the time being.
    #[must_use]
    pub const fn mines(&self) -> bool {
        self.hash_rate > 0 || self.reward_key.is_some()
    }
}

impl Default for Links {
    fn default() -> Self {
        Self {
            paths: Paths::Everywhere(Latency::Constant(0)),
            drawn: Drawn::OncePerLink,
            handshake_trips: 3,
        }
    }
}

/// Gossipsub's defaults.
impl Default for Gossip {
    fn default() -> Self {
        Self {
            announces: false,
            degree: 6,
            degree_low: 5,
            degree_high: 12,
            lazy: 6,
            heartbeat: SECOND,
            memory: 60 * SECOND,
        }
    }
}

impl CpuCost {
    /// Whether validation takes no time.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }

    /// Time for so many blocks, inputs and bytes.
    #[must_use]
    pub const fn of(&self, blocks: u64, inputs: u64, bytes: u64) -> Micros {
        blocks * self.block_us + inputs * self.input_us + bytes * self.kilobyte_us / 1_000
    }
}

impl Pace {
    /// The daemon's: what takes a few block intervals to mend looks instant to
    /// the chain.
    #[must_use]
    pub fn from_spacing_s(spacing_s: u32) -> Self {
        let spacing = u64::from(spacing_s) * SECOND;
        let ping = spacing.clamp(SECOND, 5 * SECOND);
        Self {
            ping,
            silence: ping * 2 + 2 * SECOND,
            redial: spacing.clamp(SECOND, 5 * SECOND),
            commit: 500 * MILLI,
            ban: 600 * SECOND,
        }
    }
}

impl Setup {
    /// A network of these nodes under these rules, with the daemon's settings,
    /// free links and everybody connected.
    #[must_use]
    pub fn new(seed: u64, params: Params, nodes: Vec<NodeSetup>) -> Self {
        let spacing_s = params.spacing_s;
        let epoch_ms = u64::from(params.genesis_time.0) * 1_000;
        Self {
            seed,
            params,
            epoch_ms,
            nodes,
            start_jitter: 0,
            peering: Peering::Everybody,
            links: Links::default(),
            gossip: Gossip::default(),
            ballast_bytes: 0,
            cpu: CpuCost::default(),
            timing: Timing::from_spacing_s(spacing_s),
            pace: Pace::from_spacing_s(spacing_s),
            mempool: MempoolLimits::default(),
            planted: None,
        }
    }
}
