//! Metrics of simulated nodes, under the names of the daemon's: those that have
//! a meaning without a machine beneath.

use std::collections::BTreeMap;

use minichain_api::metric::{self, Metric};
use minichain_protocol::event::Event;
use minichain_sim::world::Place;

use super::genesis::unscaled;
use super::net::Net;

/// What there is.
pub const KNOWN: &[Metric] = &[
    metric::CHAIN_HEIGHT,
    metric::BLOCKS_CONNECTED,
    metric::BLOCKS_DISCONNECTED,
    metric::BLOCKS_MINED,
    metric::REORGS,
    metric::TRANSACTIONS_ACCEPTED,
    metric::MEMPOOL_TRANSACTIONS,
    metric::HASH_RATE_LIMIT,
    metric::CLOCK_OFFSET,
    metric::FAULTS,
];

/// Counted of every node since its program started.
#[derive(Debug, Default)]
pub struct Counters(BTreeMap<Place, Counted>);

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    connected: u64,
    disconnected: u64,
    mined: u64,
    reorgs: u64,
    accepted: u64,
    faults: u64,
}

impl Counters {
    /// Counts what a node told.
    pub fn told(&mut self, place: Place, event: &Event) {
        let counted = self.0.entry(place).or_default();
        match event {
            Event::TipChanged {
                connected,
                disconnected,
                ..
            } => {
                counted.connected += connected.len() as u64;
                counted.disconnected += disconnected.len() as u64;
                counted.reorgs += u64::from(!disconnected.is_empty());
            }
            Event::BlockMined { .. } => counted.mined += 1,
            Event::TransactionAccepted { .. } => counted.accepted += 1,
            Event::Fault { .. } => counted.faults += 1,
            _ => {}
        }
    }

    /// A program that starts counts from nothing.
    pub fn restarted(&mut self, place: Place) {
        self.0.remove(&place);
    }
}

impl Net {
    /// A node's metrics in the Prometheus text format.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub(super) fn metrics(&self, place: Place) -> Option<String> {
        let node = self.world.node(place)?;
        let counted = self.counters.0.get(&place).copied().unwrap_or_default();
        let setup = self.world.setup_of(place);
        let value = |name: &str| -> f64 {
            match name {
                _ if name == metric::CHAIN_HEIGHT.name => node.state().tip().height.to_u32().into(),
                _ if name == metric::BLOCKS_CONNECTED.name => counted.connected as f64,
                _ if name == metric::BLOCKS_DISCONNECTED.name => counted.disconnected as f64,
                _ if name == metric::BLOCKS_MINED.name => counted.mined as f64,
                _ if name == metric::REORGS.name => counted.reorgs as f64,
                _ if name == metric::TRANSACTIONS_ACCEPTED.name => counted.accepted as f64,
                _ if name == metric::MEMPOOL_TRANSACTIONS.name => node.mempool().len() as f64,
                _ if name == metric::HASH_RATE_LIMIT.name => unscaled(setup.hash_rate),
                _ if name == metric::CLOCK_OFFSET.name => setup.skew_ms as f64 / 1_000.0,
                _ => counted.faults as f64,
            }
        };
        let lines = KNOWN.iter().map(|metric| {
            let (name, kind) = (metric.name, metric.kind.word());
            format!("# TYPE {name} {kind}\n{name} {}\n", value(name))
        });
        Some(lines.collect())
    }
}
