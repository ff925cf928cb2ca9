//! Where an adversary's strategy stands between its node and the network: what
//! the node publishes is kept on a branch until a move sends it, and what the
//! node must not hear yet waits.

use minichain_chain::block::Block;
use minichain_chain::codec::{decode, encode};
use minichain_chain::hash::BlockHash;
use minichain_chain::tree::Entry;
use minichain_protocol::input::Content;
use minichain_protocol::output::{RequestKind, Topic};
use minichain_protocol::wire::{Request, Response, Standing, Status};

use super::World;
use super::due::{Due, Passage, Place, Ticket};
use super::gossip::Carried;
use crate::adversary::{Adversary, Move, Seen, Strategy, Tally};

/// An adversary and what it keeps.
#[derive(Debug)]
pub(super) struct Cheat {
    strategy: Strategy,
    adversary: Adversary,
    /// Blocks since the branches parted, lowest first.
    branch: Vec<Held>,
    /// What its node has not heard.
    unheard: Vec<Passage>,
}

#[derive(Debug)]
struct Held {
    height: u32,
    hash: BlockHash,
    bytes: Vec<u8>,
    /// A match has sent it.
    is_sent: bool,
}

impl World {
    /// Has a node cheat from now on; for worlds at their begin.
    pub fn corrupt(&mut self, place: Place, strategy: Strategy) {
        self.trace
            .changed(self.now, &format!("corrupt {place} {strategy:?}"));
        let cheat = Cheat {
            adversary: Adversary::new(&strategy),
            strategy,
            branch: Vec::new(),
            unheard: Vec::new(),
        };
        self.cheats.insert(place, cheat);
    }

    /// What came of an adversary's attempts; none for an honest node.
    #[must_use]
    pub fn tally(&self, place: Place) -> Option<Tally> {
        Some(self.cheats.get(&place)?.adversary.tally())
    }

    /// Keeps a block that an adversary's node publishes back; whether it did.
    pub(super) fn withhold(&mut self, place: Place, topic: Topic, bytes: &[u8]) -> bool {
        if topic != Topic::Block || !self.cheats.contains_key(&place) {
            return false;
        }
        let block: Option<Block> = decode(bytes).ok();
        let seen = block.and_then(|block| self.seen(&block));
        let (Some(seen), Some(cheat)) = (seen, self.cheats.get_mut(&place)) else {
            return false;
        };
        cheat.branch.push(Held {
            height: seen.height,
            hash: seen.hash,
            bytes: bytes.to_vec(),
            is_sent: false,
        });
        let next = cheat.adversary.on_own(seen);
        self.play(place, next);
        true
    }

    /// Keeps a block from an adversary's node that must not hear it; whether it
    /// did.
    pub(super) fn keep_from(&mut self, place: Place, passage: Passage) -> bool {
        let Some(cheat) = self.cheats.get_mut(&place) else {
            return false;
        };
        let message = &mut self.messages[passage.message as usize];
        if message.topic != Topic::Block || !cheat.adversary.is_deaf() {
            return false;
        }
        // It is still needed.
        message.in_flight += 1;
        cheat.unheard.push(passage);
        self.notice(place, passage);
        true
    }

    /// Tells an adversary of a block that has reached it.
    pub(super) fn notice(&mut self, place: Place, passage: Passage) {
        if !self.cheats.contains_key(&place) {
            return;
        }
        let message = &self.messages[passage.message as usize];
        let Carried::Decoded(Content::Block { block, .. }) = &message.content else {
            return;
        };
        let Some(seen) = self.seen(block) else {
            return;
        };
        let Some(cheat) = self.cheats.get_mut(&place) else {
            return;
        };
        if cheat.branch.iter().any(|held| held.hash == seen.hash) {
            return;
        }
        let next = cheat.adversary.on_heard(seen);
        self.play(place, next);
    }

    /// Whether a node leaves a question without an answer, because that would
    /// tell of blocks it holds back.
    pub(super) fn is_hiding(&self, place: Place, ticket: Ticket) -> bool {
        let Some(cheat) = self.cheats.get(&place) else {
            return false;
        };
        let kind = self.requests[ticket.slot as usize].kind;
        let is_telling = matches!(kind, RequestKind::Headers | RequestKind::Blocks);
        is_telling && !cheat.branch.is_empty()
    }

    /// What one node says of itself to another, as a question or an answer: an
    /// adversary names the block below those it holds back as its tip, and to one
    /// that must not hear of the others' blocks nobody seems to have better ones.
    pub(super) fn mask(
        &self,
        (from, to): (Place, Place),
        kind: RequestKind,
        bytes: Vec<u8>,
    ) -> Vec<u8> {
        if kind != RequestKind::Status || self.cheats.is_empty() {
            return bytes;
        }
        let Some(shown) = self.below_branch(from).or_else(|| self.tip_of_deaf(to)) else {
            return bytes;
        };
        let told = |mut status: Status| {
            status.tip = shown.hash;
            status.height = shown.height;
            status.chainwork = shown.chainwork;
            status
        };
        let stands = |mut standing: Standing| {
            standing.status = told(standing.status);
            standing
        };
        match decode(&bytes) {
            Ok(Request::Status(status)) => return encode(&Request::Status(told(status))),
            Ok(Request::Standing(one)) => return encode(&Request::Standing(stands(one))),
            _ => {}
        }
        match decode(&bytes) {
            Ok(Response::Status(status)) => encode(&Response::Status(told(status))),
            Ok(Response::Standing(one)) => encode(&Response::Standing(stands(one))),
            _ => bytes,
        }
    }

    /// The block below those that an adversary holds back.
    fn below_branch(&self, place: Place) -> Option<&Entry> {
        let first = self.cheats.get(&place)?.branch.first()?;
        let tree = self.hosts[place].node.as_ref()?.state().tree();
        tree.parent(tree.get(&first.hash)?)
    }

    /// The tip of an adversary's node that must not hear of better ones.
    fn tip_of_deaf(&self, place: Place) -> Option<&Entry> {
        let cheat = self.cheats.get(&place)?;
        let node = self.hosts[place].node.as_ref()?;
        cheat.adversary.is_deaf().then(|| node.state().tip())
    }

    fn play(&mut self, place: Place, next: Move) {
        match next {
            Move::Wait => {}
            Move::Match { height } => self.send_match(place, height),
            Move::Override => self.send_all(place),
            Move::Adopt => {
                if let Some(cheat) = self.cheats.get_mut(&place) {
                    cheat.branch.clear();
                }
                self.hear_out(place);
            }
        }
    }

    fn send_match(&mut self, place: Place, height: u32) {
        let Some(cheat) = self.cheats.get_mut(&place) else {
            return;
        };
        let allies = match &cheat.strategy {
            Strategy::Selfish { allies } => allies.clone(),
            Strategy::DoubleSpend { .. } => None,
        };
        let mut blocks = Vec::new();
        for held in &mut cheat.branch {
            if held.height <= height && !held.is_sent {
                held.is_sent = true;
                blocks.push(held.bytes.clone());
            }
        }
        for bytes in blocks {
            self.send_block(place, bytes, |other| {
                allies.as_ref().is_none_or(|allies| allies.contains(&other))
            });
        }
    }

    /// Sends the whole branch: who did not get a match gets it now.
    fn send_all(&mut self, place: Place) {
        let Some(cheat) = self.cheats.get_mut(&place) else {
            return;
        };
        let branch = std::mem::take(&mut cheat.branch);
        // Its node needs nothing of the branch that has lost.
        for passage in std::mem::take(&mut cheat.unheard) {
            self.landed(passage.message);
        }
        for held in branch {
            self.send_block(place, held.bytes, |_| true);
        }
    }

    fn send_block(&mut self, place: Place, bytes: Vec<u8>, is_meant: impl Fn(Place) -> bool) {
        let message = self.intern(place, Topic::Block, bytes);
        self.is_news(place, message);
        for index in 0..self.hosts[place].conns.len() {
            let conn = self.hosts[place].conns[index];
            let link = &self.conns[conn as usize];
            let end = link.end_of(place);
            if is_meant(link.ends[1 - end] as usize) {
                self.pass(message, conn, 1 - end, Due::Gossip);
            }
        }
    }

    /// Lets the node hear what was kept from it, at this very time.
    fn hear_out(&mut self, place: Place) {
        let Some(cheat) = self.cheats.get_mut(&place) else {
            return;
        };
        for passage in std::mem::take(&mut cheat.unheard) {
            self.queue.push(self.now, Due::Judged(passage));
        }
    }

    /// The block's height follows from its parent, which somebody stored.
    fn seen(&self, block: &Block) -> Option<Seen> {
        let parent = block.header.previous;
        let (_, height) = self.archive.place(&parent)?;
        Some(Seen {
            height: height.to_u32() + 1,
            hash: block.hash(),
            parent,
        })
    }
}
