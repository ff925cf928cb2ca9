//! One node of the in-memory network with what a driver keeps for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::hash::{BlockHash, sha256};
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_chain::template::Template;
use minichain_chain::time::UnixMillis;
use minichain_protocol::event::Event;
use minichain_protocol::input::{GossipId, InboundRequest, Now, OutboundRequest, Peer};
use minichain_protocol::node::Node;
use minichain_protocol::output::{Answer, DisconnectReason, Topic, Verdict};

use super::chain::{GENESIS_TIME_S, config, params};

/// How long the transport remembers what it has seen.
const GOSSIP_MEMORY_MS: u64 = 60_000;

/// Number of a node in its network.
pub type Place = usize;

/// A gossip message as the transport carries it.
#[derive(Clone)]
pub struct Message {
    pub topic: Topic,
    pub sent_at: UnixMillis,
    pub bytes: Arc<Vec<u8>>,
}

pub struct Host {
    pub node: Node<MemoryStore>,
    pub wake_at_ms: Option<u64>,
    /// Expected milliseconds to find a block.
    pub mean_block_ms: f64,
    pub template: Option<Arc<Template>>,
    /// Grows with every order to the miner, so that old finds are void.
    pub mining_round: u64,
    pub peers: BTreeMap<Peer, Place>,
    pub next_number: u64,
    /// Messages and when they were first seen.
    gossip_seen: BTreeMap<[u8; 32], u64>,
    pub unjudged: BTreeMap<GossipId, (Peer, Message)>,
    pub asked: BTreeMap<OutboundRequest, Peer>,
    pub unanswered: BTreeMap<InboundRequest, (Place, Peer, OutboundRequest)>,
    pub events: Vec<(u64, Event)>,
    pub dropped: Vec<(Place, DisconnectReason)>,
    pub verdicts: Vec<(Topic, Verdict)>,
    pub answers: Vec<Answer>,
}

impl Host {
    pub fn new(mean_block_ms: Option<f64>, seed: u64) -> Self {
        let state = State::open(params(), MemoryStore::default()).expect("an empty store opens");
        Self {
            node: Node::new(config(mean_block_ms.is_some()), state, seed),
            wake_at_ms: None,
            mean_block_ms: mean_block_ms.unwrap_or(f64::INFINITY),
            template: None,
            mining_round: 0,
            peers: BTreeMap::new(),
            next_number: 0,
            gossip_seen: BTreeMap::new(),
            unjudged: BTreeMap::new(),
            asked: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            events: Vec::new(),
            dropped: Vec::new(),
            verdicts: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub fn tip(&self) -> BlockHash {
        self.node.state().tip().hash
    }

    pub fn height(&self) -> u32 {
        self.node.state().tip().height.0
    }

    /// Whether gossip does not remember this message; it does from now on, for
    /// [`GOSSIP_MEMORY_MS`].
    pub fn is_news(&mut self, bytes: &[u8], now_ms: u64) -> bool {
        let seen_ms = self.gossip_seen.entry(sha256(bytes)).or_insert(u64::MAX);
        let is_news = *seen_ms == u64::MAX || *seen_ms + GOSSIP_MEMORY_MS <= now_ms;
        if is_news {
            *seen_ms = now_ms;
        }
        is_news
    }

    pub fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub fn peer_at(&self, place: Place) -> Option<Peer> {
        self.peers
            .iter()
            .find(|(_, there)| **there == place)
            .map(|(peer, _)| *peer)
    }
}

/// The clocks at a moment of the test.
pub fn now(monotonic_ms: u64) -> Now {
    let start = u64::from(GENESIS_TIME_S) * 1_000;
    Now {
        monotonic_ms,
        unix: UnixMillis(start + monotonic_ms),
    }
}
