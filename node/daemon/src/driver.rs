//! The driver: the one loop that owns the node.
//!
//! **Nothing else changes the chain, and the node never waits.** All that
//! happens outside reaches the driver through one bounded inbox; all that the
//! node orders is carried out by the driver, in order and wholly, before the
//! node hears of anything else.
//!
//! # The loop
//!
//! 1. Wait for the first of: the wish to end, the alarm the node asked for, a
//!    commit that is due, a message in the inbox.
//! 2. Stamp the time, by two clocks.
//! 3. Turn the message into an [`Input`] and call `Node::handle`. A query
//!    instead runs at once on what the node shows, and the turn ends.
//! 4. Drain the outbox in order: commit on `Persist`, hand orders to the
//!    network task and the miner, answers to those who asked, events to the
//!    observer.
//! 5. Again, until the end is wished for. Then commit, close the store, stop
//!    the miner, and let the network task write down whom it knows.
//!
//! The loop runs on a thread of its own: checking a block or waiting for the
//! disk must not keep the network task from answering a ping.

use std::sync::Arc;
use std::time::Duration;

use minichain_api::config::NodeConfig;
use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::store::StoreError;
use minichain_chain::transaction::Transaction;
use minichain_protocol::input::SteeringOrder;
use minichain_protocol::node::Node;
use minichain_protocol::output::Answer;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::miner::Miner;
use crate::net;
use crate::observe::Observer;
use crate::shutdown::Shutdown;
use crate::store::RedbStore;

mod pool_file;
mod turn;

/// Everything the driver brings together.
pub struct Parts {
    /// The node's settings.
    pub config: Arc<NodeConfig>,
    /// Name of the network, part of the protocol names on the wire.
    pub network_id: String,
    /// Hash of the genesis block, for the log.
    pub genesis_hash: BlockHash,
    /// The node on its opened store.
    pub node: Node<RedbStore>,
    /// Searches nonces; its blocks come back by [`Handle::block_mined`].
    pub miner: Miner,
    /// Counts and logs.
    pub observer: Arc<Observer>,
    /// The time that inputs are stamped with.
    pub clock: Clock,
    /// Further ways into the network side.
    pub ends: net::Ends,
    /// The wish to end.
    pub shutdown: Shutdown,
}

/// Why the driver ended although nobody wished it.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings of the network side make no sense.
    #[error(transparent)]
    Config(#[from] net::ConfigError),
    /// The network side did not start.
    #[error(transparent)]
    Net(#[from] net::StartError),
    /// The store broke.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no thread or timer.
    #[error("start the driver's thread: {0}")]
    Thread(std::io::Error),
    /// The network task ended by itself, which is a bug.
    #[error("the network task ended by itself; this is a bug worth a report")]
    NetEnded,
}

/// What the node and its network side show to those who ask.
pub struct View<'a> {
    /// The node; for reading.
    pub node: &'a Node<RedbStore>,
    /// The network side.
    pub net: &'a net::View,
}

/// Something a local client hands in.
#[derive(Clone, Debug)]
pub enum Submission {
    /// For the mempool.
    Transaction(Arc<Transaction>),
    /// For the chain.
    Block(Arc<Block>),
    /// An order about a block that is there.
    Steering(BlockHash, SteeringOrder),
}

/// The driver has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node is ending")]
pub struct Stopped;

/// The way to the driver; clones share it.
#[derive(Clone, Debug)]
pub struct Handle {
    sender: mpsc::Sender<Message>,
}

/// The driver's end of all handles.
pub struct Inbox {
    receiver: mpsc::Receiver<Message>,
    sender: mpsc::Sender<Message>,
}

/// All that may reach the driver.
enum Message {
    Net(net::Delivery),
    Mined(Arc<Block>),
    Submit(Submission, oneshot::Sender<Answer>),
    Query(Box<dyn FnOnce(&View<'_>) + Send>),
}

/// Messages that may wait for the driver. What peers send waits in the network
/// task beyond that, and then in their own.
const INBOX_MAX: usize = 256;

/// Time the network task gets to write down whom it knows.
const NET_END_TIMEOUT: Duration = Duration::from_millis(300);

/// An inbox and the way to it. Made first, so that the miner and the servers
/// can hold the handle before the driver runs.
pub fn channel() -> (Handle, Inbox) {
    let (sender, receiver) = mpsc::channel(INBOX_MAX);
    (
        Handle {
            sender: sender.clone(),
        },
        Inbox { receiver, sender },
    )
}

/// Binds the peer-to-peer port, then runs the loop until the end is wished
/// for. Call it inside a runtime with timers and sockets: the network task
/// runs there, the loop on a thread of its own.
///
/// # Errors
/// When the port cannot be bound, or the store breaks.
pub async fn run(mut parts: Parts, inbox: Inbox) -> Result<(), RunError> {
    let user_agent = parts.node.status().user_agent.to_string();
    let spacing_s = u64::from(parts.node.state().params().spacing_s);
    let config = net::Config::new(
        &parts.config,
        &parts.network_id,
        Duration::from_secs(spacing_s),
        &user_agent,
    )?;
    let net = net::start(config, std::mem::take(&mut parts.ends), inbox.sender).await?;
    log_ready(&parts, &net.view.borrow());

    let (done, ended) = oneshot::channel();
    let (commands, view) = (net.commands, net.view);
    let driver = turn::Driver::new(parts, commands, view);
    let work = move || {
        // Nobody waits for the result when the whole runtime is gone.
        let _unheard = done.send(turn::run(driver, inbox.receiver));
    };
    std::thread::Builder::new()
        .name("driver".into())
        .spawn(work)
        .map_err(RunError::Thread)?;
    let result = ended.await.unwrap_or(Err(RunError::NetEnded));
    if tokio::time::timeout(NET_END_TIMEOUT, net.task)
        .await
        .is_err()
    {
        tracing::warn!("the network task did not end in time; known peers may not be saved");
    }
    result
}

fn log_ready(parts: &Parts, net: &net::View) {
    let tip = parts.node.state().tip();
    tracing::info!(
        peer_id = %net.peer_id,
        addresses = %net.addresses.join(" "),
        network = %parts.network_id,
        genesis = %parts.genesis_hash,
        height = %tip.height,
        tip = %tip.hash,
        "ready"
    );
}

impl Handle {
    /// Lets `look` read the node between two turns of the loop. It holds the
    /// whole node up and must be short.
    ///
    /// # Errors
    /// When the driver has ended.
    pub async fn query<R: Send + 'static>(
        &self,
        look: impl FnOnce(&View<'_>) -> R + Send + 'static,
    ) -> Result<R, Stopped> {
        let (reply, result) = oneshot::channel();
        let look = move |view: &View<'_>| {
            // Whoever asked may have gone meanwhile, at a limit of time.
            if !reply.is_closed() {
                let _unheard = reply.send(look(view));
            }
        };
        self.send(Message::Query(Box::new(look))).await?;
        result.await.map_err(|_| Stopped)
    }

    /// Hands something to the node and waits for its answer.
    ///
    /// # Errors
    /// When the driver has ended.
    pub async fn submit(&self, submission: Submission) -> Result<Answer, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Submit(submission, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Hands in a solved template, from the miner's own thread; waits while the
    /// inbox is full. Must not be called inside a runtime.
    ///
    /// # Errors
    /// When the driver has ended.
    pub fn block_mined(&self, block: Arc<Block>) -> Result<(), Stopped> {
        self.sender
            .blocking_send(Message::Mined(block))
            .map_err(|_| Stopped)
    }

    /// Messages that wait for the driver's next turn.
    pub fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    async fn send(&self, message: Message) -> Result<(), Stopped> {
        self.sender.send(message).await.map_err(|_| Stopped)
    }
}

impl From<net::Delivery> for Message {
    fn from(delivery: net::Delivery) -> Self {
        Self::Net(delivery)
    }
}
