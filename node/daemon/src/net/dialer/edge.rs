//! A peer that is dialled for as long as the node runs, because it was
//! configured or added.

use std::time::Instant;

use libp2p::swarm::DialError;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use super::super::addresses::split_peer_id;
use super::super::dice::Dice;
use super::backoff::Backoff;

/// A configured peer.
#[derive(Debug)]
pub struct Edge {
    /// Its number, never given again.
    pub number: u64,
    /// Without a peer id.
    pub address: Multiaddr,
    /// Who answered there last, or who must.
    pub peer: Option<PeerId>,
    is_pinned: bool,
    /// It is this node's own address.
    pub is_self: bool,
    /// When it is dialled next.
    pub backoff: Backoff,
}

impl Edge {
    /// An address that may end in a peer id, which then must answer there.
    pub fn new(number: u64, address: Multiaddr, backoff: Backoff) -> Self {
        let (address, peer) = split_peer_id(address);
        Self {
            number,
            address,
            peer,
            is_pinned: peer.is_some(),
            is_self: false,
            backoff,
        }
    }

    /// Whether the edge was given by this address, with or without a peer id.
    pub fn is_named(&self, address: &Multiaddr) -> bool {
        let (bare, peer) = split_peer_id(address.clone());
        bare == self.address && peer == self.peer.filter(|_| self.is_pinned)
    }

    /// An address given without a peer id is dialled bare every time: a node
    /// made anew there has another identity.
    pub fn options(&self) -> DialOpts {
        match self.peer.filter(|_| self.is_pinned) {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![self.address.clone()])
                .build(),
            None => DialOpts::unknown_peer_id()
                .address(self.address.clone())
                .build(),
        }
    }

    /// Notes a dial that failed.
    pub fn on_failed(&mut self, error: &DialError, now: Instant, dice: &mut Dice) {
        if matches!(error, DialError::LocalPeerId { .. }) {
            self.is_self = true;
            tracing::debug!(address = %self.address, "bootstrap address is this node's own");
            return;
        }
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            self.backoff.postpone(now);
            return;
        }
        // Once for people, then only for those who look closely.
        if self.backoff.failures == 3 {
            tracing::warn!(
                address = %self.address, error = %cause(error),
                "bootstrap peer does not answer; dialling goes on in the background"
            );
        } else {
            tracing::debug!(address = %self.address, error = %cause(error), "dial failed");
        }
        self.backoff.fail(now, dice);
    }
}

/// The innermost reason in one line.
pub fn cause(error: &DialError) -> String {
    match error {
        DialError::Transport(errors) => {
            let reasons: Vec<_> = errors.iter().map(|(_, error)| innermost(error)).collect();
            reasons.join("; ")
        }
        other => innermost(other),
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
