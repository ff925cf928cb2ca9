//! All that may reach a node.

use std::sync::Arc;

use minichain_chain::block::Block;
use minichain_chain::hash::BlockHash;
use minichain_chain::time::{UnixMillis, UnixSeconds};
use minichain_chain::transaction::Transaction;

use crate::output::Topic;
use crate::saved::SavedTransaction;

/// The time of an input, stamped by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the driver started; never goes back. Timers use it.
    pub monotonic_ms: u64,
    /// The wall clock; may jump. Only consensus rules and the mining template
    /// use it.
    pub unix: UnixMillis,
}

impl Now {
    /// The wall clock in whole seconds.
    pub fn seconds(self) -> UnixSeconds {
        self.unix.to_seconds()
    }
}

/// One connection, numbered by the driver; a number is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(pub u64);

/// A gossip message that awaits its verdict, numbered by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GossipId(pub u64);

/// A request that a peer made and awaits an answer to, numbered by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundRequest(pub u64);

/// A request this node made, numbered by the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboundRequest(pub u64);

/// A local client's call that awaits an answer, numbered by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(pub u64);

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer dialled us.
    Inbound,
    /// We dialled the peer.
    Outbound,
}

/// Why a request brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFailure {
    /// No answer in time.
    TimedOut,
    /// The connection closed first.
    Disconnected,
    /// The peer does not speak this protocol.
    Unsupported,
    /// The transport refused the answer, for example for its size.
    BadResponse,
}

/// How a peer broke the bounds of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It announced a question longer than any needs to be.
    QuestionTooLong,
    /// Its question was begun and did not arrive, although its connection lives.
    QuestionTooSlow,
    /// It announced an answer longer than any may be.
    AnswerTooLong,
    /// It goes on asking for what it does not read.
    AnswersUnread,
}

/// A decoded gossip message.
#[derive(Clone, Debug)]
pub enum Content {
    /// Of [`Topic::Block`].
    Block {
        /// Hash of its header.
        hash: BlockHash,
        /// The block.
        block: Arc<Block>,
    },
    /// Of [`Topic::Transaction`].
    Transaction(Arc<Transaction>),
}

impl Content {
    /// A block, with its hash.
    #[must_use]
    pub fn block(block: Block) -> Self {
        Self::Block {
            hash: block.hash(),
            block: Arc::new(block),
        }
    }
}

/// How a local client steers the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SteeringOrder {
    /// Treat the block as if it broke a rule.
    Invalidate,
    /// Give the block, and all below and above it, another chance.
    Reconsider,
}

/// All that may reach a node. Data only: no channel, closure or handle.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first input, once.
    Started,
    /// What waited when the node last ended; once, before any peer.
    MempoolRestored {
        /// Parents before children; not trusted.
        entries: Vec<SavedTransaction>,
    },
    /// A connection opened.
    PeerConnected {
        /// Its number.
        peer: Peer,
        /// Who dialled.
        direction: Direction,
    },
    /// A connection closed.
    PeerDisconnected {
        /// Its number.
        peer: Peer,
    },
    /// A peer broke the bounds of the transport.
    PeerBreached {
        /// Which.
        peer: Peer,
        /// How.
        breach: Breach,
    },
    /// Gossip arrived and awaits a verdict.
    GossipReceived {
        /// Awaits [`crate::output::Output::GossipVerdict`] with the same id.
        id: GossipId,
        /// Who passed it on.
        peer: Peer,
        /// What it claims to be.
        topic: Topic,
        /// When the first sender sent it, by that sender's clock; not trusted.
        sent_at: Option<UnixMillis>,
        /// Untrusted bytes.
        bytes: Vec<u8>,
    },
    /// Gossip arrived whose bytes, within [`crate::limits`], the driver has
    /// decoded itself. Where many nodes share one thread they share one copy.
    GossipDecoded {
        /// As in [`Input::GossipReceived`].
        id: GossipId,
        /// As in [`Input::GossipReceived`].
        peer: Peer,
        /// As in [`Input::GossipReceived`].
        sent_at: Option<UnixMillis>,
        /// What the bytes say, all of them.
        content: Content,
    },
    /// A peer asks.
    RequestReceived {
        /// Awaits [`crate::output::Output::Respond`] with the same id.
        id: InboundRequest,
        /// Who asks.
        peer: Peer,
        /// Untrusted bytes.
        bytes: Vec<u8>,
    },
    /// A peer answers.
    ResponseReceived {
        /// The request it answers.
        id: OutboundRequest,
        /// Who answers.
        peer: Peer,
        /// Untrusted bytes.
        bytes: Vec<u8>,
    },
    /// A request brought no answer.
    RequestFailed {
        /// The request.
        id: OutboundRequest,
        /// Who should have answered.
        peer: Peer,
        /// Why.
        failure: RequestFailure,
    },
    /// The miner solved a template.
    BlockMined {
        /// The solved block.
        block: Arc<Block>,
    },
    /// A local client hands in a transaction.
    TransactionSubmitted {
        /// Awaits [`crate::output::Output::Answer`] with the same id.
        call: Call,
        /// The transaction.
        transaction: Arc<Transaction>,
    },
    /// A local client hands in a block.
    BlockSubmitted {
        /// Awaits [`crate::output::Output::Answer`] with the same id.
        call: Call,
        /// The block.
        block: Arc<Block>,
    },
    /// A local client steers the chain by hand.
    ChainSteered {
        /// Awaits [`crate::output::Output::Answer`] with the same id.
        call: Call,
        /// The block it is about.
        hash: BlockHash,
        /// What becomes of it.
        order: SteeringOrder,
    },
    /// Mining is switched on or off.
    MiningSwitched {
        /// Whether to mine from now on.
        enabled: bool,
    },
    /// The time asked for by [`crate::output::Output::WakeAt`] has come.
    Woke,
}
