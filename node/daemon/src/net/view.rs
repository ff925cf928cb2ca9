//! What the network side shows to those who ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use minichain_protocol::input::{Direction, Peer};

use super::meter::{Meter, PeerMeter};

/// A snapshot of the network side.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Own libp2p peer id.
    pub peer_id: String,
    /// Addresses listened on and told to others, as multiaddrs.
    pub addresses: Vec<String>,
    /// Who is connected.
    pub connections: BTreeMap<Peer, Connection>,
    /// Own blocks and transactions that no peer was there to hear, since the
    /// start. Peers fetch them later by request.
    pub publishes_unheard: u64,
    /// What passes over all connections, counted on as it does.
    pub meter: Arc<Meter>,
}

impl View {
    /// How many peers dialled us, and how many we dialled.
    pub fn counts(&self) -> (usize, usize) {
        let inbound = self
            .connections
            .values()
            .filter(|c| c.direction == Direction::Inbound)
            .count();
        (inbound, self.connections.len() - inbound)
    }
}

/// One connected peer.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its end of the oldest connection, as `ip:port` where it is TCP.
    pub address: String,
    /// libp2p peer id.
    pub peer_id: String,
    /// Who dialled.
    pub direction: Direction,
    /// Whether we dialled it by the operator's word: configured, added, tried.
    pub is_manual: bool,
    /// Seconds since 1970 when it connected.
    pub since_unix_s: u64,
    /// What passes since it connected, counted on as it does.
    pub traffic: PeerMeter,
    /// Last round trip in milliseconds.
    pub ping_ms: Option<f64>,
    /// Shortest round trip in milliseconds.
    pub min_ping_ms: Option<f64>,
}
