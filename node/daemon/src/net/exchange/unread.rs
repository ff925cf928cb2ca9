//! Answers on their way to peers, bounded in bytes: who asks and does not read
//! would have us keep them all. Pure.

use std::collections::BTreeMap;

use libp2p::request_response::InboundRequestId;
use minichain_protocol::input::Peer;
use minichain_protocol::limits::RESPONSE_BYTES_MAX;

/// All of them; `K` names a request.
#[derive(Debug)]
pub struct Unread<K = InboundRequestId> {
    answers: BTreeMap<K, (Peer, usize)>,
    peers: BTreeMap<Peer, Backlog>,
}

/// Of one peer.
#[derive(Debug, Default)]
struct Backlog {
    bytes: usize,
    /// Refusals since it last read one.
    refused: u32,
}

/// What becomes of one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may go out.
    Fits,
    /// Too much waits already.
    Refused,
    /// As it did so often that nothing will ever be read.
    Hopeless,
}

/// Bytes of answers one peer may leave unread. An honest one has two questions
/// for blocks under way, and may ask again over a slow link.
pub const UNREAD_BYTES_MAX: usize = 4 * RESPONSE_BYTES_MAX;
/// Refusals without an answer read between them. An honest peer pauses after
/// each, and the pauses grow.
pub const REFUSALS_MAX: u32 = 32;

impl<K> Default for Unread<K> {
    fn default() -> Self {
        Self {
            answers: BTreeMap::new(),
            peers: BTreeMap::new(),
        }
    }
}

impl<K: Copy + Ord> Unread<K> {
    /// Notes an answer about to be sent, if it may be.
    pub fn add(&mut self, request: K, peer: Peer, len: usize) -> Outcome {
        let backlog = self.peers.entry(peer).or_default();
        if backlog.bytes.saturating_add(len) > UNREAD_BYTES_MAX {
            backlog.refused += 1;
            return if backlog.refused > REFUSALS_MAX {
                Outcome::Hopeless
            } else {
                Outcome::Refused
            };
        }
        backlog.bytes += len;
        self.answers.insert(request, (peer, len));
        Outcome::Fits
    }

    /// An answer is out, whether or not it was read.
    pub fn remove(&mut self, request: K, was_read: bool) {
        let Some((peer, len)) = self.answers.remove(&request) else {
            return;
        };
        let Some(backlog) = self.peers.get_mut(&peer) else {
            return;
        };
        backlog.bytes = backlog.bytes.saturating_sub(len);
        if was_read {
            backlog.refused = 0;
        }
        if backlog.bytes == 0 && backlog.refused == 0 {
            self.peers.remove(&peer);
        }
    }

    /// A peer is gone.
    pub fn forget(&mut self, gone: Peer) {
        self.peers.remove(&gone);
        self.answers.retain(|_, (peer, _)| *peer != gone);
    }
}

#[cfg(test)]
mod tests {
    use minichain_protocol::input::Peer;
    use minichain_protocol::limits::RESPONSE_BYTES_MAX;

    use super::{Outcome, REFUSALS_MAX, UNREAD_BYTES_MAX, Unread};

    const PEER: Peer = Peer(1);

    #[test]
    fn who_reads_is_answered_without_end() {
        let mut unread = Unread::default();
        for request in 0..1_000 {
            assert_eq!(unread.add(request, PEER, RESPONSE_BYTES_MAX), Outcome::Fits);
            unread.remove(request, true);
        }
        assert!(unread.peers.is_empty() && unread.answers.is_empty());
    }

    #[test]
    fn who_reads_nothing_is_refused_and_at_last_given_up() {
        let mut unread = Unread::default();
        for request in 0..4 {
            assert_eq!(unread.add(request, PEER, RESPONSE_BYTES_MAX), Outcome::Fits);
        }
        for request in 0..REFUSALS_MAX {
            assert_eq!(unread.add(4 + request, PEER, 1), Outcome::Refused);
        }
        assert_eq!(unread.add(99, PEER, 1), Outcome::Hopeless);
        assert_eq!(unread.add(99, Peer(2), 1), Outcome::Fits, "another peer");
        unread.forget(PEER);
        assert_eq!(unread.add(100, PEER, UNREAD_BYTES_MAX), Outcome::Fits);
    }

    #[test]
    fn slow_reader_is_refused_now_and_then_and_stays() {
        let mut unread = Unread::default();
        for round in 0..10 * REFUSALS_MAX {
            for request in 0..6 {
                let outcome = unread.add(10 * round + request, PEER, RESPONSE_BYTES_MAX);
                assert_ne!(outcome, Outcome::Hopeless);
            }
            for request in 0..6 {
                unread.remove(10 * round + request, true);
            }
        }
        assert_eq!(
            unread.add(u32::MAX, PEER, RESPONSE_BYTES_MAX),
            Outcome::Fits
        );
        unread.remove(u32::MAX, false);
        assert_eq!(unread.add(0, PEER, UNREAD_BYTES_MAX), Outcome::Fits);
    }
}
