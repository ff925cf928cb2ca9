//! The digest over all that happens, by which two runs are compared.

use minichain_protocol::event::Event;
use sha2::{Digest, Sha256};

use crate::queue::Micros;

/// Bytes gathered before they are hashed.
const GATHERED: usize = 4_096;

/// What a node told, as a line with its level, for people: `error` is a fault
/// of the node, `warn` something refused or abandoned, `info` the rest. None
/// for what nobody wants to read.
#[must_use]
pub fn line(event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::TipChanged {
            tip,
            height,
            disconnected,
            ..
        } => {
            let left = disconnected.len();
            let text = format!("tip changed: {tip} at {height}, {left} blocks left");
            ("INFO", text)
        }
        Event::BlockMined { hash, height, .. } => ("INFO", format!("mined {hash} at {height}")),
        Event::BlockRejected { hash, message, .. } => {
            ("WARN", format!("refused {hash}: {message}"))
        }
        Event::OrphanReceived { hash, missing, .. } => {
            ("INFO", format!("{hash} came before its parent {missing}"))
        }
        Event::PeerReady { user_agent, .. } => ("INFO", format!("peer ready: {user_agent}")),
        Event::PeerDropped { detail, reason, .. } => (
            "WARN",
            format!("peer dropped ({}): {detail}", reason.label()),
        ),
        Event::SyncStarted { from, to } => ("INFO", format!("fetching blocks from {from} to {to}")),
        Event::SyncFinished { height } => ("INFO", format!("caught up at {height}")),
        Event::Fault { message } => ("ERROR", format!("fault: {message}")),
        _ => return None,
    })
}

/// A running SHA-256 over events.
#[derive(Debug, Default)]
pub struct Trace {
    hasher: Sha256,
    gathered: Vec<u8>,
    events: u64,
    settled: u64,
}

impl Trace {
    /// Something happened in the world.
    pub fn happened(&mut self, at: Micros, (tag, left, right): (u8, u64, u64)) {
        self.events += 1;
        self.put(at, tag);
        self.gathered.extend_from_slice(&left.to_le_bytes());
        self.gathered.extend_from_slice(&right.to_le_bytes());
    }

    /// Something was sent whose arrival at a time will change nothing.
    pub fn settled(&mut self, arrives: Micros, (tag, left, right): (u8, u64, u64)) {
        self.settled += 1;
        self.put(arrives, 253);
        self.gathered.push(tag);
        self.gathered.extend_from_slice(&left.to_le_bytes());
        self.gathered.extend_from_slice(&right.to_le_bytes());
    }

    /// A node had something to tell to its neighbours outside the mesh.
    pub fn looked(&mut self, place: u32, message: u32) {
        self.settled += 1;
        self.gathered.extend_from_slice(&place.to_le_bytes());
        self.gathered.extend_from_slice(&message.to_le_bytes());
    }

    /// One of these will arrive by itself after all.
    pub const fn unsettled(&mut self) {
        self.settled -= 1;
    }

    /// Something under way was lost.
    pub fn lost(&mut self, at: Micros, (tag, left, right): (u8, u64, u64)) {
        self.put(at, 254);
        self.gathered.push(tag);
        self.gathered.extend_from_slice(&left.to_le_bytes());
        self.gathered.extend_from_slice(&right.to_le_bytes());
    }

    /// A node told something.
    pub fn told(&mut self, at: Micros, place: u32, event: &Event) {
        let (tag, hash) = match event {
            Event::TipChanged { tip, .. } => (128, Some(tip.to_bytes())),
            Event::BlockStored { hash, .. } => (129, Some(hash.to_bytes())),
            Event::OrphanReceived { hash, .. } => (130, Some(hash.to_bytes())),
            Event::BlockRejected { hash, .. } => (131, Some(hash.to_bytes())),
            Event::BlockArrived { hash, .. } => (132, Some(hash.to_bytes())),
            Event::BlockMined { hash, .. } => (133, Some(hash.to_bytes())),
            Event::HeadersAdvanced { .. } => (134, None),
            Event::SyncStarted { .. } => (135, None),
            Event::SyncFinished { .. } => (136, None),
            Event::InFlightChanged { .. } => (137, None),
            Event::TransactionAccepted { txid, .. } => (138, Some(txid.to_bytes())),
            Event::TransactionRejected { txid, .. } => (139, Some(txid.to_bytes())),
            Event::MempoolChanged { .. } => (140, None),
            Event::PeerReady { .. } => (141, None),
            Event::PeerOtherGenesis { .. } => (142, None),
            Event::PeerDropped { .. } => (143, None),
            Event::RequestFailed { .. } => (144, None),
            Event::PeerStalled { .. } => (145, None),
            Event::Fault { .. } => (146, None),
            Event::TransactionArrived { txid, .. } => (147, Some(txid.to_bytes())),
            Event::TransactionsConfirmed { .. } => (148, None),
            Event::OrphansChanged { .. } => (149, None),
        };
        self.put(at, tag);
        self.gathered.extend_from_slice(&place.to_le_bytes());
        if let Some(hash) = hash {
            self.gathered.extend_from_slice(&hash);
        }
    }

    /// Somebody changed the world from outside.
    pub fn changed(&mut self, at: Micros, what: &str) {
        self.put(at, 255);
        self.gathered.extend_from_slice(what.as_bytes());
    }

    /// Events of the world so far: what was due and happened, and what needed no
    /// place in the queue of its own.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events + self.settled
    }

    /// Arrivals that were settled when they were sent, and looks at the mesh by
    /// nodes that did so together.
    #[must_use]
    pub const fn settled_events(&self) -> u64 {
        self.settled
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.gathered);
        hasher.finalize().into()
    }

    fn put(&mut self, at: Micros, tag: u8) {
        if self.gathered.len() >= GATHERED {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        self.gathered.extend_from_slice(&at.to_le_bytes());
        self.gathered.push(tag);
    }
}
