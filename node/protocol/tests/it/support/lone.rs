//! One node whose peers, clock and miner the test plays.

use std::sync::Arc;

use minichain_chain::block::{Block, Header};
use minichain_chain::codec::{Encode, decode, encode};
use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::params::Params;
use minichain_chain::pow::Chainwork;
use minichain_chain::state::State;
use minichain_chain::store::MemoryStore;
use minichain_protocol::config::Config;
use minichain_protocol::event::Event;
use minichain_protocol::input::{
    Direction, GossipId, InboundRequest, Input, Now, OutboundRequest, Peer,
};
use minichain_protocol::limits::PROTOCOL_VERSION;
use minichain_protocol::node::Node;
use minichain_protocol::output::{DisconnectReason, Outbox, Output, Topic, Verdict};
use minichain_protocol::wire::{Request, Response, Standing, Status, Text};

use super::chain::{Maker, config, params};
use super::host;

pub struct Lone {
    pub node: Node<MemoryStore>,
    pub now_ms: u64,
    /// Seconds the wall clock is ahead of the monotonic one's start.
    pub skew_s: u64,
    next: u64,
    /// Every output so far that was not taken.
    pub outputs: Vec<Output>,
}

impl Lone {
    pub fn new() -> Self {
        Self::with(params(), false)
    }

    pub fn with(params: Params, mining: bool) -> Self {
        Self::start(params, config(mining))
    }

    /// A node of the usual network that is set up in its own way.
    pub fn configured(config: Config) -> Self {
        Self::start(params(), config)
    }

    fn start(params: Params, config: Config) -> Self {
        let state = State::open(params, MemoryStore::default()).expect("an empty store opens");
        let node = Node::new(config, state, 1);
        let mut lone = Self {
            node,
            now_ms: 0,
            skew_s: 0,
            next: 0,
            outputs: Vec::new(),
        };
        lone.feed(Input::Started);
        lone
    }

    pub fn now(&self) -> Now {
        let now = host::now(self.now_ms);
        Now {
            unix: now.unix.saturating_add(self.skew_s * 1_000),
            ..now
        }
    }

    pub fn feed(&mut self, input: Input) {
        let mut out = Outbox::default();
        let result = self.node.handle(self.now(), input, &mut out);
        result.expect("memory does not fail");
        self.outputs.extend(out.drain());
    }

    /// Lets time pass and the node act on it.
    pub fn pass_ms(&mut self, duration_ms: u64) {
        self.now_ms += duration_ms;
        self.feed(Input::Woke);
    }

    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Connects a peer that has told nothing yet.
    pub fn connect(&mut self) -> Peer {
        let peer = Peer(self.number());
        self.feed(Input::PeerConnected {
            peer,
            direction: Direction::Inbound,
        });
        peer
    }

    /// Connects a peer that follows the maker's chain and says so.
    pub fn connect_with(&mut self, maker: &Maker) -> Peer {
        let peer = self.connect();
        self.tell_status(peer, &status_of(maker));
        peer
    }

    /// The peer tells its status in a request of its own.
    pub fn tell_status(&mut self, peer: Peer, status: &Status) {
        let id = InboundRequest(self.number());
        let bytes = encode(&Request::Status(status.clone()));
        self.feed(Input::RequestReceived { id, peer, bytes });
    }

    /// The peer asks; returns the answer, if any.
    pub fn request(&mut self, peer: Peer, request: &Request) -> Option<Response> {
        self.request_bytes(peer, encode(request))
    }

    pub fn request_bytes(&mut self, peer: Peer, bytes: Vec<u8>) -> Option<Response> {
        let id = InboundRequest(self.number());
        self.feed(Input::RequestReceived { id, peer, bytes });
        let mut answers = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Respond { id: to, bytes, .. } if *to == id => {
                answers.push(Some(
                    decode::<Response>(bytes).expect("our own answers decode"),
                ));
                false
            }
            Output::Refuse { id: to } if *to == id => {
                answers.push(None);
                false
            }
            _ => true,
        });
        assert_eq!(answers.len(), 1, "exactly one answer or refusal");
        answers.remove(0)
    }

    /// The peer gossips; returns the one verdict.
    pub fn gossip<T: Encode>(&mut self, peer: Peer, topic: Topic, value: &T) -> Verdict {
        self.gossip_bytes(peer, topic, encode(value))
    }

    pub fn gossip_bytes(&mut self, peer: Peer, topic: Topic, bytes: Vec<u8>) -> Verdict {
        let id = GossipId(self.number());
        self.feed(Input::GossipReceived {
            id,
            peer,
            topic,
            sent_at: None,
            bytes,
        });
        let mut verdicts = Vec::new();
        self.outputs.retain(|output| match output {
            Output::GossipVerdict {
                id: of, verdict, ..
            } if *of == id => {
                verdicts.push(*verdict);
                false
            }
            _ => true,
        });
        assert_eq!(verdicts.len(), 1, "exactly one verdict");
        verdicts[0]
    }

    /// Takes out the requests put to a peer.
    pub fn take_requests(&mut self, of: Peer) -> Vec<(OutboundRequest, Request)> {
        let mut requests = Vec::new();
        self.outputs.retain(|output| match output {
            Output::Request {
                id, peer, bytes, ..
            } if *peer == of => {
                requests.push((*id, decode(bytes).expect("our own requests decode")));
                false
            }
            _ => true,
        });
        requests
    }

    /// Takes out the headers requests put to a peer.
    pub fn take_header_requests(&mut self, of: Peer) -> Vec<OutboundRequest> {
        let requests = self.take_requests(of).into_iter();
        let headers = requests.filter(|(_, request)| matches!(request, Request::Headers(_)));
        headers.map(|(id, _)| id).collect()
    }

    /// Takes out the block requests put to a peer.
    pub fn take_block_requests(&mut self, of: Peer) -> Vec<(OutboundRequest, Vec<BlockHash>)> {
        let requests = self.take_requests(of).into_iter();
        requests
            .filter_map(|(id, request)| match request {
                Request::Blocks(get) => Some((id, get.hashes)),
                _ => None,
            })
            .collect()
    }

    pub fn respond(&mut self, peer: Peer, id: OutboundRequest, response: &Response) {
        self.feed(Input::ResponseReceived {
            id,
            peer,
            bytes: encode(response),
        });
    }

    /// The peer answers all headers requests with these.
    pub fn serve_headers(&mut self, peer: Peer, headers: &[Header]) -> usize {
        let requests = self.take_header_requests(peer);
        for id in &requests {
            self.respond(peer, *id, &Response::Headers(headers.to_vec()));
        }
        requests.len()
    }

    /// The peer answers all block requests from these blocks, until none comes.
    pub fn serve_blocks(&mut self, peer: Peer, blocks: &[Arc<Block>]) -> usize {
        let mut served = 0;
        loop {
            let requests = self.take_block_requests(peer);
            if requests.is_empty() {
                return served;
            }
            for (id, hashes) in requests {
                let wanted = |hash| blocks.iter().find(|block| block.hash() == hash).cloned();
                let answer: Vec<_> = hashes.into_iter().filter_map(wanted).collect();
                served += answer.len();
                self.respond(peer, id, &Response::Blocks(answer));
            }
        }
    }

    pub fn disconnects(&self) -> Vec<(Peer, DisconnectReason)> {
        let dropped = self.outputs.iter().filter_map(|output| match output {
            Output::Disconnect { peer, reason } => Some((*peer, reason.clone())),
            _ => None,
        });
        dropped.collect()
    }

    pub fn events(&self) -> Vec<&Event> {
        let events = self.outputs.iter().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        });
        events.collect()
    }
}

/// What a node on the maker's chain would tell.
pub fn status_of(maker: &Maker) -> Status {
    let tip = maker.state.tip();
    let params = maker.state.params();
    Status {
        protocol_version: PROTOCOL_VERSION,
        network: Text::lossy(&params.network),
        genesis: params.genesis_hash(),
        tip: tip.hash,
        height: tip.height,
        chainwork: tip.chainwork,
        user_agent: Text::lossy("played"),
    }
}

/// The same, with the digest of a mempool.
pub fn standing_of(maker: &Maker, pool: [u8; 32]) -> Standing {
    Standing {
        status: status_of(maker),
        pool,
    }
}

/// A claim of far more than there is.
pub fn boast(maker: &Maker, tip: BlockHash) -> Status {
    let chainwork = Chainwork::from_be_bytes([0x7f; 32]);
    Status {
        tip,
        chainwork,
        height: Height(1_000_000),
        ..status_of(maker)
    }
}

pub fn headers_of(blocks: &[Arc<Block>]) -> Vec<Header> {
    blocks.iter().map(|block| block.header).collect()
}

/// Blocks asked for in these requests together.
pub fn count<T>(requests: &[(T, Vec<BlockHash>)]) -> usize {
    requests.iter().map(|(_, hashes)| hashes.len()).sum()
}
