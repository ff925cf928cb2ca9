//! When blocks became part of nodes' chains, to the microsecond: for a recording,
//! whose looks are too far apart to show how blocks spread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devnet_scenario::fault::NodeName;
use minichain_protocol::event::Event;
use minichain_sim::queue::Micros;

/// Arrivals kept until they are taken, at most.
const KEPT_MAX: usize = 200_000;

/// A block came to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The node.
    pub node: NodeName,
    /// The block's hash.
    pub hash: String,
    /// When, in microseconds since 1970.
    pub at_us: u64,
}

/// Arrivals since they were taken last.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<Vec<Arrival>>>);

impl Arrivals {
    /// Takes those that are there.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.kept())
    }

    /// A node told something.
    pub(super) fn told(&self, node: &str, at_us: Micros, event: &Event) {
        let Event::TipChanged { connected, .. } = event else {
            return;
        };
        let mut kept = self.kept();
        let room = KEPT_MAX.saturating_sub(kept.len());
        kept.extend(connected.iter().take(room).map(|block| Arrival {
            node: node.to_owned(),
            hash: block.hash.to_string(),
            at_us,
        }));
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
