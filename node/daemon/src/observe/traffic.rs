//! Bytes of gossip, requests and responses since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Flow;

/// Two sums.
#[derive(Debug, Default)]
pub struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Bytes that came from peers.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes that went to peers.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts what came or went.
    pub fn add(&self, flow: Flow, bytes: usize) {
        let sum = match flow {
            Flow::Received => &self.received,
            Flow::Sent => &self.sent,
        };
        sum.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
