//! Whatever arrives, in whatever order: one verdict for each gossip message,
//! one answer or refusal for each request, and no panic.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use minichain_chain::block::Block;
use minichain_chain::codec::encode;
use minichain_chain::time::UnixMillis;
use minichain_protocol::event::Event;
use minichain_protocol::input::{
    Call, Direction, GossipId, InboundRequest, Input, OutboundRequest, Peer, RequestFailure,
};
use minichain_protocol::output::{Outbox, Output, Topic, Verdict};
use minichain_protocol::wire::{GetBlocks, GetHeaders, Request, Response};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::chain::{Maker, allocated, params, pay};
use crate::support::lone::{Lone, headers_of, standing_of, status_of};

#[test]
fn the_delay_of_a_block_is_told_within_bounds() {
    let maker = || Maker::new(1);
    let start = Lone::new().now().unix.0;
    for (sent_ms, delay_ms) in [(start + 59_900, 100), (u64::MAX, 0), (0, 600_000)] {
        let mut lone = Lone::new();
        lone.now_ms = 60_000;
        let peer = lone.connect_with(&maker());
        let (block, id) = (maker().next(), GossipId(9));
        let (topic, sent_at) = (Topic::Block, Some(UnixMillis(sent_ms)));
        let bytes = encode(block.as_ref());
        lone.feed(Input::GossipReceived {
            id,
            peer,
            topic,
            sent_at,
            bytes,
        });
        let told = Event::BlockArrived {
            hash: block.hash(),
            delay_ms: Some(delay_ms),
            peer,
        };
        assert!(lone.events().contains(&&told), "sent at {sent_ms}");
    }
}

/// Two branches from genesis that all cases share.
fn branches() -> &'static [Vec<Arc<Block>>; 2] {
    static BRANCHES: OnceLock<[Vec<Arc<Block>>; 2]> = OnceLock::new();
    BRANCHES.get_or_init(|| [Maker::new(1).mine(12), Maker::new(2).mine(14)])
}

fn block() -> impl Strategy<Value = Arc<Block>> {
    any::<prop::sample::Index>().prop_map(|index| {
        let all = branches().concat();
        Arc::clone(index.get(&all))
    })
}

/// One thing the world does; numbers are filled in when it is played.
#[derive(Clone, Debug)]
enum Deed {
    Connect,
    Disconnect(u8),
    Gossip(u8, Topic, Vec<u8>),
    Ask(u8, Vec<u8>),
    Answer(u8, Vec<u8>),
    Fail(u8),
    Submit(Arc<Block>),
    Pay(u64),
    Mine(bool),
    Found(Arc<Block>),
    Pass(u64),
}

fn damaged(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (
        bytes,
        any::<prop::sample::Index>(),
        prop::option::weighted(0.3, any::<u8>()),
    )
        .prop_map(|(mut bytes, index, damage)| {
            if let Some(damage) = damage.filter(|_| !bytes.is_empty()) {
                let at = index.index(bytes.len());
                bytes[at] ^= damage;
            }
            bytes
        })
}

fn request_bytes() -> impl Strategy<Value = Vec<u8>> {
    let mut maker = Maker::new(1);
    maker.mine(3);
    let status = status_of(&maker);
    prop_oneof![
        Just(encode(&Request::Status(status))),
        any::<[u8; 32]>()
            .prop_map(move |pool| { encode(&Request::Standing(standing_of(&maker, pool))) }),
        block().prop_map(|block| {
            let locator = vec![block.hash()];
            encode(&Request::Headers(GetHeaders {
                locator,
                stop: block.header.previous,
            }))
        }),
        vec(block(), 1..16).prop_map(|blocks| {
            let hashes = blocks.iter().map(|block| block.hash()).collect();
            encode(&Request::Blocks(GetBlocks { hashes }))
        }),
        vec(any::<u8>(), 0..80),
    ]
}

fn response_bytes() -> impl Strategy<Value = Vec<u8>> {
    let tips = (1usize..12).prop_map(|count| {
        let mut maker = Maker::new(1);
        maker.mine(count);
        encode(&Response::Status(status_of(&maker)))
    });
    let standings = any::<[u8; 32]>()
        .prop_map(|pool| encode(&Response::Standing(standing_of(&Maker::new(1), pool))));
    prop_oneof![
        tips,
        standings,
        (0usize..2, 0usize..12).prop_map(|(branch, count)| {
            encode(&Response::Headers(headers_of(&branches()[branch][..count])))
        }),
        vec(block(), 0..9).prop_map(|blocks| encode(&Response::Blocks(blocks))),
        vec(any::<u8>(), 0..80),
    ]
}

fn gossip_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => block().prop_map(|block| encode(block.as_ref())),
        1 => (1u64..9).prop_map(|fee| encode(payment(fee * 1_000).as_ref())),
        1 => vec(any::<u8>(), 0..200),
    ]
}

fn payment(fee_sat: u64) -> Arc<minichain_chain::transaction::Transaction> {
    pay(allocated(&params(), 0), 0, 1, fee_sat)
}

fn deed() -> impl Strategy<Value = Deed> {
    let topic = prop_oneof![3 => Just(Topic::Block), 1 => Just(Topic::Transaction)];
    prop_oneof![
        2 => Just(Deed::Connect),
        1 => any::<u8>().prop_map(Deed::Disconnect),
        8 => (any::<u8>(), topic, damaged(gossip_bytes()))
            .prop_map(|(peer, topic, bytes)| Deed::Gossip(peer, topic, bytes)),
        4 => (any::<u8>(), damaged(request_bytes())).prop_map(|(peer, bytes)| Deed::Ask(peer, bytes)),
        8 => (any::<u8>(), damaged(response_bytes()))
            .prop_map(|(which, bytes)| Deed::Answer(which, bytes)),
        1 => any::<u8>().prop_map(Deed::Fail),
        1 => block().prop_map(Deed::Submit),
        1 => (1u64..9).prop_map(Deed::Pay),
        1 => any::<bool>().prop_map(Deed::Mine),
        1 => block().prop_map(Deed::Found),
        3 => (0u64..20_000).prop_map(Deed::Pass),
    ]
}

/// Plays deeds and keeps the books on what is owed.
struct Play {
    lone: Lone,
    peers: Vec<Peer>,
    asked: Vec<(OutboundRequest, Peer)>,
    owed: BTreeMap<String, i32>,
}

impl Play {
    fn new() -> Self {
        let mut lone = Lone::with(params(), true);
        lone.now_ms = 100_000;
        Self {
            lone,
            peers: Vec::new(),
            asked: Vec::new(),
            owed: BTreeMap::new(),
        }
    }

    fn input_of(&mut self, deed: Deed) -> Option<Input> {
        let number = self.lone.number();
        let peers = self.peers.clone();
        let choose = |which: u8| peers.get(usize::from(which) % peers.len().max(1)).copied();
        Some(match deed {
            Deed::Connect => {
                let peer = Peer(number);
                self.peers.push(peer);
                Input::PeerConnected {
                    peer,
                    direction: Direction::Outbound,
                }
            }
            Deed::Disconnect(which) => Input::PeerDisconnected {
                peer: choose(which)?,
            },
            Deed::Gossip(which, topic, bytes) => {
                let id = GossipId(number);
                self.owed.insert(format!("{id:?}"), 1);
                let sent_at = Some(UnixMillis(u64::from(which) << 56));
                Input::GossipReceived {
                    id,
                    peer: choose(which)?,
                    topic,
                    sent_at,
                    bytes,
                }
            }
            Deed::Ask(which, bytes) => {
                let id = InboundRequest(number);
                self.owed.insert(format!("{id:?}"), 1);
                Input::RequestReceived {
                    id,
                    peer: choose(which)?,
                    bytes,
                }
            }
            Deed::Answer(which, bytes) => {
                let (id, peer) = self.take_asked(which)?;
                Input::ResponseReceived { id, peer, bytes }
            }
            Deed::Fail(which) => {
                let (id, peer) = self.take_asked(which)?;
                Input::RequestFailed {
                    id,
                    peer,
                    failure: RequestFailure::TimedOut,
                }
            }
            Deed::Submit(block) => {
                let call = Call(number);
                self.owed.insert(format!("{call:?}"), 1);
                Input::BlockSubmitted { call, block }
            }
            Deed::Pay(fee) => {
                let call = Call(number);
                self.owed.insert(format!("{call:?}"), 1);
                Input::TransactionSubmitted {
                    call,
                    transaction: payment(fee * 1_000),
                }
            }
            Deed::Mine(enabled) => Input::MiningSwitched { enabled },
            Deed::Found(block) => Input::BlockMined { block },
            Deed::Pass(duration_ms) => {
                self.lone.now_ms += duration_ms;
                Input::Woke
            }
        })
    }

    fn take_asked(&mut self, which: u8) -> Option<(OutboundRequest, Peer)> {
        let index = usize::from(which).checked_rem(self.asked.len())?;
        Some(self.asked.swap_remove(index))
    }

    fn play(&mut self, deed: Deed) -> Result<(), TestCaseError> {
        if self.peers.is_empty() {
            let input = self
                .input_of(Deed::Connect)
                .expect("one can always connect");
            self.feed(input)?;
        }
        self.owed.clear();
        if let Some(input) = self.input_of(deed) {
            self.feed(input)?;
            let unpaid: Vec<_> = self.owed.iter().filter(|(_, owed)| **owed != 0).collect();
            prop_assert!(unpaid.is_empty(), "not settled exactly once: {unpaid:?}");
        }
        Ok(())
    }

    fn feed(&mut self, input: Input) -> Result<(), TestCaseError> {
        let mut out = Outbox::default();
        let now = self.lone.now();
        self.lone
            .node
            .handle(now, input, &mut out)
            .expect("memory does not fail");
        let mut is_persisted = false;
        for output in out.drain() {
            match output {
                Output::GossipVerdict { id, topic, verdict } => {
                    self.pay_back(&format!("{id:?}"))?;
                    let is_announced = topic == Topic::Block && verdict == Verdict::Accept;
                    prop_assert!(is_persisted || !is_announced, "passed on before persisted");
                }
                Output::Respond { id, .. } | Output::Refuse { id } => {
                    self.pay_back(&format!("{id:?}"))?;
                }
                Output::Answer { call, .. } => self.pay_back(&format!("{call:?}"))?,
                Output::Request { id, peer, .. } => self.asked.push((id, peer)),
                Output::Persist { .. } => is_persisted = true,
                Output::Publish {
                    topic: Topic::Block,
                    ..
                }
                | Output::Event(Event::TipChanged { .. }) => {
                    prop_assert!(is_persisted, "announced before it was persisted");
                }
                Output::Event(Event::Fault { message }) => {
                    // A miner that solves what it was never given is the test's doing.
                    prop_assert!(message.contains("is not known here"), "{message}");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn pay_back(&mut self, what: &str) -> Result<(), TestCaseError> {
        let owed = self.owed.get_mut(what);
        prop_assert!(owed.is_some(), "{what} was not asked for");
        *owed.expect("just seen") -= 1;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn verdict_is_given_exactly_once(deeds in vec(deed(), 1..80)) {
        let mut play = Play::new();
        for deed in deeds {
            play.play(deed)?;
        }
    }
}
