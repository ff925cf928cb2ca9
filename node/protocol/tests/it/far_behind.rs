//! A node far behind whose peers hold back, lie and help.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::state::STEP_BLOCKS;
use minichain_chain::store::Status;
use minichain_protocol::event::Event;
use minichain_protocol::input::Peer;
use minichain_protocol::limits::{BLOCKS_MAX, DOWNLOAD_WINDOW, HEADERS_AHEAD_MAX, HEADERS_MAX};
use minichain_protocol::output::{DisconnectReason, Output};
use minichain_protocol::wire::{Request, Response};

use crate::support::chain::Maker;
use crate::support::lone::Lone;

const BEHIND: u32 = 20_000;
const ROUND_MS: u64 = 50;

/// How a peer answers when it is asked for blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Never.
    Silent,
    /// With a block that nobody asked for.
    Lying,
}

struct World {
    maker: Maker,
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    lone: Lone,
    peers: Vec<(Peer, Manner)>,
    /// Peers that served a block.
    served: BTreeMap<Peer, usize>,
    stalled: Vec<Peer>,
    dropped: Vec<(Peer, DisconnectReason)>,
    /// Most bodies that ever waited for their parents.
    waiting_max: usize,
    connected_max: usize,
}

impl World {
    fn new(manners: &[Manner]) -> Self {
        let mut maker = Maker::new(1);
        let mined = maker.mine(BEHIND as usize);
        let mut lone = Lone::new();
        lone.now_ms = 200_000_000;
        let peers = manners
            .iter()
            .map(|manner| (lone.connect_with(&maker), *manner));
        let peers = peers.collect();
        Self {
            blocks: mined
                .into_iter()
                .map(|block| (block.hash(), block))
                .collect(),
            maker,
            lone,
            peers,
            served: BTreeMap::new(),
            stalled: Vec::new(),
            dropped: Vec::new(),
            waiting_max: 0,
            connected_max: 0,
        }
    }

    fn height(&self) -> u32 {
        self.lone.node.state().tip().height.0
    }

    /// Every peer answers what it was asked, in its manner.
    fn round(&mut self) {
        for (peer, manner) in self.peers.clone() {
            for (id, request) in self.lone.take_requests(peer) {
                let answer = match request {
                    Request::Headers(get) => Some(Response::Headers(
                        self.maker
                            .state
                            .headers_after(&get.locator, &get.stop, HEADERS_MAX),
                    )),
                    Request::Blocks(get) => self.blocks_for(peer, manner, &get.hashes),
                    _ => None,
                };
                if let Some(answer) = answer {
                    self.lone.respond(peer, id, &answer);
                    self.look();
                }
            }
        }
        self.lone.pass_ms(ROUND_MS);
        self.look();
    }

    fn blocks_for(&mut self, peer: Peer, manner: Manner, asked: &[BlockHash]) -> Option<Response> {
        match manner {
            Manner::Silent => None,
            Manner::Lying => {
                let other = self
                    .blocks
                    .values()
                    .find(|block| !asked.contains(&block.hash()));
                Some(Response::Blocks(other.cloned().into_iter().collect()))
            }
            Manner::Honest => {
                *self.served.entry(peer).or_default() += asked.len();
                let found = asked
                    .iter()
                    .filter_map(|hash| self.blocks.get(hash).cloned());
                Some(Response::Blocks(found.collect()))
            }
        }
    }

    /// Takes note of what happened, and of what is held.
    fn look(&mut self) {
        for output in std::mem::take(&mut self.lone.outputs) {
            match output {
                Output::Event(Event::PeerStalled { peer, .. }) => self.stalled.push(peer),
                Output::Event(Event::TipChanged { connected, .. }) => {
                    self.connected_max = self.connected_max.max(connected.len());
                }
                Output::Disconnect { peer, reason } => {
                    self.peers.retain(|(one, _)| *one != peer);
                    self.dropped.push((peer, reason));
                }
                request @ Output::Request { .. } => self.lone.outputs.push(request),
                _ => {}
            }
        }
        let state = self.lone.node.state();
        let best = state.tree().best_header();
        let above = self.height() + 1..=(self.height() + DOWNLOAD_WINDOW + 64).min(best.height.0);
        let waiting = above
            .filter_map(|height| state.tree().ancestor(&best.hash, Height(height)))
            .filter(|entry| entry.status == Status::BodyStored);
        self.waiting_max = self.waiting_max.max(waiting.count());
        assert!(best.height.0 <= self.height() + HEADERS_AHEAD_MAX);
    }
}

#[test]
fn node_20_000_blocks_behind_catches_up_whoever_holds_back_or_lies() {
    let mut world = World::new(&[
        Manner::Silent,
        Manner::Honest,
        Manner::Lying,
        Manner::Honest,
    ]);
    let (silent, liar) = (world.peers[0].0, world.peers[2].0);
    let mut rounds = 0;
    while world.height() < BEHIND {
        world.round();
        rounds += 1;
        assert!(rounds < 10_000, "stands at {}", world.height());
    }
    assert_eq!(world.served.len(), 2, "both honest peers served");
    for blocks in world.served.values() {
        assert!(
            *blocks > BEHIND as usize / 4,
            "the load is shared: {blocks}"
        );
    }
    assert!(world.stalled.contains(&silent), "the silent peer is named");
    let liar_dropped = (liar, DisconnectReason::WrongAnswer);
    assert!(world.dropped.contains(&liar_dropped), "{:?}", world.dropped);
    let honest = |peer: &Peer| *peer != silent && *peer != liar;
    assert!(!world.dropped.iter().any(|(peer, _)| honest(peer)));
    // What the silent peer owes is the first of all, so that others wait.
    assert!(world.waiting_max <= DOWNLOAD_WINDOW as usize);
    assert!(world.waiting_max >= BLOCKS_MAX, "{}", world.waiting_max);
    assert!(
        world.connected_max <= STEP_BLOCKS,
        "{}",
        world.connected_max
    );
}
