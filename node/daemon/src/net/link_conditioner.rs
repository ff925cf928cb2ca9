//! Links made worse on purpose: cut, slow, late or lossy.
//!
//! A node conditions what it *sends*, between noise and yamux, so that every
//! protocol feels it and nothing needs the kernel's help. A connection passes
//! its bytes straight through while its link is free; else they wait in a
//! bounded queue and a task of the connection's own lets them out in time,
//! whether or not anybody polls the connection.
//!
//! ```text
//!     yamux ── Conditioned ── noise ── TCP
//!                  │  Shaper: when does which byte leave (pure)
//!                  └─ pump: lets out what is due
//! ```
//!
//! At most 1 MiB waits on one connection, which also bounds what a long delay
//! lets through: 1 MiB per one-way latency.
//!
//! Only nodes with `rpc.admin` have this in their transport.

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p::PeerId;
use tokio::sync::watch;

mod pump;
mod shaper;
mod stream;
mod upgrade;

pub use upgrade::Upgrade;

/// What happens to bytes sent on one link. The default is a free link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Condition {
    /// Nothing gets through; bytes wait.
    pub is_cut: bool,
    /// One-way delay in milliseconds, finite and not negative.
    pub latency_ms: f64,
    /// Standard deviation of the delay in milliseconds, finite and not
    /// negative. Order is kept.
    pub jitter_ms: f64,
    /// Share of segments lost, 0 to 1. A lost one arrives a retransmission
    /// time-out later.
    pub loss: f64,
    /// Bytes a second at most, above 0.
    pub rate_bytes_s: Option<u64>,
}

impl Condition {
    /// Whether nothing ever gets through.
    pub fn is_blocked(&self) -> bool {
        self.is_cut || self.loss >= 1.0
    }

    /// Whether bytes pass as if nothing were here.
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }
}

/// Conditions of every link that is not free, by the peer at its other end.
pub type Table = BTreeMap<PeerId, Condition>;

/// The conditions in force; clones share them.
#[derive(Clone, Debug)]
pub struct Links {
    table: Arc<watch::Sender<Arc<Table>>>,
    seed: u64,
}

impl Links {
    /// All links free. Chance (jitter, loss) follows from `seed`, the peer and
    /// what is sent.
    pub fn new(seed: u64) -> Self {
        Self {
            table: Arc::new(watch::Sender::new(Arc::default())),
            seed,
        }
    }

    /// Replaces all conditions, on live connections too.
    pub fn set(&self, mut table: Table) {
        table.retain(|_, condition| !condition.is_free());
        self.table.send_replace(Arc::new(table));
    }

    /// All conditions in force.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.borrow())
    }

    fn watch(&self) -> watch::Receiver<Arc<Table>> {
        let mut receiver = self.table.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// Waits until something gets through to `peer`.
    async fn passable(&self, peer: &PeerId) {
        let is_passable = |table: &Arc<Table>| !table.get(peer).is_some_and(Condition::is_blocked);
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.table.subscribe().wait_for(is_passable).await;
    }

    fn seed_for(&self, peer: &PeerId) -> u64 {
        let bytes = peer.to_bytes();
        let tail = bytes.last_chunk::<8>().copied().unwrap_or_default();
        self.seed ^ u64::from_le_bytes(tail)
    }
}
