//! The network side: one task that owns the libp2p swarm and speaks with the
//! driver in the words of the protocol room.
//!
//! Whatever arrives becomes an [`Input`] on the driver's inbox; whatever the
//! core orders comes back as a [`Command`]. Neither direction can grow without
//! bound, and the task never waits for the driver while commands wait, so the
//! two cannot lock each other up. This room decides who is dialled, kept and
//! kept away; it never looks into a block, a transaction or a request.
//!
//! It must never import the chain's state, the store, the RPC server or the
//! miner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minichain_protocol::input::{GossipId, InboundRequest, OutboundRequest, Peer};
use minichain_protocol::output::{Topic, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub mod addresses;
mod bans;
mod behaviour;
mod book;
mod config;
mod dialer;
mod dice;
mod exchange;
mod gate;
pub mod gossip;
pub mod identity;
mod kademlia;
mod kept;
mod levers;
pub mod link_conditioner;
mod meter;
mod operator;
mod outlet;
pub mod owner;
mod pace;
mod peers;
mod places;
mod probe;
mod sync_codec;
mod task;
mod transport;
mod view;

pub use bans::{Ban, Subject, SubjectError};
pub use config::{Config, ConfigError};
pub use levers::{Ended, Levers, LeversEnd, levers};
pub use meter::{PeerMeter, Totals};
pub use operator::{Operator, OperatorEnd, Refusal, Until, Whom, Wish, operator};
pub use outlet::Delivery;
pub use probe::{Outcome, PAYLOAD_MAX, PAYLOAD_MIN, Target};
pub use view::{Connection, View};

/// An order to the network side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Gossip these bytes.
    Publish {
        /// Under which topic.
        topic: Topic,
        /// The encoded block or transaction.
        bytes: Vec<u8>,
        /// Milliseconds since 1970, told to receivers as the time of sending.
        sent_at_ms: u64,
    },
    /// Decide what becomes of a received gossip message.
    Verdict {
        /// The message.
        id: GossipId,
        /// The decision.
        verdict: Verdict,
    },
    /// Ask a peer.
    Request {
        /// Returned with the response or failure.
        id: OutboundRequest,
        /// Whom.
        peer: Peer,
        /// The encoded request.
        bytes: Vec<u8>,
        /// Give up after this long.
        timeout: Duration,
    },
    /// Answer a peer.
    Respond {
        /// The request answered.
        id: InboundRequest,
        /// The encoded response.
        bytes: Vec<u8>,
    },
    /// Leave a request without an answer.
    Refuse {
        /// The request.
        id: InboundRequest,
    },
    /// Close all connections to a peer.
    Disconnect {
        /// Which.
        peer: Peer,
        /// Refuse the peer for this long. None: it may come back, and is
        /// dialled again where its address is known.
        keep_away: Option<Duration>,
    },
}

/// Why the network side did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, not ours, or forbidden.
    #[error(
        "listen for peers on {address}: {reason}; choose another address or port \
         (`--listen`, `--port`, `p2p` in the configuration), or stop what uses it"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// A behaviour refused its settings.
    #[error("set up the peer-to-peer protocols: {0}")]
    Setup(String),
}

/// The driver's end of the network task.
#[derive(Debug)]
pub struct Handle {
    /// Orders; the task ends once this end is dropped.
    pub commands: mpsc::Sender<Command>,
    /// What is connected, renewed at every change.
    pub view: watch::Receiver<Arc<View>>,
    /// Ends after the last good addresses are written.
    pub task: JoinHandle<()>,
}

/// Ways in beside the driver's, where there are any.
#[derive(Debug, Default)]
pub struct Ends {
    /// Fault injection: links can be conditioned and peers probed.
    pub levers: Option<LeversEnd>,
    /// The operator: peers can be dialled, parted from and kept out.
    pub operator: Option<OperatorEnd>,
}

/// The system's time in seconds since 1970, by which bans are counted.
pub fn unix_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Orders that may wait; beyond that the driver waits for the network task,
/// which always takes them before it reads from any peer.
const COMMANDS_MAX: usize = 256;

/// Binds the port, then serves peers in a task of its own until the handle's
/// command sender is dropped. Inputs go to `inbox`, wrapped by `E`.
///
/// # Errors
/// When the port cannot be bound or a setting does not fit.
pub async fn start<E>(
    config: Config,
    ends: Ends,
    inbox: mpsc::Sender<E>,
) -> Result<Handle, StartError>
where
    E: From<Delivery> + Send + 'static,
{
    let (commands, orders) = mpsc::channel(COMMANDS_MAX);
    let (sender, view) = watch::channel(Arc::default());
    let mut task = task::Task::new(config, ends, inbox, orders, sender)?;
    task.bind().await?;
    Ok(Handle {
        commands,
        view,
        task: tokio::spawn(task.run()),
    })
}
