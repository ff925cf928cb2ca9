//! Bytes of each connection, counted inside its encryption, where all
//! protocols meet: messages, their framing, pings and the upkeep of gossip.
//!
//! A connection counts on a meter of its own, which whoever keeps the peer
//! claims once the connection is open. Meters nobody claims, of connections
//! that were refused, go with the connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use libp2p::{Multiaddr, PeerId};

use super::{addresses, unix_s};

mod counted;

pub use counted::Metered;

/// What passed in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes given to the connection.
    pub bytes_sent: u64,
    /// Bytes taken from the connection.
    pub bytes_received: u64,
    /// Seconds since 1970 when bytes were last sent; 0 for never.
    pub sent_at_unix_s: u64,
    /// Seconds since 1970 when bytes last came; 0 for never.
    pub received_at_unix_s: u64,
}

/// Counts as bytes pass.
#[derive(Debug, Default)]
pub struct Meter {
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    sent_at_unix_s: AtomicU64,
    received_at_unix_s: AtomicU64,
}

/// Counts one peer, over all its connections since it appeared.
#[derive(Clone, Debug, Default)]
pub struct PeerMeter {
    /// What passed over connections that have closed.
    closed: Totals,
    open: Vec<Arc<Meter>>,
}

/// Meters of all connections; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    all: Arc<Meter>,
    unclaimed: Arc<Mutex<Vec<Unclaimed>>>,
}

#[derive(Debug)]
struct Unclaimed {
    peer: PeerId,
    remote: Multiaddr,
    meter: Weak<Meter>,
}

impl Totals {
    fn with(self, other: Self) -> Self {
        Self {
            bytes_sent: self.bytes_sent + other.bytes_sent,
            bytes_received: self.bytes_received + other.bytes_received,
            sent_at_unix_s: self.sent_at_unix_s.max(other.sent_at_unix_s),
            received_at_unix_s: self.received_at_unix_s.max(other.received_at_unix_s),
        }
    }
}

impl Meter {
    fn sent(&self, bytes: usize, now_unix_s: u64) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.sent_at_unix_s.store(now_unix_s, Ordering::Relaxed);
    }

    fn received(&self, bytes: usize, now_unix_s: u64) {
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.received_at_unix_s.store(now_unix_s, Ordering::Relaxed);
    }

    /// What passed so far.
    pub fn totals(&self) -> Totals {
        Totals {
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            sent_at_unix_s: self.sent_at_unix_s.load(Ordering::Relaxed),
            received_at_unix_s: self.received_at_unix_s.load(Ordering::Relaxed),
        }
    }
}

impl PeerMeter {
    /// Counts one more connection.
    pub fn opened(&mut self, meter: Arc<Meter>) {
        self.open.push(meter);
    }

    /// Keeps the sums of a connection that closed, and not its meter.
    pub fn closed(&mut self, meter: &Arc<Meter>) {
        self.open.retain(|open| !Arc::ptr_eq(open, meter));
        self.closed = self.closed.with(meter.totals());
    }

    /// What passed so far.
    pub fn totals(&self) -> Totals {
        let open = self.open.iter().map(|meter| meter.totals());
        open.fold(self.closed, Totals::with)
    }
}

impl Meters {
    /// What passed over all connections since the start.
    pub fn all(&self) -> Arc<Meter> {
        Arc::clone(&self.all)
    }

    /// Has a connection that is being set up counted; `upgrade` makes streams
    /// of it.
    pub fn metered<U>(&self, peer: PeerId, remote: &Multiaddr, upgrade: U) -> Metered<U> {
        let meter = Arc::new(Meter::default());
        let mut unclaimed = self.lock();
        unclaimed.retain(|one| one.meter.strong_count() > 0);
        unclaimed.push(Unclaimed {
            peer,
            remote: addresses::split_peer_id(remote.clone()).0,
            meter: Arc::downgrade(&meter),
        });
        Metered::new(upgrade, [meter, self.all()])
    }

    /// The meter of a connection that has opened.
    pub fn claim(&self, peer: &PeerId, remote: &Multiaddr) -> Arc<Meter> {
        let (remote, _) = addresses::split_peer_id(remote.clone());
        let mut unclaimed = self.lock();
        unclaimed.retain(|one| one.meter.strong_count() > 0);
        let claimed = unclaimed
            .iter()
            .position(|one| one.peer == *peer && one.remote == remote)
            .and_then(|index| unclaimed.remove(index).meter.upgrade());
        // A connection that broke at once has nothing more to count.
        claimed.unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Unclaimed>> {
        self.unclaimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
