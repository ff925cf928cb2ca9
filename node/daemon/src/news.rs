//! What just happened, for those who wait for it: the tip as a value that
//! changes, and everything as a bounded stream.

use std::sync::Arc;

use minichain_chain::hash::BlockHash;
use minichain_chain::height::Height;
use minichain_chain::pow::Chainwork;
use minichain_protocol::event::Event;
use tokio::sync::{broadcast, watch};

/// Events kept for a reader that is behind; beyond that it misses some, and is
/// told so.
const KEPT: usize = 1_024;

/// A tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Hash.
    pub hash: BlockHash,
    /// Height.
    pub height: Height,
    /// Work up to it.
    pub chainwork: Chainwork,
}

/// Where news come from.
#[derive(Debug)]
pub struct News {
    tip: watch::Sender<Option<Tip>>,
    events: broadcast::Sender<Arc<Event>>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            tip: watch::Sender::new(None),
            events: broadcast::Sender::new(KEPT),
        }
    }
}

impl News {
    /// Tells of an event, if it is of interest. Never waits for a reader.
    pub fn tell(&self, event: Event) {
        match &event {
            Event::TipChanged {
                tip,
                height,
                chainwork,
                ..
            } => {
                let tip = Tip {
                    hash: *tip,
                    height: *height,
                    chainwork: *chainwork,
                };
                self.tip.send_replace(Some(tip));
            }
            Event::TransactionAccepted { .. } => {}
            _ => return,
        }
        if self.events.receiver_count() > 0 {
            // The last reader may have gone meanwhile.
            let _unheard = self.events.send(Arc::new(event));
        }
    }

    /// The last change of the tip, none before the first, to wait on.
    pub fn tip(&self) -> watch::Receiver<Option<Tip>> {
        self.tip.subscribe()
    }

    /// All news from now on: tips and transactions.
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }
}
