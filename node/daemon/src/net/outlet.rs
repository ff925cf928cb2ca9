//! From the network task to the driver's inbox, bounded in messages and bytes.
//!
//! The task never waits here while orders from the driver wait: it stops
//! reading from peers instead, and TCP carries that on to the senders.

use std::collections::VecDeque;
use std::sync::Arc;

use minichain_protocol::input::Input;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// An input on its way; holds its share of the byte budget until dropped.
#[derive(Debug)]
pub struct Delivery {
    /// What happened.
    pub input: Input,
    credit: Credit,
}

/// A share of the byte budget, given back when dropped.
#[derive(Debug)]
pub struct Credit {
    _permit: OwnedSemaphorePermit,
}

impl Delivery {
    /// The input, and its share of the budget to hold while it is handled.
    pub fn into_parts(self) -> (Input, Credit) {
        (self.input, self.credit)
    }
}

/// Inputs on the way to the driver.
pub struct Outlet<E> {
    queue: VecDeque<Input>,
    queued_bytes: usize,
    inbox: mpsc::Sender<E>,
    credit: Arc<Semaphore>,
}

/// The driver has ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed;

/// Inputs queued before the task stops reading from peers.
const QUEUE_MAX: usize = 256;
/// Bytes queued before the task stops reading from peers.
const QUEUE_BYTES_MAX: usize = 8 << 20;
/// Bytes handed to the driver and not yet handled, in units of [`UNIT`].
const CREDIT_UNITS: u32 = 24 << 10;
const UNIT: usize = 1 << 10;

impl<E: From<Delivery>> Outlet<E> {
    /// An empty outlet into `inbox`.
    pub fn new(inbox: mpsc::Sender<E>) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_bytes: 0,
            inbox,
            credit: Arc::new(Semaphore::new(CREDIT_UNITS as usize)),
        }
    }

    /// Adds an input behind the others.
    pub fn push(&mut self, input: Input) {
        self.queued_bytes += payload_len(&input);
        self.queue.push_back(input);
    }

    /// Whether the task may go on reading from peers.
    pub fn has_room(&self) -> bool {
        self.queue.len() < QUEUE_MAX && self.queued_bytes < QUEUE_BYTES_MAX
    }

    /// Hands the oldest input to the driver, waiting as long as it takes; for
    /// ever when there is none. Loses nothing when dropped half-way.
    pub async fn deliver(&mut self) -> Result<(), Closed> {
        let Some(input) = self.queue.front() else {
            return std::future::pending().await;
        };
        let len = payload_len(input);
        let permit = Arc::clone(&self.credit).acquire_many_owned(units(len));
        let permit = permit.await.map_err(|_closed| Closed)?;
        let slot = self.inbox.reserve().await.map_err(|_closed| Closed)?;
        if let Some(input) = self.queue.pop_front() {
            self.queued_bytes -= len;
            slot.send(
                Delivery {
                    input,
                    credit: Credit { _permit: permit },
                }
                .into(),
            );
        }
        Ok(())
    }
}

fn units(len: usize) -> u32 {
    u32::try_from(1 + len / UNIT)
        .unwrap_or(CREDIT_UNITS)
        .min(CREDIT_UNITS)
}

fn payload_len(input: &Input) -> usize {
    match input {
        Input::GossipReceived { bytes, .. }
        | Input::RequestReceived { bytes, .. }
        | Input::ResponseReceived { bytes, .. } => bytes.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use minichain_protocol::input::{InboundRequest, Input, Peer};
    use tokio::sync::mpsc;

    use super::{CREDIT_UNITS, Delivery, Outlet, QUEUE_BYTES_MAX, QUEUE_MAX, UNIT};

    fn request(id: u64, len: usize) -> Input {
        Input::RequestReceived {
            id: InboundRequest(id),
            peer: Peer(1),
            bytes: vec![0; len],
        }
    }

    async fn deliver_all(outlet: &mut Outlet<Delivery>) -> usize {
        let mut count = 0;
        while let Ok(Ok(())) =
            tokio::time::timeout(Duration::from_millis(50), outlet.deliver()).await
        {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn many_or_large_inputs_stop_the_reading() {
        let (sender, _inbox) = mpsc::channel(1);
        let mut outlet = Outlet::<Delivery>::new(sender);
        for id in 0..QUEUE_MAX as u64 {
            assert!(outlet.has_room());
            outlet.push(request(id, 0));
        }
        assert!(!outlet.has_room());

        let (sender, _inbox) = mpsc::channel(1);
        let mut outlet = Outlet::<Delivery>::new(sender);
        outlet.push(request(0, QUEUE_BYTES_MAX));
        assert!(!outlet.has_room());
    }

    #[tokio::test]
    async fn bytes_with_the_driver_are_bounded_and_freed_when_handled() {
        let (sender, mut inbox) = mpsc::channel(64);
        let mut outlet = Outlet::<Delivery>::new(sender);
        let quarter = CREDIT_UNITS as usize / 4 * UNIT - UNIT;
        for id in 0..6 {
            outlet.push(request(id, quarter));
        }
        assert_eq!(deliver_all(&mut outlet).await, 4);
        drop(inbox.recv().await);
        assert_eq!(deliver_all(&mut outlet).await, 1);
    }

    #[tokio::test]
    async fn order_is_kept_and_a_dropped_wait_loses_nothing() {
        let (sender, mut inbox) = mpsc::channel(1);
        let mut outlet = Outlet::<Delivery>::new(sender);
        for id in 0..3 {
            outlet.push(request(id, 10));
        }
        for expected in 0..3 {
            // The second wait of each round finds the inbox full.
            assert!(deliver_all(&mut outlet).await <= 1);
            let delivery = inbox.recv().await.expect("an input was delivered");
            let Input::RequestReceived { id, .. } = delivery.input else {
                panic!("a request")
            };
            assert_eq!(id, InboundRequest(expected));
        }
    }

    #[tokio::test]
    async fn an_input_above_the_whole_budget_still_passes() {
        let (sender, mut inbox) = mpsc::channel(1);
        let mut outlet = Outlet::<Delivery>::new(sender);
        outlet.push(request(0, (CREDIT_UNITS as usize + 5) * UNIT));
        assert_eq!(deliver_all(&mut outlet).await, 1);
        assert!(inbox.recv().await.is_some());
    }
}
