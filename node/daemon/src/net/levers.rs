//! The way into the network side for fault injection: link conditions and
//! probes. Made before the network side, for those who start earlier.

use tokio::sync::mpsc;

use super::link_conditioner::{Links, Table};
use super::probe::{Order, Outcome, Target};

/// The outer end; clones share it.
#[derive(Clone, Debug)]
pub struct Levers {
    links: Links,
    orders: mpsc::Sender<Order>,
}

/// The network side's end.
#[derive(Debug)]
pub struct LeversEnd {
    pub(super) links: Links,
    pub(super) orders: mpsc::Receiver<Order>,
}

/// The network side has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network side has ended")]
pub struct Ended;

/// Rounds of probes that may wait for the network task.
const ORDERS_MAX: usize = 16;

/// Both ends. Chance on the links follows from `seed`.
pub fn levers(seed: u64) -> (Levers, LeversEnd) {
    let links = Links::new(seed);
    let (sender, receiver) = mpsc::channel(ORDERS_MAX);
    let end = LeversEnd {
        links: links.clone(),
        orders: receiver,
    };
    let levers = Levers {
        links,
        orders: sender,
    };
    (levers, end)
}

impl Levers {
    /// Conditions of all links, in force at once.
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// Replaces all conditions; those in force afterwards.
    pub fn condition(&self, table: Table) -> std::sync::Arc<Table> {
        self.links.set(table);
        self.links.table()
    }

    /// Probes all targets side by side with `payload_bytes` bytes; the outcomes in their order, after
    /// `timeout` at the latest.
    ///
    /// # Errors
    /// When the network side has ended.
    pub async fn probe(
        &self,
        targets: Vec<Target>,
        timeout: std::time::Duration,
        payload_bytes: usize,
    ) -> Result<Vec<Outcome>, Ended> {
        let (reply, outcomes) = tokio::sync::oneshot::channel();
        let order = Order {
            targets,
            timeout,
            payload_bytes,
            reply,
        };
        self.orders.send(order).await.map_err(|_| Ended)?;
        outcomes.await.map_err(|_| Ended)
    }
}
